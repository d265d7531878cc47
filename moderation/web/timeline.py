"""An item over time, as it is drawn: lanes of marks, all of them to the same scale."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from moderation.web.waveform import peak_told, wave_path

ROWS_MAX = 4
LABEL_HEIGHT = 18
GAP = 8
_TICKS_MAX = 10
_STEPS_SECONDS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
# Pauses in speech shorter than such a share of the length cannot be seen.
_GAP_SHARE = 1 / 240
# An instant is drawn as wide as can be seen and hit.
_SHARE_MIN = 0.006

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a lane. x, width: percent of the length. y, height: pixels.

    kind: what it looks like. seconds: where a click on it leads. told: in words. sign: written
    into it.
    """

    kind: str
    x: float
    width: float
    y: float
    height: float
    seconds: float
    told: str
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the drawing under its label, from `y` on, pixels."""

    name: str
    label: str
    y: float
    height: float
    marks: Sequence[Mark] = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the axis, at x percent."""

    x: float
    told: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that is drawn of `seconds`. bands: stretches marked on all lanes of sound.

    sound_width: percent of the length that the sound fills. wave: path of the waveform in a box
    of 1000 by 100, None without sound.
    """

    seconds: float
    height: float
    ticks: Sequence[Tick]
    lanes: Sequence[Lane]
    bands: Sequence[Mark]
    wave: str | None
    sound_width: float

    def lane(self, name: str) -> Lane | None:
        """The lane of this name."""
        return next((one for one in self.lanes if one.name == name), None)


def clock(seconds: float) -> str:
    """`1:02:03`, `2:03.5`: tenths where they say something."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    told = f"{rest // 10:02d}" + (f".{rest % 10}" if rest % 10 else "")
    return f"{hours}:{minutes:02d}:{told}" if hours else f"{minutes}:{told}"


def stretch(span: Facts) -> str:
    """`0:02 to 0:03.5`, or one time."""
    start, end = clock(span["start_seconds"]), clock(span["end_seconds"])
    return start if start == end else f"{start} to {end}"


def build_timeline(
    facts: Facts, *, authenticity: Sequence[Facts], claims: Sequence[Facts], wave: Facts | None
) -> Timeline | None:
    """The drawing of an item's materials; None for what has no length.

    authenticity, claims: what the judge says, as in the materials; empty where it is not shown.
    wave: the waveform piece.
    """
    seconds = float(facts["duration_seconds"])
    if seconds <= 0:
        return None
    lanes: list[Lane] = []
    y = 0.0

    def add(name: str, label: str, height: float, marks: Sequence[Mark] = ()) -> None:
        nonlocal y
        lanes.append(Lane(name, label, y + LABEL_HEIGHT, height, _lower(marks, y + LABEL_HEIGHT)))
        y += LABEL_HEIGHT + height + GAP

    if authenticity:
        add("authenticity", "Judged authenticity, 0 to 9", 54, _scores(authenticity, seconds, 54))
    unusual = _unusual(facts["signals"], seconds)
    if unusual:
        add("unusual", "Unusual signals", *_rows(unusual, 12))
    if claims:
        add("claims", "Claims of the judge", *_rows(_claims(claims, seconds), 20))
    if facts["scene_cuts"]:
        cuts = [
            _mark("cut", one, seconds, f"Scene cut at {stretch(one)}")
            for one in facts["scene_cuts"]
        ]
        add("cuts", "Scene cuts", *_rows(cuts, 12, rows_max=1))
    said = (facts["transcript"] or {}).get("segments", ())
    if said:
        speech = [
            _mark("speech", one, seconds, f"Speech, {stretch(one)}")
            for one in spoken(said, seconds)
        ]
        add("speech", "Speech", *_rows(speech, 12, rows_max=1))
    sound = facts["sound"]
    if sound:
        add("wave", "Waveform" if wave is None else f"Waveform, {peak_told(wave)}", 54)
        top = sound["frequency_hz_max"] / 1000
        add("spectrogram", f"Spectrogram, 0 to {top:g} kHz", 90)
    return Timeline(
        seconds=seconds,
        height=y + LABEL_HEIGHT,
        ticks=ticks(seconds),
        lanes=lanes,
        bands=list(_bands(facts["signals"], claims, seconds)) if sound else (),
        wave=None if wave is None else wave_path(wave["lowest"], wave["highest"]),
        sound_width=100 * min(1.0, sound["seconds"] / seconds) if sound else 0.0,
    )


def ticks(seconds: float) -> list[Tick]:
    """Round times, at most eleven."""
    step = next((s for s in _STEPS_SECONDS if seconds / s <= _TICKS_MAX), seconds / _TICKS_MAX)
    times = [k * step for k in range(int(seconds / step) + 1)]
    return [
        Tick(100 * t / seconds, clock(t), "start" if not t else _anchor(t / seconds)) for t in times
    ]


def _anchor(share: float) -> str:
    return "end" if share > 0.96 else "middle"


def _mark(kind: str, span: Facts, seconds: float, told: str, sign: str = "") -> Mark:
    start = min(max(span["start_seconds"] / seconds, 0.0), 1.0)
    width = max(min(span["end_seconds"] / seconds, 1.0) - start, _SHARE_MIN)
    start = min(start, 1.0 - width) if width < 1.0 else 0.0
    return Mark(kind, 100 * start, 100 * width, 0, 0, span["start_seconds"], told, sign)


def _scores(authenticity: Sequence[Facts], seconds: float, height: float) -> list[Mark]:
    marks = []
    for one, part in zip(authenticity, apart(authenticity), strict=True):
        score = one["score"]
        told = f"{stretch(one)}: {score:.1f} of 9"
        mark = _mark("score low" if score < 4.5 else "score", part, seconds, told)
        tall = max(1.0, height * score / 9)
        marks.append(_placed(mark, height - tall, tall))
    return marks


def apart(spans: Sequence[Facts]) -> list[Facts]:
    """Of overlapping stretches of one length, in order, the part about the middle of each.

    Each ends where the next begins; the first begins and the last ends with its stretch.
    """
    middles = [(one["start_seconds"] + one["end_seconds"]) / 2 for one in spans]
    edges = [(a + b) / 2 for a, b in pairwise(middles)]
    starts = [one["start_seconds"] for one in spans[:1]] + edges
    ends = edges + [one["end_seconds"] for one in spans[-1:]]
    return [
        {"start_seconds": start, "end_seconds": end}
        for start, end in zip(starts, ends, strict=True)
    ]


def spoken(segments: Sequence[Facts], seconds: float) -> list[Facts]:
    """Segments, in order of time, with those together that no gap to be seen lies between."""
    joined: list[dict[str, float]] = []
    for one in segments:
        start, end = one["start_seconds"], one["end_seconds"]
        if joined and start - joined[-1]["end_seconds"] <= seconds * _GAP_SHARE:
            joined[-1]["end_seconds"] = max(end, joined[-1]["end_seconds"])
        else:
            joined.append({"start_seconds": start, "end_seconds": end})
    return list(joined)


def _unusual(signals: Iterable[Facts], seconds: float) -> list[Mark]:
    """One mark a stretch, with the names of all that is unusual there."""
    names: dict[tuple[float, float], list[str]] = {}
    for one in signals:
        if one["is_unusual"]:
            span = one["span"]
            names.setdefault((span["start_seconds"], span["end_seconds"]), []).append(one["name"])
    return [
        _mark(
            "odd",
            {"start_seconds": start, "end_seconds": end},
            seconds,
            f"Unusual, {stretch({'start_seconds': start, 'end_seconds': end})}: {', '.join(told)}",
        )
        for (start, end), told in sorted(names.items())
    ]


def _claims(claims: Sequence[Facts], seconds: float) -> list[Mark]:
    return [
        _mark(
            f"claim {one['standing']} {one['strength']}",
            one,
            seconds,
            f"Claim {number}, {one['standing']}, {stretch(one)}: {one['strength']}, {one['cue']}",
            str(number),
        )
        for number, one in enumerate(claims, start=1)
    ]


def _bands(signals: Iterable[Facts], claims: Iterable[Facts], seconds: float) -> Iterable[Mark]:
    for one in signals:
        if one["is_unusual"] and one["modality"] == "audio":
            yield _mark("odd", one["span"], seconds, one["name"])
    for one in claims:
        if one["modality"] == "audio" and one["strength"] != "clean":
            yield _mark(f"claim {one['standing']}", one, seconds, one["cue"])


def _rows(
    marks: Sequence[Mark], height: float, *, rows_max: int = ROWS_MAX
) -> tuple[float, list[Mark]]:
    """Height of all, and each mark in the first row where it overlaps none; else in the last."""
    ends: list[float] = []
    placed = []
    for one in sorted(marks, key=lambda mark: mark.x):
        row = next((k for k, end in enumerate(ends) if end <= one.x), len(ends))
        row = min(row, rows_max - 1)
        if row == len(ends):
            ends.append(0.0)
        ends[row] = max(ends[row], one.x + one.width)
        placed.append(_placed(one, row * (height + 2), height))
    return len(ends) * (height + 2), placed


def _placed(mark: Mark, y: float, height: float) -> Mark:
    return Mark(mark.kind, mark.x, mark.width, y, height, mark.seconds, mark.told, mark.sign)


def _lower(marks: Sequence[Mark], y: float) -> list[Mark]:
    return [_placed(one, one.y + y, one.height) for one in marks]


def marked_seconds(timeline: Timeline) -> list[float]:
    """Where the marks are that one steps through, ascending, each once."""
    found = sorted(
        {
            one.seconds
            for lane in timeline.lanes
            if lane.name in ("unusual", "claims", "cuts")
            for one in lane.marks
        }
    )
    return [b for a, b in pairwise([-1.0, *found]) if b - a > 0.05]
