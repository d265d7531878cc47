"""Rollouts of the soft-token judge: serving's scores, current weights, checked claims."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from rl.soft_token_rollouts import SoftTokenRollouts
from tests.unit.judge.builders import write_backbone
from tests.unit.rl import toy_judge as toy
from tests.unit.rl.small_policy import MEDIA, TRUTH, policy


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("backbone"))


def test_scores_of_the_rollouts_are_those_of_the_training_pass(tmp_path, backbone) -> None:
    """The one comes from serving's cached keys and values, the other from one full pass."""
    model = policy(backbone)
    keys = [key for key in MEDIA for _ in range(6)]
    torch.manual_seed(2)
    args = toy.config(tmp_path, max_completion_length=4)
    made = SoftTokenRollouts(model, TRUTH)(keys, args)
    lengths = {len(ids) for ids in made["completion_ids"]}
    assert len(lengths) > 2
    assert 0 < sum(index is None for index in made["score_index"]) < len(keys)
    for row, prompt, ids, index, served in zip(
        made["media_row"],
        made["prompt_ids"],
        made["completion_ids"],
        made["score_index"],
        made["score_logits"],
        strict=True,
    ):
        if index is None:
            continue
        whole = torch.tensor([[0, 0, *prompt, *ids]])
        mask = torch.ones_like(whole)
        mask[:, :2] = 0
        with torch.no_grad():
            logits = model(whole, mask, torch.tensor([row])).logits[0, 1 + len(prompt) + index]
        torch.testing.assert_close(logits, served, rtol=1e-4, atol=1e-4)


def test_rollouts_follow_the_weights_as_they_change(tmp_path, backbone) -> None:
    model = policy(backbone)
    write, args = SoftTokenRollouts(model, TRUTH), toy.config(tmp_path, max_completion_length=8)
    before = write(["first.mp4"] * 8, args)["score_logits"]
    with torch.no_grad():
        for parameter in model.body.judge.backbone.parameters():
            if parameter.requires_grad:
                parameter.mul_(1.5)
    torch.manual_seed(0)
    after = write(["first.mp4"] * 8, args)["score_logits"]
    fresh = policy(backbone)
    fresh.load_state_dict(model.state_dict())
    torch.manual_seed(0)
    expected = SoftTokenRollouts(fresh, TRUTH)(["first.mp4"] * 8, args)["score_logits"]
    found = [logits for logits in after if logits is not None]
    assert found
    assert [x is None for x in after] == [x is None for x in expected]
    for mine, theirs in zip(found, (x for x in expected if x is not None), strict=True):
        assert torch.equal(mine, theirs)
    assert not any(torch.equal(a, b) for a in found for b in before if b is not None)


def test_claims_are_held_against_what_was_done(tmp_path, backbone) -> None:
    """The rationale claims the first second of two; the second item has no such forgery."""
    model = policy(backbone)
    tokenizer = model.body.judge.tokenizer
    tokens = tokenizer.encode("audio 0.0-1.0 synthetic voice, strong. It was rebuilt.\n")
    written: Counter[int] = Counter()

    def dictated(rows: Sequence[int], logits_BV: torch.Tensor) -> list[int]:
        drawn = [tokens[min(written[row], len(tokens) - 1)] for row in rows]
        written.update(rows)
        return drawn

    write = SoftTokenRollouts(model, TRUTH, choose=dictated)
    args = toy.config(tmp_path, max_completion_length=len(tokens) + 8)
    made = write(["first.mp4", "second.mp4"], args)
    assert made["claim_overlap"] == [pytest.approx(0.5), 0.0]
