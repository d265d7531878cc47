"""The doctor looks at the judge as scoring would, and flags what protection is missing."""

from pathlib import Path
from typing import Any

import pytest

from encoders.sandbox import Sandbox
from moderation.cli.checks import device_findings, sandbox_findings, settings_findings
from moderation.cli.finding import Finding, Verdict
from moderation.cli.judge_check import judge_findings
from moderation.settings import Settings
from tests.unit.judge.builders import language_model, write_backbone, write_judge


def check(judge: Path, **settings: Any) -> dict[str, Finding]:
    found = judge_findings(Settings.load(judge=str(judge), device="cpu", **settings))
    return {finding.name: finding for finding in found}


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    return write_backbone(tmp_path / "backbone")


def test_no_judge(tmp_path: Path) -> None:
    finding = check(tmp_path)["judge"]
    assert finding.verdict is Verdict.MISSING
    assert "MODERATION_JUDGE" in finding.remedy


def test_a_judge_that_loads_is_well(tmp_path: Path, backbone: Path) -> None:
    found = check(write_judge(tmp_path / "judge", backbone), encoders=("forensic",))
    assert found["judge"].verdict is Verdict.OK
    assert found["backbone"].verdict is Verdict.OK


def test_another_backbone_of_the_same_name(tmp_path: Path, backbone: Path) -> None:
    judge = write_judge(tmp_path / "judge", backbone)
    language_model(400, seed=5).save_pretrained(backbone)
    found = check(judge, encoders=("forensic",))
    assert found["backbone"].verdict is Verdict.MISSING
    assert "model.safetensors" in found["backbone"].detail
    assert "judge" not in found


def test_a_backbone_that_is_gone(tmp_path: Path, backbone: Path) -> None:
    judge = write_judge(tmp_path / "judge", backbone)
    backbone.rename(tmp_path / "elsewhere")
    assert check(judge, encoders=("forensic",))["backbone"].verdict is Verdict.MISSING


def test_a_judge_that_does_not_say_which_backbone(tmp_path: Path, backbone: Path) -> None:
    judge = write_judge(tmp_path / "judge", backbone, backbone_files={})
    finding = check(judge, encoders=("forensic",))["backbone"]
    assert finding.verdict is Verdict.LIMITED
    assert finding.remedy


def test_a_judge_trained_on_other_features(tmp_path: Path, backbone: Path) -> None:
    for encoders, told in (({"forensic": "0"}, "version"), ({"sonar": "1"}, "not among forensic")):
        name = next(iter(encoders))
        judge = write_judge(tmp_path / name, backbone, encoders=encoders)
        finding = check(judge, encoders=("forensic",))["judge"]
        assert finding.verdict is Verdict.MISSING
        assert told in finding.detail


def test_protections_that_the_machine_lacks_are_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = {"no_network": True, "no_file_changes": False, "no_new_processes": False}
    monkeypatch.setattr(Sandbox, "protections", lambda: lacking)
    (finding,) = sandbox_findings(Settings.load())
    assert finding.verdict is Verdict.LIMITED
    assert "missing: no file changes, no new processes" in finding.detail
    assert "Landlock" in finding.remedy
    monkeypatch.setattr(Sandbox, "protections", lambda: dict.fromkeys(lacking, True))
    (finding,) = sandbox_findings(Settings.load())
    assert finding.verdict is Verdict.OK


def test_settings_that_differ_from_the_defaults_are_shown() -> None:
    (finding,) = settings_findings(Settings.load(frames_max=8, judge="runs/mine"))
    assert "MODERATION_FRAMES_MAX=8" in finding.detail
    assert "MODERATION_JUDGE=runs/mine" in finding.detail
    assert "OFFLINE" not in finding.detail


def test_the_device_is_said_with_the_precision_in_use() -> None:
    (finding,) = device_findings(Settings.load(device="cpu"))
    assert finding.detail.endswith("fp32")
    assert "bf16" not in finding.detail
