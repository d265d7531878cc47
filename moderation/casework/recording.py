"""Records of the audit trail, from the values of the other stages."""

import hashlib
import re
import secrets
from datetime import datetime

from moderation.audit.commitments import SALT_BYTES, TEXT_CHARACTERS_MAX, CommittedText
from moderation.audit.records import AuditRecord, RecordKind
from moderation.intake.types import Job, untrusted_text
from moderation.priority.factors import PriorityFactors
from moderation.results import RunContext
from moderation.triage.outcome import TriageOutcome
from moderation.triage.shadow import ShadowedOutcome
from moderation.types import CalibratedScore, ItemError, ItemResult

TRIAGE = "system:triage"
REVIEW = "system:review"
_PSEUDONYM = re.compile(r"[A-Za-z0-9_-]{1,64}")


def word(text: str) -> str:
    """`text` as an identifier of a record: what is not allowed becomes `-`."""
    plain = re.sub(r"[^A-Za-z0-9._:/+-]", "-", text)[:127]
    return plain if plain[:1].isalnum() else f"x{plain}"


def policy_word(policy_id: str) -> str:
    """`name@version` without the sign that addresses have."""
    return word(policy_id.replace("@", ":"))


def actor(role: str, person: str) -> str:
    """Who did it; an id that is more than a pseudonym is replaced by its digest."""
    if not _PSEUDONYM.fullmatch(person):
        person = hashlib.sha256(person.encode(errors="backslashreplace")).hexdigest()[:16]
    return f"{role}:{person}"


def committed(text: str) -> CommittedText:
    """Free text, to be kept beside the chain."""
    kept = "\n".join(untrusted_text(line, TEXT_CHARACTERS_MAX) for line in text.splitlines())
    return CommittedText(kept[:TEXT_CHARACTERS_MAX], secrets.token_bytes(SALT_BYTES))


def scored(item_id: str, result: ItemResult, context: RunContext, at: datetime) -> AuditRecord:
    """What the judge said; `result` has a judgment."""
    judgment = result.judgment
    if judgment is None:
        raise ValueError(f"{item_id} has no judgment")
    body = {
        "mode": context.mode,
        "judge": word(context.judge_id),
        "score": judgment.expected_score,
        "sha256": result.sha256,
        "digit_probabilities": judgment.digit_probabilities_K,
        "digit_mass": judgment.digit_mass,
        "setup": word(context.setup) if context.setup else None,
    }
    return AuditRecord(RecordKind.SCORED, at, "system:judge", item_id, body)


def calibrated(item_id: str, score: CalibratedScore, at: datetime) -> AuditRecord:
    """What the score is worth."""
    body = {
        "probability": score.probability,
        "calibrator": word(score.calibrator_id),
        "score_lower": score.score_lower,
        "score_upper": score.score_upper,
        "coverage": score.coverage,
        "group": word(score.group),
    }
    return AuditRecord(RecordKind.CALIBRATED, at, "system:calibrator", item_id, body)


def provenance_read(item_id: str, result: ItemResult, at: datetime) -> AuditRecord | None:
    """What the file says of its own origin; None where nobody looked."""
    if result.provenance is None:
        return None
    said = result.provenance.as_dict()
    body = {"manifest": word(str(said["manifest"]))}
    return AuditRecord(RecordKind.PROVENANCE_READ, at, "system:provenance", item_id, body)


def triaged(
    item_id: str,
    outcome: ShadowedOutcome,
    at: datetime,
    *,
    reason: str | None,
    near_distance: int | None = None,
) -> AuditRecord:
    """The route. reason: a code, such as of the failure, where there is no score.

    near_distance: where the item that serves it only looks the same.
    """
    live, shadow = outcome.live, outcome.shadow
    body = {
        "disposition": live.disposition,
        "policy": policy_word(live.policy_id),
        "reason": reason and word(reason),
        "clause": live.clause_id,
        "propensity": live.review_propensity,
        "sample": live.sample,
        "duplicate_of": live.served_by,
        "near_distance": near_distance,
        **_shadow(shadow),
    }
    return AuditRecord(RecordKind.TRIAGED, at, TRIAGE, item_id, body)


def _shadow(shadow: TriageOutcome | None) -> dict[str, str]:
    if shadow is None:
        return {}
    return {
        "shadow_policy": policy_word(shadow.policy_id),
        "shadow_disposition": shadow.disposition,
    }


def enqueued(item_id: str, task_id: str, factors: PriorityFactors, at: datetime) -> AuditRecord:
    """The review that an item waits for."""
    body = {
        "task": task_id,
        "lane": factors.lane.name.lower(),
        "priority": factors.value(at),
    }
    return AuditRecord(RecordKind.ENQUEUED, at, REVIEW, item_id, body)


def job_retried(job: Job, actor: str, at: datetime) -> AuditRecord:
    """A dead job is to be tried again."""
    body = {
        "job": job.id,
        "kind": job.kind,
        "error": None if job.error is None else word(job.error.code),
    }
    return AuditRecord(RecordKind.JOB_RETRIED, at, actor, job.item_id, body)


def not_scored() -> ItemError:
    """For an item that today's judge has not seen."""
    return ItemError(
        code="not_scored",
        found="no score of the judge that is in use",
        expected="one",
        remedy="A person decides.",
        is_transient=False,
    )
