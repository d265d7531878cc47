"""What every `JudgeBackend` owes, over small random judges with real parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from encoders.types import MediaFeatures
from moderation.errors import JudgeError
from moderation.ports import JudgeBackend
from moderation.types import Mode
from tests.unit.judge.builders import features, judge
from tests.unit.judge.vision_builders import FAMILIES, pictured, vision_judge


@dataclass(frozen=True, slots=True)
class Backend:
    """build: takes `batch_items` and `rationale_tokens_max`. blank: an item that it cannot read."""

    build: Callable[..., JudgeBackend]
    items: Sequence[MediaFeatures]
    blank: MediaFeatures


PICTURED = [
    pictured(frames, seed=k, height=height)
    for k, (frames, height) in enumerate([(1, 40), (6, 40), (2, 90), (1, 33), (3, 40)])
]
BACKENDS = {
    "soft_token": Backend(
        judge,
        [features(length, seed=k) for k, length in enumerate([0.0, 4.0, 1.0, 9.0, 2.5])],
        features(1.0, encoders=[]),
    ),
    **{
        family: Backend(partial(vision_judge, family), PICTURED, features(1.0))
        for family in FAMILIES
    },
}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    return BACKENDS[request.param]


@pytest.mark.parametrize("mode", list(Mode))
def test_a_score_does_not_depend_on_its_batch(backend: Backend, mode: Mode) -> None:
    together = backend.build(batch_items=5).judge(backend.items, mode)
    one = backend.build(batch_items=1)
    alone = [one.judge([item], mode)[0] for item in backend.items]
    for a, b in zip(together, alone, strict=True):
        assert a.expected_score == pytest.approx(b.expected_score, abs=1e-4)
        assert a.rationale == b.rationale
    assert len({round(j.expected_score, 3) for j in together}) > 1


@pytest.mark.parametrize("mode", list(Mode))
def test_the_same_bytes_give_the_same_score_to_the_bit(backend: Backend, mode: Mode) -> None:
    first, second = (backend.build().judge(backend.items, mode, rationales=2) for _ in range(2))
    assert first == second


def test_sampled_rationales_are_seeded_by_content_not_by_place(backend: Backend) -> None:
    built = backend.build(rationale_tokens_max=40)
    forward = built.judge(backend.items, Mode.FULL, rationales=3)
    backward = built.judge(backend.items[::-1], Mode.FULL, rationales=3)[::-1]
    greedy = built.judge(backend.items, Mode.FULL)
    for a, b in zip(forward, backward, strict=True):
        assert a.rationale is not None
        assert b.rationale is not None
        assert a.rationale.text == b.rationale.text
        assert a.expected_score == pytest.approx(b.expected_score, abs=1e-4)
    assert any(a.rationale.is_complete for a in forward if a.rationale is not None)
    assert [a.rationale for a in forward] != [a.rationale for a in greedy]


def test_a_rationale_cut_off_by_its_budget_falls_back_to_the_fast_score(backend: Backend) -> None:
    cut = backend.build(rationale_tokens_max=1)
    full, fast = cut.judge(backend.items, Mode.FULL), cut.judge(backend.items, Mode.FAST)
    unfinished = [
        (a, b)
        for a, b in zip(full, fast, strict=True)
        if a.rationale is not None and not a.rationale.is_complete
    ]
    assert unfinished
    for a, b in unfinished:
        assert a.expected_score == pytest.approx(b.expected_score, abs=1e-4)


def test_each_mode_says_how_it_was_judged(backend: Backend) -> None:
    built = backend.build()
    for mode in Mode:
        for judgment in built.judge(backend.items[:2], mode):
            assert (judgment.mode, judgment.judge_id) == (mode, built.judge_id)
            assert (judgment.rationale is None) == (mode is Mode.FAST)
            assert 0 < judgment.digit_mass <= 1


def test_an_item_that_it_cannot_read_is_an_error_not_a_score(backend: Backend) -> None:
    with pytest.raises(JudgeError):
        backend.build().judge([backend.blank], Mode.FAST)
