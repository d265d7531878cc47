"""Training on a small random backbone: it learns, and a resumed run equals an uninterrupted one."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from encoders.types import Modality, Span
from moderation.judge.soft_token import SoftTokenJudge
from moderation.types import Claim, Mode, Strength
from rl.data import Example, paired_batches
from rl.export import export
from rl.judge_model import JudgeModel, sequence_specs
from rl.recipe import JudgeRecipe, OptimiserRecipe, SequenceRecipe
from rl.warm_up import LOG, train
from tests.unit.judge.builders import byte_level_bpe, features, language_model

JUDGE = JudgeRecipe(
    name="tiny",
    backbone="tiny",
    width=16,
    lora_rank=2,
    lora_alpha=4,
    sequences={"clip": SequenceRecipe(), "whisper": SequenceRecipe()},
)
OPTIMISER = OptimiserRecipe(
    steps=12, batch_items=4, projector_rate=1e-2, adapter_rate=1e-2, checkpoint_steps=5
)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backbone")
    tokenizer = byte_level_bpe()
    tokenizer.save_pretrained(folder)
    language_model(len(tokenizer)).save_pretrained(folder)
    return folder


def examples(count: int = 12) -> list[Example]:
    """Pairs in which the second is shifted, as a forgery's features would be."""
    made = []
    for k in range(count):
        item, is_manipulated = features(2.0, seed=k), k % 2 == 1
        if is_manipulated:
            item.sequences[1].layers["block"][:] += 2.0
        claim = Claim(Modality.AUDIO, Span(0.0, 2.0), "synthetic voice", Strength.STRONG)
        made.append(
            Example(
                path=f"{k}.mp4",
                features=item,
                y=1.0 if is_manipulated else 9.0,
                is_manipulated=is_manipulated,
                recipe="shift" if is_manipulated else "genuine",
                source=f"s{k // 2}",
                pair_id=f"p{k // 2}",
                split="train",
                claims=(claim,) if is_manipulated else (),
            )
        )
    return made


def model(backbone: Path, data: list[Example]) -> JudgeModel:
    torch.manual_seed(0)
    return JudgeModel(
        JUDGE, sequence_specs(JUDGE, data), backbone=backbone, dtype=torch.float32, device="cpu"
    )


def log(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


def test_a_run_stopped_and_resumed_equals_an_uninterrupted_one(backbone, tmp_path) -> None:
    data = examples()
    whole = model(backbone, data)
    train(whole, data, OPTIMISER, tmp_path / "whole")

    class Killed(Exception):
        pass

    stopped = model(backbone, data)
    calls = 0

    def die(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 8:
            raise Killed

    stopped.register_forward_pre_hook(die)
    with pytest.raises(Killed):
        train(stopped, data, OPTIMISER, tmp_path / "cut")
    resumed = model(backbone, data)
    train(resumed, data, OPTIMISER, tmp_path / "cut")
    assert log(tmp_path / "cut") == log(tmp_path / "whole")
    for name, value in whole.trainable_state().items():
        assert torch.equal(value, resumed.trainable_state()[name]), name


def test_training_learns_and_serving_gives_what_training_saw(backbone, tmp_path) -> None:
    data = examples()
    trained = model(backbone, data)
    plan = OPTIMISER.model_copy(update={"steps": 80, "full_share": 0.25})
    train(trained, data, plan, tmp_path)
    export(trained, tmp_path / "j", encoders={}, provenance={})
    judge = SoftTokenJudge.from_folder(tmp_path / "j", backbone=backbone)
    served = np.array(
        [j.expected_score for j in judge.judge([e.features for e in data], Mode.FAST)]
    )
    y = np.array([e.y for e in data])
    assert np.abs(served - y).mean() < 1.5
    assert served[y == 9].min() > served[y == 1].max()
    with torch.no_grad():
        seen = trained(data).scores.expected_N.numpy()
    np.testing.assert_allclose(served, seen, atol=0.02)
    assert load_file(tmp_path / "j/adapter/adapter_model.safetensors")


def test_batches_keep_pairs_together_and_use_every_example_once() -> None:
    data = examples(20)
    batches = paired_batches(data, size=6, generator=np.random.default_rng(0))
    assert sorted(i for batch in batches for i in batch) == list(range(20))
    for batch in batches:
        pairs = {data[i].pair_id for i in batch}
        assert len(batch) == 2 * len(pairs)
