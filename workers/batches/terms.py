"""What two processes must have alike, for one to make the other's rows."""

import hashlib
import json
from collections.abc import Mapping

from moderation import __version__
from moderation.provenance import read_trust_anchors
from moderation.results import RunContext
from moderation.settings import Settings

Terms = Mapping[str, str]
"""Name -> digest."""


def scoring_terms(settings: Settings, context: RunContext) -> Terms:
    """Of a process that has these settings. context: its mode and rationales do not matter.

    Raises:
        ConfigurationError: the trust anchors cannot be read.
    """
    anchors = read_trust_anchors(settings.trust_anchors) if settings.provenance else None
    return {
        "program": __version__,
        "judge": context.judge_id,
        "setup": context.setup or "",
        "limits": context.limits or "",
        "provenance": hashlib.sha256(json.dumps(anchors).encode()).hexdigest()[:16],
    }


def differences(own: Terms, wanted: Terms) -> list[str]:
    """In words, what differs."""
    return [
        f"{name} {own.get(name)!r} instead of {wanted.get(name)!r}"
        for name in sorted(own.keys() | wanted.keys())
        if own.get(name) != wanted.get(name)
    ]
