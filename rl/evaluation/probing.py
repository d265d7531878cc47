"""What a judge makes of altered copies: degraded, recompressed, with instructions put in.

All copies are made first, then scored in few lists, each with one bar that says how long; the
tables of `rl.probes` then look the scores up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from encoders.types import Modality
from moderation.cli.interruption import Interruption
from moderation.types import ItemResult
from rl.evaluation.labels import Row
from rl.evaluation.scores import Scores
from rl.evaluation.scoring import JudgeSession
from rl.probes.alteration import Alteration
from rl.probes.controls import recompression
from rl.probes.copies import Copy, copy_path, make_copies
from rl.probes.degradations import RECOMPRESSIONS, grid
from rl.probes.injection import InjectionRow, injections, measure_injection
from rl.probes.robustness import RobustnessRow, measure_robustness
from rl.probes.sample import sample_pairs
from rl.probes.scorer import Scorer
from rl.probes.statistics import Floats
from rl.probes.verdict import Verdict, Verdicts

QUIET = Console(quiet=True)


@dataclass(frozen=True, slots=True)
class Probing:
    """What to alter. corpus: folder that rows' paths start at. copies: folder for the copies.

    robustness_pairs, injection_pairs: pairs of each modality that are altered; 0 tries nothing.
    """

    corpus: Path
    copies: Path
    robustness_pairs: int
    injection_pairs: int
    draws: int
    seed: int


@dataclass(frozen=True, slots=True)
class Probed:
    """Tables of one judge; empty where nothing was tried. recompression: by modality."""

    robustness: tuple[RobustnessRow, ...] = ()
    injection: tuple[InjectionRow, ...] = ()
    recompression: Verdicts = field(default_factory=dict)


def with_pairs(rows: Sequence[Row]) -> list[Row]:
    """The rows; one without a pair is a pair with all others of its source."""
    return [{**row, "pair_id": row.get("pair_id") or row["source"]} for row in rows]


def probe(
    session: JudgeSession,
    rows: Sequence[Row],
    original: Scores,
    probing: Probing,
    *,
    interruption: Interruption,
    console: Console,
) -> Probed:
    """Alter a sample of `rows`, score the copies, and compare with the `original` scores.

    Raises:
        Interrupted: the user stopped it; copies and scores that are there are found again.
    """
    # Copies go by the hash of the original's bytes.
    usable = [row for row in with_pairs(rows) if row.get("modality") and row.get("sha256")]
    before = _by_path(original.results)
    robust: list[RobustnessRow] = []
    after: dict[Path, float] = {}
    sample = sample_pairs(usable, probing.robustness_pairs, seed=probing.seed)
    degradations = grid([Modality(name) for name in sorted({row["modality"] for row in sample})])
    if sample:
        with interruption.allowed():
            copies = make_copies(
                probing.corpus, sample, degradations, probing.copies, console=console
            )
        after = _by_path(session.scores(_made(copies), "robustness").results)
        robust = measure_robustness(
            probing.corpus,
            sample,
            degradations,
            _lookup({**before, **after}),
            probing.copies,
            draws=probing.draws,
            console=QUIET,
        )
    return Probed(
        tuple(robust),
        _injected(session, usable, before, probing, interruption, console),
        {
            modality: _recompressed(
                [row for row in sample if row["modality"] == modality],
                [d for d in degradations if d.key in RECOMPRESSIONS and d.modality == modality],
                before,
                after,
                probing,
            )
            for modality in sorted({row["modality"] for row in sample})
        },
    )


def _injected(
    session: JudgeSession,
    rows: Sequence[Row],
    before: Mapping[Path, float],
    probing: Probing,
    interruption: Interruption,
    console: Console,
) -> tuple[InjectionRow, ...]:
    sample = sample_pairs(rows, probing.injection_pairs, seed=probing.seed)
    if not sample:
        return ()
    suite = injections()
    twins = [twin for entry in suite for twin in (entry.hostile, entry.neutral)]
    with interruption.allowed():
        copies = make_copies(probing.corpus, sample, twins, probing.copies, console=console)
    scores = dict(before)
    # A judge answers equal bytes once in a list: renamed copies get a list a name.
    for stem in dict.fromkeys(copy.alteration.stem for copy in copies):
        mine = _made([copy for copy in copies if copy.alteration.stem == stem])
        scores |= _by_path(session.scores(mine, "injection").results)
    return tuple(
        measure_injection(
            probing.corpus,
            sample,
            suite,
            _lookup(scores),
            probing.copies,
            draws=probing.draws,
            console=QUIET,
        )
    )


def _recompressed(
    rows: Sequence[Row],
    degradations: Sequence[Alteration],
    before: Mapping[Path, float],
    after: Mapping[Path, float],
    probing: Probing,
) -> list[Verdict]:
    before_N = _scores([row["file"] for row in rows], before)
    verdicts = []
    for degradation in degradations:
        copies = [copy_path(probing.copies, degradation, row) for row in rows]
        verdict = recompression(rows, before_N, _scores(copies, after), draws=probing.draws)
        name = f"{verdict.name}, {degradation.name} {degradation.level}"
        verdicts.append(replace(verdict, name=name))
    return verdicts


def _made(copies: Sequence[Copy]) -> list[Path]:
    return [copy.path for copy in copies if copy.failure is None]


def _by_path(results: Sequence[ItemResult]) -> dict[Path, float]:
    return {Path(r.path): r.judgment.expected_score for r in results if r.judgment}


def _scores(paths: Sequence[Path], scores: Mapping[Path, float]) -> Floats:
    return np.array([scores.get(path, np.nan) for path in paths], np.float64)


def _lookup(scores: Mapping[Path, float]) -> Scorer:
    return lambda paths: _scores(paths, scores)
