"""The frame encoder: its arithmetic against closed forms, its towers with small real models."""

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch

from encoders.clip import REGIONS, ClipEncoder, frame_spans, region_statistics
from encoders.clip_towers import starter_tower
from encoders.errors import WeightsError, WeightsMissing
from encoders.second_difference import STARTER_RANGE, second_difference
from encoders.types import (
    AudioSamples,
    DecodedMedia,
    Encoding,
    FrameBatch,
    MediaMetadata,
    Modality,
)
from encoders.weights import WeightStore

METADATA = MediaMetadata("test", 1, "0" * 64, (), (), "test")
TEXT_TOWER = {"context_length": 1, "vocab_size": 2, "width": 8, "heads": 1, "layers": 1}
TOWERS = {
    "test-vit": {"image_size": [32, 48], "layers": 6, "width": 16, "head_width": 8,
                 "patch_size": 8},
    "test-timm-vit": {"timm_model_name": "test_vit", "timm_pool": "", "timm_proj": "none",
                      "image_size": 160},
}  # fmt: skip


def media(
    frames: int, *, seed: int, size: tuple[int, int] = (40, 60), is_video: bool = True
) -> DecodedMedia:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (frames, *size, 3), dtype=np.uint8)
    batch = FrameBatch(pixels, (np.arange(frames) + 0.5) / 4, *size)
    modality = Modality.VIDEO if is_video else Modality.IMAGE
    return DecodedMedia(METADATA, modality, frames / 4 if is_video else 0.0, batch, None)


def sound_only() -> DecodedMedia:
    audio = AudioSamples(np.zeros(100, np.float32), 16_000, 16_000)
    return DecodedMedia(METADATA, Modality.AUDIO, 0.1, None, audio)


