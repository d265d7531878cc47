"""What must never be in two splits: sources, files, near-duplicates, unseen generators."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from encoders.errors import PermanentError
from rl.corpus.fingerprints import near_pictures, near_sounds

SHOWN = 10


class LeakError(PermanentError):
    """Something is in two splits: every figure measured on the corpus would be too good."""

    code = "leak"


@dataclass(frozen=True, slots=True)
class Origins:
    """What a pair was made of.

    files: SHA-256 of each genuine file, by a name without this machine's folders. The prints are
    those of rl.corpus.clips.Made.
    """

    pair_id: str
    split: str
    files: Mapping[str, str]
    picture_prints: Sequence[str]
    sound_prints: Sequence[tuple[int, int]]


def find_leaks(rows: Sequence[Mapping[str, Any]], origins: Sequence[Origins]) -> list[str]:
    """A sentence for each leak: rows of a manifest, and what the pairs were made of."""
    by_pair = {origin.pair_id: origin for origin in origins}
    split_of = {pair_id: origin.split for pair_id, origin in by_pair.items()}
    named = {
        sha256: f"{name} (SHA-256 {sha256[:12]})"
        for origin in origins
        for name, sha256 in origin.files.items()
    }
    leaks = [
        *_shared("source", ((row["source"], row["split"]) for row in rows)),
        *_shared("file", ((row["sha256"], row["split"]) for row in rows)),
        *_shared(
            "genuine file",
            ((named[sha256], o.split) for o in origins for sha256 in o.files.values()),
        ),
        *_apart("generator", "test-unseen-generators", rows),
        *_apart("collection", "test-unseen-sources", rows),
    ]
    pictures = {o.pair_id: o.picture_prints for o in origins}
    for left, right, bits in near_pictures(pictures):
        if split_of[left] != split_of[right]:
            leaks.append(
                f"pictures of {left} ({split_of[left]}) and {right} "
                f"({split_of[right]}) differ in {bits} of 256 PDQ bits"
            )
    sounds = {o.pair_id: o.sound_prints for o in origins}
    for left, right, count in near_sounds(sounds, split_of):
        leaks.append(
            f"sounds of {left} ({split_of[left]}) and {right} "
            f"({split_of[right]}) share {count} landmarks"
        )
    return leaks


def require_no_leak(rows: Sequence[Mapping[str, Any]], origins: Sequence[Origins]) -> None:
    """Nothing, or an error.

    Raises:
        LeakError: names the first ten leaks.
    """
    leaks = find_leaks(rows, origins)
    if leaks:
        raise LeakError(
            f"{len(leaks)} leaks between splits: " + "; ".join(leaks[:SHOWN]),
            expected="each source, file, unseen generator and unseen collection in one split",
            remedy="Give both the same source or split in the recipe, or exclude one.",
        )


def _shared(kind: str, members: Iterable[tuple[str, str]]) -> list[str]:
    splits: dict[str, set[str]] = defaultdict(set)
    for name, split in members:
        splits[name].add(split)
    return [
        f"{kind} {name} is in {', '.join(sorted(found))}"
        for name, found in sorted(splits.items())
        if len(found) > 1
    ]


def _apart(column: str, split: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    def values(is_in: bool) -> set[str]:
        return {
            part
            for row in rows
            if (row["split"] == split) == is_in
            for part in (row[column] or "").split(" + ")
            if part
        }

    return [
        f"{column} {value} of {split} is in another split too"
        for value in sorted(values(True) & values(False))
    ]
