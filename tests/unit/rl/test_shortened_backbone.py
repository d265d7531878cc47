"""A backbone cut short learns to write rationales, and nothing of the media."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

from moderation.errors import ConfigurationError
from moderation.judge.artefact import write_description
from moderation.judge.backbone_weights import load_backbone, load_tokenizer
from moderation.judge.soft_token import SoftTokenJudge
from moderation.types import Mode
from rl.export import export
from rl.prediction import predict
from rl.shortened_backbone import shorten, writing_loss
from rl.shortening import ShorteningRecipe
from tests.unit.judge.builders import write_backbone
from tests.unit.rl import media_judge as tiny

QUIET = Console(file=io.StringIO())


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("backbone"))


def shortened(backbone: Path, folder: Path, *, steps: int) -> Path:
    recipe = ShorteningRecipe(layers=1, steps=steps, batch_items=8, rate=1e-2)
    shorten(recipe, backbone, tiny.examples(), folder, device="cpu", console=QUIET)
    return folder


def loss(folder: Path) -> float:
    model = load_backbone(folder, dtype=torch.float32)
    with torch.no_grad():
        generator = np.random.default_rng(1)
        return float(writing_loss(model, load_tokenizer(folder), tiny.examples(), generator))


def test_it_has_the_layers_asked_for_and_writes_better_than_without_teaching(
    backbone, tmp_path
) -> None:
    untaught = shortened(backbone, tmp_path / "untaught", steps=1)
    taught = shortened(backbone, tmp_path / "taught", steps=60)
    assert load_backbone(taught, dtype=torch.float32).config.num_hidden_layers == 1
    assert loss(taught) < 0.5 * loss(untaught)


def test_its_embedding_stays_and_two_runs_are_equal(backbone, tmp_path) -> None:
    first = load_file(shortened(backbone, tmp_path / "first", steps=3) / "model.safetensors")
    again = load_file(shortened(backbone, tmp_path / "again", steps=3) / "model.safetensors")
    assert first.keys() == again.keys()
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    whole = load_backbone(backbone, dtype=torch.float32)
    short = load_backbone(tmp_path / "first", dtype=torch.float32)
    assert torch.equal(whole.get_input_embeddings().weight, short.get_input_embeddings().weight)


def test_an_exported_judge_brings_its_taught_layers_to_the_whole_model(
    backbone, tmp_path, capfd
) -> None:
    data, folder = tiny.examples(), tmp_path / "judge"
    model = tiny.model(shortened(backbone, tmp_path / "short", steps=20), data)
    description = export(model, folder, encoders={}, provenance={}, whole=backbone)
    capfd.readouterr()
    assert description.backbone_layers == 1
    assert "layers.safetensors" in description.files
    assert not any("embed" in name for name in load_file(folder / "layers.safetensors"))
    judge = SoftTokenJudge.from_folder(folder, backbone=backbone)
    served = [one.expected_score for one in judge.judge([e.features for e in data], Mode.FAST)]
    np.testing.assert_allclose(served, predict(model, data, Mode.FAST).expected_N, atol=1e-3)
    assert "UNEXPECTED" not in "".join(capfd.readouterr())


def test_layers_of_another_model_are_refused(backbone, tmp_path) -> None:
    folder = tmp_path / "judge"
    model = tiny.model(shortened(backbone, tmp_path / "short", steps=1), tiny.examples())
    description = export(model, folder, encoders={}, provenance={}, whole=backbone)
    save_file({"model.layers.7.weight": torch.zeros(1)}, folder / "layers.safetensors")
    write_description(folder, description)
    with pytest.raises(ConfigurationError, match=r"model\.layers\.7\.weight"):
        SoftTokenJudge.from_folder(folder, backbone=backbone)


def test_one_that_is_there_is_taken_as_it_is(backbone, tmp_path) -> None:
    folder = shortened(backbone, tmp_path / "one", steps=2)
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert shortened(backbone, folder, steps=9) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
