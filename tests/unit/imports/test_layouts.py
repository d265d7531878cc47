"""What each layout says of its files, read off the miniature trees."""

from pathlib import Path
from typing import Any

import pytest

from encoders.types import Modality, Span
from rl.corpus.severity import score
from rl.imports.grading import grade
from rl.imports.layouts import LAYOUTS
from rl.imports.record import ReadOptions, Record
from tests.unit.imports import trees
from tests.unit.imports.tiny_media import touch
from tests.unit.imports.trees import Tree, write_json


def read(tree: Tree, **changes: Any) -> dict[str, Record]:
    """Records by their path below the tree."""
    options = ReadOptions(**{"media": tree.options.media, **changes})
    root = tree.root if tree.root.is_dir() else tree.root.parent
    start = tree.options.media or root
    records = LAYOUTS[tree.name].read(tree.root, options)
    return {record.path.relative_to(start).as_posix(): record for record in records}


def test_in_the_wild(tmp_path: Path) -> None:
    found = read(trees.in_the_wild(tmp_path, touch))
    assert found["0.wav"].source == found["1.wav"].source == "In-the-Wild/Ada Byron"
    assert [found[f"{i}.wav"].is_manipulated for i in range(4)] == [False, True, False, True]
    assert all(record.split is None for record in found.values())


def test_asvspoof5_takes_speaker_attack_split_and_the_utterance_behind_a_codec(
    tmp_path: Path,
) -> None:
    found = read(trees.asvspoof5(tmp_path, touch))
    spoof = found["flac_E_eval/E_0000000002.flac"]
    assert (spoof.source, spoof.generator, spoof.split) == (
        "ASVspoof5/E_0062",
        "ASVspoof5-A11",
        "test",
    )
    assert found["flac_E_eval/E_0000000003.flac"].pair == spoof.pair
    assert found["flac_D/D_0000000001.flac"].split == "validation"
    assert found["flac_T/T_0000000001.flac"].generator == ""


def test_asvspoof2019_is_found_in_the_archive_s_own_folder_or_above_it(tmp_path: Path) -> None:
    tree = trees.asvspoof2019(tmp_path, touch)
    above = read(tree)
    name = "ASVspoof2019_LA_train/flac/LA_T_1272637.flac"
    assert above[f"LA/{name}"].generator == "ASVspoof2019-A01"
    inside = read(Tree(tree.name, tmp_path / "LA", tree.files))
    assert inside.keys() == {path.removeprefix("LA/") for path in above}


def test_genimage_names_generators_and_tests_on_val(tmp_path: Path) -> None:
    tree = trees.genimage(tmp_path, touch)
    found = read(tree)
    archive = "BigGAN/imagenet_ai_0419_biggan/train"
    assert found[f"{archive}/ai/001_biggan_00094.png"].generator == "BigGAN"
    assert found["Midjourney/val/ai/002_midjourney_9.png"].split == "test"
    photograph = "nature/n01440764_12548.JPEG"
    same = {found[f"{folder}/{photograph}"].source for folder in (archive, "Midjourney/train")}
    assert same == {"ImageNet/n01440764_12548"}
    alone = read(Tree(tree.name, tmp_path / "Midjourney", 4))
    assert alone["train/ai/001_midjourney_1.png"].generator == "Midjourney"


def test_faceforensics_joins_the_two_people_of_a_swap(tmp_path: Path) -> None:
    found = read(trees.faceforensics(tmp_path, touch))
    swap = found["manipulated_sequences/Deepfakes/c23/videos/000_003.mp4"]
    target = found["original_sequences/youtube/c23/videos/000.mp4"]
    donor = found["original_sequences/youtube/c23/videos/003.mp4"]
    assert swap.source == target.source == donor.source == "FaceForensics++/000"
    assert swap.pair == target.pair != donor.pair
    assert {record.split for record in (swap, target, donor)} == {"train"}
    assert found["original_sequences/youtube/c23/videos/672.mp4"].split == "test"
    actor = found["original_sequences/actors/c23/videos/01__exit_phone_room.mp4"]
    fake = "manipulated_sequences/DeepFakeDetection/c23/videos"
    forged = found[f"{fake}/01_02__exit_phone_room__YVGY8LOK.mp4"]
    assert (forged.source, forged.pair, forged.split) == (actor.source, actor.pair, None)
    reenacted = found["manipulated_sequences/NeuralTextures/c23/videos/003_000.mp4"]
    assert reenacted.forged[0].cue == "re-enacted face"


def test_faceforensics_without_the_official_splits_still_joins_them(tmp_path: Path) -> None:
    tree = trees.faceforensics(tmp_path, touch)
    for path in (tmp_path / "splits").iterdir():
        path.unlink()
    found = read(tree)
    youtube = [r for path, r in found.items() if "actors" not in path and "__" not in path]
    assert {record.source for record in youtube} == {"FaceForensics++/000", "FaceForensics++/672"}
    assert {record.split for record in found.values()} == {None}


def test_faceforensics_compression_is_chosen(tmp_path: Path) -> None:
    found = read(trees.faceforensics(tmp_path, touch), compression="c40")
    assert list(found) == ["original_sequences/youtube/c40/videos/000.mp4"]


