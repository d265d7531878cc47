"""Ranks generators by how authentic a judge finds what they made, input by input where it can."""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np

from moderation.cli.text import printable
from moderation.errors import ConfigurationError
from moderation.results import RunContext
from moderation.types import ItemResult, Mode
from rl.evaluation.draws import Draws, Floats, bootstrap_draws
from rl.evaluation.estimate import Difference, Estimate, difference, estimate
from rl.evaluation.scores import is_record, read_scores

if TYPE_CHECKING:
    from moderation.cli.interruption import Interruption
    from moderation.settings import Settings
    from rl.evaluation.scoring import JudgeSession

PAIRS_MIN = 2


@dataclass(frozen=True, slots=True)
class System:
    """Outputs of one generator that have a score, by input: the file's name within its folder,
    without the suffix. failed: outputs without a score."""

    name: str
    outputs: Mapping[str, ItemResult]
    failed: tuple[ItemResult, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One generator in the ranking.

    mean: authenticity in [0, 9]. first_share: share of bootstrap draws in which it comes first.
    behind: leader less this one, None for the leader. left_out: outputs without a partner.
    worst: its outputs of lowest score, lowest first, with their inputs.
    """

    name: str
    mean: Estimate
    first_share: float
    behind: Difference | None
    items: int
    left_out: int
    failed: int
    by_modality: Mapping[str, Estimate]
    worst: tuple[tuple[str, ItemResult], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A ranking, best first. is_paired: all systems are measured on the same inputs.

    differences: (name, other) -> mean of the first less that of the second, better one first.
    """

    ranking: tuple[Ranked, ...]
    is_paired: bool
    differences: Mapping[tuple[str, str], Difference]
    context: RunContext
    draws: int
    seed: int


def system(name: str, results: Sequence[ItemResult], root: str) -> System:
    """The outputs under `root`, by input.

    Raises:
        ConfigurationError: two scored outputs differ in their suffix only.
    """
    outputs: dict[str, ItemResult] = {}
    for result in results:
        if result.judgment is None:
            continue
        stem = PurePath(os.path.relpath(result.path, root)).with_suffix("").as_posix()
        if stem in outputs:
            raise ConfigurationError(
                f"{name} has two outputs {stem!r}: {outputs[stem].path} and {result.path}",
                expected="one output an input, named after it",
                remedy="Rename or remove one of them.",
            )
        outputs[stem] = result
    return System(name, outputs, tuple(r for r in results if r.judgment is None))


def rank(
    systems: Sequence[System],
    context: RunContext,
    *,
    draws: int = 1000,
    seed: int = 0,
    worst_shown: int = 6,
) -> Comparison:
    """Rank by mean score, with a bootstrap over inputs.

    Where all systems share two inputs or more they are compared on those alone, and one draw of
    inputs serves all of them; else each is resampled for itself.

    Raises:
        ConfigurationError: a system has no scored output.
    """
    for one in systems:
        if not one.outputs:
            raise ConfigurationError(
                f"{one.name} has no output with a score ({len(one.failed)} failed)",
                expected="media that the judge can score",
                remedy="Look at the files with `moderation score`.",
            )
    shared = sorted(set.intersection(*(set(one.outputs) for one in systems)))
    is_paired = len(shared) >= PAIRS_MIN
    stems = [shared if is_paired else sorted(one.outputs) for one in systems]
    sample = [
        bootstrap_draws(np.arange(len(mine)), draws=draws, seed=seed if is_paired else seed + k)
        for k, mine in enumerate(stems)
    ]
    score = [
        np.array([_score(one.outputs[stem]) for stem in mine])
        for one, mine in zip(systems, stems, strict=True)
    ]
    value = [float(column.mean()) for column in score]
    value_D = [drawn.mean(column) for drawn, column in zip(sample, score, strict=True)]
    order = sorted(range(len(systems)), key=lambda k: -value[k])
    leading_D = np.argmax(np.stack(value_D), axis=0)
    gaps = {
        (a, b): difference(value[a], value[b], value_D[a], value_D[b])
        for i, a in enumerate(order)
        for b in order[i + 1 :]
    }
    ranking = tuple(
        Ranked(
            systems[k].name,
            estimate(value[k], value_D[k], has_interval=len(stems[k]) > 1),
            float(np.mean(leading_D == k)),
            None if k == order[0] else gaps[order[0], k],
            len(stems[k]),
            len(systems[k].outputs) - len(stems[k]),
            len(systems[k].failed),
            _by_modality(systems[k], stems[k], score[k], sample[k]),
            tuple(
                (stems[k][i], systems[k].outputs[stems[k][i]])
                for i in np.argsort(score[k], kind="stable")[:worst_shown]
            ),
        )
        for k in order
    )
    named = {(systems[a].name, systems[b].name): gap for (a, b), gap in gaps.items()}
    return Comparison(ranking, is_paired, named, context, draws, seed)


def _score(result: ItemResult) -> float:
    return result.judgment.expected_score if result.judgment else float("nan")


def _by_modality(
    one: System, stems: Sequence[str], score_N: Floats, draws: Draws
) -> dict[str, Estimate]:
    modality_N = np.array([str(one.outputs[stem].modality or "unknown") for stem in stems])
    found = {}
    for name in sorted(set(modality_N.tolist())):
        is_in = modality_N == name
        value_D = draws.take(is_in).mean(score_N[is_in])
        found[name] = estimate(
            float(score_N[is_in].mean()), value_D, has_interval=int(is_in.sum()) > 1
        )
    return found


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
    if len(set(contexts)) > 1:
        said = "; ".join(
            f"{name} by {context.judge_id} in {context.mode} mode"
            for name, context in zip(names, contexts, strict=True)
        )
        raise ConfigurationError(
            f"the systems were scored differently: {said}",
            expected="one judge and one mode for all",
            remedy="Score them again with the same judge and mode.",
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
