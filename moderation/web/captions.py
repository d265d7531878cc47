"""A machine's transcript as WebVTT, so that players show it as captions."""

from collections.abc import Mapping, Sequence
from typing import Any

from moderation.intake.types import untrusted_text

TEXT_MAX = 2000


def web_vtt(segments: Sequence[Mapping[str, Any]]) -> str:
    """Cues of what was said; text that looks like markup is text."""
    cues = [
        f"{_time(one['start_seconds'])} --> {_time(one['end_seconds'])}\n{_text(one['text'])}"
        for one in segments
        if one["end_seconds"] > one["start_seconds"]
    ]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _text(text: str) -> str:
    # One line: an empty one would end the cue.
    plain = untrusted_text(" ".join(text.split()), TEXT_MAX)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
