"""One examined file on the terminal, and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from itertools import pairwise

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from encoders.provenance.types import Provenance
from encoders.types import DecodedMedia, Signal, StreamInfo
from moderation.cli.provenance_view import provenance_rows
from moderation.cli.results_view import output_console
from moderation.cli.text import (
    LOW_COLOUR,
    duration,
    printable,
    quantity,
    score_bar,
    score_colour,
    span,
)
from moderation.materials.making import signal_facts
from moderation.results import escape_path
from moderation.types import Claim, Examination, Judgment, ScoredSpan

_TAGS_SHOWN = 20
_STRETCHES_SHOWN = 20
_TEXT_MAX = 200


def print_examination(examination: Examination, console: Console | None = None) -> None:
    """Everything about one file, for people."""
    console = console or output_console()
    media, features, judgment = examination.media, examination.features, examination.judgment
    metadata = media.metadata
    console.print(Text(printable(examination.path), style="bold"))
    facts = [str(media.modality), duration(media.duration_seconds), metadata.container]
    facts += [f"{metadata.size_bytes:,} bytes", f"read by {metadata.reader}"]
    console.print(Text(", ".join(printable(fact) for fact in facts if fact), style="dim"))
    console.print(Text(f"sha256 {printable(metadata.sha256)}", style="dim"), soft_wrap=True)
    sections: list[tuple[str, RenderableType | None]] = [
        ("Score", _score(judgment, console)),
        ("Claims", _claims(judgment.rationale.claims) if judgment.rationale else None),
        ("Over time", _timeline(examination.timeline, console)),
        ("Provenance", _provenance(examination.provenance)),
        ("Streams", _streams(metadata.claimed, metadata.observed)),
        ("Sampling", _sampling(media)),
        ("Signals", _signals(features.signals)),
        ("Speech", _speech(examination)),
        ("Tags", _tags(metadata.tags.items())),
        ("Notes", Text("\n".join(map(printable, metadata.notes))) if metadata.notes else None),
    ]
    for title, content in sections:
        if content is not None:
            console.print()
            console.print(Text(title, style="bold underline"))
            console.print(Padding(content, (0, 0, 0, 2)))


def _table(*headings: str) -> Table:
    return Table(*headings, box=None, pad_edge=False, header_style="dim")


def _score(judgment: Judgment, console: Console) -> RenderableType:
    unicode = console.encoding.lower().startswith("utf")
    score = judgment.expected_score
    filled, empty = score_bar(score, unicode=unicode)
    headline = Text(f"{score:.2f} ", style=f"bold {score_colour(score)}")
    headline.append(filled, style=score_colour(score)).append(empty, style="not bold dim")
    headline.append("  0 wholly fabricated, 9 wholly authentic", style="not bold dim")
    digits = _table(*map(str, range(len(judgment.digit_probabilities_K))))
    for column in digits.columns:
        column.justify = "right"
    digits.add_row(*(f"{100 * p:.0f} %" for p in judgment.digit_probabilities_K))
    how = f"{judgment.mode} mode, judge {judgment.judge_id}, digit mass {judgment.digit_mass:.3f}"
    return Group(headline, digits, Text(printable(how), style="dim"))


def _claims(claims: tuple[Claim, ...]) -> RenderableType:
    if not claims:
        return Text("none could be read from the rationale", style="dim")
    table = _table("strength", "in", "when", "cue")
    for claim in claims:
        where = (str(claim.modality), span(claim.span))
        table.add_row(str(claim.strength), *where, Text(printable(claim.cue)))
    return table


def _timeline(timeline: tuple[ScoredSpan, ...], console: Console) -> RenderableType | None:
    if len(timeline) < 2:
        return None
    unicode = console.encoding.lower().startswith("utf")
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in _thinned(timeline):
        filled, empty = score_bar(one.expected_score, unicode=unicode)
        bar = Text(filled, style=score_colour(one.expected_score)).append(empty, style="dim")
        table.add_row(Text(span(one.span), style="dim"), f"{one.expected_score:.2f}", bar)
    return table


def _thinned(timeline: tuple[ScoredSpan, ...]) -> list[ScoredSpan]:
    """The lowest of each of `_STRETCHES_SHOWN` runs of a long one: that is what people look for."""
    runs = min(len(timeline), _STRETCHES_SHOWN)
    edges = [round(run * len(timeline) / runs) for run in range(runs + 1)]
    return [
        min(timeline[start:end], key=lambda one: one.expected_score)
        for start, end in pairwise(edges)
    ]


def _provenance(provenance: Provenance | None) -> RenderableType | None:
    if provenance is None:
        return None
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in provenance_rows(provenance):
        table.add_row(Text(name, style="dim"), Text(printable(value[:_TEXT_MAX])))
    return table


def _streams(claimed: tuple[StreamInfo, ...], observed: tuple[StreamInfo, ...]) -> RenderableType:
    table = _table("", "kind", "codec", "picture", "frames", "sound", "length")
    for source, streams in (("header claims", claimed), ("decoding showed", observed)):
        for info in streams:
            rate = info.frames_per_second
            table.add_row(
                source,
                Text(printable(info.kind)),
                Text(printable(info.codec)),
                "" if info.width is None else f"{info.width}x{info.height}",
                ("" if info.frames is None else str(info.frames))
                + ("" if rate is None else f" at {quantity(rate)} fps"),
                ("" if info.sample_rate_hz is None else f"{info.sample_rate_hz} Hz")
                + ("" if info.channels is None else f" x {info.channels}"),
                duration(info.duration_seconds),
            )
    return table


def _sampling(media: DecodedMedia) -> RenderableType:
    lines: list[str] = []
    if media.frames is not None:
        times = media.frames.timestamps_seconds_F
        height, width = media.frames.pixels_FHWC.shape[1:3]
        lines.append(
            f"{len(times)} frames of {width}x{height} "
            f"(source {media.frames.source_width}x{media.frames.source_height})"
        )
        if len(times) > 1:
            lines.append("at " + ", ".join(f"{t:.2f}" for t in times) + " s")
    if media.audio is not None:
        audio = media.audio
        lines.append(
            f"{duration(audio.duration_seconds)} of sound at {audio.sample_rate_hz} Hz "
            f"(source {audio.source_sample_rate_hz} Hz)"
        )
    return Text("\n".join(lines))


def _signals(signals: Iterable[Signal]) -> RenderableType:
    table = _table("signal", "value", "typical", "where", "")
    table.columns[1].justify = table.columns[2].justify = "right"
    for signal in sorted(signals, key=lambda s: not s.is_unusual):
        style = f"bold {LOW_COLOUR}" if signal.is_unusual else ""
        table.add_row(
            Text(printable(signal.name), style=style),
            Text(printable(quantity(signal.value, signal.unit)), style=style),
            f"{quantity(signal.typical_low)} … {quantity(signal.typical_high)}",
            f"{signal.modality} {span(signal.span)}",
            Text("unusual" if signal.is_unusual else "", style=style),
        )
    return table if table.row_count else Text("none was measured", style="dim")


def _speech(examination: Examination) -> RenderableType | None:
    transcript = examination.features.transcript
    if transcript is None or not transcript.segments:
        return None
    table = Table(box=None, pad_edge=False, show_header=False)
    for segment in transcript.segments:
        table.add_row(Text(span(segment.span), style="dim"), Text(printable(segment.text.strip())))
    return table


def _tags(tags: Iterable[tuple[str, str]]) -> RenderableType | None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in list(tags)[:_TAGS_SHOWN]:
        table.add_row(
            Text(printable(name[:_TEXT_MAX]), style="dim"), Text(printable(value[:_TEXT_MAX]))
        )
    return table if table.row_count else None


def to_json(examination: Examination) -> str:
    """Everything but pixels, samples and features, as indented ASCII JSON."""
    media, judgment, features = examination.media, examination.judgment, examination.features
    metadata, rationale = media.metadata, judgment.rationale
    transcript = features.transcript
    return json.dumps(
        {
            "path": escape_path(examination.path),
            "sha256": metadata.sha256,
            "modality": media.modality,
            "duration_seconds": media.duration_seconds,
            "container": metadata.container,
            "size_bytes": metadata.size_bytes,
            "reader": metadata.reader,
            "claimed": [asdict(info) for info in metadata.claimed],
            "observed": [asdict(info) for info in metadata.observed],
            "tags": dict(metadata.tags),
            "notes": metadata.notes,
            "frames_seconds": []
            if media.frames is None
            else media.frames.timestamps_seconds_F.tolist(),
            "audio_seconds": None if media.audio is None else media.audio.duration_seconds,
            "score": judgment.expected_score,
            "digit_mass": judgment.digit_mass,
            "digit_probabilities": judgment.digit_probabilities_K,
            "mode": judgment.mode,
            "judge": judgment.judge_id,
            "rationale": None if rationale is None else rationale.text,
            "claims": None if rationale is None else [asdict(claim) for claim in rationale.claims],
            "timeline": [asdict(one) for one in examination.timeline],
            "provenance": examination.provenance and examination.provenance.as_dict(),
            "signals": [signal_facts(signal) for signal in features.signals],
            "transcript": None if transcript is None else [asdict(s) for s in transcript.segments],
        },
        indent=2,
        allow_nan=False,
    )
