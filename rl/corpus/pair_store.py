"""Builds one pair and keeps it: files, and a record that lets a later run skip it."""

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
from threadpoolctl import threadpool_limits

from encoders.errors import TypedError
from moderation.atomic import write_bytes, write_checked_bytes
from moderation.types import Claim
from rl.corpus.clips import Clip, FilmPair, Made, Pair, PhotoPair, files_of
from rl.corpus.leaks import Origins
from rl.corpus.recipe import CorpusRecipe
from rl.corpus.severity import score

# Raise it when the same pair and recipe would give other files.
BUILDER_VERSION = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """rows: of the manifest. origins: what they were made of. is_new: built in this run.

    failure: why there are no rows.
    """

    pair_id: str
    rows: tuple[dict[str, Any], ...]
    is_new: bool
    origins: Origins | None = None
    failure: str | None = None


def pair_key(pair: Pair, recipe: CorpusRecipe, files: Mapping[str, str]) -> str:
    """SHA-256 of all that decides the pair's files, where they lie on this machine left out.

    files: name and SHA-256 of the genuine media.
    """
    described = asdict(pair)

    def plain(value: object) -> str:
        return value.name if isinstance(value, Path) else str(value)

    rules = recipe.model_dump(
        exclude={
            "name": True,
            "sources_list": True,
            "images": {"sources"},
            "audio": {"sources", "folders"},
            "video": {"sources", "folders"},
        }
    )
    text = json.dumps([BUILDER_VERSION, described, rules, files], sort_keys=True, default=plain)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def build_pair(pair: Pair, recipe: CorpusRecipe, folder: Path) -> Outcome:
    """Build a pair into `folder`, or keep what an earlier run built by the same rules."""
    # pyworld imports pkg_resources, which says at each import that it will go.
    warnings.filterwarnings("ignore", message=".*pkg_resources.*", category=UserWarning)
    record = folder / "pairs" / f"{hashlib.sha256(pair.pair_id.encode()).hexdigest()[:24]}.json"
    files = _named_hashes(files_of(pair))
    key = pair_key(pair, recipe, files)
    stored = _kept(record, key, folder)
    if stored is not None:
        return _outcome(pair, stored, is_new=False)
    cv2.setNumThreads(1)
    try:
        # One thread, whatever the machine has: sums in another order give other bytes.
        with threadpool_limits(1):
            made = _build(pair, recipe)
    except TypedError as error:
        return Outcome(pair.pair_id, (), is_new=True, failure=str(error))
    clips = made.clips if len(made.clips) > 1 else ()
    stored = {
        "key": key,
        "rows": [_write(clip, pair, recipe, folder) for clip in clips],
        "files": files,
        "picture_prints": made.picture_prints,
        "sound_prints": made.sound_prints,
    }
    write_bytes(record, json.dumps(stored).encode("utf-8"))
    return _outcome(pair, stored, is_new=True)


def _named_hashes(paths: Sequence[Path]) -> dict[str, str]:
    """SHA-256 by name, in order; a name that comes twice is numbered."""
    named: dict[str, str] = {}
    for index, path in enumerate(dict.fromkeys(paths)):
        name = path.name if path.name not in named else f"{path.name} ({index})"
        named[name] = _source_sha256(path)
    return named


def _outcome(pair: Pair, stored: Mapping[str, Any], *, is_new: bool) -> Outcome:
    origins = None
    if stored["rows"]:
        origins = Origins(
            pair.pair_id,
            pair.split,
            stored["files"],
            tuple(stored["picture_prints"]),
            tuple((value, frame) for value, frame in stored["sound_prints"]),
        )
    return Outcome(pair.pair_id, tuple(stored["rows"]), is_new, origins)


def _build(pair: Pair, recipe: CorpusRecipe) -> Made:
    # Imported here, so that the warning of pyworld's import is silenced above.
    from rl.corpus.film_pair import build_film_pair
    from rl.corpus.picture_pair import build_picture_pair
    from rl.corpus.voice_pair import build_voice_pair

    if isinstance(pair, PhotoPair):
        return build_picture_pair(pair, recipe)
    if isinstance(pair, FilmPair):
        return build_film_pair(pair, recipe)
    return build_voice_pair(pair, recipe)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# A genuine file is in many pairs.
_source_sha256 = lru_cache(maxsize=4096)(_sha256)


def _kept(record: Path, key: str, folder: Path) -> dict[str, Any] | None:
    """The record, if it was made by `key` and each file still has its bytes."""
    try:
        stored: dict[str, Any] = json.loads(record.read_bytes())
        if stored["key"] != key:
            return None
        for row in stored["rows"]:
            if _sha256(folder / row["path"]) != row["sha256"]:
                return None
            if row["mask"] and not (folder / row["mask"]).is_file():
                return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return stored


def _claim_row(claim: Claim) -> dict[str, Any]:
    return {
        "modality": str(claim.modality),
        "start": claim.span.start_seconds,
        "end": claim.span.end_seconds,
        "cue": claim.cue,
        "strength": str(claim.strength),
    }


def _write(clip: Clip, pair: Pair, recipe: CorpusRecipe, folder: Path) -> dict[str, Any]:
    # The name must not tell the class: a judge may see file names.
    name = hashlib.sha256(f"{recipe.seed}/{pair.pair_id}/{clip.recipe}".encode()).hexdigest()[:16]
    path = Path("media", str(clip.modality), name + clip.suffix)
    write_checked_bytes(folder / path, clip.content)
    mask = ""
    if clip.mask is not None:
        # Apart from the media, so that a folder of media holds nothing else.
        mask = Path("masks", str(clip.modality), f"{name}.png").as_posix()
        write_bytes(folder / mask, clip.mask)
    return {
        "path": path.as_posix(),
        "sha256": hashlib.sha256(clip.content).hexdigest(),
        "modality": str(clip.modality),
        "duration_seconds": round(clip.duration_seconds, 6),
        "y": round(score(clip.m, recipe.gamma), 6),
        "m": round(clip.m, 6),
        "is_manipulated": clip.is_manipulated,
        "recipe": clip.recipe,
        "generator": clip.generator,
        "source": clip.source,
        "split": pair.split,
        "pair_id": pair.pair_id,
        "language": clip.language,
        "claims": [_claim_row(claim) for claim in clip.claims],
        "licence": clip.licence,
        "collection": pair.collection,
        "quality": clip.quality,
        "mask": mask,
    }
