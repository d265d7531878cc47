"""GenImage: ImageNet photographs beside pictures of eight generators (arXiv:2306.08571).

`GENERATOR/{train,val}/{ai,nature}/…`; the archives unpack into one more folder, such as
`imagenet_ai_0419_biggan`. `val` is what the paper tests on, so it is `test` here.
"""

from collections.abc import Iterator
from pathlib import Path

from encoders.types import Modality
from rl.imports.label_files import one_of, wrong
from rl.imports.names import LayoutName
from rl.imports.places import MediaRoot, files_of, folders_of
from rl.imports.record import GENUINE, Forged, Layout, ReadOptions, Record

SPLITS = {"train": "train", "val": "test"}
CLASSES = {"ai": True, "nature": False}
ARCHIVES = {
    "imagenet_ai_0508_adm": "ADM",
    "imagenet_ai_0419_biggan": "BigGAN",
    "imagenet_glide": "GLIDE",
    "imagenet_midjourney": "Midjourney",
    "imagenet_ai_0419_sdv4": "Stable Diffusion V1.4",
    "imagenet_ai_0424_sdv5": "Stable Diffusion V1.5",
    "imagenet_ai_0419_vqdm": "VQDM",
    "imagenet_ai_0424_wukong": "Wukong",
}
CUE = "generated picture"
LICENCE = "GenImage: CC BY-NC-SA 4.0; photographs: ImageNet's terms"


def _generators(root: Path) -> list[Path]:
    """Folders that hold `train` or `val` with a class in it: `root`, in it, or in an archive's."""
    archives = [
        inner for f in folders_of(root) for inner in folders_of(f) if inner.name in ARCHIVES
    ]
    return [
        folder
        for folder in (root, *folders_of(root), *archives)
        if any((folder / split / name).is_dir() for split in SPLITS for name in CLASSES)
    ]


def recognises(root: Path) -> bool:
    """A folder in which some `train` or `val` has both `ai` and `nature`."""
    return any(
        all((folder / split / name).is_dir() for name in CLASSES)
        for folder in _generators(root)
        for split in SPLITS
    )


def read(root: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of the folder with the generators' folders, or of one generator's.

    Raises:
        ManifestError: no such folders, or a class that is none of the set's.
    """
    generators = _generators(root)
    if not generators:
        raise wrong(str(root), "no train/ai, val/ai", "folders GENERATOR/train/ai, …/nature")
    places = MediaRoot(root, options.may_leave_root)
    for folder in generators:
        name = ARCHIVES.get(folder.name, folder.name)
        for split in SPLITS:
            for kind in folders_of(folder / split):
                is_ai = CLASSES[one_of(kind.name, CLASSES, "folder", str(folder / split))]
                for path in files_of(kind, Modality.IMAGE):
                    yield _record(path, name, split, is_ai, places, root)


def _record(
    path: Path, generator: str, split: str, is_ai: bool, places: MediaRoot, root: Path
) -> Record:
    # One photograph may stand beside several generators: its ImageNet name is its identity.
    identity = f"GenImage/{generator}/{path.stem}" if is_ai else f"ImageNet/{path.stem}"
    return Record(
        path=places.locate(str(path.relative_to(root)), str(path.parent)),
        where=str(path.parent),
        modality=Modality.IMAGE,
        source=identity,
        pair=identity,
        recipe="generated" if is_ai else GENUINE,
        generator=generator if is_ai else "",
        forged=(Forged(CUE),) if is_ai else (),
        split=SPLITS[split],
        licence=LICENCE,
    )


LAYOUT = Layout(LayoutName.GENIMAGE, recognises, read, frozenset({"may_leave_root"}))
