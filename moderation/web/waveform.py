"""The outline of a sound, and how loud it is."""

import math
from collections.abc import Mapping, Sequence


def wave_path(lowest: Sequence[float], highest: Sequence[float]) -> str:
    """The outline of a waveform in a box of 1000 by 100, drawn as high as the box is."""
    scale = 1000 / max(1, len(lowest))
    tall = 50 / (peak_of(lowest, highest) or 1.0)
    upper = [f"{k * scale:g},{round(50 - tall * value)}" for k, value in enumerate(highest)]
    lower = [f"{k * scale:g},{round(50 - tall * value)}" for k, value in enumerate(lowest)]
    return f"M{' L'.join([*upper, *reversed(lower)])}Z"


def peak_of(lowest: Sequence[float], highest: Sequence[float]) -> float:
    """The largest amplitude of a waveform; 0 of silence."""
    return max((abs(value) for value in (*lowest, *highest)), default=0.0)


def peak_told(wave: Mapping[str, Sequence[float]]) -> str:
    """How loud a waveform piece is at its loudest."""
    peak = peak_of(wave["lowest"], wave["highest"])
    return f"peak {20 * math.log10(peak):.0f} dB of full scale" if peak else "silent"
