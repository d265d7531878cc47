"""What `moderation doctor` says of the service: database, policy and calibrators; makes nothing."""

from pathlib import Path

from moderation.cli.finding import Finding, Verdict
from moderation.errors import TypedError
from moderation.extras import require_installed
from moderation.settings import Settings


def service_findings(settings: Settings) -> list[Finding]:
    """Which database, policy and calibrators are in use, and whether they can be."""
    try:
        require_installed("sqlalchemy", "alembic")
    except TypedError as error:
        return [Finding("service", Verdict.LIMITED, error.found, error.remedy)]
    findings = []
    for name, find in (
        ("database", _database),
        ("policy", _policy),
        ("calibrators", _calibrators),
    ):
        try:
            findings.append(find(settings))
        except TypedError as error:
            findings.append(Finding(name, Verdict.MISSING, error.found, error.remedy))
    return findings


def _database(settings: Settings) -> Finding:
    from sqlalchemy import make_url

    from moderation.database import open_engine, reading
    from moderation.database.upgrading import newest_revision, revision

    # Opening a SQLite file would make it.
    backend, _, file = settings.database_url.partition(":///")
    if backend == "sqlite" and not Path(file).expanduser().exists():
        return Finding("database", Verdict.OK, f"{file}: is made at the first use")
    engine = open_engine(settings.database_url)
    try:
        with reading(engine) as connection:
            there = revision(connection)
    finally:
        engine.dispose()
    shown = make_url(settings.database_url).render_as_string(hide_password=True)
    newest = newest_revision()
    state = "up to date" if there == newest else f"at {there or 'nothing'}, {newest} at next use"
    return Finding("database", Verdict.OK, f"{shown}: {state}")


def _policy(settings: Settings) -> Finding:
    from moderation.policy.loading import DEFAULT, load_policy

    live = load_policy(settings.policy or DEFAULT)
    told = f"{live.id}{'' if settings.policy else ', the shipped one'}"
    if settings.shadow_policy is not None:
        told += f"; {load_policy(settings.shadow_policy).id} on trial"
    return Finding("policy", Verdict.OK, told)


def _calibrators(settings: Settings) -> Finding:
    from moderation.app import build_calibrators
    from moderation.service import build_context

    judge_id = build_context(settings, settings.mode).judge_id
    found = build_calibrators(settings, judge_id)
    remedy = "Fit one on your own uploads with `moderation calibrate fit` and name its folder."
    if not found:
        told = "none, so that people see every upload"
        return Finding("calibrators", Verdict.OK, f"{told}. {remedy}")
    told = ", ".join(f"{mode}: {one.calibrator_id}" for mode, one in sorted(found.items()))
    if settings.calibrators is None:
        told += ", the judge's own"
    if all(one.risk_sample.is_empty for one in found.values()):
        told += f", without bounds, so that people see every upload. {remedy}"
    return Finding("calibrators", Verdict.OK, told)
