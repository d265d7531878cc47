"""The chapter on the worst errors, with what can be seen and heard of them."""

import numpy as np

from encoders.sandbox import Sandbox
from moderation.cli.chapters.section import Block, Gallery, Paragraph, Section
from moderation.results import escape_path
from rl.evaluation.evaluation import Evaluation, JudgeEvaluation
from rl.evaluation.media import card

SHOWN = 20


def worst_items(judge: JudgeEvaluation, shown: int = SHOWN) -> list[int]:
    """Places of the items furthest from their label, worst first.

    Without graded labels: from 9 for the genuine and 0 for the manipulated.
    """
    items = judge.items
    target_N = np.where(np.isnan(items.y_N), 9.0 * ~items.is_manipulated_N, items.y_N)
    error_N = np.abs(items.score_N - target_N)
    return [int(k) for k in np.argsort(-error_N, kind="stable")[:shown]]


def worst_section(evaluation: Evaluation, sandbox: Sandbox) -> Section:
    """Twenty items of each judge."""
    blocks: list[Block] = []
    figures: dict[str, object] = {}
    for judge in evaluation.judges:
        chosen = worst_items(judge)
        blocks.append(Paragraph(f"{judge.name}: the scores furthest from their labels."))
        cards, listed = [], []
        for k in chosen:
            row = evaluation.rows[k]
            path = escape_path(str(row["path"]))
            said = ", ".join(
                f"{other.name} {other.items.score_N[k]:.2f}" for other in evaluation.judges
            )
            kind = row.get("recipe") or ("manipulated" if row["is_manipulated"] else "genuine")
            label = "" if np.isnan(row["y"]) else f", label {row['y']:.2f}"
            facts = f"{kind}{label}; score {said}; source {row['source']}"
            cards.append(card(row["file"], path, facts, sandbox))
            listed.append({"path": path, "y": row["y"], "score": judge.items.score_N[k]})
        blocks.append(Gallery(tuple(cards)))
        figures[judge.name] = listed
    return Section("worst", "The worst errors", figures, tuple(blocks))
