"""Systems ranked by the mean score of their outputs, input by input where they share inputs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from moderation.calibration.draws import Draws, Floats, bootstrap_draws
from moderation.calibration.estimate import Difference, Estimate, difference, estimate
from moderation.errors import ConfigurationError
from moderation.results import RunContext
from moderation.types import ItemResult

PAIRS_MIN = 2


@dataclass(frozen=True, slots=True)
class System:
    """Outputs of one generator that have a score, by input: the file's name within its folder,
    without the suffix. failed: outputs without a score."""

    name: str
    outputs: Mapping[str, ItemResult]
    failed: tuple[ItemResult, ...]


@dataclass(frozen=True, slots=True)
class Gap(Difference):
    """A difference of two means. shared: inputs that it rests on, 0 for independent samples."""

    shared: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """One generator in the ranking.

    mean: authenticity in [0, 9]. first_share: share of bootstrap draws in which it comes first.
    behind: leader less this one, None for the leader. left_out: outputs without a partner.
    slices: means by modality, and by folder of the inputs. worst: its outputs of lowest score,
    lowest first, with their inputs.
    """

    name: str
    mean: Estimate
    first_share: float
    behind: Gap | None
    items: int
    left_out: int
    failed: int
    slices: Mapping[str, Estimate]
    worst: tuple[tuple[str, ItemResult], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A ranking, best first. is_paired: all systems are measured on the same inputs.

    differences: (name, other) -> mean of the first less that of the second, better one first; on
    the inputs that the two share, where they share two or more.
    """

    ranking: tuple[Ranked, ...]
    is_paired: bool
    differences: Mapping[tuple[str, str], Gap]
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
    inputs serves all of them. Else each mean is over all outputs of a system, and differences are
    over the inputs that two systems share, if there are any.

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
        (a, b): _gap(systems[a], systems[b], draws, seed)
        if not is_paired
        else _shared(difference(value[a], value[b], value_D[a], value_D[b]), len(shared))
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
            _slices(systems[k], stems[k], score[k], sample[k]),
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


def _gap(first: System, second: System, draws: int, seed: int) -> Gap:
    """On the inputs that both have; of independent samples where they share fewer than two."""
    shared = sorted(set(first.outputs) & set(second.outputs))
    is_paired = len(shared) >= PAIRS_MIN
    value, value_D = [], []
    for k, one in enumerate((first, second)):
        stems = shared if is_paired else sorted(one.outputs)
        score_N = np.array([_score(one.outputs[stem]) for stem in stems])
        drawn = bootstrap_draws(
            np.arange(len(stems)), draws=draws, seed=seed if is_paired else seed + k
        )
        value.append(float(score_N.mean()))
        value_D.append(drawn.mean(score_N))
    found = difference(value[0], value[1], value_D[0], value_D[1])
    return _shared(found, len(shared) if is_paired else 0)


def _shared(found: Difference, shared: int) -> Gap:
    return Gap(found.value, found.low, found.high, found.p, shared)


def _slices(
    one: System, stems: Sequence[str], score_N: Floats, draws: Draws
) -> dict[str, Estimate]:
    """Means of the outputs of one modality, and of one folder; in the order of their names."""
    labels = [
        [str(one.outputs[stem].modality or "unknown") for stem in stems],
        [f"{PurePath(stem).parent}/" if "/" in stem else "" for stem in stems],
    ]
    found = {}
    for label_N in map(np.array, labels):
        for name in sorted({*label_N.tolist()} - {""}):
            is_in = label_N == name
            value_D = draws.take(is_in).mean(score_N[is_in])
            found[name] = estimate(
                float(score_N[is_in].mean()), value_D, has_interval=int(is_in.sum()) > 1
            )
    return found
