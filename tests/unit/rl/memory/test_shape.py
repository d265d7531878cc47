from pathlib import Path

import pytest
import torch
from transformers import AutoConfig

from moderation.errors import ConfigurationError
from moderation.judge.sequence_spec import SequenceSpec
from rl.judge_model import JudgeModel
from rl.memory.shape import TransformerShape, count_parameters, read_architecture
from rl.recipe import JudgeRecipe
from tests.unit.judge.builders import write_backbone

ARCHITECTURES = Path("rl/recipes/architectures")
SPECS = (SequenceSpec("clip", {"a": 6, "b": 4}, tokens_per_window=2),)


def test_qwen_2_5_7b_has_its_published_size() -> None:
    config = read_architecture(ARCHITECTURES / "qwen2.5-7b.json")
    counts = count_parameters(config, SPECS, lora_rank=16, width=8)
    # 7.62 B, as the model's card gives it.
    assert counts.frozen == 7_615_616_512
    shape = TransformerShape.of(config)
    assert (shape.query_D, shape.key_value_D) == (3584, 512)
    # r (in + out) for each of seven linear layers.
    pairs = [(3584, 3584), (3584, 512), (3584, 512), (3584, 3584)]
    pairs += [(3584, 18944), (3584, 18944), (18944, 3584)]
    assert counts.adapter == 28 * 16 * sum(a + b for a, b in pairs)


def test_counts_are_those_of_the_judge_that_training_builds(tmp_path: Path) -> None:
    backbone = write_backbone(tmp_path)
    recipe = JudgeRecipe.model_validate(
        {"name": "t", "backbone": "t", "lora_rank": 4, "width": 16, "sequences": {"clip": {}}}
    )
    judge = JudgeModel(recipe, SPECS, backbone=backbone, dtype=torch.float32, device="cpu")
    config = AutoConfig.from_pretrained(backbone)
    counts = count_parameters(config, SPECS, lora_rank=4, width=16)
    learnt = [p.numel() for p in judge.backbone.parameters() if p.requires_grad]
    everything = sum(p.numel() for p in judge.backbone.parameters())
    assert counts.adapter == sum(learnt)
    assert counts.frozen == everything - sum(learnt)
    assert counts.projectors == sum(p.numel() for p in judge.projector.parameters())
    assert counts.trained == counts.adapter + counts.projectors


def test_the_first_layers_alone_are_counted() -> None:
    path = ARCHITECTURES / "qwen2.5-7b.json"
    whole, first = (read_architecture(path, layers=n) for n in (None, 4))
    assert (whole.num_hidden_layers, first.num_hidden_layers) == (28, 4)


@pytest.mark.parametrize("text", ["{", '{"hidden_size": 4}', '{"model_type": "imaginary"}'])
def test_a_file_that_describes_no_model_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"config\.json describes no model"):
        read_architecture(path)
