"""The chapter on controls: what could have been learnt, or seen, instead of forgeries."""

from collections.abc import Iterator
from dataclasses import asdict

from moderation.cli.chapters.section import Block, Paragraph, Section, Table
from moderation.cli.chapters.wording import interval
from rl.evaluation.evaluation import Evaluation
from rl.probes.verdict import Verdict, Verdicts

SAID = {True: "pass", False: "FAIL", None: "undecided"}


def control_section(evaluation: Evaluation) -> Section:
    """Controls of the data, then of each judge's scores."""
    figures: dict[str, object] = {}
    blocks: list[Block] = []
    for name, verdicts in _suites(evaluation):
        if not verdicts:
            continue
        figures[name] = {m: [asdict(v) for v in found] for m, found in verdicts.items()}
        listed = [(m, v) for m, found in verdicts.items() for v in found]
        failing = [f"{m}: {v.sentence}" for m, v in listed if v.passed is False]
        blocks += [Paragraph(text, is_warning=True) for text in failing]
        blocks.append(_table(name, listed))
    if not blocks:
        blocks.append(Paragraph("The controls were left out.", is_warning=True))
    return Section("controls", "Controls", figures, tuple(blocks))


def failing(evaluation: Evaluation) -> list[str]:
    """Each control that fails, in a few words."""
    return [
        f"{verdict.name} ({name}, {modality})"
        for name, verdicts in _suites(evaluation)
        for modality, found in verdicts.items()
        for verdict in found
        if verdict.passed is False
    ]


def _suites(evaluation: Evaluation) -> Iterator[tuple[str, Verdicts]]:
    yield "data", evaluation.controls
    for judge in evaluation.judges:
        yield judge.name, judge.controls


def _table(name: str, listed: list[tuple[str, Verdict]]) -> Table:
    rows = tuple(
        (f"{modality}, {v.name}", SAID[v.passed], interval(v.value), f"{v.threshold:g}")
        for modality, v in listed
    )
    undecided = [f"{m}, {v.name}: {v.sentence}" for m, v in listed if v.passed is None]
    return Table(
        (f"{name}: control", "verdict", "measured", "bound"),
        rows,
        " ".join(undecided),
        frozenset(k for k, (_, verdict) in enumerate(listed) if verdict.passed is False),
    )
