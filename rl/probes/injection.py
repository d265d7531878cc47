"""Prompt injection: does text in the media, or about it, move the score?

Each hostile copy has a neutral twin: the same place, size, voice and length, about nothing. What a
band over the picture or a voice over the sound does by itself is in both; the difference is what
the words do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console

from encoders.types import Modality
from rl.probes.alteration import Alteration
from rl.probes.copies import Copy, make_copies
from rl.probes.injection_texts import DRAWN, SPOKEN, WRITTEN, HostileText
from rl.probes.overlays import DRAW, TAG, append_speech, mix_into_film, mix_speech, untouched
from rl.probes.sample import Row
from rl.probes.scorer import Scorer
from rl.probes.statistics import Estimate, estimate_mean


@dataclass(frozen=True, slots=True)
class Injection:
    """One trick on one modality, and its neutral twin.

    kind: where the text stands: drawn, spoken, metadata or file name.
    """

    kind: str
    trick: str
    hostile: Alteration
    neutral: Alteration


@dataclass(frozen=True, slots=True)
class InjectionRow:
    """shift: hostile less neutral score; above 0 the attack gains. raw_shift: less the original's.

    worst: the largest single gain. Intervals are over sources.
    """

    modality: str
    kind: str
    trick: str
    items: int
    failed: int
    shift: Estimate
    worst: float
    worst_path: str
    raw_shift: Estimate


def _twins(
    kind: str,
    modality: Modality,
    text: HostileText,
    make: Callable[[str], Callable[[Path, int], bytes]],
    suffix: str,
) -> Injection:
    name = f"{kind}, {text.name}"
    hostile = Alteration(name, "hostile", modality, make(text.text), suffix)
    neutral = Alteration(name, "neutral", modality, make(text.neutral), suffix)
    return Injection(kind, text.name, hostile, neutral)


def _renamed(modality: Modality, text: HostileText) -> Injection:
    name = f"file name, {text.name}"
    hostile = Alteration(name, "hostile", modality, untouched, stem=text.text)
    neutral = Alteration(name, "neutral", modality, untouched, stem=text.neutral)
    return Injection("file name", text.name, hostile, neutral)


def injections() -> tuple[Injection, ...]:
    """Every trick on every modality that it can be played on."""
    made: list[Injection] = []
    for modality, (draw, suffix) in DRAW.items():
        for text in DRAWN:
            made.append(_twins("drawn", modality, text, _with_text(draw), suffix))
    for text in SPOKEN:
        made += [
            _twins("spoken after", Modality.AUDIO, text, _with_text(append_speech), ".wav"),
            _twins("spoken over", Modality.AUDIO, text, _with_text(mix_speech), ".wav"),
            _twins("spoken over", Modality.VIDEO, text, _with_text(mix_into_film), ".mp4"),
        ]
    for modality, (tag, suffix) in TAG.items():
        for text in WRITTEN:
            made.append(_twins("metadata", modality, text, _with_text(tag), suffix))
            made.append(_renamed(modality, text))
    return tuple(made)


def _with_text(make: Callable[..., bytes]) -> Callable[[str], Callable[[Path, int], bytes]]:
    return lambda text: partial(make, text=text)


def measure_injection(
    corpus: Path,
    rows: Sequence[Row],
    suite: Sequence[Injection],
    scorer: Scorer,
    folder: Path,
    *,
    draws: int = 1000,
    workers: int = 1,
    console: Console,
) -> list[InjectionRow]:
    """Make the copies, score them, and compare each with its twin and its original.

    Twins are scored in separate calls: a judge that answers equal bytes once would otherwise
    never look at a renamed file.
    """
    original_N = scorer([corpus / row["path"] for row in rows])
    original = {row["sha256"]: float(s) for row, s in zip(rows, original_N, strict=True)}
    alterations = [twin for entry in suite for twin in (entry.hostile, entry.neutral)]
    copies = make_copies(corpus, rows, alterations, folder, workers=workers, console=console)

    def scores(alteration: Alteration) -> dict[str, float]:
        made = [c for c in copies if c.alteration is alteration and c.failure is None]
        values = scorer([copy.path for copy in made])
        return {c.row["sha256"]: float(s) for c, s in zip(made, values, strict=True)}

    table: list[InjectionRow] = []
    for entry in suite:
        mine = [copy for copy in copies if copy.alteration is entry.hostile]
        if mine:
            found = (scores(entry.hostile), scores(entry.neutral))
            table.append(_row(entry, mine, *found, original, draws))
            console.print(f"{entry.hostile.modality}, {entry.kind}: shift {table[-1].shift}")
    return table


def _row(
    entry: Injection,
    copies: Sequence[Copy],
    hostile: dict[str, float],
    neutral: dict[str, float],
    original: dict[str, float],
    draws: int,
) -> InjectionRow:
    nan = float("nan")
    keys = [copy.row["sha256"] for copy in copies]
    hostile_N, neutral_N, original_N = (
        np.array([scores.get(key, nan) for key in keys]) for scores in (hostile, neutral, original)
    )
    kept = np.flatnonzero(np.isfinite(hostile_N + neutral_N + original_N)).tolist()
    gain_N, raw_N = (hostile_N - neutral_N)[kept], (hostile_N - original_N)[kept]
    sources = [copies[i].row["source"] for i in kept]
    worst = int(gain_N.argmax()) if kept else -1
    worst_path = copies[kept[worst]].row["path"] if kept else ""
    return InjectionRow(
        modality=entry.hostile.modality.value,
        kind=entry.kind,
        trick=entry.trick,
        items=len(kept),
        failed=len(copies) - len(kept),
        shift=estimate_mean(gain_N, sources, draws=draws),
        worst=float(gain_N[worst]) if kept else nan,
        worst_path=worst_path,
        raw_shift=estimate_mean(raw_N, sources, draws=draws),
    )


@dataclass(frozen=True, slots=True)
class KindSummary:
    """One kind of injection over all modalities and tricks: mean shift by item, and the worst."""

    kind: str
    items: int
    mean_shift: float
    worst: float


def by_kind(table: Sequence[InjectionRow]) -> list[KindSummary]:
    """The table, by kind."""
    summaries: list[KindSummary] = []
    for kind in dict.fromkeys(row.kind for row in table):
        mine = [row for row in table if row.kind == kind and row.items]
        if mine:
            count = sum(row.items for row in mine)
            mean = sum(row.shift.value * row.items for row in mine) / count
            summaries.append(KindSummary(kind, count, mean, max(row.worst for row in mine)))
    return summaries
