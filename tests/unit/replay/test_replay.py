"""Replays: of a policy on itself, on another, on labels; and what differs between policies."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.errors import ManifestError
from moderation.policy.difference import differences
from moderation.policy.loading import default_policy
from moderation.policy.schema import Policy
from moderation.replay.recorded import RecordedItem, RecordedProbability, read_recorded
from moderation.replay.replaying import (
    Conditions,
    changes,
    changes_from_record,
    load_of,
    replay,
)
from moderation.triage.context import Unscored
from moderation.triage.shadow import Deployed
from moderation.types import Disposition, RouteBounds

DEFAULT = default_policy()
ACTS = DEFAULT.model_copy(
    update={"routes": DEFAULT.routes.model_copy(update={"enforce": True}), "version": "2"}
)
BOUNDS = RouteBounds(0.1, 0.9)
CONDITIONS = Conditions()


def item(k: int, probability: float | None, **options: Any) -> RecordedItem:
    """A recorded picture."""
    usual = {
        "path": f"{k}.jpg",
        "sha256": f"{k:064x}",
        "modality": None,
        "evidence": Unscored("media")
        if probability is None
        else RecordedProbability(probability, "platt/1"),
        "surface": "feed",
        "reach": 100.0,
        "remaining_views": 100.0,
        "disagreement": None,
        "reported_clause": None,
        "is_manipulated": None,
        "disposition": None,
    }
    return RecordedItem(**usual | options)


recorded = st.lists(st.none() | st.floats(0.0, 1.0), max_size=30).map(
    lambda values: [item(k % 20, p) for k, p in enumerate(values)]
)


@settings(max_examples=40)
@given(recorded, st.floats(0.0, 1e3))
def test_a_policy_replayed_on_itself_changes_nothing(
    items: list[RecordedItem], backlog: float
) -> None:
    conditions = Conditions(backlog_hours=backlog)
    first, second = (replay(items, Deployed(ACTS, BOUNDS), conditions) for _ in range(2))
    assert changes(items, first, second) == []
    assert load_of(items, first, 0.1) == load_of(items, second, 0.1)


@settings(max_examples=40)
@given(recorded)
def test_every_item_is_counted_once_and_copies_are_treated_alike(
    items: list[RecordedItem],
) -> None:
    outcomes = replay(items, Deployed(ACTS, BOUNDS), CONDITIONS)
    load = load_of(items, outcomes, 0.1)
    assert load.allowed + load.reviewed + load.enforced == len(items)
    assert load.copies == sum(one.served_by is not None for one in outcomes)
    first: dict[str | None, Disposition] = {}
    for one, outcome in zip(items, outcomes, strict=True):
        if first.setdefault(one.sha256, outcome.disposition) is Disposition.REVIEW:
            assert outcome.disposition is Disposition.REVIEW


def test_loads_and_labels_by_hand() -> None:
    """Items 10 to 13 are drawn by no sample with this key."""
    items = [
        item(10, 0.05, is_manipulated=True),
        item(11, 0.05, is_manipulated=False),
        item(12, 0.95, is_manipulated=False),
        item(13, 0.5),
        item(13, 0.5),
    ]
    outcomes = replay(items, Deployed(ACTS, BOUNDS), CONDITIONS)
    assert [one.sample for one in outcomes] == [None] * 5
    load = load_of(items, outcomes, 0.1)
    assert (load.allowed, load.enforced, load.reviewed, load.copies) == (2, 1, 2, 1)
    assert (load.labelled, load.missed_manipulations, load.wrongly_enforced) == (3, 1, 1)
    assert load.minutes == 3.0
    cost = 50 + 0.3 * 100
    expected = 2 * 0.05 * 100 + 0.05 * cost + 2 * 0.1 * (0.5 * 100 + 0.5 * cost)
    assert load.expected_harm == pytest.approx(expected)


def test_what_another_policy_would_have_changed() -> None:
    items = [item(10, 0.95, is_manipulated=True), item(11, 0.5), item(12, None)]
    before = replay(items, Deployed(DEFAULT, BOUNDS), CONDITIONS)
    after = replay(items, Deployed(ACTS, BOUNDS), CONDITIONS)
    (change,) = changes(items, before, after)
    assert (change.path, change.before, change.after) == ("10.jpg", "review", "enforce (label)")
    assert "from which the machine may enforce" in change.why


def test_what_differs_from_the_record() -> None:
    items = [
        item(10, 0.5, disposition=Disposition.ALLOW),
        item(11, 0.5, disposition=Disposition.REVIEW),
        item(12, 0.5),
    ]
    after = replay(items, Deployed(ACTS, BOUNDS), CONDITIONS)
    (change,) = changes_from_record(items, after)
    assert (change.path, change.before, change.after) == ("10.jpg", "allow", "review")


def table(tmp_path: Path, rows: list[dict[str, Any]], name: str = "scores.csv") -> Path:
    path = tmp_path / name
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_recorded_files_and_their_labels(tmp_path: Path) -> None:
    scores = table(
        tmp_path,
        [
            {"path": "a", "sha256": "1", "probability": 0.3, "modality": "audio"},
            {"path": "b", "sha256": "2", "probability": "", "modality": ""},
        ],
    )
    labels = table(tmp_path, [{"sha256": "1", "is_manipulated": "True"}], "labels.csv")
    first, second = read_recorded(scores, surface="profile", views=7.0, labels=labels)
    assert first.is_manipulated is True
    assert first.evidence == RecordedProbability(0.3, "recorded")
    assert (first.surface, first.reach) == ("profile", 7.0)
    assert second.evidence == Unscored("no_probability")
    assert second.is_manipulated is None


@pytest.mark.parametrize(
    ("rows", "labels", "told"),
    [
        ([{"path": "a", "score": 3}], None, "no column 'probability'"),
        ([{"path": "a", "probability": 1.3}], None, r"row 1: probability 1\.3 is not in"),
        ([{"path": "a", "probability": "?"}], None, "row 1: could not convert"),
        ([{"path": "a", "probability": 1, "modality": "smell"}], None, "row 1: 'smell'"),
        ([{"path": "a", "probability": 1}], [{"path": "a"}], "has no labels"),
        (
            [{"path": "a", "probability": 1}],
            [{"path": "a", "is_manipulated": "?"}],
            "neither true nor false",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_said(
    tmp_path: Path, rows: list[dict[str, Any]], labels: list[dict[str, Any]] | None, told: str
) -> None:
    truth = None if labels is None else table(tmp_path, labels, "labels.csv")
    with pytest.raises(ManifestError, match=told):
        read_recorded(table(tmp_path, rows), surface="feed", views=1.0, labels=truth)


def _changed(change: Callable[[dict[str, Any]], object]) -> Policy:
    tables = DEFAULT.model_dump(mode="json")
    change(tables)
    return Policy.model_validate(tables)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda t: t["routes"].update(alpha_allow=0.05),
            ["policy: routes.alpha_allow rises from 0.02 to 0.05"],
        ),
        (
            lambda t: t["clauses"][1]["costs"].update(wrong=100.0),
            ["clause paid: costs.wrong falls from 300 to 100"],
        ),
        (
            lambda t: t["clauses"][2].update(action="remove"),
            ["clause deceptive: action changes from label to remove"],
        ),
        (
            lambda t: t["clauses"].pop(1),
            ["clauses: paid is gone, it was Manipulated media in advertising"],
        ),
        (
            lambda t: t["duplicates"].update(near_distance_max=16),
            ["policy: duplicates.near_distance_max is new: 16"],
        ),
        (
            lambda t: t["clauses"].reverse(),
            ["clauses: order changes from intimate, paid, deceptive to deceptive, paid, intimate"],
        ),
        (
            lambda t: t["clauses"][1]["reasons"].pop(0),
            ["clause paid: reasons.paid-scam.code is gone, it was paid-scam"],
        ),
    ],
)
def test_differences_are_said_in_words(
    change: Callable[[dict[str, Any]], object], told: list[str]
) -> None:
    found = [str(one) for one in differences(DEFAULT, _changed(change))]
    assert found[: len(told)] == told


def test_equal_policies_do_not_differ() -> None:
    assert differences(DEFAULT, default_policy()) == []


def test_five_thousand_draws_hold_the_random_share() -> None:
    """Replays draw by content: the share of drawn items is the policy's."""
    items = [item(k, 0.05) for k in range(5_000)]
    load = load_of(items, replay(items, Deployed(ACTS, BOUNDS), CONDITIONS), 0.1)
    error = np.sqrt(5_000 * 0.05 * 0.95)
    assert abs(load.sampled - 250) < 5 * error
