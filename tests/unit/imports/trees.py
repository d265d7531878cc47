"""Miniature data sets, each in its publisher's layout, with real tiny media."""

import csv
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rl.imports.names import LayoutName
from rl.imports.record import ReadOptions
from tests.unit.imports.tiny_media import write_media

Writer = Callable[[Path], None]


@dataclass(frozen=True)
class Tree:
    """A data set that a test wrote. root: what the command is given. files: usable media."""

    name: LayoutName
    root: Path
    files: int
    options: ReadOptions = field(default_factory=ReadOptions)


def write_rows(path: Path, rows: list[list[str]]) -> None:
    """A CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_json(path: Path, value: Any) -> None:
    """A JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def in_the_wild(root: Path, write: Writer = write_media) -> Tree:
    """Four recordings of two speakers."""
    rows = [["file", "speaker", "label"]]
    for number, (speaker, label) in enumerate(
        itertools.product(("Ada Byron", "Alan Turing"), ("bona-fide", "spoof"))
    ):
        rows.append([f"{number}.wav", speaker, label])
        write(root / f"{number}.wav")
    write_rows(root / "meta.csv", rows)
    return Tree(LayoutName.IN_THE_WILD, root, 4)


def asvspoof5(root: Path, write: Writer = write_media) -> Tree:
    """Two utterances of each split, and a copy of one through a codec."""
    folders = {"train": "flac_T", "dev.track_1": "flac_D", "eval.track_1": "flac_E_eval"}
    for split, folder in folders.items():
        letter = folder[5]
        lines = [
            f"{letter}_0062 {letter}_0000000001 F - - - - bonafide bonafide -",
            f"{letter}_0062 {letter}_0000000002 F - - - AC1 A11 spoof -",
        ]
        if split == "eval.track_1":
            lines.append("E_0062 E_0000000003 F C10 1 E_0000000002 AC1 A11 spoof -")
        protocol = root / "ASVspoof5_protocols" / f"ASVspoof5.{split}.tsv"
        protocol.parent.mkdir(parents=True, exist_ok=True)
        protocol.write_text("\n".join(lines) + "\n")
        for line in lines:
            write(root / folder / f"{line.split()[1]}.flac")
    return Tree(LayoutName.ASVSPOOF5, root, 7)


def asvspoof2019(root: Path, write: Writer = write_media) -> Tree:
    """Two utterances of each split, in the folder `LA` of the archive."""
    for split, suffix in (("train", "trn"), ("dev", "trl"), ("eval", "trl")):
        letter = split[0].upper()
        lines = [
            f"LA_00{letter} LA_{letter}_1138215 - - bonafide",
            f"LA_00{letter} LA_{letter}_1272637 - A01 spoof",
        ]
        folder = root / "LA" / "ASVspoof2019_LA_cm_protocols"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"ASVspoof2019.LA.cm.{split}.{suffix}.txt"
        (folder / name).write_text("\n".join(lines) + "\n")
        for line in lines:
            write(root / f"LA/ASVspoof2019_LA_{split}/flac/{line.split()[1]}.flac")
    return Tree(LayoutName.ASVSPOOF2019, root, 6)


def genimage(root: Path, write: Writer = write_media) -> Tree:
    """Two generators, one of them as its archive unpacks; a photograph that both have."""
    for folder, split, kind, name in (
        ("Midjourney", "train", "ai", "001_midjourney_1.png"),
        ("Midjourney", "train", "nature", "n01440764_12548.JPEG"),
        ("Midjourney", "val", "ai", "002_midjourney_9.png"),
        ("Midjourney", "val", "nature", "ILSVRC2012_val_00000091.JPEG"),
        ("BigGAN/imagenet_ai_0419_biggan", "train", "ai", "001_biggan_00094.png"),
        ("BigGAN/imagenet_ai_0419_biggan", "train", "nature", "n01440764_12548.JPEG"),
    ):
        write(root / folder / split / kind / name)
    return Tree(LayoutName.GENIMAGE, root, 6)


def faceforensics(root: Path, write: Writer = write_media) -> Tree:
    """Four originals in two pairs, their swaps, an actor's video, and the official splits."""
    for original in ("000", "003", "720", "672"):
        write(root / f"original_sequences/youtube/c23/videos/{original}.mp4")
    for method, name in (
        ("Deepfakes", "000_003"),
        ("Deepfakes", "720_672"),
        ("NeuralTextures", "003_000"),
        ("DeepFakeDetection", "01_02__exit_phone_room__YVGY8LOK"),
    ):
        write(root / f"manipulated_sequences/{method}/c23/videos/{name}.mp4")
    write(root / "original_sequences/actors/c23/videos/01__exit_phone_room.mp4")
    write(root / "original_sequences/youtube/c40/videos/000.mp4")
    write_json(root / "splits/train.json", [["000", "003"]])
    write_json(root / "splits/test.json", [["720", "672"]])
    return Tree(LayoutName.FACEFORENSICS, root, 9)


def fakeavceleb(root: Path, write: Writer = write_media) -> Tree:
    """One person's original and a forgery of each kind, and another person's original."""
    header = ["source", "target1", "target2", "method", "category", "type", "race", "gender"]
    rows = [[*header, "path", ""]]
    for source, method, category, kind, name in (
        ("id00076", "real", "A", "RealVideo-RealAudio", "00109.mp4"),
        ("id00076", "rtvc", "B", "RealVideo-FakeAudio", "00109_fake.mp4"),
        ("id00076", "faceswap", "C", "FakeVideo-RealAudio", "00109_id00476_AbC.mp4"),
        ("id00076", "fsgan-wav2lip", "D", "FakeVideo-FakeAudio", "00109_2_id00166_wavtolip.mp4"),
        ("id00166", "real", "A", "RealVideo-RealAudio", "00010.mp4"),
    ):
        folder = f"{kind}/African/men/{source}"
        write(root / folder / name)
        described = [source, "-", "-", method, category, kind, "African", "men"]
        rows.append([*described, name, f"FakeAVCeleb/{folder}"])
    write_rows(root / "meta_data.csv", rows)
    return Tree(LayoutName.FAKEAVCELEB, root, 5)


