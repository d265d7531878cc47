import json
from pathlib import Path

import numpy as np
import pytest

from encoders.clip import ClipEncoder
from encoders.errors import WeightsError
from encoders.types import AudioSamples, DecodedMedia, FrameBatch, MediaMetadata, Modality
from encoders.weights import WeightStore
from encoders.whisper import WhisperEncoder
from moderation.errors import ConfigurationError
from rl.memory.encoders import clip_shape, forensic_shape, whisper_encoder_shape

LARGE = Path("rl/recipes/architectures/whisper-large-v3.json")
MEDIA = DecodedMedia(
    MediaMetadata("x", 1, "0" * 64, (), (), "x"),
    Modality.VIDEO,
    1.0,
    FrameBatch(np.zeros((1, 64, 64, 3), np.uint8), np.zeros(1), 64, 64),
    AudioSamples(np.full(16_000, 0.1, np.float32), 16_000, 16_000),
)


def widths(encoder: ClipEncoder | WhisperEncoder) -> dict[str, dict[str, int]]:
    (encoding,) = encoder.encode([MEDIA])
    return {
        sequence.encoder: {name: values.shape[1] for name, values in sequence.layers.items()}
        for sequence in encoding.sequences
    }


@pytest.mark.weights
def test_the_starter_s_shapes_are_those_of_its_features() -> None:
    assert clip_shape({}).sequences == widths(ClipEncoder())
    found = whisper_encoder_shape({}, None, WeightStore())
    assert found.sequences == widths(WhisperEncoder(transcribe=False))


def test_the_large_encoders_have_their_published_sizes() -> None:
    clip = clip_shape({"model": "ViT-L-14"})
    # 304 M and 1,550 M, as their papers give them.
    assert clip.parameters == pytest.approx(304e6, rel=0.005)
    assert set(clip.sequences["clip"].values()) == {2 * 1024}
    whisper = whisper_encoder_shape({"model": "large-v3"}, LARGE, WeightStore())
    assert whisper.parameters == pytest.approx(1550e6, rel=0.01)
    assert len(whisper.sequences["whisper"]) == 33


def test_the_forensic_encoder_gives_three_sequences() -> None:
    assert set(forensic_shape().sequences) == {
        "forensic_image",
        "forensic_motion",
        "forensic_audio",
    }


def test_unknown_models_are_typed_errors(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no model 'ViT-Z'"):
        clip_shape({"model": "ViT-Z"})
    with pytest.raises(ConfigurationError, match="its sizes are not known here"):
        whisper_encoder_shape({"model": "large-v3"}, None, WeightStore())
    path = tmp_path / "dims.json"
    path.write_text(json.dumps({"n_mels": 80}))
    with pytest.raises(WeightsError, match="no dimensions of a Whisper"):
        whisper_encoder_shape({"model": "large-v3"}, path, WeightStore())
