"""Label files that cannot be understood: a typed error that says where, and what is allowed."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from moderation.errors import ManifestError
from rl.imports.layouts import LAYOUTS
from rl.imports.names import LayoutName
from rl.imports.record import ReadOptions
from tests.unit.imports.tiny_media import touch
from tests.unit.imports.trees import BUILDERS

LABEL_FILES = {
    LayoutName.IN_THE_WILD: "meta.csv",
    LayoutName.ASVSPOOF5: "ASVspoof5_protocols/ASVspoof5.dev.track_1.tsv",
    LayoutName.ASVSPOOF2019: ("LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.train.trn.txt"),
    LayoutName.FACEFORENSICS: "splits/train.json",
    LayoutName.FAKEAVCELEB: "meta_data.csv",
    LayoutName.AV_DEEPFAKE1M: "train_metadata.json",
    LayoutName.DEEPFAKEBENCH: "json/FF-DF.json",
    LayoutName.CSV: "labels.csv",
}


def failure(name: LayoutName, root: Path, damage: Callable[[Path], None]) -> str:
    """What reading says after `damage` to the layout's tree."""
    tree = BUILDERS[name](root, touch)
    damage(root)
    with pytest.raises(ManifestError) as caught:
        list(LAYOUTS[name].read(tree.root, tree.options))
    return str(caught.value)


