import numpy as np

from encoders.types import Modality, Span
from moderation.judge.rationale import parse_rationale
from moderation.types import Claim, Strength
from rl.reference_rationale import ledger, reference_rationale

SPLICE = Claim(Modality.AUDIO, Span(1.0, 2.5), "synthetic voice", Strength.STRONG)


def test_gaps_are_named_clean_and_the_ledger_covers_the_file() -> None:
    entries = ledger([SPLICE], [Modality.VIDEO, Modality.AUDIO], 4.0)
    assert [(e.modality, e.span.start_seconds, e.span.end_seconds, e.cue) for e in entries] == [
        (Modality.VIDEO, 0.0, 4.0, "clean"),
        (Modality.AUDIO, 0.0, 1.0, "clean"),
        (Modality.AUDIO, 1.0, 2.5, "synthetic voice"),
        (Modality.AUDIO, 2.5, 4.0, "clean"),
    ]


def test_a_still_has_one_clean_entry() -> None:
    (entry,) = ledger([], [Modality.IMAGE], 0.0)
    assert entry.strength is Strength.CLEAN


def test_the_reference_is_read_back_as_its_claims_whatever_the_wording() -> None:
    sentences = set()
    for seed in range(20):
        text = reference_rationale([SPLICE], [Modality.AUDIO], 4.0, np.random.default_rng(seed))
        assert SPLICE in parse_rationale(text, is_complete=True).claims
        sentences.add(text.split(". ", 1)[1])
    assert len(sentences) > 1
