"""What decides a score is named by a digest, known before any model is loaded."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moderation.app import (
    STARTER_JUDGE,
    build_dispatcher,
    build_extractor,
    build_sandbox,
    plan_id,
    scoring_setup,
)
from moderation.errors import ConfigurationError
from moderation.judge.artefact import JudgeDescription, read_description
from moderation.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def starter() -> JudgeDescription:
    return read_description(STARTER_JUDGE)


@pytest.mark.parametrize(
    "changed",
    [
        {"frames_max": 8},
        {"frame_rate_hz": 2.0},
        {"audio_seconds_max": 30.0},
        {"decode_duration_seconds_max": 60.0},
        {"decode_frame_side_max": 512},
    ],
)
def test_settings_that_decide_what_is_read_change_plan_and_setup(
    starter: JudgeDescription, changed: dict[str, Any]
) -> None:
    usual, other = Settings.load(), Settings.load(**changed)
    assert plan_id(other) != plan_id(usual)
    assert scoring_setup(other, starter) != scoring_setup(usual, starter)


@pytest.mark.parametrize(
    "changed",
    [
        {"workers": 1},
        {"cache_dir": Path("elsewhere")},
        {"decode_wall_seconds": 5.0},
        {"feature_cache_bytes": 0},
    ],
)
def test_settings_that_decide_nothing_of_a_score_do_not(
    starter: JudgeDescription, changed: dict[str, Any]
) -> None:
    usual, other = Settings.load(), Settings.load(**changed)
    assert scoring_setup(other, starter) == scoring_setup(usual, starter)


@pytest.mark.parametrize(
    "changed",
    [
        {"encoders": {"clip": "2"}},
        {"backbone_files": {"model.safetensors": "0" * 64}},
        {"policy_text": "Other."},
    ],
)
def test_another_judge_or_backbone_or_encoder_is_another_setup(
    starter: JudgeDescription, changed: dict[str, Any]
) -> None:
    settings = Settings.load()
    assert scoring_setup(settings, replace(starter, **changed)) != scoring_setup(settings, starter)


def test_what_is_missing_is_found_before_anything_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from moderation.app import build_dispatcher\n"
        "from moderation.errors import TypedError\n"
        "from moderation.settings import Settings\n"
        "try:\n"
        "    build_dispatcher(Settings.load(cache_dir=Path(sys.argv[1])))\n"
        "except TypedError as error:\n"
        "    print(error.code, 'torch' in sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "weights_missing False\n"


def test_a_judge_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no readable judge"):
        build_dispatcher(Settings.load(judge=str(tmp_path)))


def test_options_reach_their_encoder_and_unknown_ones_are_refused() -> None:
    settings = Settings.load(encoders=("frames",), device="cpu")
    with build_sandbox(settings) as sandbox:
        (usual,) = build_extractor(settings, sandbox).encoders
        small = build_extractor(settings, sandbox, options={"frames": {"side_max": 64}})
        assert small.encoders[0].version != usual.version
        with pytest.raises(ConfigurationError, match="'frames' has no option 'colour'"):
            build_extractor(settings, sandbox, options={"frames": {"colour": 1}})
        with pytest.raises(ConfigurationError, match="'clip', which does not run"):
            build_extractor(settings, sandbox, options={"clip": {}})


def test_options_of_encoders_are_part_of_a_judge(starter: JudgeDescription) -> None:
    other = replace(starter, encoder_options={"clip": {"model": "ViT-L-14"}})
    assert other.judge_id != starter.judge_id