def test_fakeavceleb_says_which_stream_is_forged_and_names_the_original(tmp_path: Path) -> None:
    found = read(trees.fakeavceleb(tmp_path, touch))
    by_type = {path.split("/")[0]: record for path, record in found.items() if "id00076" in path}
    streams = {
        kind: {forged.modality for forged in record.forged} for kind, record in by_type.items()
    }
    assert streams == {
        "RealVideo-RealAudio": set(),
        "RealVideo-FakeAudio": {Modality.AUDIO},
        "FakeVideo-RealAudio": {Modality.VIDEO},
        "FakeVideo-FakeAudio": {Modality.AUDIO, Modality.VIDEO},
    }
    assert {record.pair for record in by_type.values()} == {"FakeAVCeleb/id00076/00109"}
    assert {record.source for record in found.values()} == {
        "FakeAVCeleb/id00076",
        "FakeAVCeleb/id00166",
    }


def test_fakeavceleb_with_the_other_heading(tmp_path: Path) -> None:
    tree = trees.fakeavceleb(tmp_path, touch)
    before = read(tree)
    meta = tmp_path / "meta_data.csv"
    meta.write_text(meta.read_text().replace("gender,path,\n", "gender,filename,path,\n"))
    assert read(tree).keys() == before.keys()


def test_av_deepfake1m_spans_durations_and_clips(tmp_path: Path) -> None:
    found = read(trees.av_deepfake1m(tmp_path, touch))
    clip = "train/vox_celeb_2/id00012/21Uxsk56VDQ/00001"
    both = found[f"{clip}/fake_video_fake_audio.mp4"]
    assert both.duration_seconds == 2.0
    spans = {forged.modality: forged.spans for forged in both.forged}
    assert spans == {Modality.AUDIO: (Span(0.5, 0.7),), Modality.VIDEO: (Span(0.5, 1.0),)}
    assert both.generator == "unknown+yourtts"
    assert both.pair == found[f"{clip}/real.mp4"].pair
    assert both.split == "train"


def test_av_deepfake1m_does_not_believe_spans_in_the_stream_that_was_left_alone(
    tmp_path: Path,
) -> None:
    tree = trees.av_deepfake1m(tmp_path, touch)
    clip = "vox_celeb_2/id00012/21Uxsk56VDQ/00001"
    entry = trees._av_entry(f"{clip}/a.mp4", None, "audio_modified", [[0.5, 0.7]], [[0.5, 0.7]])
    write_json(tmp_path / "train_metadata.json", [entry])
    record = read(tree)[f"train/{clip}/a.mp4"]
    assert [forged.modality for forged in record.forged] == [Modality.AUDIO]


def test_deepfakebench_holds_out_what_is_listed_twice_and_joins_swaps(tmp_path: Path) -> None:
    tree = trees.deepfakebench(tmp_path, touch)
    found = read(tree)
    fake = found["Celeb-DF-v2/id0_id1_0000/frames/010.png"]
    real = found["Celeb-DF-v2/id0_0000/frames/010.png"]
    assert fake.split == real.split == "test"
    assert fake.source == real.source == "Celeb-DF-v2/id0_0000"
    assert fake.pair == real.pair
    swap = found["FaceForensics++/Deepfakes/000_003/frames/000.png"]
    original = found["FaceForensics++/youtube/000/frames/000.png"]
    assert (swap.source, swap.pair, swap.split) == (original.source, original.pair, "train")
    assert swap.generator == "Deepfakes"


def test_deepfakebench_takes_frames_at_equal_steps(tmp_path: Path) -> None:
    found = read(trees.deepfakebench(tmp_path, touch), frames_per_video=2)
    assert len(found) == 8
    assert {Path(path).stem for path in found} == {"000", "010"}


def test_deepfakebench_reads_the_stray_video_of_dfdc(tmp_path: Path) -> None:
    video = {"label": "DFDC_Fake", "frames": ["DFDC/test/frames/abc/000.png"]}
    other = {"label": "DFDC_Fake", "frames": ["DFDC/train/frames/xyz/000.png"]}
    splits = {"test": {"abc": video}, "val": {**video, "xyz": other}, "train": {"xyz": other}}
    write_json(tmp_path / "DFDC.json", {"DFDC": {"DFDC_Fake": splits}})
    tree = Tree(trees.LayoutName.DEEPFAKEBENCH, tmp_path / "DFDC.json", 2)
    found = read(tree)
    assert {Path(path).parent.name: r.split for path, r in found.items()} == {
        "abc": "test",
        "xyz": "validation",
    }


def test_csv_scores_labels_and_spans(tmp_path: Path) -> None:
    found = read(trees.csv_table(tmp_path, touch))
    assert found["sound/c.wav"].y == 6.5
    assert found["sound/c.wav"].is_manipulated
    assert found["sound/c.wav"].split == "validation"
    assert not found["e.mp4"].is_manipulated
    assert found["b.png"].generator == "diffuser"
    forged = found["d.mp4"].forged[0]
    assert forged.spans == (Span(0.5, 0.6), Span(1.0, 1.1))
    assert forged.modality is Modality.AUDIO


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("real_video_fake_audio", 0.2 / 2),
        ("fake_video_real_audio", 0.2 / 2 * 0.5),
        ("fake_video_fake_audio", max(0.2 / 2, 0.5 / 2 * 0.5)),
    ],
)
def test_av_deepfake1m_is_graded_by_the_forged_share(
    name: str, severity: float, tmp_path: Path
) -> None:
    found = read(trees.av_deepfake1m(tmp_path, touch))
    record = next(r for path, r in found.items() if path.endswith(f"{name}.mp4"))
    label = grade(record, Modality.VIDEO, 2.0, (Modality.VIDEO, Modality.AUDIO))
    assert label.m == pytest.approx(severity)
    assert label.y == pytest.approx(score(severity))
