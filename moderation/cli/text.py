"""Text for terminals: hostile names made harmless, scores as bars, spans and durations."""

import unicodedata

from encoders.types import Span

BAR_CELLS = 9
_EIGHTHS = " ▏▎▍▌▋▊▉█"

# Okabe and Ito's colours, told apart with every common colour vision: vermilion, orange, blue.
LOW_COLOUR, MIDDLE_COLOUR, HIGH_COLOUR = "#d55e00", "#e69f00", "#0090d0"


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal, or reorder a line, spelled out.

    Control and format characters (escape sequences, line ends, bidirectional overrides) and
    bytes that are not text become `\\xNN` or `\\uNNNN`.
    """
    return "".join(
        character if _is_harmless(character) else _spelled(character) for character in text
    )


def _is_harmless(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] not in "CZ"


def _spelled(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def score_colour(score: float) -> str:
    """A colour for a score in [0, 9]; the bar's length says the same without it."""
    if score < 3.0:
        return LOW_COLOUR
    return MIDDLE_COLOUR if score < 6.0 else HIGH_COLOUR


def score_bar(score: float, *, unicode: bool = True) -> tuple[str, str]:
    """A bar of nine cells for a score in [0, 9]: its filled and its empty part."""
    if not unicode:
        full = round(score)
        return "#" * full, "-" * (BAR_CELLS - full)
    eighths = round(score * 8)
    filled = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return filled, "·" * (BAR_CELLS - len(filled))


def duration(seconds: float | None) -> str:
    """A length of time for people; "" where there is none."""
    if seconds is None or seconds <= 0:
        return ""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def span(value: Span) -> str:
    """`1.20–3.40 s`, or one time where both ends are the same."""
    if value.start_seconds == value.end_seconds:
        return f"{value.start_seconds:.2f} s"
    return f"{value.start_seconds:.2f}–{value.end_seconds:.2f} s"


def quantity(value: float, unit: str = "") -> str:
    """Three to four significant figures and the unit."""
    return f"{value:.4g} {unit}".rstrip()
