"""The chapter on degraded copies: a heat map a judge and modality, and the whole table."""

from dataclasses import asdict

from moderation.cli.chapters.section import Block, Paragraph, Picture, Section, Table
from moderation.cli.chapters.wording import counted, interval
from rl.evaluation.evaluation import Evaluation, JudgeEvaluation
from rl.evaluation.heat_map import heat_map_drawing
from rl.probes.robustness import heat_maps

NOT_TRIED = "No copies were altered: it was left out, or there were recorded scores only."


def robustness_section(evaluation: Evaluation) -> Section:
    """How the scores hold up when files are degraded step by step."""
    tried = [judge for judge in evaluation.judges if judge.probed.robustness]
    if not tried:
        return Section("robustness", "Robustness", {}, (Paragraph(NOT_TRIED, True),))
    blocks: list[Block] = [
        Paragraph(
            "Both classes are degraded in the same way. In each cell: the level, and the AUC of "
            "the degraded copies; dark is chance. The first row is the untouched sample, so a "
            "fall along a row is what the degradation does. A sample is small: the table has "
            "the intervals."
        )
    ]
    for judge in tried:
        for heat in heat_maps(judge.probed.robustness):
            items = max(r.items for r in judge.probed.robustness if r.modality == heat.modality)
            caption = f"{judge.name}, {heat.modality}: AUC on {counted(items, 'item')}."
            blocks.append(Picture(heat_map_drawing(heat), caption))
        blocks.append(_table(judge))
    figures = {judge.name: [asdict(row) for row in judge.probed.robustness] for judge in tried}
    return Section("robustness", "Robustness", figures, tuple(blocks))


def _table(judge: JudgeEvaluation) -> Table:
    header = ("degradation", "items", "AUC", "shift", "shift of the genuine", "genuine that flip")
    rows = tuple(
        (
            f"{row.modality}, {row.name}, {row.level}",
            f"{row.items:,}" + (f", {row.failed} failed" if row.failed else ""),
            interval(row.auc),
            interval(row.shift),
            interval(row.genuine_shift),
            interval(row.flip_share),
        )
        for row in judge.probed.robustness
    )
    caption = (
        f"{judge.name}. Shift: mean score less that of the untouched file, of 9 points. Genuine "
        "that flip: share of genuine items at 4.5 or above that fall below."
    )
    marked = frozenset(
        k for k, row in enumerate(judge.probed.robustness) if row.genuine_shift.high < 0
    )
    return Table(header, rows, caption, marked, is_folded=True)
