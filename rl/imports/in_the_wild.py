"""In-the-Wild: recordings of public figures, genuine and cloned (arXiv:2203.16263).

`meta.csv` has the columns `file`, `speaker`, `label` (`bona-fide` or `spoof`); the recordings lie
beside it. The set names neither splits nor cloning methods.
"""

from collections.abc import Iterator
from pathlib import Path

from encoders.types import Modality
from rl.imports.label_files import one_of, read_csv, wrong
from rl.imports.names import LayoutName
from rl.imports.places import MediaRoot
from rl.imports.record import GENUINE, UNKNOWN_GENERATOR, Forged, Layout, ReadOptions, Record

META = "meta.csv"
COLUMNS = ("file", "speaker", "label")
LABELS = {"bona-fide": False, "spoof": True}
CUE = "synthetic voice"
LICENCE = "In-the-Wild: see the set's own terms"


def recognises(root: Path) -> bool:
    """A folder whose `meta.csv` begins with the set's three columns."""
    try:
        with (root / META).open(encoding="utf-8-sig") as file:
            header = file.readline(1024).strip().split(",")
    except (OSError, UnicodeDecodeError):
        return False
    return tuple(header) == COLUMNS


def read(root: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of the folder that holds `meta.csv`.

    Raises:
        ManifestError: a row that cannot be understood.
    """
    places = MediaRoot(root, options.may_leave_root)
    for where, row in read_csv(root / META, COLUMNS):
        is_spoof = LABELS[one_of(row["label"], LABELS, "label", where)]
        if not row["speaker"]:
            raise wrong(where, "no speaker", "a name")
        yield Record(
            path=places.locate(row["file"], where),
            where=where,
            modality=Modality.AUDIO,
            source=f"In-the-Wild/{row['speaker']}",
            pair=f"In-the-Wild/{row['file']}",
            recipe="spoof" if is_spoof else GENUINE,
            generator=UNKNOWN_GENERATOR if is_spoof else "",
            forged=(Forged(CUE),) if is_spoof else (),
            language="en",
            licence=LICENCE,
        )


LAYOUT = Layout(LayoutName.IN_THE_WILD, recognises, read, frozenset({"may_leave_root"}))
