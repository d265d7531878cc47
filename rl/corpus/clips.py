"""Values of the builder: what is to be built, and what was."""

from dataclasses import dataclass
from pathlib import Path

from encoders.types import Modality
from moderation.types import Claim
from rl.corpus.recipe import Split


@dataclass(frozen=True, slots=True)
class PhotoPair:
    """A photograph and the forgeries to make of it; `donor` for splices, of the same split."""

    pair_id: str
    source: str
    split: Split
    licence: str
    path: Path
    donor: Path
    forgeries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Utterance:
    """Recordings of one speaker, to be joined in order, and what they say."""

    name: str
    source: str
    language: str
    licence: str
    paths: tuple[Path, ...]
    text: str


@dataclass(frozen=True, slots=True)
class VoicePair:
    """An utterance and the forgeries to make of it."""

    pair_id: str
    split: Split
    utterance: Utterance
    forgeries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FilmPair:
    """A window of a film and the forgeries to make of it, perhaps with a voice under it.

    forgeries: (of the picture or None, of the sound or None) a forged copy.
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


Pair = PhotoPair | VoicePair | FilmPair


@dataclass(frozen=True, slots=True)
class Clip:
    """One built file, before it is written.

    recipe: names of the forgeries, joined by `+`; `genuine` for the untouched copy.
    duration_seconds: 0 for a still. claims: the truth as ledger entries, `clean` ones included.
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

    @property
    def is_manipulated(self) -> bool:
        return self.recipe != "genuine"
