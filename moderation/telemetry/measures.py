"""Prometheus measures of one process: stages, retries, routes, scores."""

from prometheus_client import CollectorRegistry, Counter, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_SCORES = tuple(0.5 + k for k in range(9))


class ProcessMeasures:
    """An `Observer` that counts for Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stages = Histogram(
            "moderation_stage_seconds",
            "Duration of a stage, of an item or of a batch.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._failures = Counter(
            "moderation_stage_failures",
            "Stages that ended in an error, by its code; of `decode`: files that do not decode.",
            ("stage", "code"),
            registry=registry,
        )
        self._retries = Counter(
            "moderation_job_retries",
            "Jobs put off after an error that may pass.",
            ("kind", "code"),
            registry=registry,
        )
        self._routes = Counter(
            "moderation_items_settled",
            "Items that got a route.",
            ("disposition",),
            registry=registry,
        )
        self._scores = Histogram(
            "moderation_score",
            "Expected scores, from 0 (fabricated) to 9 (authentic).",
            ("mode",),
            buckets=_SCORES,
            registry=registry,
        )

    def stage_ended(self, stage: str, seconds: float, error_code: str | None) -> None:
        """See `Observer`."""
        self._stages.labels(stage).observe(seconds)
        if error_code is not None:
            self._failures.labels(stage, error_code).inc()

    def job_retried(self, kind: str, error_code: str) -> None:
        """See `Observer`."""
        self._retries.labels(kind, error_code).inc()

    def item_settled(self, disposition: str, mode: str, expected_score: float | None) -> None:
        """See `Observer`."""
        self._routes.labels(disposition).inc()
        if expected_score is not None:
            self._scores.labels(mode).observe(expected_score)
