"""Values of the builder: what is to be built, and what was."""

from dataclasses import dataclass
from pathlib import Path

from encoders.types import Modality
from moderation.types import Claim
from rl.corpus.recipe import Split


@dataclass(frozen=True, slots=True)
class PhotoPair:
    """A photograph and the forgeries to make of it; `donor` for splices, of the same split.

    draws: names the pair's chance; that of the pair itself, or of the one that this repeats with
    an instruction written over it (`has_overlay`).
    """

    pair_id: str
    source: str
    split: Split
    licence: str
    path: Path
    donor: Path
    forgeries: tuple[str, ...]
    collection: str
    draws: str
    has_overlay: bool = False


@dataclass(frozen=True, slots=True)
class Utterance:
    """Recordings of one speaker, to be joined in order, and what each says."""

    name: str
    source: str
    language: str
    licence: str
    paths: tuple[Path, ...]
    texts: tuple[str, ...]
    collection: str

    @property
    def text(self) -> str:
        """All the words; empty where they are not known."""
        return ", ".join(text for text in self.texts if text)


@dataclass(frozen=True, slots=True)
class VoicePair:
    """An utterance and the forgeries to make of it."""

    pair_id: str
    split: Split
    utterance: Utterance
    forgeries: tuple[str, ...]

    @property
    def source(self) -> str:
        return self.utterance.source

    @property
    def collection(self) -> str:
        return self.utterance.collection


@dataclass(frozen=True, slots=True)
class FilmPair:
    """A window of a film and the forgeries to make of it, perhaps with a voice under it.

    forgeries: (of the picture or None, of the sound or None) a forged copy. draws, has_overlay:
    as for a photograph.
    """

    pair_id: str
    source: str
    split: Split
    licence: str
    path: Path
    start_seconds: float
    seconds: float
    utterance: Utterance | None
    forgeries: tuple[tuple[str | None, str | None], ...]
    collection: str
    draws: str
    has_overlay: bool = False


Pair = PhotoPair | VoicePair | FilmPair


def files_of(pair: Pair) -> tuple[Path, ...]:
    """The genuine files that a pair is made of."""
    if isinstance(pair, PhotoPair):
        return (pair.path, pair.donor) if "splice" in pair.forgeries else (pair.path,)
    if isinstance(pair, VoicePair):
        return pair.utterance.paths
    return (pair.path, *(pair.utterance.paths if pair.utterance else ()))


@dataclass(frozen=True, slots=True)
class Clip:
    """One built file, before it is written.

    recipe: names of the forgeries, joined by `+`; `genuine` for the untouched copy.
    duration_seconds: 0 for a still. claims: the truth as ledger entries, `clean` ones included.
    quality: the weak operations and codec settings, which all copies of a pair share. mask: PNG
    of where a part of the picture was changed, as large as the picture.
    """

    content: bytes
    suffix: str
    modality: Modality
    duration_seconds: float
    m: float
    recipe: str
    generator: str
    language: str
    source: str
    licence: str
    claims: tuple[Claim, ...]
    quality: str
    mask: bytes | None = None

    @property
    def is_manipulated(self) -> bool:
        return self.recipe != "genuine"


@dataclass(frozen=True, slots=True)
class Made:
    """A pair's clips, the genuine one first, and the fingerprints of its genuine media.

    picture_prints: PDQ hashes, hexadecimal. sound_prints: (hash, frame) of audio landmarks.
    """

    clips: tuple[Clip, ...]
    picture_prints: tuple[str, ...] = ()
    sound_prints: tuple[tuple[int, int], ...] = ()
