import io
from pathlib import Path

import pytest
import torch
from rich.console import Console
from trl import GRPOConfig

from moderation.judge.score_head import SCORE_CUE, digit_scores, digit_token_ids
from moderation.types import Mode
from rl.baselines.real import Real
from rl.text_judge import regression
from rl.text_judge.items import TextItem
from rl.text_judge.model import TextJudge
from rl.text_judge.prediction import predict
from rl.text_judge.recipe import TextRegressionStage
from rl.text_judge.rollouts import dataset
from rl.trainer import RealTrainer
from tests.unit.judge.builders import write_backbone

from .text_items import items, judge

QUIET = Console(file=io.StringIO())


@pytest.fixture
def data(tmp_path: Path) -> list[TextItem]:
    return items(tmp_path / "data")


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    return write_backbone(tmp_path / "backbone")


def logits(model: TextJudge, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model.backbone(torch.tensor([ids])).logits[0]


def test_scores_and_targets_are_those_of_the_whole_sequences(
    backbone: Path, data: list[TextItem]
) -> None:
    model = judge(backbone)
    ids_K = torch.tensor(digit_token_ids(model.tokenizer))
    texts = ["good", "It says good."]
    with torch.no_grad():
        fast, full = model(data[:2]), model(data[:2], texts)
    losses = []
    for n, (item, text) in enumerate(zip(data[:2], texts, strict=True)):
        head, cue = model.writer.prompt_ids(item), model.writer.encode(SCORE_CUE)
        want = digit_scores(logits(model, [*head, *cue])[-1:], ids_K)
        assert float(fast.scores.expected_N[n]) == pytest.approx(float(want.expected_N), abs=1e-4)
        reply = [*model.writer.encode(text), *cue]
        digit = int(ids_K[round(item.y)])
        end = model.tokenizer.eos_token_id
        whole = logits(model, [*head, *reply, digit, end])
        want = digit_scores(whole[len(head) + len(reply) - 1][None], ids_K)
        assert float(full.scores.expected_N[n]) == pytest.approx(float(want.expected_N), abs=1e-4)
        # Every token of the reply but the digit itself.
        for place, token in [*enumerate(reply), (len(reply) + 1, end)]:
            losses.append(-whole[len(head) + place - 1].log_softmax(-1)[token])
    got = torch.nn.functional.cross_entropy(full.rationale_logits_TV, full.rationale_target_T)
    assert float(got) == pytest.approx(float(torch.stack(losses).mean()), abs=1e-4)


def test_references_are_whole_sentences_that_fit(backbone: Path, data: list[TextItem]) -> None:
    writer = judge(backbone).writer
    whole = "It says good. 1 of them."
    assert writer.reference(data[0], 10**6) == whole
    assert writer.reference(data[0], len(writer.encode(whole)) - 1) == "It says good."
    assert len(writer.encode(writer.reference(data[0], 2))) <= 2


def test_regression_learns_and_repeats_itself(
    backbone: Path, data: list[TextItem], tmp_path: Path
) -> None:
    stage = TextRegressionStage(
        kind="regression", steps=25, rate=1e-2, batch_items=5, full_share=0.5
    )
    runs = []
    for name in ("a", "b"):
        model = judge(backbone)
        regression.train(stage, model, data, tmp_path / name, seed=1, console=QUIET)
        runs.append(model.trainable_state())
    assert all(torch.equal(runs[0][key], runs[1][key]) for key in runs[0])
    said = predict(model, data, Mode.FAST).p_NK @ torch.arange(10.0).numpy()
    before = predict(judge(backbone), data, Mode.FAST).p_NK @ torch.arange(10.0).numpy()
    y = torch.tensor([item.y for item in data]).numpy()
    assert abs(said - y).mean() < 0.5 * abs(before - y).mean()
    lines = (tmp_path / "a" / "log.jsonl").read_text().splitlines()
    assert len(lines) == 25


def test_a_reply_without_its_score_falls_back_to_the_fast_one(
    backbone: Path, data: list[TextItem]
) -> None:
    model = judge(backbone)
    fast, full = (predict(model, data, mode) for mode in Mode)
    assert full.rationales is not None
    assert not any(full.is_whole_N)
    assert abs(full.p_NK - fast.p_NK).max() < 1e-5


def test_the_trainer_makes_the_same_tokens_of_a_prompt(
    backbone: Path, data: list[TextItem], tmp_path: Path
) -> None:
    model = judge(backbone)
    trainer = RealTrainer(
        model.backbone,
        args=GRPOConfig(
            output_dir=str(tmp_path),
            per_device_train_batch_size=2,
            num_generations=2,
            loss_type="dr_grpo",
            report_to="none",
            bf16=False,
            use_cpu=True,
            activation_checkpointing=False,
        ),
        objective=Real(kind="real").build(),
        train_dataset=dataset(model, data),
        processing_class=model.tokenizer,
    )
    prompts = [model.writer.prompt(item) for item in data]
    ids, _, _ = trainer._tokenize_prompts(prompts)
    assert [list(row) for row in ids] == [model.writer.prompt_ids(item) for item in data]
