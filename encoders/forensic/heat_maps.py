"""Heat maps of one frame: those of every image signal, not of the most deviant frame alone."""

from collections.abc import Mapping

from encoders.forensic.encoder import FRAME_FAMILIES, is_reported
from encoders.forensic.reading import analysis_luma, block_context
from encoders.types import FloatArray, FrameBatch, Modality


def frame_heat_maps(frames: FrameBatch, index: int, modality: Modality) -> Mapping[str, FloatArray]:
    """Signal name -> float32 (h, w) in [0, 1] over frame `index`, one value a block."""
    luma_HW = analysis_luma(frames.pixels_FHWC[index])
    context = block_context(luma_HW)
    readings = (read(luma_HW, context) for read in FRAME_FAMILIES.values())
    return {
        name: heat_hw
        for reading in readings
        for name, heat_hw in reading.heat_maps.items()
        if is_reported(name, frames, modality)
    }