def av_deepfake1m(root: Path, write: Writer = write_media) -> Tree:
    """Each kind of forgery of one clip, in `train`; another clip in `val`."""
    clip, other = "vox_celeb_2/id00012/21Uxsk56VDQ/00001", "vox_celeb_2/id00015/XsUVXMT3pGQ/00002"
    real = f"{clip}/real.mp4"
    train = [
        _av_entry(real, None, "real", [], []),
        _av_entry(f"{clip}/real_video_fake_audio.mp4", real, "audio_modified", [[0.5, 0.7]], []),
        _av_entry(f"{clip}/fake_video_real_audio.mp4", real, "visual_modified", [], [[0.5, 0.7]]),
        _av_entry(
            f"{clip}/fake_video_fake_audio.mp4", real, "both_modified", [[0.5, 0.7]], [[0.5, 1.0]]
        ),
    ]
    val = [_av_entry(f"{other}/real.mp4", None, "real", [], [])]
    for split, entries in (("train", train), ("val", val)):
        write_json(root / f"{split}_metadata.json", entries)
        for entry in entries:
            write(root / split / entry["file"])
    return Tree(LayoutName.AV_DEEPFAKE1M, root, 5)


def _av_entry(
    file: str, original: str | None, kind: str, audio: list[Any], visual: list[Any]
) -> dict[str, Any]:
    return {
        "file": file,
        "original": original,
        "split": "train",
        "modify_type": kind,
        "audio_model": "yourtts" if audio else None,
        "fake_segments": audio + visual,
        "audio_fake_segments": audio,
        "visual_fake_segments": visual,
        "video_frames": 50,
        "audio_frames": 32_000,
    }


def deepfakebench(root: Path, write: Writer = write_media) -> Tree:
    """FF-DF with compressions and Windows separators; Celeb-DF with a video in two splits."""

    def frames(folder: str) -> list[str]:
        names = [f"{folder}/frames/{stem}.png" for stem in ("000", "010", "020")]
        for name in names:
            write(root / "rgb" / name)
        return [name.replace("/", "\\") for name in names]

    def video(label: str, folder: str) -> dict[str, Any]:
        return {"label": label, "frames": frames(folder)}

    ff = "FaceForensics++"
    train_real = {"000": video("FF-real", f"{ff}/youtube/000")}
    train_fake = {"000_003": video("FF-DF", f"{ff}/Deepfakes/000_003")}
    write_json(
        root / "json/FF-DF.json",
        {
            "FF-DF": {
                "FF-real": {"train": {"c23": train_real, "c40": {}}, "test": {"c23": {}}},
                "FF-DF": {"train": {"c23": train_fake}, "test": {"c23": {}}, "val": {}},
            }
        },
    )
    held_out = {"id0_id1_0000": video("CelebDFv2_fake", "Celeb-DF-v2/id0_id1_0000")}
    original = {"id0_0000": video("CelebDFv2_real", "Celeb-DF-v2/id0_0000")}
    write_json(
        root / "json/Celeb-DF-v2.json",
        {
            "Celeb-DF-v2": {
                "CelebDFv2_real": {"train": original, "test": original},
                "CelebDFv2_fake": {"train": held_out, "val": held_out, "test": held_out},
            }
        },
    )
    options = ReadOptions(media=root / "rgb")
    return Tree(LayoutName.DEEPFAKEBENCH, root / "json", 12, options)


def csv_table(root: Path, write: Writer = write_media) -> Tree:
    """All modalities, labels, scores, both, and spans in the sound of a film."""
    rows = [
        ["path", "label", "score", "source", "generator", "split", "language", "start", "end"],
        ["a.png", "genuine", "", "ada", "", "train", "", "", ""],
        ["b.png", "Fake", "", "ada", "diffuser", "train", "", "", ""],
        ["sound/c.wav", "", "6.5", "bob", "cloner", "val", "it", "", ""],
        ["d.mp4", "manipulated", "", "eve", "cloner", "test", "fr", "0.5;1.0", "0.6;1.1"],
        ["e.mp4", "", "9", "eve", "", "", "", "", ""],
    ]
    streams = ("modality", "", "", "", "audio", "")
    rows = [[*row, stream] for row, stream in zip(rows, streams, strict=True)]
    for row in rows[1:]:
        write(root / row[0])
    write_rows(root / "labels.csv", rows)
    return Tree(LayoutName.CSV, root / "labels.csv", 5)


BUILDERS: dict[LayoutName, Callable[..., Tree]] = {
    LayoutName.IN_THE_WILD: in_the_wild,
    LayoutName.ASVSPOOF5: asvspoof5,
    LayoutName.ASVSPOOF2019: asvspoof2019,
    LayoutName.GENIMAGE: genimage,
    LayoutName.FACEFORENSICS: faceforensics,
    LayoutName.FAKEAVCELEB: fakeavceleb,
    LayoutName.AV_DEEPFAKE1M: av_deepfake1m,
    LayoutName.DEEPFAKEBENCH: deepfakebench,
    LayoutName.CSV: csv_table,
}
