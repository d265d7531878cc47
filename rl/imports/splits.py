"""Which part of the corpus a file belongs to: as its set says, or by a hash of its source."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from moderation.errors import ConfigurationError
from rl.corpus.seeds import unit_for

if TYPE_CHECKING:
    from rl.imports.record import Record

# From what is trained on to what is held out longest.
SPLITS = ("train", "validation", "calibration", "test")
DEFAULT_SHARES: Mapping[str, float] = {
    "train": 0.7,
    "validation": 0.1,
    "calibration": 0.1,
    "test": 0.1,
}
_TOLERANCE = 1e-6


def parse_shares(text: str) -> dict[str, float]:
    """`train=0.8,test=0.2` as a mapping; the shares sum to 1.

    Raises:
        ConfigurationError: another form, another name, or another sum.
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        try:
            share = float(number)
        except ValueError:
            share = -1.0
        if name.strip() not in SPLITS or name.strip() in shares or not 0.0 <= share <= 1.0:
            raise _refused(text)
        shares[name.strip()] = share
    if not math.isclose(sum(shares.values()), 1.0, abs_tol=_TOLERANCE):
        raise _refused(text)
    return shares


def _refused(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"shares {text!r}",
        expected=f"NAME=SHARE with commas between, names of {', '.join(SPLITS)}, sum 1",
        remedy="For example: train=0.8,test=0.2; or test=1 to evaluate on all of it.",
    )


def known_split(name: str) -> str:
    """`name`, if it is a split.

    Raises:
        ConfigurationError: it is none.
    """
    if name not in SPLITS:
        raise ConfigurationError(
            f"split {name!r}",
            expected=f"one of {', '.join(SPLITS)}",
            remedy="The sets' own val, dev and eval are validation and test here.",
        )
    return name


def hashed_split(source: str, shares: Mapping[str, float]) -> str:
    """The split of `source`: the same on every machine, whatever else the set holds."""
    draw = unit_for("import", source)
    reached = 0.0
    wanted = [name for name in SPLITS if shares.get(name, 0.0) > 0.0]
    for name in wanted:
        reached += shares[name]
        if draw < reached:
            return name
    return wanted[-1]


def most_held_out(splits: Iterable[str]) -> str:
    """The one of `splits` that is furthest from training."""
    return max(splits, key=SPLITS.index)


def assign(
    records: Sequence["Record"], shares: Mapping[str, float]
) -> tuple[list[tuple["Record", str]], list["Record"]]:
    """Each record with its split, and the records left out because their set cuts a source.

    A source that the set's own splits cut stays whole in the most held-out of them, so that a
    published test set is never made smaller; its rows elsewhere are left out.
    """
    own: dict[str, set[str]] = defaultdict(set)
    for record in records:
        if record.split is not None:
            own[record.source].add(record.split)
    kept: list[tuple[Record, str]] = []
    cut: list[Record] = []
    for record in records:
        named = own.get(record.source)
        split = most_held_out(named) if named else hashed_split(record.source, shares)
        if record.split is None or record.split == split:
            kept.append((record, split))
        else:
            cut.append(record)
    return kept, cut


def linked(groups: Iterable[Sequence[str]]) -> dict[str, str]:
    """Identities joined where a group names them together: each one's smallest companion.

    The sets that swap two people's faces have one identity, for splitting, where two meet.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for group in groups:
        for name in group:
            low, high = sorted((root(group[0]), root(name)))
            parent[high] = low
    return {name: root(name) for name in parent}
