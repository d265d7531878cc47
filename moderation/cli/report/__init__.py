"""The one-page report of one file: self-contained HTML that loads nothing from anywhere.

Names, tags, transcripts and rationales come from whoever made the file. Every string goes
through the template's escaping after control characters have been spelled out, and the page's
own policy lets no script run but the one whose hash it states.
"""

import base64
import hashlib
from importlib import resources

from encoders.types import Modality
from moderation import __version__
from moderation.cli.provenance_view import provenance_rows
from moderation.cli.report.evidence import lanes, signal_rows, sound_marks, timeline_points
from moderation.cli.report.figures import frame_pictures, sound_picture
from moderation.cli.text import duration, printable, quantity, span
from moderation.types import Examination

_TEXT_MAX = 600
_BLOCK_MAX = 20_000
_TAGS_MAX = 100


def _visible(text: object, limit: int = _TEXT_MAX) -> str:
    """One harmless line of at most `limit` characters."""
    value = str(text)
    return printable(value[:limit]) + ("…" if len(value) > limit else "")


def _block(text: str) -> str:
    """Harmless text with its line ends."""
    cut = text[:_BLOCK_MAX] + ("…" if len(text) > _BLOCK_MAX else "")
    return "\n".join(printable(line) for line in cut.splitlines())


def render(examination: Examination) -> str:
    """The report as one HTML page."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    media, features, judgment = examination.media, examination.features, examination.judgment
    claims = judgment.rationale.claims if judgment.rationale else ()
    frames = () if media.frames is None else frame_pictures(media.frames, features.signals)
    sound = None if media.audio is None else sound_picture(media.audio)
    signals = signal_rows(features.signals)
    mapped = {overlay.signal for frame in frames for overlay in frame.overlays}
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "visible": _visible,
        "block": _block,
        "duration": duration,
        "quantity": quantity,
        "span": span,
    }
    package = resources.files(__package__)
    script = (package / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    template = environment.from_string((package / "report.html.j2").read_text(encoding="utf-8"))
    return template.render(
        version=__version__,
        style=Markup((package / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        script_digest=digest,
        path=examination.path,
        metadata=media.metadata,
        tags=tuple(media.metadata.tags.items())[:_TAGS_MAX],
        media=media,
        judgment=judgment,
        level_max=max(judgment.digit_probabilities_K),
        lanes=lanes(claims, media.duration_seconds) if media.duration_seconds > 0 else (),
        timeline=timeline_points(examination.timeline, media.duration_seconds),
        claims=claims,
        frames=frames,
        overlays=list(dict.fromkeys(row.name for row in signals if row.name in mapped)),
        sound=sound,
        marks=sound_marks(claims, features.signals, sound.seconds) if sound else (),
        signals=signals,
        transcript=features.transcript.segments if features.transcript else (),
        provenance=()
        if examination.provenance is None
        else provenance_rows(examination.provenance),
        is_still=media.modality is Modality.IMAGE,
    )
