"""The report of a comparison of generators."""

from pathlib import Path

from encoders.sandbox import Sandbox
from moderation.cli.chapters.section import (
    Block,
    Gallery,
    Paragraph,
    Picture,
    Report,
    Section,
    Table,
)
from moderation.cli.chapters.wording import counted, interval, p_value
from moderation.results import escape_path
from rl.evaluation.media import card
from rl.evaluation.pictures import ForestRow, forest
from rl.evaluation.ranking import Comparison


def comparison_report(comparison: Comparison, sandbox: Sandbox) -> Report:
    """Ranking, differences, modalities, and the outputs that give each system away."""
    about = {
        "systems": ", ".join(ranked.name for ranked in comparison.ranking),
        "judge": f"{comparison.context.judge_id} ({comparison.context.mode})",
        "bootstrap": f"{comparison.draws:,} draws of inputs, seed {comparison.seed}",
    }
    chapters = (_ranking(comparison), _differences(comparison), _worst(comparison, sandbox))
    return Report("Comparison of generators", about, chapters)


def pairing(comparison: Comparison) -> str:
    """How the systems were compared, in a sentence or two."""
    if not comparison.is_paired:
        if not any(gap.shared for gap in comparison.differences.values()):
            return "The systems share no inputs: they are compared as independent samples."
        return (
            "The systems do not all share inputs: each mean is over all outputs of a system. "
            "Differences of two that share inputs are on those alone."
        )
    shared = counted(comparison.ranking[0].items, "input")
    said = f"The systems are compared on {shared} that all of them have an output for."
    apart = [f"{one.left_out} of {one.name}" for one in comparison.ranking if one.left_out]
    return said + (f" Left out without a partner: {', '.join(apart)}." if apart else "")


def _ranking(comparison: Comparison) -> Section:
    header = ("system", "mean score", "comes first", "behind the leader", "p", "outputs", "failed")
    rows = tuple(
        (
            ranked.name,
            interval(ranked.mean),
            f"{100 * ranked.first_share:.0f} %",
            interval(ranked.behind),
            "–" if ranked.behind is None else p_value(ranked.behind.p),
            f"{ranked.items:,}",
            f"{ranked.failed:,}",
        )
        for ranked in comparison.ranking
    )
    slices = list(dict.fromkeys(name for one in comparison.ranking for name in one.slices))
    lines = [ForestRow(one.name, (one.mean,)) for one in comparison.ranking]
    if len(slices) > 1:
        lines += [
            ForestRow(f"{one.name}, {name}", (one.slices[name],))
            for name in slices
            for one in comparison.ranking
            if name in one.slices
        ]
    leader = comparison.ranking[0].mean.value
    blocks: list[Block] = [
        Paragraph(pairing(comparison)),
        Table(header, rows, "Comes first: share of bootstrap draws in which it leads."),
        Picture(
            forest(lines, ("mean score",), "mean score, 9 wholly authentic", leader),
            "Mean scores with their intervals; the line is the leader's.",
        ),
    ]
    figures = {
        "is_paired": comparison.is_paired,
        "systems": [
            {
                "name": one.name,
                "mean": one.mean,
                "first_share": one.first_share,
                "behind": one.behind,
                "items": one.items,
                "left_out": one.left_out,
                "failed": one.failed,
                "slices": one.slices,
            }
            for one in comparison.ranking
        ],
    }
    return Section("ranking", "Ranking", figures, tuple(blocks))


def _differences(comparison: Comparison) -> Section:
    rows = tuple(
        (f"{first} − {second}", interval(gap), p_value(gap.p), f"{gap.shared or 'none'}")
        for (first, second), gap in comparison.differences.items()
    )
    marked = frozenset(
        k for k, gap in enumerate(comparison.differences.values()) if gap.low > 0 or gap.high < 0
    )
    caption = "Marked: the 95 % interval leaves out 0. Not corrected for the number of pairs."
    figures = {f"{a} - {b}": gap for (a, b), gap in comparison.differences.items()}
    table = Table(("difference", "mean score", "p", "shared inputs"), rows, caption, marked)
    return Section("differences", "Differences", figures, (table,))


def _worst(comparison: Comparison, sandbox: Sandbox) -> Section:
    blocks: list[Block] = []
    figures: dict[str, object] = {}
    for ranked in comparison.ranking:
        blocks.append(Paragraph(f"{ranked.name}: the outputs of lowest score."))
        cards, listed = [], []
        for stem, result in ranked.worst:
            score = result.judgment.expected_score if result.judgment else float("nan")
            name = escape_path(stem)
            cards.append(card(Path(result.path), name, f"score {score:.2f}", sandbox))
            listed.append({"input": name, "path": escape_path(result.path), "score": score})
        blocks.append(Gallery(tuple(cards)))
        figures[ranked.name] = listed
    return Section("worst", "The least authentic outputs", figures, tuple(blocks))
