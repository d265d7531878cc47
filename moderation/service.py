"""The composition root of the service: what takes uploads in and brings them to their end.

Needs the extra `service`; loads no model. `moderation.app` builds what scores.
"""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from moderation import registry
from moderation.app import build_calibrators, build_dispatcher, judge_folder
from moderation.casework.deployment import Deployment
from moderation.casework.reviewing import CaseReview
from moderation.casework.scoring import ScoringDesk
from moderation.errors import ConfigurationError, OutputError
from moderation.extras import require_installed
from moderation.intake.blobs import BlobStore
from moderation.intake.jobs import JobRules
from moderation.judge.artefact import read_description
from moderation.materials.store import MaterialLimits
from moderation.policy.loading import DEFAULT, load_policy
from moderation.ports import Bell, Dispatcher
from moderation.priority.orders import ORDERS
from moderation.registry import PluginGroup
from moderation.results import RunContext
from moderation.review.rules import ReviewRules
from moderation.settings import BELL, Settings
from moderation.setup_digests import decoder_limits, scoring_setup
from moderation.types import Mode

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from encoders.types import FrameBatch

SECRET_BYTES = 32


def build_blobs(settings: Settings) -> BlobStore:
    """The folder of uploads.

    Raises:
        OutputError: it cannot be made.
    """
    return BlobStore(settings.data_dir, bytes_max=settings.upload_bytes_max)


def read_secret(settings: Settings) -> bytes:
    """The deployment's secret, made at the first start; all its processes need the same one.

    Raises:
        ConfigurationError: what is there is no secret of ours, or others can read it.
        OutputError: it cannot be written.
    """
    path = settings.secret_file or settings.data_dir / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_secret(path)
        is_private = not path.stat().st_mode & 0o077
        content = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise OutputError.of(error, str(path), remedy="Correct MODERATION_SECRET_FILE.") from error
    try:
        secret = bytes.fromhex(content)
    except ValueError:
        secret = b""
    if len(secret) < SECRET_BYTES or not is_private:
        raise ConfigurationError(
            f"{path} {'holds no secret' if is_private else 'can be read by others'}",
            expected=f"a file of {2 * SECRET_BYTES} hexadecimal digits that its owner alone reads",
            remedy="Correct it, or remove it to have a new one made: samples are drawn anew then.",
        )
    return secret


def _make_secret(path: Path) -> None:
    """Whole or not at all, and by one of several processes that start together."""
    if path.exists():
        return
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secrets.token_hex(SECRET_BYTES)}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        partial.unlink()


def build_upload_dispatcher(settings: Settings) -> Dispatcher:
    """What scores uploads: as `moderation score` does, and pictures are hashed to be compared.

    Raises:
        ConfigurationError, WeightsMissing: see `moderation.app.build_dispatcher`.
    """
    return build_dispatcher(settings, picture_hashes=_frame_hashes)


def _frame_hashes(frames: "FrameBatch") -> tuple[str, ...]:
    # Installed where files are scored, which is not wherever uploads are taken in.
    from encoders.pdq import frame_hashes

    return frame_hashes(frames)


def build_context(
    settings: Settings, mode: Mode, dispatcher: Dispatcher | None = None
) -> RunContext:
    """What results must share to stand. dispatcher: that scores; None: the settings' judge will.

    Raises:
        ConfigurationError: the judge is not there.
    """
    if dispatcher is not None:
        return RunContext(mode, dispatcher.judge_id, 1, dispatcher.setup, dispatcher.limits)
    description = read_description(judge_folder(settings))
    setup = scoring_setup(settings, description)
    return RunContext(mode, description.judge_id, 1, setup, decoder_limits(settings))


def build_deployment(settings: Settings, dispatcher: Dispatcher | None = None) -> Deployment:
    """What decides routes. dispatcher: that scores; None: the judge of the settings will.

    Raises:
        ConfigurationError: a policy, calibrator, judge or secret that cannot be used.
    """
    context = build_context(settings, settings.mode, dispatcher)
    shadow = settings.shadow_policy
    return Deployment(
        judge_id=context.judge_id,
        setup=context.setup or "",
        limits=context.limits or "",
        mode=settings.mode,
        live=load_policy(settings.policy or DEFAULT),
        shadow=None if shadow is None else load_policy(shadow),
        calibrators=build_calibrators(settings, context.judge_id),
        secret=read_secret(settings),
        order=ORDERS[settings.review_order](),
        review_minutes_an_hour=settings.review_minutes_an_hour,
    )


def build_review_rules(settings: Settings) -> ReviewRules:
    """How this deployment's team reviews."""
    return ReviewRules(
        salt=read_secret(settings).hex(),
        second_rate=settings.second_rate,
        golden_rate=settings.golden_rate,
    )


def build_case_review(settings: Settings, engine: "Engine", deployment: Deployment) -> CaseReview:
    """Review whose decisions, rulings and appeals are followed up."""
    rules = deployment.review_rules(build_review_rules(settings))
    return CaseReview(engine, rules, deployment.namespace)


def build_bell(settings: Settings) -> Bell | None:
    """What wakes the workers of the settings' broker; None where there is no broker.

    Raises:
        ConfigurationError: a package that is not installed, or a broker of no known kind.
    """
    if settings.broker_url is None:
        return None
    require_installed("celery", "redis")
    bell: Bell = registry.load(PluginGroup.BELLS, BELL)(settings)
    return bell


def build_scoring_desk(
    settings: Settings,
    engine: "Engine",
    dispatcher: Dispatcher,
    deployment: Deployment,
    *,
    worker: str = "inline",
) -> ScoringDesk:
    """What works score jobs off, see `moderation.casework.running`. worker: who holds the leases.

    Call `moderation.casework.adoption.adopt` first.
    """
    return ScoringDesk(
        engine=engine,
        blobs=build_blobs(settings),
        dispatcher=dispatcher,
        deployment=deployment,
        review_rules=build_review_rules(settings),
        job_rules=JobRules(lease=timedelta(seconds=settings.lease_seconds)),
        worker=worker,
        batch_max=settings.batch_items_max,
        materials=MaterialLimits(settings.materials_bytes_max, settings.materials_frames_max),
    )
