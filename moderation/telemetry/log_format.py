"""How log lines look; apart from `moderation.telemetry.logs`, which settings need not load."""

from enum import StrEnum


class LogFormat(StrEnum):
    """Of the lines on standard error."""

    TEXT = "text"
    JSON = "json"
