"""What a deployment runs on, noted when it changes: policies are kept, and records tell of it."""

import hashlib
from datetime import datetime

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from moderation.audit.canonical import canonical_json
from moderation.audit.records import AuditRecord, RecordKind
from moderation.audit.store import Search, append, search
from moderation.casework.deployment import Deployment
from moderation.casework.recording import policy_word, word
from moderation.database import writing
from moderation.errors import ConfigurationError
from moderation.intake.tables import policies
from moderation.policy.activation import PolicyChanged
from moderation.policy.schema import Policy


def adopt(engine: Engine, deployment: Deployment, *, now: datetime, actor: str) -> None:
    """Keep the deployment's policies, and note in the audit trail what is new since last time.

    Safe to repeat. Called before anything is settled.

    Raises:
        ConfigurationError: a policy was changed, and kept its version.
    """
    with writing(engine) as connection:
        for policy in (deployment.live, deployment.shadow):
            if policy is not None:
                keep_policy(connection, policy, now)
        records = [*_policy(connection, deployment, now, actor)]
        records += _calibrators(connection, deployment, now, actor)
        if records:
            append(connection, records)


def stored_policy(connection: Connection, policy_id: str) -> Policy:
    """A policy that items were triaged by, now or before.

    Raises:
        ConfigurationError: none of this name and version was ever in use.
    """
    content = connection.scalar(select(policies.c.content).where(policies.c.policy_id == policy_id))
    if content is None:
        raise ConfigurationError(
            f"no policy {policy_id!r} in the database",
            expected="one that was in use",
            remedy="Restore the database, or correct the name.",
        )
    return Policy.model_validate(content)


def policy_sha256(policy: Policy) -> str:
    """Digest of what a policy says, however its file is laid out."""
    return hashlib.sha256(policy.model_dump_json().encode()).hexdigest()


def keep_policy(connection: Connection, policy: Policy, now: datetime) -> None:
    """Keep what a policy says, so that a case can be read by the rules it was opened under.

    Raises:
        ConfigurationError: the policy was changed, and kept its version.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    digest = policy_sha256(policy)
    connection.execute(
        dialect.insert(policies)
        .values(
            policy_id=policy.id,
            sha256=digest,
            content=policy.model_dump(mode="json"),
            first_used_at=now,
        )
        .on_conflict_do_nothing()
    )
    known = connection.scalar(select(policies.c.sha256).where(policies.c.policy_id == policy.id))
    if known != digest:
        raise PolicyChanged(
            f"the policy {policy.id} says something else than it did under this version",
            expected="a new version at every change",
            remedy="Give the policy a new `version`.",
        )


def _policy(
    connection: Connection, deployment: Deployment, now: datetime, actor: str
) -> list[AuditRecord]:
    body = {"policy": policy_word(deployment.live.id), "sha256": policy_sha256(deployment.live)}
    if deployment.shadow is not None:
        body["shadow"] = policy_word(deployment.shadow.id)
    earlier = search(connection, Search(kind=RecordKind.POLICY_CHANGED, newest_first=True, limit=1))
    before = earlier[0]["body"] if earlier else {}
    if {name: before.get(name) for name in ("policy", "sha256", "shadow")} == {
        "shadow": None,
        **body,
    }:
        return []
    previous = before.get("policy")
    return [
        AuditRecord(RecordKind.POLICY_CHANGED, now, actor, None, {**body, "previous": previous})
    ]


def _calibrators(
    connection: Connection, deployment: Deployment, now: datetime, actor: str
) -> list[AuditRecord]:
    records = []
    told = search(
        connection, Search(kind=RecordKind.CALIBRATOR_CHANGED, newest_first=True, limit=100)
    )
    for mode, calibrator in sorted(deployment.calibrators.items()):
        name = word(f"{mode}-{calibrator.calibrator_id}")
        of_mode = [one["body"]["calibrator"] for one in told]
        before = next((one for one in of_mode if one.startswith(f"{mode}-")), None)
        if before == name:
            continue
        digest = hashlib.sha256(
            canonical_json({"artefact": calibrator.artefact.model_dump_json()})
        ).hexdigest()
        body = {"calibrator": name, "sha256": digest, "previous": before}
        records.append(AuditRecord(RecordKind.CALIBRATOR_CHANGED, now, actor, None, body))
    return records
