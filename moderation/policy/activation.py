"""The policy in force: the newest activation, or the shipped one before there is any."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.exc import IntegrityError

from moderation.errors import ConfigurationError
from moderation.policy.loading import DEFAULT, parse_policy
from moderation.policy.schema import Policy
from moderation.policy.tables import activations


class PolicyChanged(ConfigurationError):
    """Another policy has come into force in between, or this version with other rules."""

    code = "policy_changed"


@dataclass(frozen=True, slots=True)
class Activation:
    """A policy that came into force. number: 0 for the shipped one. content: its TOML."""

    number: int
    policy: Policy
    sha256: str
    content: str
    actor: str | None
    activated_at: datetime | None


def active_policy(connection: Connection) -> Activation:
    """What is in force."""
    row = connection.execute(
        select(activations).order_by(activations.c.number.desc()).limit(1)
    ).one_or_none()
    if row is not None:
        return _activation(row)
    content = DEFAULT.read_text(encoding="utf-8")
    return Activation(0, parse_policy(content, "default"), _digest(content), content, None, None)


def activate(
    connection: Connection, content: str, *, replaces: int, actor: str, now: datetime
) -> Activation:
    """Put a policy into force. replaces: number of the activation that it follows.

    Raises:
        PolicyError: it is none.
        PolicyChanged: another has come into force since; or this version was in force before
            with other rules.
    """
    policy = parse_policy(content, "the policy")
    present = active_policy(connection)
    if present.number != replaces:
        raise _overtaken(present)
    same = connection.scalars(
        select(activations.c.sha256).where(activations.c.policy_id == policy.id).limit(1)
    ).one_or_none()
    if present.number == 0 and present.policy.id == policy.id:
        same = present.sha256
    if same is not None and same != _digest(content):
        raise PolicyChanged(
            f"{policy.id} with other rules than it had",
            expected="a version of its own for every change",
            remedy="Raise `version`.",
        )
    try:
        with connection.begin_nested():
            connection.execute(
                insert(activations).values(
                    number=replaces + 1,
                    policy_id=policy.id,
                    sha256=_digest(content),
                    content=content,
                    actor=actor,
                    activated_at=now,
                )
            )
    except IntegrityError as error:
        raise _overtaken(active_policy(connection)) from error
    return active_policy(connection)


def begin_with(connection: Connection, content: str, *, now: datetime) -> Activation:
    """Put a policy into force where none was; what is in force then.

    Raises:
        PolicyError: it is none.
    """
    present = active_policy(connection)
    if present.number:
        return present
    policy = parse_policy(content, "the policy")
    connection.execute(
        insert(activations).values(
            number=1,
            policy_id=policy.id,
            sha256=_digest(content),
            content=content,
            actor="system:start",
            activated_at=now,
        )
    )
    return active_policy(connection)


def list_activations(
    connection: Connection, *, after: int | None = None, limit: int = 50
) -> Sequence[Activation]:
    """The newest first; after: the number that a page before ended with."""
    query = select(activations).order_by(activations.c.number.desc())
    if after is not None:
        query = query.where(activations.c.number < after)
    return [_activation(row) for row in connection.execute(query.limit(limit))]


def _activation(row: "Row[tuple[object, ...]]") -> Activation:
    policy = parse_policy(row.content, row.policy_id)
    return Activation(row.number, policy, row.sha256, row.content, row.actor, row.activated_at)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _overtaken(present: Activation) -> PolicyChanged:
    return PolicyChanged(
        f"{present.policy.id} in force, as number {present.number}",
        expected="the policy that the change was made from",
        remedy="Read it again, and make the change anew.",
    )
