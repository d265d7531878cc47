"""A genuine photograph and its forgeries, through the same resizing and the same JPEG."""

from collections.abc import Callable

import numpy as np

from encoders.types import ByteArray, Modality
from moderation.types import Claim
from rl.corpus.clips import Clip, PhotoPair
from rl.corpus.codecs import fit, jpeg_bytes, read_picture
from rl.corpus.forgeries.inpaint import inpaint
from rl.corpus.forgeries.resample import resample
from rl.corpus.forgeries.self_blend import self_blend
from rl.corpus.forgeries.splice import splice
from rl.corpus.forgeries.types import STILL, Forged
from rl.corpus.recipe import CorpusRecipe
from rl.corpus.redraw import until_visible
from rl.corpus.seeds import generator_for
from rl.corpus.severity import modality_severity, strength_word
from rl.corpus.truth import clean_claim

ALONE: dict[str, Callable[[ByteArray, np.random.Generator], Forged[ByteArray]]] = {
    "inpaint": inpaint,
    "resample": resample,
    "self_blend": self_blend,
}


def build_picture_pair(pair: PhotoPair, recipe: CorpusRecipe) -> list[Clip]:
    """The genuine copy first, then one clip for each forgery that shows."""
    images = recipe.images
    rng = generator_for(recipe.seed, "codec", pair.pair_id)
    side = int(rng.integers(int(images.side_pixels[0]), int(images.side_pixels[1]) + 1))
    quality = int(rng.integers(int(images.jpeg_quality[0]), int(images.jpeg_quality[1]) + 1))
    final_side = side
    if rng.random() < images.rescale_probability:
        final_side = round(side * rng.uniform(*images.rescale))

    def clip(picture_HWC: ByteArray, m: float, name: str, generator: str, claim: Claim) -> Clip:
        final = picture_HWC if final_side == side else fit(picture_HWC, final_side)
        return Clip(
            content=jpeg_bytes(final, quality),
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
        )

    genuine = fit(read_picture(pair.path), side)
    clips = [clip(genuine, 0.0, "genuine", "", clean_claim(Modality.IMAGE, 0.0))]
    for name in pair.forgeries:

        def forge(rng: np.random.Generator, name: str = name) -> Forged[ByteArray]:
            if name == "splice":
                return splice(genuine, fit(read_picture(pair.donor), side), rng)
            return ALONE[name](genuine, rng)

        forged = until_visible(forge, recipe, pair.pair_id, name)
        if forged is None:
            continue
        m = modality_severity(1.0, forged.area, forged.strength)
        claim = Claim(Modality.IMAGE, STILL, forged.cue, strength_word(m))
        clips.append(clip(forged.media, m, name, forged.generator, claim))
    return clips
