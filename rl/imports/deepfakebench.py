"""DeepfakeBench's rearranged sets: JSON files of face crops, one picture a frame.

`{set: {label: {split: {video: {"label", "frames", …}}}}}`, with one more level, the compression,
for FaceForensics++ and its relatives (github.com/SCLBD/DeepfakeBench, preprocessing/rearrange.py;
labels from training/config/test_config.yaml). Its scripts list some videos under several splits;
such a video belongs to the one furthest from training.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.types import Modality
from rl.imports import ff_names
from rl.imports.label_files import one_of, read_json, shown, wrong
from rl.imports.names import LayoutName
from rl.imports.places import MediaRoot
from rl.imports.record import GENUINE, Forged, Layout, ReadOptions, Record
from rl.imports.splits import linked, most_held_out

DEFAULT_COMPRESSION = "c23"
COMPRESSIONS = ("raw", "c0", "c23", "c40")
SPLITS = {"train": "train", "val": "validation", "test": "test"}
# Label -> the method, or "" for genuine.
LABELS = {
    "FF-real": "",
    "FF-DF": "Deepfakes",
    "FF-F2F": "Face2Face",
    "FF-FS": "FaceSwap",
    "FF-NT": "NeuralTextures",
    "FF-SH": "FaceShifter",
    "FF-FH": "FaceShifter",
    "DFD_real": "",
    "DFD_fake": "DeepFakeDetection",
    "CelebDFv1_real": "",
    "CelebDFv1_fake": "Celeb-DF-v1",
    "CelebDFv2_real": "",
    "CelebDFv2_fake": "Celeb-DF-v2",
    "DFDCP_Real": "",
    "DFDCP_FakeA": "DFDCP method A",
    "DFDCP_FakeB": "DFDCP method B",
    "DFDC_Real": "",
    "DFDC_Fake": "DFDC",
    "DF_real": "",
    "DF_fake": "DeeperForensics-1.0",
    "UADFV_Real": "",
    "UADFV_Fake": "UADFV",
    "roop_Real": "",
    "roop_Fake": "roop",
}
CUE = "swapped face"
LICENCE = "see the terms of the set that DeepfakeBench rearranged"
_FF_PREFIXES = ("FF-", "DFD_")
# id0_id1_0000 is video id0_0000 with the face of id1.
_CELEB_FAKE = re.compile(r"(id\d+)_id\d+_(\d+)")


@dataclass(frozen=True, slots=True)
class Video:
    """One video of a JSON file. set_name: the outermost key. splits: those that list it."""

    set_name: str
    label: str
    name: str
    frames: tuple[str, ...]
    splits: frozenset[str]
    where: str

    @property
    def original(self) -> str:
        """The name of what it was made from, as far as its own name tells."""
        if self.is_faceforensics and (parsed := ff_names.parse(self.name)):
            return parsed.original
        return _CELEB_FAKE.sub(r"\1_\2", self.name)

    @property
    def is_faceforensics(self) -> bool:
        return self.label.startswith(_FF_PREFIXES)


def recognises(root: Path) -> bool:
    """A file whose name ends in `.json`."""
    return root.is_file() and root.suffix.lower() == ".json"


def read(root: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of a JSON file, or of all in a folder; frames are looked for under `media`.

    Raises:
        ManifestError: a file that is not in this form, or a label that is unknown.
    """
    files = sorted(root.glob("*.json")) if root.is_dir() else [root]
    if not files:
        raise wrong(str(root), "no JSON file", "DeepfakeBench's dataset_json")
    compression = options.compression or DEFAULT_COMPRESSION
    videos: dict[tuple[str, str], Video] = {}
    for path in files:
        for video in _videos(read_json(path), str(path), compression):
            _merge(videos, video)
    if not videos:
        raise wrong(
            str(root),
            f"no video of compression {compression}",
            "some, or a set without compressions",
            "Name another with --compression.",
        )
    places = MediaRoot(options.media or files[0].parent, options.may_leave_root)
    names = {
        v.name: p for v in videos.values() if v.is_faceforensics and (p := ff_names.parse(v.name))
    }
    joined = linked([parsed.identities for parsed in names.values()])
    for video in videos.values():
        parsed = names.get(video.name) if video.is_faceforensics else None
        source = parsed.source(joined) if parsed else f"{_family(video)}/{video.original}"
        yield from _records(video, source, places, options.frames_per_video)


