"""Log records as JSON, one a line, for machines; or as plain lines.

What is logged are ids, codes and counts. A field is given as `extra={"item_id": …}` and must be one
of `FIELDS`; any other is not written, so that nobody adds a name, a key or a path by chance.
"""

import json
import logging
from datetime import UTC, datetime

from moderation.telemetry.log_format import LogFormat
from moderation.telemetry.tracing import current_traceparent

FIELDS = (
    *("item_id", "job_id", "sha256", "request_id", "worker", "stage", "error_code", "deliveries"),
    *("disposition", "policy_id", "judge_id", "task_id", "seconds", "status", "route", "method"),
)
TEXT_CHARACTERS_MAX = 20_000


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:TEXT_CHARACTERS_MAX],
        }
        for name in FIELDS:
            value = getattr(record, name, None)
            if value is not None:
                told[name] = value
        trace = current_traceparent()
        if trace is not None:
            told["trace_id"] = trace.split("-")[1]
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)[:TEXT_CHARACTERS_MAX]
        return json.dumps(told, default=str, ensure_ascii=False)


def log_to_stderr(form: LogFormat, *, level: int = logging.INFO) -> None:
    """Have the whole process log to standard error."""
    handler = logging.StreamHandler()
    if form is LogFormat.JSON:
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # They tell the addresses of requests, which may hold what is secret.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
