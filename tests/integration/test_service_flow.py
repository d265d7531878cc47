"""Real files through the starter judge, from upload to route, as the settings build it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from moderation.app import build_engine
from moderation.audit.check import verify_store
from moderation.casework.adoption import adopt
from moderation.casework.running import work_off
from moderation.database import reading, writing
from moderation.intake.listings import dispositions_of, jobs_of
from moderation.intake.results import find_result
from moderation.intake.submission import submit
from moderation.intake.types import JobState, NewItem
from moderation.service import (
    build_context,
    build_deployment,
    build_scoring_desk,
    build_upload_dispatcher,
)
from moderation.settings import Settings
from moderation.types import Disposition, Mode
from tests.contract.casework.scripted import calibrator

pytestmark = pytest.mark.weights
SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
NAMES = ("photo-manipulated.jpg", "voice-genuine.wav")


def test_samples_are_scored_calibrated_and_routed(tmp_path: Path) -> None:
    # Made-up labels of the real judge: what is tested is the way, not the worth of its scores.
    usual = Settings.load(data_dir=tmp_path / "data", database_url=f"sqlite:///{tmp_path}/m.sqlite")
    judge_id = build_context(usual, Mode.FAST).judge_id
    calibrator(judge_id).artefact.write(tmp_path / "calibrators")
    settings = usual.model_copy(update={"calibrators": tmp_path / "calibrators"})
    engine = build_engine(settings)
    with build_upload_dispatcher(settings) as dispatcher:
        deployment = build_deployment(settings, dispatcher)
        desk = build_scoring_desk(settings, engine, dispatcher, deployment)
        adopt(engine, deployment, now=datetime.now(UTC), actor="system:start")
        items = {}
        for name, content in [
            *((name, (SAMPLES / name).read_bytes()) for name in NAMES),
            ("broken.mp4", b"\0\0\0\x18ftypmp42 and then nothing"),
        ]:
            with desk.blobs.upload() as upload:
                upload.write(content)
                blob = upload.finish()
            new = NewItem(
                sha256=blob.sha256,
                size_bytes=blob.size_bytes,
                surface="feed",
                declared_name=name,
            )
            with writing(engine) as connection:
                items[name] = submit(connection, new, now=datetime.now(UTC))
        assert work_off(desk) == len(NAMES) + 1
    with reading(engine) as connection:
        for name in NAMES:
            [found] = dispositions_of(connection, items[name].id)
            context = deployment.context(Mode.FAST)
            result = find_result(connection, items[name].sha256, context)
            assert result is not None
            assert result.judgment is not None
            assert result.judgment.judge_id == judge_id
            assert found.outcome["calibrator_id"] == calibrator(judge_id).calibrator_id
            assert found.probability is not None
            assert bool(result.picture_hashes) == (name == "photo-manipulated.jpg")
        [broken] = dispositions_of(connection, items["broken.mp4"].id)
        [job] = jobs_of(connection, items["broken.mp4"].id)
    assert broken.disposition is Disposition.REVIEW
    assert job.state is JobState.DEAD
    assert verify_store(engine).chain.is_whole
    engine.dispose()
