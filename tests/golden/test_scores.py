"""The scores of the bundled samples, pinned: an unintended change of preprocessing shows here."""

import json
from pathlib import Path

import pytest

from moderation.app import build_dispatcher
from moderation.settings import Settings
from moderation.types import Mode

pytestmark = pytest.mark.weights

GOLDEN = Path(__file__).with_name("scores.json")
SAMPLES = sorted(p for p in Path("docs/samples").iterdir() if p.suffix in {".jpg", ".mp4", ".wav"})


def score(mode: Mode) -> dict[str, float]:
    with build_dispatcher(Settings.load(feature_cache_bytes=0)) as dispatcher:
        rows = list(dispatcher.score(SAMPLES, mode))
    return {Path(row.path).name: row.judgment.expected_score for row in rows}


@pytest.fixture(scope="module")
def fast() -> dict[str, float]:
    return score(Mode.FAST)


def test_scores_are_the_pinned_ones(fast: dict[str, float]) -> None:
    pinned = json.loads(GOLDEN.read_text())
    assert fast == pytest.approx(pinned, abs=2e-2)


def test_a_second_run_gives_the_same_bits(fast: dict[str, float]) -> None:
    assert score(Mode.FAST) == fast


def test_a_manipulated_photo_and_voice_score_well_below_their_originals(
    fast: dict[str, float],
) -> None:
    for kind, suffix in (("photo", "jpg"), ("voice", "wav")):
        assert fast[f"{kind}-manipulated.{suffix}"] < fast[f"{kind}-genuine.{suffix}"] - 1


def test_a_score_does_not_depend_on_its_neighbours(fast: dict[str, float]) -> None:
    with build_dispatcher(Settings.load(feature_cache_bytes=0)) as dispatcher:
        alone = {p.name: dispatcher.examine(p, Mode.FAST).judgment.expected_score for p in SAMPLES}
    assert alone == pytest.approx(fast, abs=1e-4)
