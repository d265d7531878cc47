"""D3: how restless the change between frames is (arXiv:2508.00701).

Genuine footage changes unevenly; generated or interpolated footage glides. The embedding moves by
d_t = |e_{t+1} - e_t| from frame to frame; the signal is the standard deviation over time of the
change of that, d_{t+1} - d_t. High means genuine.
"""

import numpy as np

from encoders.types import Direction, FloatArray, Modality, SecondsArray, Signal, Span

FRAMES_MIN = 4
STARTER_RANGE = (0.022, 0.32)
"""5th and 95th percentile of 28 genuine clips (7 films, 4 s at 4 frames a second) with the starter
tower's last default layer. Other towers and layers move by other lengths: measure them anew."""


def second_difference(embeddings_FD: FloatArray) -> float:
    """Standard deviation of the second difference of (F, D) embeddings scaled to length 1.

    Raises:
        ValueError: fewer than 4 frames.
    """
    if embeddings_FD.shape[0] < FRAMES_MIN:
        raise ValueError(f"{embeddings_FD.shape[0]} frames; need {FRAMES_MIN}")
    lengths_F1 = np.linalg.norm(embeddings_FD, axis=1, keepdims=True)
    unit_FD = embeddings_FD.astype(np.float64) / np.maximum(lengths_F1, 1e-12)
    steps = np.linalg.norm(np.diff(unit_FD, axis=0), axis=1)
    return float(np.std(np.diff(steps)))


def second_difference_signal(
    embeddings_FD: FloatArray,
    timestamps_seconds_F: SecondsArray,
    typical_range: tuple[float, float],
) -> Signal:
    """The measurement as a `Signal` over the frames' time.

    typical_range: 5th and 95th percentile on genuine media, with the same embedding.
    """
    start, end = float(timestamps_seconds_F[0]), float(timestamps_seconds_F[-1])
    return Signal(
        name="video.second_difference",
        modality=Modality.VIDEO,
        value=second_difference(embeddings_FD),
        unit="embedding lengths",
        span=Span(max(start, 0.0), max(end, 0.0)),
        direction=Direction.LOW,
        typical_low=typical_range[0],
        typical_high=typical_range[1],
        explanation="how unevenly the picture changes from frame to frame; generated video glides",
    )
