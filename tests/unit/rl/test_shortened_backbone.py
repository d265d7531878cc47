"""A backbone cut short learns to write rationales, and nothing of the media."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

from moderation.judge.language_model import load_backbone, load_tokenizer
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
    kept = whole.get_input_embeddings().weight.to(torch.bfloat16).float()
    assert torch.allclose(kept, short.get_input_embeddings().weight, atol=1e-2)


def test_one_that_is_there_is_taken_as_it_is(backbone, tmp_path) -> None:
    folder = shortened(backbone, tmp_path / "one", steps=2)
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert shortened(backbone, folder, steps=9) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
