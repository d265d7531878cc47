"""What client and worker say to each other survives JSON, and refusals name what differs."""

import json
import os
from pathlib import Path

import pytest

from moderation.errors import InternalError
from moderation.results import RunContext
from moderation.settings import Settings
from moderation.types import Mode
from workers.batches.errors import WorkerDiffers, WorkerUnfit
from workers.batches.orders import Answer, Order, Refusal
from workers.batches.terms import differences, scoring_terms

CONTEXT = RunContext(Mode.FAST, "judge-1", 1, "setup", "limits")


def test_an_order_survives_json_whatever_the_names() -> None:
    paths = (Path("/a b/ü"), Path(os.fsdecode(b"/back\\slash \xff")))
    order = Order({"judge": "j"}, Mode.FULL, 3, paths)
    assert Order.from_json(json.loads(json.dumps(order.to_json()))) == order


@pytest.mark.parametrize(("is_other", "kind"), [(True, WorkerDiffers), (False, WorkerUnfit)])
def test_a_refusal_survives_json_and_is_raised(is_other: bool, kind: type[Exception]) -> None:
    answer = Answer("host:1", refusal=Refusal("found", "expected", "remedy", is_other))
    told = Answer.from_json(json.loads(json.dumps(answer.to_json())))
    assert told == answer
    with pytest.raises(kind, match="host:1 does not score: found"):
        told.results()


def test_a_refusal_names_the_error_that_it_came_of() -> None:
    error = InternalError("broken", expected="whole", remedy="Mend it.")
    assert Refusal.of(error) == Refusal("internal: broken", "whole", "Mend it.")


def test_terms_differ_by_name(tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.pem"
    anchors.write_text("-----BEGIN CERTIFICATE-----\n")
    own = scoring_terms(Settings.load(), CONTEXT)
    assert differences(own, dict(own)) == []
    for other in ({"trust_anchors": anchors}, {"provenance": False}):
        [told] = differences(scoring_terms(Settings.load(**other), CONTEXT), own)
        assert told.startswith("provenance ")
    other_judge = RunContext(Mode.FULL, "judge-2", 5, "setup", "limits")
    [told] = differences(scoring_terms(Settings.load(), other_judge), own)
    assert told == "judge 'judge-2' instead of 'judge-1'"
