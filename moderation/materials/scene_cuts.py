"""Where one scene ends and the next begins, as far as the decoded frames tell."""

from dataclasses import dataclass

from encoders.sampling import ByScene, change_values
from encoders.types import FrameBatch, Span

GAP_SECONDS_MAX = 5.0
"""Frames further apart than this differ without any cut between them."""

THRESHOLD = ByScene().threshold
_THUMBNAIL_SIDE = 64


@dataclass(frozen=True, slots=True)
class SceneCut:
    """A cut somewhere in `between`: from the last frame before it to the first one after it.

    change: see `encoders.sampling.change_values`, in [0, 1].
    """

    between: Span
    change: float


def scene_cuts(frames: FrameBatch, *, threshold: float = THRESHOLD) -> tuple[SceneCut, ...]:
    """Pairs of neighbouring frames whose colour histograms differ by more than `threshold`.

    Half the L1 distance of the histograms: motion within a scene keeps them, a cut does not. Pairs
    more than `GAP_SECONDS_MAX` apart tell nothing, and give no cut.
    """
    step = max(1, max(frames.pixels_FHWC.shape[1:3]) // _THUMBNAIL_SIDE)
    change_F = change_values(frames.pixels_FHWC[:, ::step, ::step])
    times_F = [float(time) for time in frames.timestamps_seconds_F]
    return tuple(
        SceneCut(Span(times_F[f - 1], times_F[f]), change_F[f])
        for f in range(1, len(times_F))
        if change_F[f] > threshold and times_F[f] - times_F[f - 1] <= GAP_SECONDS_MAX
    )
