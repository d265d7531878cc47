"""In full mode, too, an item's score does not depend on what it is batched with (real weights)."""

from pathlib import Path

import pytest

from encoders.types import MediaFeatures
from moderation.app import build_extractor, build_judge, build_sandbox
from moderation.settings import Settings
from moderation.types import Judgment, Mode

pytestmark = pytest.mark.weights

# Of different kinds and lengths, so that the batch pads prompts and rationales.
SAMPLES = [Path("docs/samples") / name for name in ("photo-genuine.jpg", "voice-manipulated.wav")]


def test_rationale_and_score_do_not_depend_on_the_neighbour() -> None:
    settings = Settings.load(feature_cache_bytes=0)
    with build_sandbox(settings) as sandbox:
        extractor = build_extractor(settings, sandbox)
        features = extractor.encode([extractor.decode(path) for path in SAMPLES])
    items = [item for item in features if isinstance(item, MediaFeatures)]
    assert len(items) == len(SAMPLES)
    judge = build_judge(settings)
    together = judge.judge(items, Mode.FULL)
    alone = [judge.judge([item], Mode.FULL)[0] for item in items]
    for one, other in zip(alone, together, strict=True):
        assert isinstance(one, Judgment)
        assert isinstance(other, Judgment)
        assert one.rationale is not None
        assert one.rationale == other.rationale
        assert one.expected_score == pytest.approx(other.expected_score, abs=1e-4)
