"""A genuine photograph and its forgeries, through the same resizing and the same JPEG."""

from collections.abc import Callable

import numpy as np

from encoders.types import ByteArray, FloatArray, Modality
from moderation.types import Claim
from rl.corpus.clips import Clip, Made, PhotoPair
from rl.corpus.codecs import fit, jpeg_bytes, read_jpeg, read_picture
from rl.corpus.fingerprints import picture_prints
from rl.corpus.forgeries.copy_move import copy_move
from rl.corpus.forgeries.inpaint import inpaint
from rl.corpus.forgeries.resample import resample
from rl.corpus.forgeries.self_blend import self_blend
from rl.corpus.forgeries.splice import splice
from rl.corpus.forgeries.types import STILL, Forged
from rl.corpus.overlay import draw_overlay
from rl.corpus.recipe import CorpusRecipe
from rl.corpus.redraw import until_visible
from rl.corpus.seeds import generator_for
from rl.corpus.severity import modality_severity, strength_word
from rl.corpus.truth import clean_claim
from rl.corpus.weak import draw_picture_weakness, mask_png

ALONE: dict[str, Callable[[ByteArray, np.random.Generator], Forged[ByteArray]]] = {
    "copy_move": copy_move,
    "inpaint": inpaint,
    "resample": resample,
    "self_blend": self_blend,
}

# A forgery of which a crop leaves less than that is none.
AREA_MIN = 0.002


def build_picture_pair(pair: PhotoPair, recipe: CorpusRecipe) -> Made:
    """The genuine copy first, then one clip for each forgery that shows."""
    images = recipe.images
    rng = generator_for(recipe.seed, "codec", pair.draws)
    side = int(rng.integers(int(images.side_pixels[0]), int(images.side_pixels[1]) + 1))
    quality = int(rng.integers(int(images.jpeg_quality[0]), int(images.jpeg_quality[1]) + 1))
    final_side = side
    if rng.random() < max(images.rescale_probability, images.weak.resize):
        final_side = round(side * rng.uniform(*images.rescale))
    weakness = draw_picture_weakness(images.weak, rng)
    overlay = None
    if pair.has_overlay:
        overlay = draw_overlay(generator_for(recipe.seed, "overlay", pair.pair_id))
    resized = () if final_side == side else (f"resize {final_side / side:.2f}",)
    words = (*resized, *weakness.words, f"jpeg {quality}", *(("overlay",) if overlay else ()))

    def encoded(picture_HWC: ByteArray) -> bytes:
        final = picture_HWC if final_side == side else fit(picture_HWC, final_side)
        final = weakness.apply(final)
        if weakness.first_quality is not None:
            final = read_jpeg(jpeg_bytes(final, weakness.first_quality))
        return jpeg_bytes(final if overlay is None else overlay.draw(final), quality)

    def seen_mask(mask_HW: FloatArray) -> FloatArray:
        final = mask_HW if final_side == side else fit(mask_HW, final_side)
        return final[weakness.window(final.shape[0], final.shape[1])]

    def clip(
        picture_HWC: ByteArray,
        m: float,
        name: str,
        generator: str,
        claim: Claim,
        mask: bytes | None,
    ) -> Clip:
        return Clip(
            content=encoded(picture_HWC),
            suffix=".jpg",
            modality=Modality.IMAGE,
            duration_seconds=0.0,
            m=m,
            recipe=name,
            generator=generator,
            language="",
            source=pair.source,
            licence=pair.licence,
            claims=(claim,),
            quality="; ".join(words),
            mask=mask,
        )

    genuine = fit(read_picture(pair.path), side)
    clips = [clip(genuine, 0.0, "genuine", "", clean_claim(Modality.IMAGE, 0.0), None)]
    for name in pair.forgeries:

        def forge(rng: np.random.Generator, name: str = name) -> Forged[ByteArray]:
            if name == "splice":
                return splice(genuine, fit(read_picture(pair.donor), side), rng)
            return ALONE[name](genuine, rng)

        forged = until_visible(forge, recipe, pair.draws, name)
        if forged is None:
            continue
        mask = None if forged.mask_HW is None else seen_mask(forged.mask_HW)
        area = 1.0 if mask is None else float(mask.mean())
        if area < AREA_MIN:
            continue
        m = modality_severity(1.0, min(area, 1.0), forged.strength)
        claim = Claim(Modality.IMAGE, STILL, forged.cue, strength_word(m))
        png = None if mask is None else mask_png(mask)
        clips.append(clip(forged.media, m, name, forged.generator, claim, png))
    return Made(tuple(clips), picture_prints=picture_prints(genuine))
