"""What reviewers ruled, as records of a data set: media lie in the service's folder of uploads."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from moderation.casework.feedback import Reviewed
from moderation.intake.blobs import BlobStore
from rl.imports.names import LayoutName
from rl.imports.record import GENUINE, UNKNOWN_GENERATOR, Forged, Layout, ReadOptions, Record

CUE = "manipulated, as reviewers found"


def decisions_layout(found: Iterable[Reviewed], blobs: BlobStore) -> Layout:
    """A data set of rulings whose media are still there; files that were erased are left out."""
    records = tuple(_records(found, blobs))

    def read(_root: Path, _options: ReadOptions) -> Iterator[Record]:
        return iter(records)

    return Layout(LayoutName.CSV, lambda _: False, read)


def _records(found: Iterable[Reviewed], blobs: BlobStore) -> Iterator[Record]:
    for one in found:
        label = one.label
        if not blobs.has(label.sha256):
            continue
        yield Record(
            path=blobs.path(label.sha256),
            where=f"the ruling on item {label.item_id}",
            modality=label.modality,
            # Nobody knows which uploads show the same person: each is a source of its own.
            source=label.sha256,
            pair=label.sha256,
            recipe=UNKNOWN_GENERATOR if label.is_manipulated else GENUINE,
            generator=UNKNOWN_GENERATOR if label.is_manipulated else "",
            forged=(Forged(CUE),) if label.is_manipulated else (),
        )
