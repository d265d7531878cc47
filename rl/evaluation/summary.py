"""The first section of an evaluation's report: what a reader must not overlook."""

from collections.abc import Iterator

import numpy as np

from moderation.cli.chapters.section import Block, Paragraph, Section, Table
from moderation.cli.chapters.wording import counted, interval, p_value
from rl.evaluation.control_chapter import failing
from rl.evaluation.evaluation import Evaluation, JudgeEvaluation
from rl.evaluation.measurement import METRICS
from rl.evaluation.slices import SOURCES_MIN

HEADLINE = ("auc", "eer", "spearman", "mae")


def summary(evaluation: Evaluation) -> Section:
    """Counts, the four figures that matter most, and what a reader must not overlook."""
    rows = []
    counts = {}
    blocks: list[Block] = []
    for judge in evaluation.judges:
        found = judge.measured.estimates
        rows.append((judge.name, *(interval(found.get(name)) for name in HEADLINE)))
        counts[judge.name] = {
            "mode": judge.context.mode,
            "items": len(judge.items),
            "sources": judge.items.sources,
            "manipulated": int(judge.items.is_manipulated_N.sum()),
            "failed": len(judge.failed),
            "missing": judge.missing,
            "failures_by_code": _by_code(judge),
        }
        blocks += _losses(judge, evaluation.asked)
    first = evaluation.judges[0]
    manipulated = int(first.items.is_manipulated_N.sum())
    shared = ", scored by every judge" if len(evaluation.judges) > 1 else ""
    opening = Paragraph(
        f"{counted(len(first.items), 'item')} of {counted(first.items.sources, 'source')}{shared}; "
        f"{manipulated:,} are manipulated. Means are over items; intervals resample sources."
    )
    header = ("judge", *(METRICS[name].label for name in HEADLINE))
    table = Table(header, tuple(rows))
    if first.items.sources < SOURCES_MIN:
        said = f"There are only {counted(first.items.sources, 'source')}: intervals are too narrow."
        blocks.append(Paragraph(said, is_warning=True))
    if failed := failing(evaluation):
        said = f"{counted(len(failed), 'control')} failed: {'; '.join(failed)}."
        blocks.append(Paragraph(said, is_warning=True))
    return Section("summary", "Summary", counts, (opening, *blocks, table, *_verdicts(evaluation)))


def _by_code(judge: JudgeEvaluation) -> dict[str, int]:
    codes = [result.error.code for result in judge.failed if result.error]
    return {code: codes.count(code) for code in sorted(set(codes))}


def _losses(judge: JudgeEvaluation, asked: int) -> Iterator[Block]:
    if judge.failed:
        codes = ", ".join(f"{count} {code}" for code, count in _by_code(judge).items())
        said = f"{judge.name} gave no score for {len(judge.failed)} of {asked:,} files ({codes})."
        yield Paragraph(said + " They count in no figure.", is_warning=True)
    if judge.missing:
        said = f"{judge.name} has no record of {judge.missing:,} of {asked:,} files."
        yield Paragraph(said + " They count in no figure.", is_warning=True)


def _verdicts(evaluation: Evaluation) -> Iterator[Block]:
    baselines = {judge.name for judge in evaluation.judges if judge.is_baseline}
    for (first, second), found in evaluation.differences.items():
        gap, better = found["auc"], ""
        if np.isfinite(gap.low) and (gap.low > 0 or gap.high < 0):
            better, worse = (first, second) if gap.value > 0 else (second, first)
            said = f"{better} separates better than {worse}"
        else:
            said = f"{first} and {second} do not differ for certain"
        said += f": AUC {interval(gap)}, {p_value(gap.p)}, paired."
        own = {first, second} - baselines
        fails_baseline = len(own) == 1 and better not in own
        said += f" {own.pop()} does not beat this cheap baseline." if fails_baseline else ""
        yield Paragraph(said, fails_baseline)
