"""The policy's file: what is shipped parses, what is wrong is named by its line."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.types import Modality
from moderation.policy.difference import differences
from moderation.policy.loading import DEFAULT, PolicyError, default_policy, load_policy
from moderation.policy.schema import Policy, WhileWaiting
from moderation.policy.source_lines import line_of

TEXT = DEFAULT.read_text(encoding="utf-8")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def replaced(line: str, by: str, occurrence: int = 0) -> tuple[str, int]:
    """The default with one line replaced, and that line's number."""
    lines = TEXT.split("\n")
    number = [k for k, text in enumerate(lines) if text == line][occurrence]
    lines[number] = by
    return "\n".join(lines), number + 1


def test_the_default_is_careful() -> None:
    policy = default_policy()
    assert not policy.routes.enforce
    assert policy.duplicates.near_distance_max is None
    assert policy.id == "default@1"


@pytest.mark.parametrize(
    ("line", "by", "occurrence", "told", "expected"),
    [
        (
            "severity = 20.0",
            "severity = -1",
            0,
            "clauses[0].severity",
            "greater than or equal to 0",
        ),
        ('action = "label"', 'action = "hide"', 0, "clauses[2].action", "'limit_reach'"),
        (
            'dsa_ground = "DECISION_GROUND_ILLEGAL_CONTENT"',
            'dsa_ground = "DECISION_GROUND_ILLEGAL"',
            1,
            "clauses[1].reasons[0].dsa_ground",
            "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        ),
        (
            "wrong = 50.0",
            "wrog = 50.0",
            0,
            "clauses[2].costs.wrog",
            "missed, wrong, wrong_per_view",
        ),
        ("image = 1.5", "image = 'long'", 0, "clauses[1].minutes.image", "valid number"),
        (
            'while_waiting = "held"',
            'while_waiting = "gone"',
            1,
            "clauses[1].while",
            "'up' or 'held'",
        ),
        ("alpha_allow = 0.02", "alpha_allow = 2", 0, "routes.alpha_allow", "less than 1"),
        (
            "enforce = false",
            "enforced = false",
            0,
            "routes.enforced",
            "allow, enforce, alpha_allow",
        ),
        (
            "backlog_hours = 72.0",
            "backlog_hours = 9.0",
            0,
            "admission.curve[2].backlog_hours",
            "agree",
        ),
        (
            'surfaces = ["advertisement"]',
            'surfaces = ["adverts"]',
            0,
            "clauses[1].surfaces: 'adverts'",
            "agree",
        ),
    ],
)
def test_an_error_names_line_key_and_allowed_values(
    tmp_path: Path, line: str, by: str, occurrence: int, told: str, expected: str
) -> None:
    text, number = replaced(line, by, occurrence)
    with pytest.raises(PolicyError) as caught:
        load_policy(written(tmp_path, text))
    assert told in caught.value.found
    assert expected in caught.value.expected
    assert str(tmp_path / "policy.toml") in caught.value.found
    assert caught.value.line == number


def test_a_missing_key_names_the_table_it_is_missing_from(tmp_path: Path) -> None:
    text, number = replaced('title = "Manipulated media in advertising"', "")
    with pytest.raises(PolicyError, match=r"key 'clauses\[1\]\.title' is missing") as caught:
        load_policy(written(tmp_path, text))
    # `[[clauses]]`, two lines above.
    assert caught.value.line == number - 2
    assert "severity" in caught.value.expected


def test_broken_toml_names_line_and_column(tmp_path: Path) -> None:
    text, number = replaced('action = "label"', "action = label")
    with pytest.raises(PolicyError, match=rf"line {number}, column"):
        load_policy(written(tmp_path, text))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"a" * (2**20 + 1)])
def test_what_is_no_policy_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(content)
    with pytest.raises(PolicyError):
        load_policy(path)
    with pytest.raises(PolicyError, match="No such file"):
        load_policy(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("line", "by", "told"),
    [
        ('id = "paid"', 'id = "deceptive"', "'deceptive' is there twice"),
        ('code = "paid-scam"', 'code = "paid-undisclosed"', "'paid-undisclosed' is there twice"),
        ('action = "label"', 'action = "label"\non_report_only = true', "apply everywhere"),
    ],
)
def test_rules_that_contradict_are_refused(tmp_path: Path, line: str, by: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        load_policy(written(tmp_path, replaced(line, by)[0]))


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [path, *(p for key, one in value.items() for p in _paths(one, (*path, key)))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [path, *(p for k, one in enumerate(value) for p in _paths(one, (*path, k)))]
    return [path]


PATHS = [path for path in _paths(tomllib.loads(TEXT)) if path]


@given(st.sampled_from(PATHS), st.text("#\n ", max_size=3))
def test_the_line_of_a_key_has_its_name(path: tuple[str | int, ...], above: str) -> None:
    text = above.replace("#", "# key = 1\n") + "\n" + TEXT
    line = text.split("\n")[line_of(text, path) - 1]
    name = [step for step in path if isinstance(step, str)][-1]
    assert name in line


def test_lines_of_values_that_span_several_and_of_odd_strings() -> None:
    text = (
        "# first\na = [\n  1, # one\n  2,\n]\n\nb = '''x\n[c]\n'''\n"
        '[c]\nd = "\u2028"\n[[c.e]]\nf = 1\n[[c.e]]\n"g.h" = 2\ni.j = 3\n'
    )
    expected = {
        ("a",): 2,
        ("a", 1): 2,
        ("b",): 7,
        ("c",): 10,
        ("c", "d"): 11,
        ("c", "e", 0, "f"): 13,
        ("c", "e", 1): 14,
        ("c", "e", 1, "g.h"): 15,
        ("c", "e", 1, "i", "j"): 16,
        ("c", "e", 1, "absent"): 14,
        ("absent",): 1,
    }
    assert {path: line_of(text, path) for path in expected} == expected


def test_the_clause_of_an_item() -> None:
    policy = default_policy()
    assert policy.clause("feed").id == "deceptive"
    assert policy.clause("advertisement").id == "paid"
    assert policy.clause("a surface of tomorrow").id == "deceptive"
    assert policy.clause("feed", "intimate").while_waiting is WhileWaiting.HELD
    assert policy.clause("feed", "no such clause").id == "deceptive"


def test_minutes_of_an_unknown_modality_are_the_longest() -> None:
    minutes = default_policy().clause("feed").minutes
    assert minutes.of(Modality.AUDIO) == 2.0
    assert minutes.of(None) == 3.0


def test_a_key_that_came_later_changes_no_digest_where_it_says_nothing() -> None:
    policy = default_policy()
    silent = policy.model_dump_json()
    assert "review" not in policy.model_dump()
    spoken = Policy.model_validate(policy.model_dump() | {"review": {"reveal": "at_once"}})
    assert spoken.model_dump_json() == silent
    after = Policy.model_validate(policy.model_dump() | {"review": {"reveal": "after_view"}})
    assert Policy.model_validate_json(after.model_dump_json()) == after
    assert [str(one) for one in differences(policy, after)] == [
        "policy: review.reveal is new: after_view"
    ]
