"""FakeAVCeleb: swapped faces, re-synthesised lips and cloned voices (arXiv:2108.05080).

`meta_data.csv` of version 1.2 has the columns `source`, `target1`, `target2`, `method`, `category`,
`type`, `race`, `gender`, then the file's name and its folder: there the name's column is headed
`path` and the folder's has no heading; other copies head them `filename` and `path`. Folders begin
with `FakeAVCeleb/`, which is the folder of the file itself.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from encoders.types import Modality
from rl.imports.label_files import one_of, read_csv, wrong
from rl.imports.names import LayoutName
from rl.imports.places import MediaRoot
from rl.imports.record import GENUINE, Forged, Layout, ReadOptions, Record

META = "meta_data.csv"
REQUIRED = ("source", "method", "type", "path")
# Type -> (is the picture forged, is the sound).
TYPES = {
    "RealVideo-RealAudio": (False, False),
    "RealVideo-FakeAudio": (False, True),
    "FakeVideo-RealAudio": (True, False),
    "FakeVideo-FakeAudio": (True, True),
}
# Method -> what is seen, where the picture is forged.
METHODS = {
    "real": "",
    "rtvc": "",
    "faceswap": "swapped face",
    "fsgan": "swapped face",
    "wav2lip": "re-synthesised lips",
    "faceswap-wav2lip": "swapped face",
    "fsgan-wav2lip": "swapped face",
}
VOICE_CUE = "synthetic voice"
TOP = "FakeAVCeleb/"
LICENCE = "FakeAVCeleb: on request, see the set's own terms"


def recognises(root: Path) -> bool:
    """A folder with `meta_data.csv` and one of the four kinds of video."""
    return (root / META).is_file() and any((root / kind).is_dir() for kind in TYPES)


def read(root: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of the folder that holds `meta_data.csv`.

    Raises:
        ManifestError: a row that cannot be understood.
    """
    places = MediaRoot(root, options.may_leave_root)
    for where, row in read_csv(root / META, REQUIRED):
        yield _record(row, where, places)


def _place(row: Mapping[str, str], where: str) -> tuple[str, str]:
    """The file's folder and its name."""
    folder, name = (
        (row["path"], row["filename"]) if "filename" in row else (row.get("", ""), row["path"])
    )
    if not folder or not name:
        raise wrong(
            where, "no folder or no file name", "both, in the last two columns", "See the docs."
        )
    return folder.removeprefix(TOP), name


def _record(row: Mapping[str, str], where: str, places: MediaRoot) -> Record:
    folder, name = _place(row, where)
    kind = one_of(row["type"], TYPES, "type", where)
    method = one_of(row["method"], METHODS, "method", where)
    if not row["source"]:
        raise wrong(where, "no source", "the person in the original video")
    is_seen, is_heard = TYPES[kind]
    if (method == "real") == (is_seen or is_heard):
        raise wrong(
            where, f"method {method} with type {kind}", "real exactly for RealVideo-RealAudio"
        )
    forged: list[Forged] = []
    if is_seen:
        forged.append(Forged(METHODS[method] or "manipulated face", Modality.VIDEO))
    if is_heard:
        forged.append(Forged(VOICE_CUE, Modality.AUDIO))
    # Forgeries carry the original's name in front: 00109.mp4, 00109_2_id00166_wavtolip.mp4.
    original = Path(name).stem.split("_")[0]
    return Record(
        path=places.locate(f"{folder}/{name}", where),
        where=where,
        modality=Modality.VIDEO,
        source=f"FakeAVCeleb/{row['source']}",
        pair=f"FakeAVCeleb/{row['source']}/{original}",
        recipe=kind if forged else GENUINE,
        generator=method if forged else "",
        forged=tuple(forged),
        licence=LICENCE,
    )


LAYOUT = Layout(LayoutName.FAKEAVCELEB, recognises, read, frozenset({"may_leave_root"}))
