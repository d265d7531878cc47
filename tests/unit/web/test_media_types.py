"""How a browser is to show what came in."""

from pathlib import Path

import pytest

from encoders.types import Modality
from moderation.web.media_types import shown_type

SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
OGG = b"OggS" + bytes(60)


@pytest.mark.parametrize(
    ("name", "scored", "shown"),
    [
        ("photo-genuine.jpg", Modality.IMAGE, "image/jpeg"),
        ("video-genuine.mp4", Modality.VIDEO, "video/mp4"),
        ("video-genuine.mp4", Modality.AUDIO, "audio/mp4"),
        ("voice-genuine.wav", Modality.AUDIO, "audio/wav"),
    ],
)
def test_the_element_follows_the_bytes_and_what_was_scored(
    name: str, scored: Modality, shown: str
) -> None:
    assert shown_type(SAMPLES / name, scored) == (shown, Modality(shown.partition("/")[0]))


@pytest.mark.parametrize(
    ("scored", "shown"),
    [(Modality.VIDEO, "video/ogg"), (Modality.AUDIO, "audio/ogg"), (Modality.IMAGE, "audio/ogg")],
)
def test_ogg_is_a_sound_unless_it_was_scored_as_a_video(
    tmp_path: Path, scored: Modality, shown: str
) -> None:
    file = tmp_path / "x.mp4"
    file.write_bytes(OGG)
    assert shown_type(file, scored) == (shown, Modality(shown.partition("/")[0]))


def test_a_page_that_is_called_a_picture_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "x.jpg"
    file.write_bytes(b"<html><script>alert(1)</script>" + bytes(99))
    assert shown_type(file, Modality.IMAGE) is None
