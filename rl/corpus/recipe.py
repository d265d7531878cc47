"""A corpus recipe: which genuine media, which forgeries, which codecs, how many, which seed."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rl.recipe_file import read_model

# A source identity (a photograph, a speaker, a film) is in one split, ever. Three tests:
# in-domain has other sources of the collections that training has, forged by the same recipes;
# unseen-generators has other sources of these collections, forged by recipes of its own;
# unseen-sources has collections that no other split has, forged by the recipes of training.
Split = Literal[
    "train",
    "validation",
    "calibration",
    "test-in-domain",
    "test-unseen-generators",
    "test-unseen-sources",
]
SPLITS: tuple[Split, ...] = get_args(Split)
ImageForgery = Literal["self_blend", "splice", "copy_move", "inpaint", "resample"]
AudioForgery = Literal[
    "world",
    "griffin_lim",
    "lpc",
    "espeak-ng",
    "flite",
    "festival",
    "espeak-ng_splice",
    "flite_splice",
    "festival_splice",
]
VideoForgery = Literal["repeat", "reverse", "interpolate", "warp", "region_shift", "av_offset"]


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"{bounds[0]} is greater than {bounds[1]}")
    return bounds


def _summing_to_one(shares: dict[Split, float]) -> dict[Split, float]:
    if abs(sum(shares.values()) - 1.0) > 1e-6:
        raise ValueError(f"the shares sum to {sum(shares.values())}, not 1")
    return shares


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Shares = Annotated[dict[Split, Share], AfterValidator(_summing_to_one)]
Count = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """Refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Section):
    """Genuine media that anyone can get.

    name: the source identity, or its prefix where each file is one. origin: a package with its
    index, or a repository with its commit. Paths are relative to any of the roots searched.
    clips: how many genuine clips to take, at most. collection: what was recorded or gathered by
    the same hands; the name where none is given.
    """

    name: str
    origin: str
    licence: str
    clips: Count
    collection: str = ""

    @property
    def collection_name(self) -> str:
        return self.collection or self.name


class PhotoSource(Source):
    """A folder of photographs, each its own source identity, split by a hash of its name.

    include: file names relative to the folder; () for all that match the pattern.
    """

    folder: str
    pattern: str = "*.jpg"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    shares: Shares = {"train": 0.65, "validation": 0.1, "test-in-domain": 0.25}


class VoiceSource(Source):
    """Recordings of one speaker, who is in one split only: the source is the speaker.

    kind: `prompts` are sentences with a transcript (`name: text` a line, gzip or plain); `digits`
    are single words named `digit_speaker_index.wav`; `letters`, or words, are listed in an XML
    file of `<sound name="A" file="..."/>`; `words` are all files of the folder, with what a text
    file of the same name says, if there is one. joined: recordings follow one another in an
    utterance, none in two; digits, letters and words always do.
    """

    kind: Literal["prompts", "digits", "letters", "words"]
    split: Split
    language: str
    folder: str
    pattern: str = "*.wav"
    transcript: str | None = None
    speaker: str | None = None
    exclude: tuple[str, ...] = ()
    joined: bool = False


class VoiceFolder(Source):
    """A folder with one sub-folder a speaker, split by a hash of its name. clips: a speaker's."""

    folder: str
    language: str
    pattern: str = "*.wav"
    shares: Shares


class FilmSource(Source):
    """One film, in one split only, cut into overlapping windows.

    path: a file under a root (`.gz`: compressed), or inside a wheel there (`wheel` is the start
    of the wheel's file name), or stills in order, as a pattern such as `folder/*.pgm`.
    frames_per_second: of stills. subject: what is filmed, where two films show the same; the name
    where none is given.
    """

    split: Split
    path: str
    wheel: str | None = None
    frames_per_second: float | None = None
    subject: str = ""


class FilmFolder(Source):
    """A folder of films, each its own source, split by a hash of its name. clips: a film's."""

    folder: str
    pattern: str = "*.mp4"
    shares: Shares


class Weak(Section):
    """Changes that are no forgery: on all copies of a pair alike, the label unchanged.

    Shares of pairs that are cropped, made louder or brighter, made noisy, sent through the codec
    twice, and resized (of sound: band-limited). overlay: of pairs that come a second time with an
    instruction to the judge written over the picture.
    """

    crop: Share = 0.0
    gain: Share = 0.0
    noise: Share = 0.0
    recompression: Share = 0.0
    resize: Share = 0.0
    overlay: Share = 0.0


class Images(Section):
    """side_pixels: of the longer side. jpeg_quality, rescale: drawn once a pair.

    unseen_forgeries: those of the split test-unseen-generators, in place of `forgeries`.
    """

    forgeries: tuple[ImageForgery, ...]
    unseen_forgeries: tuple[ImageForgery, ...] = ()
    weak: Weak = Weak()
    forgeries_per_clip: tuple[Count, Count]
    side_pixels: Range
    jpeg_quality: Range
    rescale_probability: Share
    rescale: Range
    sources: tuple[PhotoSource, ...] = ()


class Audio(Section):
    """rate_hz: everything is band-limited to half of it. noise_db: below the speech.

    unseen_forgeries: as for images. voices: of an engine, where not all of them are to be used.
    """

    forgeries: tuple[AudioForgery, ...]
    unseen_forgeries: tuple[AudioForgery, ...] = ()
    voices: dict[str, tuple[str, ...]] = {}
    weak: Weak = Weak()
    forgeries_per_clip: tuple[Count, Count]
    rate_hz: int
    seconds: Range
    noise_db: Range
    lossy_probability: Share
    mp3_kbps: Range
    opus_kbps: Range
    sources: tuple[VoiceSource, ...] = ()
    folders: tuple[VoiceFolder, ...] = ()


class Video(Section):
    """frames_per_second: upper and lower bound after dropping frames evenly, never doubling.

    soundtrack_probability: a genuine voice of the same split is laid under the film.
    forged_soundtrack_probability: of forged copies with a soundtrack, those with it forged too.
    unseen_forgeries: as for images.
    """

    forgeries: tuple[VideoForgery, ...]
    unseen_forgeries: tuple[VideoForgery, ...] = ()
    weak: Weak = Weak()
    forgeries_per_clip: tuple[Count, Count]
    seconds: Range
    frames_per_second: Range
    side_pixels: Range
    crf: Range
    soundtrack_probability: Share
    forged_soundtrack_probability: Share
    sources: tuple[FilmSource, ...] = ()
    folders: tuple[FilmFolder, ...] = ()


class CorpusRecipe(Section):
    """strength_min: a forgery closer than that to its original is drawn again.

    sources_list: beside the recipe, what of its media can be fetched.
    """

    name: str
    sources_list: str | None = None
    seed: int
    gamma: float = Field(gt=0.0)
    strength_min: Share
    images: Images
    audio: Audio
    video: Video

    @model_validator(mode="after")
    def _unseen_means_unseen(self) -> "CorpusRecipe":
        for section in (self.images, self.audio, self.video):
            if shared := set(section.forgeries) & set(section.unseen_forgeries):
                raise ValueError(f"{sorted(shared)} are both seen and unseen")
        return self


def forgeries_of(section: Images | Audio | Video, split: Split) -> tuple[str, ...]:
    """What sources of `split` are forged with."""
    return section.unseen_forgeries if split == "test-unseen-generators" else section.forgeries


def load_recipe(path: Path) -> CorpusRecipe:
    """Read a recipe.

    Raises:
        ConfigurationError: not TOML, an unknown key, or a value out of range; names file and key.
    """
    return read_model(path, CorpusRecipe, like="rl/recipes/corpus-starter.toml")
