"""What reviewers ruled becomes a calibrator, and a manifest to train on."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine

from encoders.types import Modality
from moderation.calibration.artefact import read_artefact
from moderation.casework.reviewing import CaseReview
from moderation.casework.running import work_off
from moderation.database import open_engine, upgrade, writing
from moderation.intake.jobs import JobRules
from moderation.intake.submission import submit
from moderation.intake.types import NewItem
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.reviewers import enrol
from moderation.review.types import Action, Finding, Reviewer, Verdict
from moderation.service import build_context
from moderation.settings import Settings
from moderation.types import ItemResult, Judgment, Mode
from rl.corpus.manifest import read_manifest
from tests.contract.casework.scripted import (
    RULES,
    ScriptedDispatcher,
    deployment,
    make_desk,
    policy,
    send,
)
from tests.unit.cli.byte_dispatcher import moderation

FILES = 40
FAKE = Finding(Verdict.MANIPULATED, Action.LABEL, "deceptive-event")
FINE = Finding(Verdict.AUTHENTIC, Action.LEAVE, "none")


class MiddlingDispatcher(ScriptedDispatcher):
    """Finds everything doubtful, without opening it."""

    def _one(self, path: Path, mode: Mode) -> ItemResult:
        digits = tuple(float(k == 5) for k in range(10))
        judgment = Judgment(digits, 1.0, 5.0, mode, self.judge_id)
        return ItemResult(str(path), path.name, Modality.IMAGE, None, judgment, None)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "MODERATION_DATABASE_URL": f"sqlite:///{tmp_path}/m.sqlite",
        "MODERATION_DATA_DIR": str(tmp_path / "data"),
    }


@pytest.fixture
def engine_of(environment: dict[str, str]) -> Iterator[Callable[[], Engine]]:
    engine = open_engine(environment["MODERATION_DATABASE_URL"])

    def migrated() -> Engine:
        upgrade(engine)
        return engine

    yield migrated
    engine.dispose()


def test_rulings_become_a_calibrator(
    tmp_path: Path, environment: dict[str, str], engine_of: Callable[[], Engine]
) -> None:
    settings = Settings.load(data_dir=tmp_path / "data")
    context = build_context(settings, Mode.FAST)
    engine = engine_of()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    desk = make_desk(
        engine,
        tmp_path / "data",
        dispatcher=ScriptedDispatcher(context),
        deployment=deployment(
            judge_id=context.judge_id,
            setup=context.setup,
            limits=context.limits,
            calibrators={},
            live=policy(random_share=0.25),
        ),
        job_rules=JobRules(),
        clock=lambda: yesterday,
    )
    digits = [k % 10 for k in range(FILES)]
    truth = {send(desk, f"{digit} {k}").id: digit < 5 for k, digit in enumerate(digits)}
    work_off(desk)
    review = CaseReview(engine, RULES, desk.deployment.namespace)
    with review.at(yesterday) as tx:
        enrol(tx, Reviewer("ann"))
    for _ in range(FILES):
        with review.at(yesterday) as tx:
            claimed = claim(tx, "ann")
            assert claimed is not None
            is_fake = truth[claimed.task.item_id]
            decide(tx, claimed.lease.token, FAKE if is_fake else FINE)

    done = moderation(
        *("calibrate", "fit", "--from-decisions", "--out", tmp_path / "cal", "--method", "platt"),
        "--json",
        **environment,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    artefact = read_artefact(Path(told["path"]))
    assert artefact.judge_id == context.judge_id
    assert artefact.provenance.items["all"] == FILES
    assert artefact.provenance.items["manipulated"] == sum(truth.values())
    assert artefact.provenance.splits == ("decisions",)

    refused = moderation("calibrate", "fit", "--from-decisions", "--labels", "x", "--out", tmp_path)
    assert refused.returncode == 2
    assert "--labels" in refused.stderr


def test_rulings_become_a_manifest(
    tmp_path: Path, environment: dict[str, str], engine_of: Callable[[], Engine]
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    empty = moderation("corpus", "decisions", "--out", tmp_path / "none", **environment)
    assert empty.returncode != 0
    assert "Traceback" not in empty.stderr
    desk = make_desk(
        engine_of(), tmp_path / "data", dispatcher=MiddlingDispatcher(), clock=lambda: yesterday
    )
    truth = {}
    for k in range(4):
        shade = np.random.default_rng(k).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(shade).save(tmp_path / "x.png")
        content = (tmp_path / "x.png").read_bytes()
        with desk.blobs.upload() as upload:
            upload.write(content)
            blob = upload.finish()
        truth[blob.sha256] = k % 2 == 0
        new = NewItem(sha256=blob.sha256, size_bytes=blob.size_bytes, surface="feed")
        with writing(desk.engine) as connection:
            submit(connection, new, now=yesterday)
    work_off(desk)
    review = CaseReview(desk.engine, RULES, desk.deployment.namespace)
    with review.at(yesterday) as tx:
        enrol(tx, Reviewer("ann"))
    for _ in truth:
        with review.at(yesterday) as tx:
            claimed = claim(tx, "ann")
            assert claimed is not None
            decide(tx, claimed.lease.token, FAKE if truth[claimed.task.sha256] else FINE)
    out = tmp_path / "corpus"
    done = moderation("corpus", "decisions", "--out", out, "--json", **environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == 4
    rows = {row["sha256"]: row for row in read_manifest(out)}
    assert {sha256: row["is_manipulated"] for sha256, row in rows.items()} == truth
    assert all((row["y"] == 9.0) is not truth[sha256] for sha256, row in rows.items())
    assert all((out / row["path"]).is_file() for row in rows.values())
