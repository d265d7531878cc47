"""The robustness grid: every degradation of every modality."""

from collections.abc import Collection

from encoders.types import Modality
from rl.probes.alteration import Alteration
from rl.probes.film_degradations import film_grid
from rl.probes.picture_degradations import picture_grid
from rl.probes.sound_degradations import sound_grid

# Mild recompression, by key: what any upload undergoes must not lower a score.
RECOMPRESSIONS = (
    "image/jpeg/quality 90",
    "video/h264/CRF 23",
    "audio/mp3/64 kbit per s",
    "audio/aac/64 kbit per s",
    "audio/opus/64 kbit per s",
)


def grid(
    modalities: Collection[Modality] = tuple(Modality), names: Collection[str] = ()
) -> tuple[Alteration, ...]:
    """Degradations of these modalities, with these names; all names where there are none."""
    everything = (*picture_grid(), *sound_grid(), *film_grid())
    return tuple(
        found
        for found in everything
        if found.modality in modalities and (not names or found.name in names)
    )
