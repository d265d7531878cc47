"""FaceForensics++ as its download script lays it out (arXiv:1901.08971).

`original_sequences/{youtube,actors}/COMPRESSION/videos/*.mp4` and
`manipulated_sequences/METHOD/COMPRESSION/videos/*.mp4`. The official `train.json`, `val.json` and
`test.json`, lists of pairs of videos, are taken from `splits/`, `dataset/splits/` or the folder
itself (github.com/ondyari/FaceForensics, dataset/splits).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from encoders.types import Modality
from rl.imports.ff_names import LICENCE, METHODS, TITLE, VideoName, parse
from rl.imports.label_files import one_of, read_json, shown, wrong
from rl.imports.names import LayoutName
from rl.imports.places import MediaRoot, files_of, folders_of
from rl.imports.record import GENUINE, Forged, Layout, ReadOptions, Record
from rl.imports.splits import linked

ORIGINAL, MANIPULATED = "original_sequences", "manipulated_sequences"
DEFAULT_COMPRESSION = "c23"
SPLITS = {"train": "train", "val": "validation", "test": "test"}
SPLIT_FOLDERS = ("splits", "dataset/splits", ".")


def recognises(root: Path) -> bool:
    """A folder with one of the two kinds of sequences in it."""
    return (root / ORIGINAL).is_dir() or (root / MANIPULATED).is_dir()


def read(root: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of one compression of the set.

    Raises:
        ManifestError: it has no such compression, or a method or a name that is not the set's.
    """
    compression = options.compression or DEFAULT_COMPRESSION
    kinds = [*folders_of(root / ORIGINAL), *folders_of(root / MANIPULATED)]
    for folder in folders_of(root / MANIPULATED):
        one_of(folder.name, METHODS, "method", str(folder.parent))
    videos = [
        (folder, path, _parsed(path))
        for folder in kinds
        for path in files_of(folder / compression / "videos", Modality.VIDEO)
    ]
    if not videos:
        present = sorted({inner.name for folder in kinds for inner in folders_of(folder)})
        raise wrong(
            str(root),
            f"no videos of compression {compression}",
            f"METHOD/{compression}/videos; here are {', '.join(present) or 'none'}",
            "Name another with --compression.",
        )
    split_of, pairs = _official_splits(root)
    joined = linked([*pairs, *(name.identities for _, _, name in videos)])
    places = MediaRoot(root, options.may_leave_root)
    for folder, path, name in videos:
        method = folder.name if folder.parent.name == MANIPULATED else None
        yield Record(
            path=places.locate(str(path.relative_to(root)), str(path.parent)),
            where=str(path.parent),
            modality=Modality.VIDEO,
            source=name.source(joined),
            pair=f"{TITLE}/{name.original}",
            recipe=method or GENUINE,
            generator=method or "",
            forged=(Forged(METHODS[method], Modality.VIDEO),) if method else (),
            split=split_of.get(name.identities[0]),
            licence=LICENCE,
        )


def _parsed(path: Path) -> VideoName:
    name = parse(path.stem)
    if name is None:
        raise wrong(
            str(path.parent),
            f"video {shown(path.name)}",
            "names such as 000.mp4, 000_003.mp4, 01__scene.mp4",
            "Keep the names that the set gives.",
        )
    return name


def _official_splits(root: Path) -> tuple[Mapping[str, str], list[tuple[str, str]]]:
    """Original video -> split, and the pairs; nothing where the set's files are not there."""
    split_of: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    for name, split in SPLITS.items():
        path = next((p for f in SPLIT_FOLDERS if (p := root / f / f"{name}.json").is_file()), None)
        if path is None:
            continue
        listed = read_json(path)
        if not isinstance(listed, list):
            raise wrong(str(path), f"a {type(listed).__name__}", "a list of pairs of videos")
        for number, pair in enumerate(listed, start=1):
            match pair:
                case [str() as target, str() as donor]:
                    pairs.append((target, donor))
                case _:
                    raise wrong(f"{path}, entry {number}", shown(pair), 'a pair: ["720", "672"]')
            for video in pairs[-1]:
                if split_of.setdefault(video, split) != split:
                    raise wrong(
                        f"{path}, entry {number}", f"video {video} again", "each in one split"
                    )
    return split_of, pairs


LAYOUT = Layout(
    LayoutName.FACEFORENSICS, recognises, read, frozenset({"compression", "may_leave_root"})
)
