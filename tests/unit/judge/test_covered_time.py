"""Windows lie over the time that was listened to."""

from dataclasses import replace

import pytest
import torch

from moderation.judge.soft_tokens import SoftTokenProjector, collate, covered_seconds

from .builders import SPECS, features

PICTURES, SOUND = SPECS


def test_windows_end_with_the_sound_that_was_read() -> None:
    (sequence,) = features(4.0, encoders=["whisper"]).sequences
    windows = collate(SOUND, [(sequence, 600.0)], torch.device("cpu"))
    assert windows.edges[0] == pytest.approx((0.0, 1.0, 2.0, 3.0, 4.0))
    assert (windows.member_BWN.sum(dim=1) == 1).all()  # each position in one window


def test_a_longer_file_changes_nothing_of_what_was_heard() -> None:
    torch.manual_seed(0)
    projector = SoftTokenProjector(SPECS, width=16, lm_width=32)
    whole = features(4.0, encoders=["whisper"])
    cut = replace(whole, duration_seconds=600.0)
    assert torch.equal(projector([whole])[0].embeddings_ND, projector([cut])[0].embeddings_ND)
    assert projector([cut])[0].end_seconds == pytest.approx((1.0, 2.0, 3.0, 4.0))


@pytest.mark.parametrize("missing_seconds", [0.0, 0.02, 0.99])
def test_a_codecs_padding_is_no_missing_sound(missing_seconds: float) -> None:
    (sequence,) = features(4.0, encoders=["whisper"]).sequences
    assert covered_seconds(sequence, 4.0 + missing_seconds) == 4.0 + missing_seconds


def test_pictures_stand_for_all_of_the_film() -> None:
    (sequence,) = features(4.0, encoders=["clip"]).sequences
    assert covered_seconds(sequence, 600.0) == 600.0
