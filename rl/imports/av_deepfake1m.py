"""AV-Deepfake1M: words replaced in speech, in the picture, the sound or both (arXiv:2311.15308).

`{train,val,test}_metadata.json` is a list of objects; `{train,val,test}/` holds the videos. Their
keys are those of the set's own loader (github.com/ControlNet/AV-Deepfake1M,
python/avdeepfake1m/loader.py). A split without metadata, as `test` was first published, is passed
over.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from encoders.types import Modality, Span
from rl.imports.label_files import one_of, read_json, shown, wrong
from rl.imports.names import LayoutName
from rl.imports.places import MediaRoot
from rl.imports.record import GENUINE, UNKNOWN_GENERATOR, Forged, Layout, ReadOptions, Record

SPLITS = {"train": "train", "val": "validation", "test": "test"}
FRAMES_PER_SECOND = 25.0
FRAMES_MAX = 10**8
# modify_type -> the streams that can be forged. The published lists also give some videos a span
# in the stream that was left alone, a copy of the other's: it is not believed.
TYPES: dict[str, tuple[Modality, ...]] = {
    "real": (),
    "audio_modified": (Modality.AUDIO,),
    "visual_modified": (Modality.VIDEO,),
    "both_modified": (Modality.VIDEO, Modality.AUDIO),
}
KEYS = {Modality.AUDIO: "audio_fake_segments", Modality.VIDEO: "visual_fake_segments"}
MODELS = {Modality.AUDIO: "audio_model", Modality.VIDEO: "video_model"}
CUES = {Modality.AUDIO: "synthetic voice", Modality.VIDEO: "re-synthesised lips"}
# An assumption: the lips' surroundings are a quarter of the face crops that the set is made of.
AREAS = {Modality.AUDIO: 1.0, Modality.VIDEO: 0.25}
LICENCE = "AV-Deepfake1M: CC BY-NC 4.0 and the set's terms and conditions"


def _files(root: Path) -> list[tuple[str, Path]]:
    named = [(split, root / f"{split}_metadata.json") for split in SPLITS]
    return [(split, path) for split, path in named if path.is_file()]


def recognises(root: Path) -> bool:
    """A folder with the metadata of a split and its videos' folder."""
    return any((root / split).is_dir() for split, _ in _files(root))


def read(root: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of the folder that holds the metadata.

    Raises:
        ManifestError: no metadata, or an entry that cannot be understood.
    """
    found = _files(root)
    if not found:
        raise wrong(str(root), "no metadata", ", ".join(f"{s}_metadata.json" for s in SPLITS))
    for split, path in found:
        places = MediaRoot(root / split, options.may_leave_root)
        entries = read_json(path)
        if not isinstance(entries, list):
            raise wrong(str(path), f"a {type(entries).__name__}", "a list of objects")
        for number, entry in enumerate(entries, start=1):
            where = f"{path}, entry {number}"
            if not isinstance(entry, dict):
                raise wrong(where, shown(entry), "an object")
            yield _record(entry, split, where, places)


def _record(entry: Mapping[str, Any], split: str, where: str, places: MediaRoot) -> Record:
    file = _text(entry, "file", where)
    kind = one_of(_text(entry, "modify_type", where), TYPES, "modify_type", where)
    frames = entry.get("video_frames")
    if isinstance(frames, bool) or not isinstance(frames, int) or not 0 < frames < FRAMES_MAX:
        raise wrong(where, f"video_frames {shown(frames)}", "a whole number above 0")
    seconds = frames / FRAMES_PER_SECOND
    original = _text(entry, "original", where) if entry.get("original") else file
    clip = Path(original).parent.as_posix()
    streams = TYPES[kind]
    models = [entry.get(MODELS[stream]) or UNKNOWN_GENERATOR for stream in streams]
    return Record(
        path=places.locate(file, where),
        where=where,
        modality=Modality.VIDEO,
        source=f"AV-Deepfake1M/{clip}",
        pair=f"AV-Deepfake1M/{clip}",
        recipe=kind if streams else GENUINE,
        generator="+".join(str(model) for model in models),
        forged=tuple(_forged(entry, stream, where) for stream in streams),
        split=SPLITS[split],
        duration_seconds=seconds,
        language="en",
        licence=LICENCE,
    )


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise wrong(where, f"{key} {shown(value)}", "text")
    return value


def _forged(entry: Mapping[str, Any], stream: Modality, where: str) -> Forged:
    # `fake_segments` holds those of both streams together.
    key = KEYS[stream] if entry.get(KEYS[stream]) else "fake_segments"
    segments = entry.get(key)
    if not isinstance(segments, list) or not segments:
        raise wrong(where, f"{key} {shown(segments)}", "a list of [start, end] in seconds")
    return Forged(
        CUES[stream], stream, tuple(_span(s, key, where) for s in segments), AREAS[stream]
    )


def _span(segment: Any, key: str, where: str) -> Span:
    match segment:
        case [int() | float() as start, int() | float() as end] if 0.0 <= start < end < 1e9:
            return Span(float(start), float(end))
    raise wrong(where, f"{key} {shown(segment)}", "[start, end] in seconds, start before end")


LAYOUT = Layout(LayoutName.AV_DEEPFAKE1M, recognises, read, frozenset({"may_leave_root"}))
