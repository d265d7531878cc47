"""The robustness grid: every degradation of every modality."""

from collections.abc import Collection

from encoders.types import Modality
from rl.probes.alteration import Alteration
from rl.probes.film_degradations import film_grid
from rl.probes.picture_degradations import picture_grid
from rl.probes.sound_degradations import sound_grid


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
