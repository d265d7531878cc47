"""What beat asks for besides jobs, on either database."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, update

from moderation.calibration.monitor import Verdict
from moderation.casework.calibration_check import SCORES_MIN, check_calibration
from moderation.casework.running import work_off
from moderation.casework.scoring import ScoringDesk, utc_now
from moderation.database import reading, writing
from moderation.intake.listings import find_item
from moderation.intake.tables import dispositions
from moderation.intake.types import ItemState
from moderation.settings import Settings
from tests.contract.casework.scripted import RULES, make_desk, send
from workers.record_keeping import RecordKeeping


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> ScoringDesk:
    return make_desk(engine, tmp_path, batch_max=32)


def keeping(desk: ScoringDesk, folder: Path, **settings: object) -> RecordKeeping:
    return RecordKeeping(Settings.load(data_dir=folder, **settings), lambda: desk.engine)


def test_statements_are_exported_where_a_folder_is_named(desk: ScoringDesk, tmp_path: Path) -> None:
    for number in range(3):
        send(desk, f"0 {number}")
    work_off(desk)
    out = tmp_path / "statements"
    assert keeping(desk, tmp_path).export_statements() == 0
    exporting = keeping(desk, tmp_path, statements_dir=out)
    assert exporting.export_statements() == 3
    assert exporting.export_statements() == 0
    assert [path.name for path in out.iterdir()] == ["statements-000001.json"]


def test_media_are_erased_where_periods_are_named(desk: ScoringDesk, tmp_path: Path) -> None:
    old, new = send(desk, "9 old"), send(desk, "9 new")
    work_off(desk)
    for item, days in ((old, 31), (new, 29)):
        with writing(desk.engine) as connection:
            connection.execute(
                update(dispositions)
                .where(dispositions.c.item_id == item.id)
                .values(changed_at=utc_now() - timedelta(days=days))
            )
    assert keeping(desk, tmp_path).erase() == 0
    assert keeping(desk, tmp_path, retention_days="30,190,365").erase() == 1
    with reading(desk.engine) as connection:
        states = [find_item(connection, item.id).state for item in (old, new)]
    assert states == [ItemState.ERASED, ItemState.SETTLED]


@pytest.mark.parametrize(("scores", "verdict"), [(SCORES_MIN - 1, None), (60, Verdict.LABEL)])
def test_a_calibrator_whose_scores_have_moved_asks_for_labels(
    desk: ScoringDesk, scores: int, verdict: Verdict | None
) -> None:
    for number in range(scores):
        send(desk, f"9 {number}")
    work_off(desk)
    with reading(desk.engine) as connection:
        report = check_calibration(
            connection,
            desk.deployment,
            RULES,
            since=desk.clock() - timedelta(days=1),
            now=desk.clock(),
            generator=np.random.default_rng(0),
        )
    assert (None if report is None else report.verdict) is verdict
