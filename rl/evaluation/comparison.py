"""Ranks generators by how authentic a judge finds what they made, input by input where it can."""

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from moderation.cli.text import printable
from moderation.errors import ConfigurationError
from moderation.types import Mode
from rl.evaluation.ranking import Comparison, rank, system
from rl.evaluation.scores import is_record, read_scores

if TYPE_CHECKING:
    from moderation.cli.interruption import Interruption
    from moderation.settings import Settings
    from rl.evaluation.scoring import JudgeSession


def compare(
    systems: Sequence[Path | str],
    settings: "Settings",
    *,
    mode: Mode = Mode.FAST,
    out: Path | None = None,
    draws: int = 1000,
    seed: int = 0,
    interruption: "Interruption | None" = None,
) -> Comparison:
    """Score the outputs in folders, or take result files of `moderation score`, and rank.

    out: a folder that keeps scores, so that a second call scores only what is new.

    Raises:
        ConfigurationError: fewer than two systems, one without a scored output, or scores of
            different judges or modes.
        Interrupted: the user stopped it.
    """
    if len(systems) < 2:
        raise ConfigurationError(
            f"{len(systems)} system to compare",
            expected="two folders or result files, or more",
            remedy="Name the outputs of each generator or checkpoint.",
        )
    names = system_names([Path(one) for one in systems])
    found, contexts = [], []
    with ExitStack() as stack:
        session: JudgeSession | None = None
        for name, given in zip(names, map(Path, systems), strict=True):
            if is_record(str(given)):
                scores = read_scores(given)
                root = os.path.commonpath([str(Path(r.path).parent) for r in scores.results])
            else:
                if session is None:
                    session = stack.enter_context(_session(settings, mode, out, interruption))
                scores = session.scores(_outputs(given), re.sub(r"[^\w.-]", "_", name))
                root = str(given)
            found.append(system(name, scores.results, root))
            contexts.append(scores.context)
    # Files of `detectors score` and of earlier releases say nothing of the setup.
    setups = {context.setup for context in contexts if context.setup is not None}
    if len({(c.judge_id, c.mode, c.rationales) for c in contexts}) > 1 or len(setups) > 1:
        said = "; ".join(
            f"{name} by {context.judge_id} in {context.mode} mode"
            + (f", setup {context.setup[:8]}" if context.setup else "")
            for name, context in zip(names, contexts, strict=True)
        )
        raise ConfigurationError(
            f"the systems were scored differently: {said}",
            expected="one judge, one mode and one setup for all",
            remedy="Score them again with the same judge, mode and settings.",
        )
    return rank(found, contexts[0], draws=draws, seed=seed)


def _session(
    settings: "Settings", mode: Mode, out: Path | None, interruption: "Interruption | None"
) -> AbstractContextManager["JudgeSession"]:
    from rich.console import Console

    from rl.evaluation.scoring import judge_session

    console = Console(stderr=True)
    return judge_session(settings, mode, out=out, interruption=interruption, console=console)


def _outputs(folder: Path) -> list[Path]:
    import io

    from moderation.inputs import expand

    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder} is no folder",
            expected="a folder of media, or a result file of `moderation score`",
            remedy="Check the name.",
        )
    return expand([str(folder)], stdin=io.BytesIO())


def system_names(paths: Sequence[Path]) -> list[str]:
    """Short names of systems: the last parts of their paths that tell them apart."""
    resolved = [
        path.resolve().with_suffix("") if is_record(str(path)) else path.resolve() for path in paths
    ]
    for depth in range(1, 10):
        # The first part of an absolute path is its slash.
        names = [printable("-".join(path.parts[1:][-depth:])) for path in resolved]
        if len(set(names)) == len(names):
            return names
    return [f"{name}-{k + 1}" for k, name in enumerate(names)]
