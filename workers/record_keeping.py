"""What the records ask for now and then: erasure, export, and a look at the calibrator."""

import logging
from collections.abc import Callable
from datetime import timedelta

import numpy as np
from sqlalchemy import Engine

from moderation.audit.retention import RetentionPolicy
from moderation.audit.statement_store import export_statements
from moderation.calibration.monitor import Verdict
from moderation.casework.calibration_check import check_calibration
from moderation.casework.media import erase_due
from moderation.casework.scoring import utc_now
from moderation.database import reading
from moderation.service import build_blobs, build_deployment, build_review_rules
from moderation.settings import Settings

_log = logging.getLogger(__name__)
CALIBRATION_WINDOW = timedelta(days=30)


class RecordKeeping:
    """Loads no model. Each is safe to repeat, and goes on where it was cut off.

    engine: opens the database, in the process that works.
    """

    def __init__(self, settings: Settings, engine: Callable[[], Engine]) -> None:
        self._settings = settings
        self._engine = engine

    def erase(self) -> int:
        """Media that are due by `retention_days`, or asked for; how many items.

        Without the setting nobody is erased: `moderation audit erase` does it then.

        Raises:
            OutputError: a file cannot be deleted; the rest is done next time.
        """
        days = self._settings.retention_days
        if days is None:
            return 0
        erased = erase_due(
            self._engine(),
            build_blobs(self._settings),
            RetentionPolicy(*days),
            now=utc_now(),
            actor="system:retention",
        )
        _log.info("%d items were erased", erased)
        return erased

    def export_statements(self) -> int:
        """Statements of reasons that were not exported yet, to `statements_dir`; how many.

        Raises:
            OutputError: the disk does not take it; the rest is done next time.
        """
        folder = self._settings.statements_dir
        if folder is None:
            return 0
        written = export_statements(self._engine(), folder, actor="system:export", at=utc_now())
        return sum(batch.statements for batch in written)

    def check_calibration(self) -> Verdict | None:
        """Say in the log whether the calibrator holds; None where that cannot be known yet."""
        now, deployment = utc_now(), build_deployment(self._settings)
        with reading(self._engine()) as connection:
            report = check_calibration(
                connection,
                deployment,
                build_review_rules(self._settings),
                since=now - CALIBRATION_WINDOW,
                now=now,
                generator=np.random.default_rng(),
            )
        if report is None:
            return None
        level = logging.INFO if report.verdict is Verdict.HOLDS else logging.ERROR
        _log.log(level, "calibrator: %s %s", report.verdict, "; ".join(report.reasons))
        return report.verdict
