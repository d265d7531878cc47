"""A dispatcher that reads its answer from the file it is given, and a desk that uses it."""

import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine

from encoders.errors import CorruptMedia
from encoders.provenance.types import ManifestState, Provenance
from encoders.types import DecodedMedia, FrameBatch, MediaFeatures, MediaMetadata, Modality
from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.candidates import candidate
from moderation.calibration.fitting import fit_calibrator
from moderation.casework.adoption import adopt
from moderation.casework.deployment import Deployment
from moderation.casework.reviewing import CaseReview
from moderation.casework.scoring import ScoringDesk
from moderation.closing import Closing
from moderation.database import reading, writing
from moderation.errors import TransientError
from moderation.intake.blobs import BlobStore
from moderation.intake.jobs import JobRules
from moderation.intake.listings import dispositions_of
from moderation.intake.submission import submit
from moderation.intake.types import DispositionRecord, Item, NewItem
from moderation.policy.loading import default_policy
from moderation.policy.schema import Policy
from moderation.results import RunContext
from moderation.review.reviewers import enrol
from moderation.review.rules import ReviewRules
from moderation.review.types import Reviewer
from moderation.types import Examination, ItemError, ItemResult, Judgment, Mode
from tests.unit.calibration.made import ORIGIN, labelled_items

T0 = datetime(2026, 5, 4, 9, tzinfo=UTC)
_MADE = Provenance(ManifestState.ABSENT, xmp_source_types=("trainedAlgorithmicMedia",))
RULES = ReviewRules(second_rate=0.0, golden_rate=0.0, salt="casework")


class ScriptedDispatcher(Closing):
    """The first word of a file is what happens to it: a digit is its score.

    `corrupt`: cannot be read, for good. `later`: may be tried again. `break`: the dispatcher
    itself breaks down. `busy`: it says that it may be tried again. `kill`: its process dies. Words
    `pdq:HASH` are its pictures, `video` or `audio` its kind; `made` says that an algorithm made it.
    """

    judge_id = "scripted-1"
    setup = "usual"
    limits = "wide"

    def __init__(self, context: RunContext | None = None) -> None:
        self.seen: list[str] = []
        if context is not None:
            self.judge_id = context.judge_id
            self.setup, self.limits = context.setup or "", context.limits or ""

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        for path in paths:
            yield self._one(path, mode)

    def _one(self, path: Path, mode: Mode) -> ItemResult:
        script = self._script(path)
        self.seen.append(script)
        digest = path.name
        if script == "break":
            raise RuntimeError("broken down")
        if script == "busy":
            raise TransientError("no memory", expected="memory", remedy="Wait.")
        if script == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if script in ("corrupt", "later"):
            error = ItemError(f"{script}_media", "x", "y", "z", script == "later")
            return ItemResult(str(path), digest, None, None, None, error)
        digit = int(script)
        digits = tuple(float(k == digit) for k in range(10))
        judgment = Judgment(digits, 1.0, float(digit), mode, self.judge_id)
        words = path.read_text().split()
        hashes = tuple(one.removeprefix("pdq:") for one in words if one.startswith("pdq:"))
        kind = next((one for one in Modality if one in words), Modality.IMAGE)
        return ItemResult(
            str(path),
            digest,
            kind,
            None,
            judgment,
            None,
            picture_hashes=hashes,
            provenance=_MADE if "made" in words else None,
        )

    def _script(self, path: Path) -> str:
        return path.read_text().split()[0]

    def examine(self, path: Path, mode: Mode, *, rationales: int = 1) -> Examination:
        """What `score` says, of a small grey picture."""
        [result] = self.score([path], mode)
        if result.judgment is None or result.modality is None:
            raise CorruptMedia("no score", expected="a digit", remedy="Send another script.")
        pixels = np.full((1, 32, 32, 3), 128, np.uint8)
        frames = FrameBatch(pixels, np.zeros(1), 32, 32)
        metadata = MediaMetadata("script", 1, path.name, (), (), "script")
        media = DecodedMedia(metadata, result.modality, 0.0, frames, None)
        features = MediaFeatures(metadata, result.modality, 0.0, (), (), None)
        return Examination(
            str(path), media, features, result.judgment, picture_hashes=result.picture_hashes
        )

    def close(self) -> None:
        """Nothing is open."""


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **length: float) -> None:
        self.now += timedelta(**length)


@cache
def calibrator(judge_id: str = ScriptedDispatcher.judge_id) -> FittedCalibrator:
    """Fitted on made-up labels; low scores are likely manipulated."""
    artefact = fit_calibrator(
        labelled_items(300, 1, skill=3.0),
        [candidate("platt")],
        replace(ORIGIN, judge_id=judge_id),
        coverage=0.9,
        served="absolute",
        seed=0,
    )
    return FittedCalibrator.of(artefact)


def policy(**sampling: float) -> Policy:
    """The default one, with more freedom for the machine, and without samples unless asked for."""
    default = default_policy()
    shares = {"random_share": 0.0, "disagreement_share": 0.0} | sampling
    return default.model_copy(
        update={
            "version": "test",
            "routes": default.routes.model_copy(
                update={"allow": True, "enforce": True, "alpha_allow": 0.1, "alpha_enforce": 0.1}
            ),
            "sampling": default.sampling.model_copy(update=shares),
            "admission": default.admission.model_copy(update={"curve": ()}),
        }
    )


def deployment(**changes: Any) -> Deployment:
    """Of the scripted judge, calibrated."""
    usual: dict[str, Any] = {
        "judge_id": ScriptedDispatcher.judge_id,
        "setup": ScriptedDispatcher.setup,
        "limits": ScriptedDispatcher.limits,
        "live": policy(),
        "secret": b"secret",
        "calibrators": {Mode.FAST: calibrator()},
    }
    return Deployment(**usual | changes)


def make_desk(engine: Engine, folder: Path, **changes: Any) -> ScoringDesk:
    """A desk whose clock stands still."""
    usual: dict[str, Any] = {
        "engine": engine,
        "blobs": BlobStore(folder, bytes_max=100_000),
        "dispatcher": ScriptedDispatcher(),
        "deployment": deployment(),
        "review_rules": RULES,
        "job_rules": JobRules(backoff=timedelta(seconds=10)),
        "clock": Clock(),
        "draw": lambda: 0.5,
    }
    desk = ScoringDesk(**usual | changes)
    adopt(engine, desk.deployment, now=desk.clock(), actor="system:start")
    return desk


def send(desk: ScoringDesk, content: str, **changes: Any) -> Item:
    """An upload, taken in."""
    with desk.blobs.upload() as upload:
        upload.write(content.encode())
        blob = upload.finish()
    assert blob.sha256 == sha256(content.encode()).hexdigest()
    usual: dict[str, Any] = {"surface": "feed", "declared_name": content}
    new = NewItem(sha256=blob.sha256, size_bytes=blob.size_bytes, **usual | changes)
    with writing(desk.engine) as connection:
        return submit(connection, new, now=desk.clock())


def with_reviewers(desk: ScoringDesk) -> CaseReview:
    """Review at the desk's database, with Ann and Ben enrolled."""
    cases = CaseReview(desk.engine, RULES, desk.deployment.namespace)
    with cases.at(desk.clock()) as tx:
        for name in ("ann", "ben"):
            enrol(tx, Reviewer(name))
    return cases


def route(desk: ScoringDesk, item_id: str) -> DispositionRecord:
    """The only one of an item."""
    with reading(desk.engine) as connection:
        [found] = dispositions_of(connection, item_id)
    return found
