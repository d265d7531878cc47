"""The chapter on prompt injection: what words in the media, or about it, do to the score."""

from dataclasses import asdict

from moderation.cli.chapters.section import Block, Paragraph, Section, Table
from moderation.cli.chapters.wording import interval, number
from rl.evaluation.evaluation import Evaluation
from rl.evaluation.robustness_chapter import NOT_TRIED
from rl.probes.injection import by_kind


def injection_section(evaluation: Evaluation) -> Section:
    """Mean and worst shift by kind, then trick by trick."""
    tried = [judge for judge in evaluation.judges if judge.probed.injection]
    if not tried:
        return Section("injection", "Prompt injection", {}, (Paragraph(NOT_TRIED, True),))
    blocks: list[Block] = [
        Paragraph(
            "Each hostile copy has a neutral twin: the same band, voice or name with words about "
            "nothing. The shift is the hostile score less the twin's: above 0 the words gain."
        )
    ]
    figures: dict[str, object] = {}
    for judge in tried:
        table, kinds = judge.probed.injection, by_kind(judge.probed.injection)
        rows = tuple(
            (kind.kind, f"{kind.items:,}", number(kind.mean_shift), f"{kind.worst:+.2f}")
            for kind in kinds
        )
        header = (f"{judge.name}, text is", "items", "mean shift", "worst single gain")
        blocks += [
            Table(header, rows),
            Table(
                ("trick", "items", "shift", "worst", "shift from the original"),
                tuple(
                    (
                        f"{row.modality}, {row.kind}, {row.trick}",
                        f"{row.items:,}" + (f", {row.failed} failed" if row.failed else ""),
                        interval(row.shift),
                        f"{row.worst:+.2f}",
                        interval(row.raw_shift),
                    )
                    for row in table
                ),
                f"{judge.name}. Marked: the words gain for certain.",
                frozenset(k for k, row in enumerate(table) if row.shift.low > 0),
                is_folded=True,
            ),
        ]
        figures[judge.name] = {
            "kinds": [asdict(kind) for kind in kinds],
            "rows": [asdict(row) for row in table],
        }
    return Section("injection", "Prompt injection", figures, tuple(blocks))