def replacing(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Replaces the first `old` in a file."""

    def damage(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))

    return damage


@pytest.mark.parametrize("name", LABEL_FILES, ids=str)
def test_an_empty_label_file(name: LayoutName, tmp_path: Path) -> None:
    def damage(root: Path) -> None:
        (root / LABEL_FILES[name]).write_bytes(b"")

    message = failure(name, tmp_path, damage)
    assert "is empty" in message
    assert Path(LABEL_FILES[name]).name in message


@pytest.mark.parametrize("name", LABEL_FILES, ids=str)
def test_a_label_file_that_is_not_utf8(name: LayoutName, tmp_path: Path) -> None:
    def damage(root: Path) -> None:
        path = root / LABEL_FILES[name]
        path.write_bytes(path.read_bytes() + b"\ncaf\xe9\n")

    message = failure(name, tmp_path, damage)
    assert re.search(r"line \d+: byte 0xe9 is not UTF-8", message)


@pytest.mark.parametrize(
    "name", [LayoutName.IN_THE_WILD, LayoutName.FAKEAVCELEB, LayoutName.CSV], ids=str
)
def test_a_label_file_that_cannot_be_opened(name: LayoutName, tmp_path: Path) -> None:
    def damage(root: Path) -> None:
        (root / LABEL_FILES[name]).unlink()
        (root / LABEL_FILES[name]).mkdir()

    assert "Is a directory" in failure(name, tmp_path, damage)


# Layout -> what is replaced in its label file, by what, and what is said then.
DAMAGES: dict[LayoutName, list[tuple[str, str, str]]] = {
    LayoutName.IN_THE_WILD: [
        ("file,speaker,label", "file,label", "no column speaker"),
        ("spoof", "fake", "line 3: label 'fake'; expected one of bona-fide, spoof"),
        ("0.wav", "../0.wav", "line 2: path '../0.wav' leads out of"),
        ("0.wav", "/etc/passwd", "line 2: path '/etc/passwd' leads out"),
        ("0.wav,", "0.wav,x,", "line 2: 4 fields; expected 3"),
        ("Ada Byron", "", "line 2: no speaker"),
    ],
    LayoutName.ASVSPOOF5: [
        (" bonafide bonafide", " bonafide", "line 1: 9 fields; expected 10"),
        ("spoof", "fake", "line 2: key 'fake'; expected one of bonafide, spoof"),
        ("D_0000000001", "../../x", "line 1: path 'flac_D/../../x.flac' leads out"),
    ],
    LayoutName.ASVSPOOF2019: [
        (" - -", " -", "line 1: 4 fields; expected 5"),
        ("bonafide", "real", "line 1: key 'real'; expected one of"),
        ("LA_T_1138215", "../../../x", "leads out of"),
    ],
    LayoutName.FACEFORENSICS: [
        ('"003"', "3", "entry 1: ['000', 3]; expected a pair"),
        ("[[", "{", "expected JSON"),
        ('"003"', '"720"', "entry 1: video 720 again"),
    ],
    LayoutName.FAKEAVCELEB: [
        (",method,", ",way,", "no column method"),
        (",faceswap,", ",simswap,", "line 4: method 'simswap'; expected one of real"),
        (",RealVideo-RealAudio,", ",Real,", "line 2: type 'Real'; expected one of RealVideo"),
        (",real,", ",rtvc,", "method rtvc with type RealVideo-RealAudio"),
        ("FakeAVCeleb/RealVideo", "../RealVideo", "line 2: path '../RealVideo"),
        ("00109.mp4", "", "line 2: no folder or no file name"),
    ],
    LayoutName.AV_DEEPFAKE1M: [
        ('"modify_type"', '"type"', "entry 1: modify_type None"),
        ('"audio_modified"', '"sound"', "entry 2: modify_type 'sound'; expected one of real"),
        ('"file": "vox', '"file": "../../vox', "entry 1: path '../../vox"),
        (
            '"audio_fake_segments": [[0.5',
            '"audio_fake_segments": [[1.5',
            "[1.5, 0.7]; expected [start, end]",
        ),
        ('"video_frames": 50', '"video_frames": NaN', "video_frames nan"),
    ],
    LayoutName.DEEPFAKEBENCH: [
        ('"frames"', '"pictures"', "frames None; expected a list of paths"),
        ('"FF-real": {"train"', '"FF-true": {"train"', "label 'FF-true'; expected one of FF-real"),
        ('"label": "FF-real"', '"label": "FF-DF"', "label 'FF-DF'; expected FF-real"),
        ('"test": {"c23"', '"eval": {"c23"', "split 'eval'; expected one of train"),
        ('"FaceForensics++', '"..\\\\..\\\\FaceForensics++', "leads out of"),
    ],
    LayoutName.CSV: [
        ("path,label", "file,label", "no column path"),
        (",language,", ",tongue,", "column 'tongue'; expected only path"),
        (",language,", ",label,", "column 'label' twice"),
        ("Fake", "1", "line 3: label '1'; expected one of genuine, real"),
        ("6.5", "9.5", "line 4: score '9.5'; expected a number from 0"),
        ("6.5", "nan", "line 4: 'nan'; expected a finite number"),
        ("6.5", "", "line 4: neither label nor score"),
        (",ada,", ",,", "line 2: no source"),
        (",val,", ",public,", "line 4: split 'public'; expected one of train"),
        ("0.5;1.0", "0.5", "line 5: 1 starts and 2 ends"),
        ("0.5;1.0", "0.5;2.0", "line 5: span 2.0..1.1"),
        (",audio", ",smell", "line 5: modality 'smell'; expected one of image"),
        ("a.png", "../a.png", "line 2: path '../a.png' leads out of"),
        ("a.png", "a.doc", "line 2: path 'a.doc'; expected a name that ends"),
        ("a.png", '"a.png', "expected comma-separated values"),
    ],
}


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [(name, *damage) for name, damages in DAMAGES.items() for damage in damages],
)
def test_what_is_wrong_is_said(
    name: LayoutName, old: str, new: str, expected: str, tmp_path: Path
) -> None:
    assert expected in failure(name, tmp_path, replacing(LABEL_FILES[name], old, new))


@pytest.mark.parametrize(
    ("name", "made", "expected"),
    [
        (
            LayoutName.FACEFORENSICS,
            "manipulated_sequences/Magic/c23/videos/000_003.mp4",
            "method 'Magic'; expected one of Deepfakes",
        ),
        (
            LayoutName.FACEFORENSICS,
            "manipulated_sequences/FaceSwap/c23/videos/zero.mp4",
            "video 'zero.mp4'; expected names such as 000.mp4",
        ),
        (
            LayoutName.GENIMAGE,
            "Midjourney/train/fake/1.png",
            "folder 'fake'; expected one of ai, nature",
        ),
    ],
)
def test_folders_and_names_that_are_not_the_set_s(
    name: LayoutName, made: str, expected: str, tmp_path: Path
) -> None:
    assert expected in failure(name, tmp_path, lambda root: touch(root / made))


@pytest.mark.parametrize(
    ("name", "link"),
    [
        (LayoutName.FACEFORENSICS, "original_sequences/youtube/c23/videos/111.mp4"),
        (LayoutName.GENIMAGE, "Midjourney/train/ai/9.png"),
        (LayoutName.IN_THE_WILD, "0.wav"),
        (LayoutName.CSV, "a.png"),
    ],
)
def test_a_link_that_leads_out_is_outside(name: LayoutName, link: str, tmp_path: Path) -> None:
    outside = tmp_path / "secret.png"
    outside.touch()

    def damage(root: Path) -> None:
        (root / link).unlink(missing_ok=True)
        (root / link).symlink_to(outside)

    assert "leads out of" in failure(name, tmp_path / "set", damage)


def test_leaving_the_folder_can_be_allowed(tmp_path: Path) -> None:
    tree = BUILDERS[LayoutName.CSV](tmp_path / "set", touch)
    replacing("labels.csv", "a.png", "../a.png")(tmp_path / "set")
    records = LAYOUTS[tree.name].read(tree.root, ReadOptions(may_leave_root=True))
    assert tmp_path / "a.png" in {record.path for record in records}


@pytest.mark.parametrize("name", sorted(set(LAYOUTS) - {LayoutName.CSV}), ids=str)
def test_a_folder_with_nothing_of_the_set(name: LayoutName, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=re.escape(os.fspath(tmp_path))):
        list(LAYOUTS[name].read(tmp_path, ReadOptions()))


def test_a_compression_that_is_not_there(tmp_path: Path) -> None:
    for name in (LayoutName.FACEFORENSICS, LayoutName.DEEPFAKEBENCH):
        tree = BUILDERS[name](tmp_path / name, touch)
        root = tree.root / "FF-DF.json" if name is LayoutName.DEEPFAKEBENCH else tree.root
        with pytest.raises(ManifestError, match="compression c99"):
            list(LAYOUTS[name].read(root, ReadOptions(compression="c99")))
