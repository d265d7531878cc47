"""The shipped policy says only what the DSA Transparency Database takes."""

from datetime import UTC, datetime

import pytest

from encoders.types import Modality
from moderation.audit.statement_building import (
    RESTRICTIONS,
    Ruling,
    StatementClause,
    build_statement,
)
from moderation.dsa_values import CATEGORIES, GROUNDS
from moderation.policy.loading import default_policy
from moderation.policy.schema import Action, Clause, Reason

REASONS = [
    pytest.param(clause, reason, id=f"{clause.id} {reason.code}")
    for clause in default_policy().clauses
    for reason in clause.reasons
]
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_every_action_is_a_restriction_of_the_database() -> None:
    assert {str(action) for action in Action} == set(RESTRICTIONS)


@pytest.mark.parametrize(("clause", "reason"), REASONS)
def test_every_reason_makes_a_statement(clause: Clause, reason: Reason) -> None:
    assert reason.dsa_ground in GROUNDS
    assert reason.dsa_category in CATEGORIES
    for action in Action:
        for modality in Modality:
            # It refuses what the database would: see `tests/unit/audit/test_statements.py`.
            statement = build_statement(
                Ruling(
                    decision_id="d:1",
                    action=action,
                    facts="A person looked at the item and found it manipulated.",
                    modality=modality,
                    is_synthetic=True,
                    posted_at=NOW,
                    applies_from=NOW,
                    detected_automatically=True,
                    decided_by_machine=True,
                    decided_by_person=True,
                ),
                StatementClause(
                    ground=reason.dsa_ground,
                    reference=clause.title,
                    explanation=reason.text,
                    category=reason.dsa_category,
                ),
                namespace="test",
            )
            payload = statement.payload()
            assert payload["category"] == reason.dsa_category
            assert payload["decision_visibility"] == [RESTRICTIONS[action]]
