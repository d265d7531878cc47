"""`moderation evaluate` as a Python call: from a manifest and judges to a report."""

import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console

from moderation.app import build_sandbox
from moderation.cli.chapters.section import Report, Section
from moderation.cli.interruption import Interruption
from moderation.results import escape_path
from moderation.settings import Settings
from moderation.types import Mode
from rl.evaluation.chapters import sections
from rl.evaluation.control_chapter import control_section
from rl.evaluation.detector_judge import is_detector
from rl.evaluation.evaluation import Evaluation, JudgeEvaluation, evaluate_scores
from rl.evaluation.injection_chapter import injection_section
from rl.evaluation.labels import Row, calibration_rows, in_splits, read_labels, test_splits
from rl.evaluation.probing import Probed, Probing, probe, with_pairs
from rl.evaluation.robustness_chapter import robustness_section
from rl.evaluation.scores import Scores, is_record, read_scores
from rl.evaluation.scoring import judge_session, require_judge
from rl.evaluation.slice_chapter import slice_section
from rl.evaluation.worst import worst_section
from rl.probes.control_suite import control_rows
from rl.probes.controls import real_against_real_scores
from rl.probes.verdict import Verdicts

ROBUSTNESS_PAIRS = 12
INJECTION_PAIRS = 6


@dataclass(frozen=True, slots=True)
class Request:
    """What to evaluate.

    manifest: a corpus folder, or its manifest. judges: `starter`, folders of judges or of fitted
    detectors, or files of recorded scores. splits: of the manifest; none means all that begin
    with `test`. out: where scores and altered copies are kept and a second run finds them; None
    keeps none. fits_probabilities: score a calibration split too, if there is one.

    has_controls: measure what a detector could learn instead of forgeries. robustness_pairs,
    injection_pairs: pairs of each modality that are degraded, or have instructions put into them;
    0 leaves the chapter out. Recorded scores say nothing of altered copies.
    """

    manifest: Path
    judges: tuple[str, ...]
    splits: tuple[str, ...] = ()
    mode: Mode = Mode.FAST
    out: Path | None = None
    draws: int = 1000
    seed: int = 0
    fits_probabilities: bool = True
    has_controls: bool = True
    robustness_pairs: int = ROBUSTNESS_PAIRS
    injection_pairs: int = INJECTION_PAIRS

    @property
    def corpus(self) -> Path:
        """The folder that the manifest's paths start at."""
        return self.manifest if self.manifest.is_dir() else self.manifest.parent


def evaluate(
    request: Request,
    settings: Settings,
    *,
    interruption: Interruption | None = None,
    console: Console | None = None,
) -> Evaluation:
    """Score what is not recorded yet, and measure every judge on the same rows.

    console: for bars with the time left; None shows none.

    Raises:
        ManifestError: a manifest or a record that cannot be read, or an unknown split.
        ConfigurationError, WeightsMissing: a judge that is not there.
        Interrupted: the user stopped it; with `out`, the next run goes on from there.
    """
    interruption, console = interruption or Interruption(), console or Console(quiet=True)
    for judge in request.judges:
        if not is_record(judge):
            require_judge(judge)
    rows = read_labels(request.manifest)
    chosen = in_splits(rows, request.splits or test_splits(rows))
    fitting = calibration_rows(rows, chosen) if request.fits_probabilities else ("", [])
    with ExitStack() as stack:
        copies = request.out and request.out / "copies"
        probing = Probing(
            request.corpus,
            copies or Path(stack.enter_context(TemporaryDirectory())),
            request.robustness_pairs,
            request.injection_pairs,
            request.draws,
            request.seed,
        )
        answers = [
            (read_scores(Path(judge)), Probed())
            if is_record(judge)
            else _ask(
                judge,
                chosen,
                # A detector gives probabilities of its own.
                () if is_detector(Path(judge)) else fitting[1],
                request,
                probing,
                settings,
                interruption,
                console,
            )
            for judge in request.judges
        ]
    evaluation = evaluate_scores(
        chosen,
        [scores for scores, _ in answers],
        calibration=fitting,
        draws=request.draws,
        seed=request.seed,
    )
    judges = tuple(
        replace(judge, probed=probed, controls=_controls(evaluation, judge, probed, request))
        for judge, (_, probed) in zip(evaluation.judges, answers, strict=True)
    )
    controls: Verdicts = {}
    if request.has_controls:
        with interruption.allowed():
            controls = control_rows(
                request.corpus,
                [row for row in with_pairs(chosen) if row.get("modality")],
                rows,
                settings,
                draws=request.draws,
                console=console,
            )
    return replace(evaluation, judges=judges, controls=controls)


def _controls(
    evaluation: Evaluation, judge: JudgeEvaluation, probed: Probed, request: Request
) -> Verdicts:
    """What the judge's own scores say: of genuine sources, and of recompression."""
    if not request.has_controls:
        return {}
    modality_N = np.array([row.get("modality") or "" for row in evaluation.rows])
    found = {}
    for modality in sorted({*modality_N.tolist()} - {""}):
        at = np.flatnonzero(modality_N == modality)
        rows = with_pairs([evaluation.rows[k] for k in at])
        apart = real_against_real_scores(rows, judge.items.score_N[at], draws=request.draws)
        found[modality] = (apart, *probed.recompression.get(modality, ()))
    return found


def _ask(
    judge: str,
    rows: Sequence[Row],
    fitting: Sequence[Row],
    request: Request,
    probing: Probing,
    settings: Settings,
    interruption: Interruption,
    console: Console,
) -> tuple[Scores, Probed]:
    """One judge's scores of all rows, and what it makes of altered copies."""
    name = re.sub(r"[^\w-]", "_", "+".join(sorted({row["split"] for row in rows})) or "scores")
    with judge_session(
        settings.model_copy(update={"judge": judge}),
        request.mode,
        out=request.out,
        interruption=interruption,
        console=console,
    ) as session:
        scores = session.scores([row["file"] for row in (*rows, *fitting)], name)
        probed = probe(session, rows, scores, probing, interruption=interruption, console=console)
    return scores, probed


def build_report(
    evaluation: Evaluation,
    request: Request,
    settings: Settings,
    further: Iterable[Section] = (),
) -> Report:
    """The report with all its chapters; `further` ones come before the worst errors.

    Files of the worst errors are decoded in the sandbox.
    """
    with build_sandbox(settings) as sandbox:
        worst = worst_section(evaluation, sandbox)
    splits = sorted({row["split"] for row in evaluation.rows})
    about = {
        "manifest": escape_path(str(request.manifest)),
        "splits": ", ".join(name or "(none)" for name in splits),
        "judges": ", ".join(f"{judge.name} ({judge.context.mode})" for judge in evaluation.judges),
        "bootstrap": f"{evaluation.draws:,} draws of sources, seed {evaluation.seed}",
    }
    chapters = (
        *sections(evaluation),
        slice_section(evaluation),
        control_section(evaluation),
        robustness_section(evaluation),
        injection_section(evaluation),
        *further,
        worst,
    )
    return Report("Evaluation", about, chapters)
