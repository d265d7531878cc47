"""A corpus recipe: which genuine media, which forgeries, which codecs, how many, which seed."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from moderation.errors import ConfigurationError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
ImageForgery = Literal["self_blend", "splice", "inpaint", "resample"]
AudioForgery = Literal["world", "griffin_lim", "espeak-ng", "flite"]
VideoForgery = Literal["repeat", "warp", "region_shift"]


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"{bounds[0]} is greater than {bounds[1]}")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """Refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Section):
    """Genuine media that anyone can get.

    name: the source identity, or its prefix where each file is one. origin: a package with its
    index, or a repository with its commit. Paths are relative to any of the roots searched.
    clips: how many genuine clips to take, at most.
    """

    name: str
    origin: str
    licence: str
    clips: Count


class PhotoSource(Source):
    """A folder of photographs, each its own source identity, split by a hash of its name."""

    folder: str
    pattern: str = "*.jpg"
    exclude: tuple[str, ...] = ()
    validation_share: Share = 0.1
    test_share: Share = 0.25


class VoiceSource(Source):
    """Recordings of one speaker, who is in one split only.

    kind: `prompts` are sentences with a transcript (`name: text` a line, gzip); `digits` are
    single words named `digit_speaker_index.wav`, several of which make one utterance.
    """

    kind: Literal["prompts", "digits"]
    split: Split
    language: str
    folder: str
    transcript: str | None = None
    speaker: str | None = None
    exclude: tuple[str, ...] = ()


class FilmSource(Source):
    """One film, in one split only, cut into overlapping windows.

    path: a file under a root (`.gz`: compressed), or inside a wheel there (`wheel` is the start
    of the wheel's file name).
    """

    split: Split
    path: str
    wheel: str | None = None


class Images(Section):
    """side_pixels: of the longer side. jpeg_quality, rescale: drawn once a pair."""

    forgeries: tuple[ImageForgery, ...]
    forgeries_per_clip: tuple[Count, Count]
    side_pixels: Range
    jpeg_quality: Range
    rescale_probability: Share
    rescale: Range
    sources: tuple[PhotoSource, ...]


class Audio(Section):
    """rate_hz: everything is band-limited to half of it. noise_db: below the speech."""

    forgeries: tuple[AudioForgery, ...]
    forgeries_per_clip: tuple[Count, Count]
    rate_hz: int
    seconds: Range
    noise_db: Range
    lossy_probability: Share
    mp3_kbps: Range
    opus_kbps: Range
    sources: tuple[VoiceSource, ...]


class Video(Section):
    """frames_per_second: upper and lower bound after dropping frames evenly, never doubling.

    soundtrack_probability: a genuine voice of the same split is laid under the film.
    forged_soundtrack_probability: of forged copies with a soundtrack, those with it forged too.
    """

    forgeries: tuple[VideoForgery, ...]
    forgeries_per_clip: tuple[Count, Count]
    seconds: Range
    frames_per_second: Range
    side_pixels: Range
    crf: Range
    soundtrack_probability: Share
    forged_soundtrack_probability: Share
    sources: tuple[FilmSource, ...]


class CorpusRecipe(Section):
    """strength_min: a forgery closer than that to its original is drawn again."""

    name: str
    seed: int
    gamma: float = Field(gt=0.0)
    strength_min: Share
    images: Images
    audio: Audio
    video: Video


def load_recipe(path: Path) -> CorpusRecipe:
    """Read a recipe.

    Raises:
        ConfigurationError: not TOML, an unknown key, or a value out of range; names file and key.
    """
    try:
        return CorpusRecipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{path}: {error}", expected="a TOML file", remedy="Check the path and the syntax."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{path}: {key}: {first['msg']} (found {first['input']!r})",
            expected="the keys and ranges of rl.corpus.recipe",
            remedy="Correct the key; the class of its section says what it means.",
        ) from error
