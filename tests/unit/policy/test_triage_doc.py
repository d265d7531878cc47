"""docs/triage.md says what there is, and what was measured."""

import json
import re
from pathlib import Path

import pytest

from moderation.policy.schema import Clause, Policy, Strict
from moderation.priority import orders

DOC = Path("docs/triage.md").read_text(encoding="utf-8")
MEASURED = json.loads(Path("docs/triage-simulation.json").read_text(encoding="utf-8"))["orders"]


def keys(model: type[Strict]) -> set[str]:
    """Names of a model's keys, and of the tables in it."""
    names = set()
    for name, field in model.model_fields.items():
        names.add(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Strict):
            names |= {f"{name}.{inner}" for inner in field.annotation.model_fields}
    return names


@pytest.mark.parametrize(("model", "start"), [(Policy, 0), (Clause, 1)])
def test_every_key_of_the_tables_exists(model: type[Strict], start: int) -> None:
    table = DOC.split("| key | what |")[start + 1].split("\n\n")[0]
    named = {
        key
        for line in table.splitlines()
        if line
        for key in re.findall(r"`([^`]+)`", line.split("|")[1])
    }
    assert named
    assert named <= keys(model)
    tops = {key.split(".")[0] for key in named}
    silent = {"name", "version", "description"} if model is Policy else {"id", "title", "surfaces"}
    assert set(model.model_fields) - silent == tops - silent


def test_every_order_is_described() -> None:
    names = {
        order.name
        for order in (getattr(orders, one) for one in dir(orders))
        if hasattr(order, "worth") and isinstance(getattr(order, "name", None), str)
    }
    assert len(names) == 5
    for name in names:
        assert f"| `{name}` |" in DOC


def test_the_table_is_what_was_measured() -> None:
    rows = re.findall(
        r"^\| ([^|`]+) \| ([\d.]+)(?: \[(.+), (.+)\])? \| (.+) \| (.+) \| (.+) \|$", DOC, re.M
    )
    assert [row[0] for row in rows] == list(MEASURED)
    for label, ratio, low, high, worst, sla, legal in rows:
        found = MEASURED[label]
        pairs = [
            (ratio, found["harm_to_first"]["value"]),
            (worst, found["worst_tenth_reviewed_share"]["value"]),
            (sla, found["sla_breach_share"]["value"]),
            (legal, found["legal_breach_share"]["value"]),
        ]
        if low:
            pairs += [(low, found["harm_to_first"]["low"]), (high, found["harm_to_first"]["high"])]
        for told, value in pairs:
            assert float(told) == pytest.approx(value, abs=0.00501)
