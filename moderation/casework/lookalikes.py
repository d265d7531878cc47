"""Files whose pictures look alike: hashed when they are scored, compared with all before them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, insert, or_, select, text

from encoders.types import Modality
from moderation.intake.tables import dispositions, lookalikes, pictures
from moderation.triage.near_duplicates import HammingIndex, parse_hash
from moderation.types import ItemResult

# Of one file. A picture that went round the world has thousands; its neighbours are enough.
KEPT_MAX = 20
_COMPARED_MAX = 1000
# Any number that no other program on the same server is likely to use.
_LOCK_KEY = 0x50445148


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A file that looks like another.

    distance: of the nearest pair of pictures, in bits of 256. frames_share: how many of the later
    file's pictures have one in the earlier that is as near as was asked for.
    """

    sha256: str
    distance: int
    frames_share: float


class PictureIndex:
    """The hashes of a deployment in one process, as far as it has read them; for one thread."""

    def __init__(self) -> None:
        self._index = HammingIndex()
        self._newest = 0

    def __len__(self) -> int:
        return len(self._index)

    def catch_up(self, connection: Connection) -> None:
        """Read what was committed since the last time; all of it at first."""
        query = select(pictures.c.number, pictures.c.hash).order_by(pictures.c.number)
        found = connection.execute(
            query.where(pictures.c.number > self._newest), execution_options={"yield_per": 10_000}
        )
        for rows in found.partitions():
            self._index.extend([row.hash for row in rows], [row.number for row in rows])
            self._newest = rows[-1].number

    def near(
        self, hashes: Sequence[bytes], distance_max: int, *, start: int = 0
    ) -> list[tuple[int, int, int]]:
        """(distance, number, position in `hashes`) of all that are near one of them."""
        return [
            (distance, number, frame)
            for frame, value in enumerate(hashes)
            for distance, number in self._index.within(value, distance_max, start=start)
        ]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found among the first `compared` hashes."""

    hashes: tuple[bytes, ...]
    compared: int
    near: list[tuple[int, int, int]]


def search_pictures(
    connection: Connection, index: PictureIndex, result: ItemResult, *, distance_max: int
) -> Found:
    """Compare the pictures of a file with all that are there; only reads.

    Takes about 5 ms a picture for each million hashes: see `tests.benchmarks.lookalikes`.
    """
    hashes = tuple(parse_hash(one) for one in result.picture_hashes)
    if hashes:
        index.catch_up(connection)
    return Found(hashes, len(index), index.near(hashes, distance_max))


def keep_pictures(
    connection: Connection,
    index: PictureIndex,
    sha256: str,
    modality: Modality,
    found: Found,
    *,
    distance_max: int,
) -> None:
    """Keep the hashes of a file, and what it looks like; nothing where that was done before.

    found: of `search_pictures`; only what came since then is compared here.
    """
    if not found.hashes:
        return
    if connection.dialect.name == "postgresql":
        # Numbers are then committed in order, so that who reads on from a number misses none.
        # Writers to SQLite take turns anyway.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    known = select(pictures.c.number).where(pictures.c.sha256 == sha256).limit(1)
    if connection.scalar(known) is not None:
        return
    index.catch_up(connection)
    near = found.near + index.near(found.hashes, distance_max, start=found.compared)
    kept = _nearest(connection, near, len(found.hashes))
    connection.execute(
        insert(pictures),
        [{"sha256": sha256, "modality": modality, "hash": one} for one in found.hashes],
    )
    if kept:
        connection.execute(
            insert(lookalikes),
            [
                {
                    "sha256": sha256,
                    "other_sha256": other.sha256,
                    "distance": other.distance,
                    "frames_share": other.frames_share,
                    "are_stills": modality is Modality.IMAGE and other_modality == modality,
                }
                for other, other_modality in kept
            ],
        )


def _nearest(
    connection: Connection, near: list[tuple[int, int, int]], frames: int
) -> list[tuple[Lookalike, str]]:
    """The files that the numbers belong to: those that a person decided first, then the nearest."""
    numbers = [number for _, number, _ in sorted(near)[:_COMPARED_MAX]]
    query = select(pictures).where(pictures.c.number.in_(numbers))
    owner = {row.number: row for row in connection.execute(query)}
    distances: dict[str, int] = {}
    matched: dict[str, set[int]] = {}
    modalities: dict[str, str] = {}
    for distance, number, frame in near:
        # What was erased since it was read is not there.
        if number in owner:
            other = owner[number].sha256
            modalities[other] = owner[number].modality
            distances[other] = min(distance, distances.get(other, distance))
            matched.setdefault(other, set()).add(frame)
    ruled = set(
        connection.scalars(
            select(dispositions.c.sha256).where(
                dispositions.c.sha256.in_(distances), dispositions.c.is_by_person
            )
        )
    )
    ranked = sorted(distances, key=lambda one: (one not in ruled, distances[one], one))
    return [
        (Lookalike(one, distances[one], len(matched[one]) / frames), modalities[one])
        for one in ranked[:KEPT_MAX]
    ]


def lookalikes_of(connection: Connection, sha256: str) -> Sequence[Lookalike]:
    """The files that look most like one, whichever of them came first."""
    mine = lookalikes.c.sha256 == sha256
    other = case((mine, lookalikes.c.other_sha256), else_=lookalikes.c.sha256)
    query = (
        select(other.label("sha256"), lookalikes.c.distance, lookalikes.c.frames_share)
        .where(or_(mine, lookalikes.c.other_sha256 == sha256))
        .order_by(lookalikes.c.distance, other)
        .limit(KEPT_MAX)
    )
    return [Lookalike(*row) for row in connection.execute(query)]
