"""What the encoders of a recipe give, and how large they are, found out without their weights."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from encoders.clip_towers import STARTER, tower_shape
from encoders.forensic import ForensicEncoder
from encoders.types import AudioSamples, DecodedMedia, FrameBatch, MediaMetadata, Modality
from encoders.weights import WeightStore
from encoders.whisper_model import STARTER_ARTEFACT, whisper_shape
from moderation.errors import ConfigurationError

_STATISTICS = 2  # mean and standard deviation of each channel


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """parameters: of the model. sequences: name -> layer -> feature width."""

    parameters: int
    sequences: Mapping[str, Mapping[str, int]]


def clip_shape(options: Mapping[str, Any]) -> EncoderShape:
    """The sequence of `encoders.clip.ClipEncoder` with these options."""
    tower = tower_shape(options.get("model", STARTER))
    layers = {f"layer_{i}": _STATISTICS * channels for i, channels in tower.channels.items()}
    return EncoderShape(tower.parameters, {"clip": layers})


def whisper_encoder_shape(
    options: Mapping[str, Any], dimensions: Path | None, weights: WeightStore
) -> EncoderShape:
    """The sequence of `encoders.whisper.WhisperEncoder`.

    dimensions: JSON file with those of its checkpoint; the starter's come with its weights.

    Raises:
        ConfigurationError: another model than the starter, and no file.
        WeightsMissing: the starter, which is not in the cache.
    """
    model = options.get("model", "starter")
    if dimensions is None and model != "starter":
        raise ConfigurationError(
            f"key 'encoders.whisper.model' = {model!r}: its sizes are not known here",
            expected="a file with its dimensions",
            remedy="Name one in key 'architectures.whisper'.",
        )
    path = dimensions or weights.path(STARTER_ARTEFACT) / "dims.json"
    try:
        dims = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: {error}",
            expected="the dimensions of a Whisper, JSON",
            remedy="Correct key 'architectures.whisper', or the file.",
        ) from error
    shape = whisper_shape(dims)
    names = ["stem", *(f"block_{i}" for i in range(1, shape.layers))]
    return EncoderShape(shape.parameters, {"whisper": dict.fromkeys(names, shape.channels)})


@cache
def forensic_shape() -> EncoderShape:
    """The sequences of the forensic encoder; it has no weights, so it is run on some noise."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    wave = generator.normal(0, 0.1, 16_000).astype(np.float32)
    noise = DecodedMedia(
        MediaMetadata("noise", 1, "0" * 64, (), (), "none"),
        Modality.VIDEO,
        1.0,
        FrameBatch(pixels, np.arange(4) / 4, 64, 64),
        AudioSamples(wave, 16_000, 16_000),
    )
    (encoding,) = ForensicEncoder().encode([noise])
    found = {
        sequence.encoder: {name: values.shape[1] for name, values in sequence.layers.items()}
        for sequence in encoding.sequences
    }
    return EncoderShape(0, found)
