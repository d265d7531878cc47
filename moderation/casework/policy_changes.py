"""A policy comes into force: kept, announced to whoever listens, and told in the audit trail."""

from datetime import datetime

from sqlalchemy import Connection

from moderation.audit.records import AuditRecord, RecordKind
from moderation.audit.store import append
from moderation.casework.adoption import keep_policy, policy_sha256
from moderation.casework.recording import policy_word
from moderation.policy.activation import Activation, activate, active_policy
from moderation.webhooks.registry import WebhookEvent, announce


def put_into_force(
    connection: Connection, content: str, *, replaces: int, actor: str, now: datetime
) -> Activation:
    """Activate the policy that `content` holds; what is in force then.

    content: TOML. replaces: number of the activation that the change was made from.

    Raises:
        PolicyError: it is none.
        PolicyChanged: another has come into force since; or this version said something else.
    """
    previous = active_policy(connection).policy
    found = activate(connection, content, replaces=replaces, actor=actor, now=now)
    keep_policy(connection, found.policy, now)
    told = {
        "policy": policy_word(found.policy.id),
        "sha256": policy_sha256(found.policy),
        "previous": policy_word(previous.id),
    }
    announce(connection, WebhookEvent.POLICY_ACTIVATED, told, now)
    append(connection, [AuditRecord(RecordKind.POLICY_CHANGED, now, actor, None, told)])
    return found
