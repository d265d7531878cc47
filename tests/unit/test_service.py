"""What the service is built of: settings that fit together, and those that do not."""

from pathlib import Path

import pytest

from moderation.calibration.folder import read_calibrators
from moderation.errors import CalibrationError, ConfigurationError
from moderation.policy.loading import DEFAULT, PolicyError
from moderation.priority.orders import ORDERS, CMu
from moderation.service import (
    build_blobs,
    build_deployment,
    build_review_rules,
    read_secret,
)
from moderation.settings import ReviewOrder, Settings
from moderation.triage.routing import NEVER
from moderation.types import Mode
from tests.contract.casework.scripted import ScriptedDispatcher, calibrator

JUDGE = ScriptedDispatcher.judge_id


def settings(folder: Path, **changes: object) -> Settings:
    return Settings.load(data_dir=folder / "data", **changes)


def test_the_defaults_make_a_deployment(tmp_path: Path) -> None:
    built = build_deployment(settings(tmp_path))
    assert built.judge_id.startswith("starter-")
    assert (built.live.name, built.shadow) == ("default", None)
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600


def test_the_judges_own_calibrator_orders_and_never_decides(tmp_path: Path) -> None:
    built = build_deployment(settings(tmp_path))
    assert list(built.calibrators) == [Mode.FAST]
    assert built.deployed(Mode.FAST, built.live).bounds == NEVER


def test_the_judges_own_calibrator_is_for_no_other_judge(tmp_path: Path) -> None:
    assert dict(build_deployment(settings(tmp_path), ScriptedDispatcher()).calibrators) == {}


def test_the_settings_calibrators_go_before_the_judges_own(tmp_path: Path) -> None:
    calibrator().artefact.write(tmp_path)
    with pytest.raises(CalibrationError, match="starter"):
        build_deployment(settings(tmp_path, calibrators=tmp_path))


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    first = read_secret(settings(tmp_path))
    assert first == read_secret(settings(tmp_path))
    assert build_review_rules(settings(tmp_path)).salt == first.hex()
    assert first != read_secret(settings(tmp_path / "other"))
    assert [one.name for one in (tmp_path / "data").iterdir()] == ["secret"]


@pytest.mark.parametrize(("content", "mode"), [("short", 0o600), ("ab" * 32, 0o644)])
def test_another_secret_is_refused(tmp_path: Path, content: str, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="secret"):
        read_secret(settings(tmp_path, secret_file=file))


def test_one_calibrator_a_mode(tmp_path: Path) -> None:
    calibrator().artefact.write(tmp_path)
    assert read_calibrators(tmp_path, JUDGE)[Mode.FAST].calibrator_id == calibrator().calibrator_id
    with pytest.raises(CalibrationError, match="starter"):
        read_calibrators(tmp_path, "starter")
    calibrator().artefact.model_copy(update={"method_version": "2"}).write(tmp_path)
    with pytest.raises(ConfigurationError, match="several"):
        read_calibrators(tmp_path, JUDGE)


def test_a_folder_without_calibrators_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigurationError, match="no calibrator"):
            read_calibrators(folder, JUDGE)


def test_policies_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        build_deployment(settings(tmp_path, policy=tmp_path / "none.toml"))
    with pytest.raises(ConfigurationError, match="shadow"):
        build_deployment(settings(tmp_path, shadow_policy=DEFAULT))


def test_orders_are_found_by_name(tmp_path: Path) -> None:
    assert {name: order.name for name, order in ORDERS.items()} == {
        name: name for name in ReviewOrder
    }
    assert isinstance(build_deployment(settings(tmp_path, review_order="cmu")).order, CMu)
    with pytest.raises(ConfigurationError, match="review_order"):
        settings(tmp_path, review_order="loudest")


def test_the_cap_of_uploads_is_that_of_the_settings(tmp_path: Path) -> None:
    assert build_blobs(settings(tmp_path, upload_bytes_max=7)).bytes_max == 7