def worst_difference(left: Encoding, right: Encoding) -> float:
    ours, theirs = left.sequences[0].layers, right.sequences[0].layers
    assert list(ours) == list(theirs)
    return max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Local checkpoints of small open_clip models, known by name."""
    folder = tmp_path_factory.mktemp("open_clip")
    for name, tower in TOWERS.items():
        configuration = {"embed_dim": 16, "vision_cfg": tower, "text_cfg": TEXT_TOWER}
        (folder / f"{name}.json").write_text(json.dumps(configuration))
    open_clip.add_model_config(folder)
    paths = {}
    for name in TOWERS:
        torch.manual_seed(0)
        model = open_clip.CLIP(**open_clip.get_model_config(name))
        paths[name] = folder / f"{name}.pt"
        torch.save(model.state_dict(), paths[name])
    return paths


@pytest.fixture(scope="module")
def starter() -> ClipEncoder:
    return ClipEncoder()


@pytest.mark.parametrize("name", list(TOWERS))
def test_any_open_clip_tower_gives_several_layers(name: str, checkpoints: dict[str, Path]) -> None:
    encoder = ClipEncoder(
        model=name,
        checkpoint=checkpoints[name],
        batch_frames=3,
        second_difference_range=(0.25, 0.5),
    )
    items = [media(4, seed=1), media(1, seed=2, size=(50, 30), is_video=False)]
    video, still = encoder.encode(items)
    (sequence,) = video.sequences
    assert 2 <= len(sequence.layers) <= 5
    assert {values.shape[0] for values in sequence.layers.values()} == {4 * REGIONS}
    np.testing.assert_array_equal(sequence.start_seconds_N, np.repeat(np.arange(4) / 4, REGIONS))
    np.testing.assert_array_equal(sequence.end_seconds_N, np.repeat(np.arange(1, 5) / 4, REGIONS))
    (signal,) = video.signals
    assert signal.name == "video.second_difference"
    assert (signal.typical_low, signal.typical_high) == (0.25, 0.5)
    assert still.sequences[0].modality is Modality.IMAGE
    assert not still.sequences[0].end_seconds_N.any()
    assert still.signals == ()
    for item, encoding in zip(items, (video, still), strict=True):
        assert worst_difference(encoder.encode([item])[0], encoding) < 1e-5


def test_no_tower_borrows_the_starters_typical_range(checkpoints: dict[str, Path]) -> None:
    encoder = ClipEncoder(model="test-vit", checkpoint=checkpoints["test-vit"])
    assert encoder.encode([media(4, seed=1)])[0].signals == ()


@pytest.mark.weights
def test_the_range_is_the_starters_default_layers_alone(starter: ClipEncoder) -> None:
    (signal,) = starter.encode([media(4, seed=1)])[0].signals
    assert (signal.typical_low, signal.typical_high) == STARTER_RANGE
    assert ClipEncoder(layers=(0, 1)).encode([media(4, seed=1)])[0].signals == ()


def test_chosen_layers_are_the_towers_own(checkpoints: dict[str, Path]) -> None:
    path = checkpoints["test-vit"]
    item = media(1, seed=3, size=(32, 48), is_video=False)
    encoder = ClipEncoder(model="test-vit", checkpoint=path, layers=(1, 4))
    (encoding,) = encoder.encode([item])
    model = open_clip.create_model("test-vit", pretrained=str(path))
    hooked: dict[int, torch.Tensor] = {}
    for index in (1, 4):
        model.visual.transformer.resblocks[index].register_forward_hook(
            lambda _module, _inputs, output, index=index: hooked.update({index: output})
        )
    assert item.frames is not None
    pixels = torch.from_numpy(item.frames.pixels_FHWC).permute(0, 3, 1, 2) / 255
    own = (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in own)
    with torch.inference_mode():
        model.visual((pixels - mean) / std)
    for index in (1, 4):
        expected = hooked[index][0, 1:].mean(dim=0)
        found = encoding.sequences[0].layers[f"layer_{index}"][0, :16]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_version_tells_weights_and_layers_apart(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    path = checkpoints["test-vit"]
    state = torch.load(path, weights_only=True)
    state["visual.conv1.weight"] += 1
    torch.save(state, tmp_path / "other.pt")
    versions = {
        ClipEncoder(model="test-vit", checkpoint=checkpoint, layers=layers).version
        for checkpoint in (path, tmp_path / "other.pt")
        for layers in ((1,), (2,))
    }
    assert len(versions) == 4


def test_models_without_weights_are_refused(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="without weights"):
        ClipEncoder(model="test-vit")
    with pytest.raises(WeightsMissing, match="is no file"):
        ClipEncoder(model="test-vit", checkpoint=tmp_path / "absent.pt")
    with pytest.raises(WeightsError, match="cannot load"):
        ClipEncoder(model="test-vit", checkpoint=checkpoints["test-timm-vit"])
    with pytest.raises(WeightsError, match=r"some of 0\.\.5"):
        ClipEncoder(model="test-vit", checkpoint=checkpoints["test-vit"], layers=(6,))
    with pytest.raises(WeightsMissing, match="models pull efficientnet-lite0"):
        ClipEncoder(weights=WeightStore(cache_dir=tmp_path))


@pytest.mark.parametrize(("height", "width"), [(4, 6), (7, 7), (1, 3)])
def test_region_statistics_are_means_and_deviations(height: int, width: int) -> None:
    maps = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0)) + 50
    found = region_statistics(maps)
    upper, lower = slice(0, (height + 1) // 2), slice(height // 2, height)
    left, right = slice(0, (width + 1) // 2), slice(width // 2, width)
    whole = slice(None)
    regions = [(whole, whole), (upper, left), (upper, right), (lower, left), (lower, right)]
    for index, (rows, columns) in enumerate(regions):
        region = maps[:, :, rows, columns].double().flatten(2)
        assert torch.allclose(found[:, index, :3].double(), region.mean(2), atol=1e-4)
        deviation = region.std(2, correction=0)
        assert torch.allclose(found[:, index, 3:].double(), deviation, atol=1e-4)


def test_frames_reach_half_way_to_their_neighbours() -> None:
    starts, ends = frame_spans(np.array([0.5, 1.5, 3.5]), 4.0)
    np.testing.assert_allclose(starts, [0.0, 1.0, 2.5])
    np.testing.assert_allclose(ends, [1.0, 2.5, 4.0])
    for values in frame_spans(np.array([2.0]), 5.0), frame_spans(np.array([2.0, 2.0]), 2.0):
        assert (values[0] <= values[1]).all()
    assert [value.tolist() for value in frame_spans(np.array([2.0]), 5.0)] == [[0.0], [5.0]]
    assert [value.tolist() for value in frame_spans(np.array([0.0]), 0.0)] == [[0.0], [0.0]]
    # A header that claims less than what was decoded.
    starts, ends = frame_spans(np.array([1.0, 3.0]), 2.0)
    assert (starts <= ends).all()


def test_second_difference_on_a_circle() -> None:
    def on_circle(angles: list[float]) -> np.ndarray:
        return 7 * np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    assert second_difference(on_circle([0.0, 0.1, 0.2, 0.3, 0.4])) == pytest.approx(0, abs=1e-6)
    # Chords 2 sin(step / 2): steps a, b, a give differences d, -d, of deviation |d|.
    a, b = 0.1, 0.3
    chord = 2 * (np.sin(b / 2) - np.sin(a / 2))
    found = second_difference(on_circle([0.0, a, a + b, 2 * a + b]))
    assert found == pytest.approx(chord, rel=1e-5)
    with pytest.raises(ValueError, match="need 4"):
        second_difference(on_circle([0.0, 0.1, 0.2]))


@pytest.mark.weights
def test_starter_features_do_not_depend_on_the_batch(starter: ClipEncoder) -> None:
    items = [
        media(5, seed=1, size=(90, 160)),
        sound_only(),
        media(1, seed=2, size=(300, 200), is_video=False),
        media(2, seed=3),
    ]
    together = starter.encode(items)
    assert together[1] == Encoding()
    assert starter.encode([]) == []
    for index in (0, 2, 3):
        assert worst_difference(starter.encode([items[index]])[0], together[index]) < 1e-5
    assert list(together[0].sequences[0].layers) == [f"layer_{index}" for index in range(5)]


@pytest.mark.weights
def test_starter_sees_the_border_and_says_where(starter: ClipEncoder) -> None:
    plain = np.full((1, 200, 300, 3), 128, np.uint8)
    marked = plain.copy()
    marked[0, -12:, -12:] = np.random.default_rng(0).integers(0, 256, (12, 12, 3))
    layers = []
    for pixels in (plain, marked):
        frames = FrameBatch(pixels, np.zeros(1), 200, 300)
        item = DecodedMedia(METADATA, Modality.IMAGE, 0.0, frames, None)
        layers.append(starter.encode([item])[0].sequences[0].layers["layer_1"])
    change_N = np.linalg.norm(layers[1] - layers[0], axis=1)
    assert change_N[4] > 0.05 * np.linalg.norm(layers[0][4])
    assert change_N[1:4].max() < 0.01 * change_N[4]


@pytest.mark.weights
def test_folded_batch_norms_change_nothing() -> None:
    store = WeightStore()
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        plain, folded = (
            starter_tower(store, is_folded=is_folded)[0].forward_intermediates(
                images, intermediates_only=True
            )["image_intermediates"]
            for is_folded in (False, True)
        )
    for ours, theirs in zip(folded, plain, strict=True):
        assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()