def _family(video: Video) -> str:
    return ff_names.TITLE if video.is_faceforensics else video.set_name


def _records(video: Video, source: str, places: MediaRoot, frames_max: int) -> Iterator[Record]:
    method = LABELS[video.label]
    for frame in evenly(sorted(video.frames), frames_max):
        yield Record(
            path=places.locate(frame, video.where),
            where=video.where,
            modality=Modality.IMAGE,
            source=source,
            pair=f"{_family(video)}/{video.original}/{Path(frame).stem}",
            recipe=method or GENUINE,
            generator=method,
            forged=(Forged(ff_names.METHODS.get(method, CUE)),) if method else (),
            split=most_held_out(video.splits),
            licence=LICENCE,
        )


def evenly(frames: list[str], count: int) -> list[str]:
    """At most `count` of them, at equal steps from the first, as DeepfakeBench picks; 0: all."""
    if not 0 < count < len(frames):
        return frames
    return frames[:: len(frames) // count][:count]


def _merge(videos: dict[tuple[str, str], Video], video: Video) -> None:
    """Add a video, or the splits in which it is listed again."""
    key = (video.label, video.name)
    known = videos.setdefault(key, video)
    if sorted(known.frames) != sorted(video.frames):
        raise wrong(video.where, "other frames than before", f"those in {known.where}")
    videos[key] = Video(
        known.set_name,
        known.label,
        known.name,
        known.frames,
        known.splits | video.splits,
        known.where,
    )


def _videos(content: Any, where: str, compression: str) -> Iterator[Video]:
    for set_name, labels in _object(content, where).items():
        for label, splits in _object(labels, f"{where}, {set_name}").items():
            at = f"{where}, {set_name} > {label}"
            one_of(label, LABELS, "label", at)
            for split, videos in _object(splits, at).items():
                one_of(split, SPLITS, "split", at)
                inside = f"{at} > {split}"
                named = _object(videos, inside)
                if named and set(named) <= set(COMPRESSIONS):
                    named = _object(named.get(compression, {}), f"{inside} > {compression}")
                # DFDC's script writes one video's own keys among the names of the others.
                if "frames" in named:
                    stray = {key: named[key] for key in ("label", "frames") if key in named}
                    rest = {key: value for key, value in named.items() if key not in stray}
                    named = {**rest, _name_of(stray, inside): stray}
                for name, entry in named.items():
                    yield _video(set_name, label, SPLITS[split], name, entry, f"{inside} > {name}")


def _video(set_name: str, label: str, split: str, name: str, entry: Any, where: str) -> Video:
    described = _object(entry, where)
    if described.get("label") != label:
        raise wrong(where, f"label {shown(described.get('label'))}", f"{label}, as above it")
    frames = tuple(_frames(described, where))
    return Video(set_name, label, name, frames, frozenset({split}), where)


def _frames(entry: Mapping[str, Any], where: str) -> list[str]:
    frames = entry.get("frames")
    if not isinstance(frames, list) or not all(isinstance(frame, str) for frame in frames):
        raise wrong(where, f"frames {shown(frames)}", "a list of paths")
    # Lists made on Windows have its separators.
    return [frame.replace("\\", "/") for frame in frames]


def _name_of(entry: Mapping[str, Any], where: str) -> str:
    frames = _frames(entry, where)
    if not frames:
        raise wrong(where, "a video without name or frames", "its name as the key")
    return Path(frames[0]).parent.name


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise wrong(where, shown(value), "an object")
    return value


LAYOUT = Layout(
    LayoutName.DEEPFAKEBENCH,
    recognises,
    read,
    frozenset({"compression", "frames_per_video", "media", "may_leave_root"}),
)
