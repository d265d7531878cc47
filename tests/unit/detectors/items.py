"""Labelled items with real feature values, small enough for unit tests."""

import numpy as np

from encoders.forensic.catalogue import BY_NAME
from encoders.types import FeatureSequence, MediaFeatures, MediaMetadata, Modality, Signal, Span
from rl.detectors.types import LabelledItem

SIGNAL = "audio.noise_floor_jump"


def sequence(encoder: str, modality: Modality, values_ND: np.ndarray) -> FeatureSequence:
    start_N = np.arange(len(values_ND), dtype=np.float64)
    layers = {"first": values_ND.astype(np.float32), "second": -values_ND.astype(np.float32)}
    return FeatureSequence(encoder, modality, layers, start_N, start_N + 1.0)


def signal(name: str, value: float, modality: Modality) -> Signal:
    kind = BY_NAME[name]
    span = Span(0.0, 1.0)
    return Signal(name, modality, value, kind.unit, span, kind.direction, 0.0, 1.0, "")


def item(
    k: int, *, modality: Modality = Modality.AUDIO, shift: float = 1.5, has_sound: bool = True
) -> LabelledItem:
    """Item k; odd ones are forged, and `shift` standard deviations off in one feature."""
    rng = np.random.default_rng(k)
    is_manipulated = k % 2 == 1
    severity = float(rng.uniform(0.3, 1.0)) if is_manipulated else 0.0
    sequences: list[FeatureSequence] = []
    signals: list[Signal] = []
    if has_sound:
        values = rng.normal(size=(4, 5))
        values[:, 2] += shift * severity * 2
        sequences.append(sequence("sound", Modality.AUDIO, values))
        signals.append(signal(SIGNAL, 1.0 + shift * severity + rng.normal(), Modality.AUDIO))
    if modality is not Modality.AUDIO:
        sequences.append(sequence("picture", modality, rng.normal(size=(3, 4)) + shift * severity))
    metadata = MediaMetadata("wav", 1, f"{k:064x}", (), (), "made")
    features = MediaFeatures(metadata, modality, 4.0, tuple(sequences), tuple(signals), None)
    pair = k // 2
    return LabelledItem(
        features, 9.0 * (1.0 - severity), is_manipulated, f"source-{pair % 8}", f"pair-{pair}"
    )


def items(count: int = 160, **options: object) -> list[LabelledItem]:
    return [item(k, **options) for k in range(count)]  # type: ignore[arg-type]
