"""`moderation evaluate` as a Python call: from a manifest and judges to a report."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from moderation.app import build_sandbox
from moderation.cli.interruption import Interruption
from moderation.results import escape_path
from moderation.settings import Settings
from moderation.types import ItemResult, Mode
from rl.evaluation.chapters import sections
from rl.evaluation.evaluation import Evaluation, evaluate_scores
from rl.evaluation.labels import Row, calibration_rows, in_splits, read_labels
from rl.evaluation.scores import Scores, is_record, read_scores
from rl.evaluation.scoring import score_files
from rl.evaluation.section import Report, Section
from rl.evaluation.slice_chapter import slice_section
from rl.evaluation.worst import worst_section


@dataclass(frozen=True, slots=True)
class Request:
    """What to evaluate.

    manifest: a corpus folder, or its manifest. judges: `starter`, folders of judges, or files of
    recorded scores. splits: of the manifest. out: where scores are kept and a second run finds
    them; None keeps none. fits_probabilities: score a calibration split too, if there is one.
    """

    manifest: Path
    judges: tuple[str, ...]
    splits: tuple[str, ...] = ("test",)
    mode: Mode = Mode.FAST
    out: Path | None = None
    draws: int = 1000
    seed: int = 0
    fits_probabilities: bool = True


def evaluate(
    request: Request,
    settings: Settings,
    *,
    interruption: Interruption | None = None,
    console: Console | None = None,
) -> Evaluation:
    """Score what is not recorded yet, and measure every judge on the same rows.

    Raises:
        ManifestError: a manifest or a record that cannot be read, or an unknown split.
        ConfigurationError, WeightsMissing: a judge that is not there.
        Interrupted: the user stopped it; with `out`, the next run goes on from there.
    """
    rows = read_labels(request.manifest)
    chosen = in_splits(rows, request.splits)
    fitting = calibration_rows(rows, chosen) if request.fits_probabilities else ("", [])
    scores = [
        read_scores(Path(judge))
        if is_record(judge)
        else _score(judge, [*chosen, *fitting[1]], request, settings, interruption, console)
        for judge in request.judges
    ]
    return evaluate_scores(
        chosen, scores, calibration=fitting, draws=request.draws, seed=request.seed
    )


def _score(
    judge: str,
    rows: Sequence[Row],
    request: Request,
    settings: Settings,
    interruption: Interruption | None,
    console: Console | None,
) -> Scores:
    name = re.sub(r"[^\w-]", "_", "+".join(request.splits))
    with progress(console, len(rows), f"scoring with {judge}") as on_result:
        return score_files(
            [row["file"] for row in rows],
            request.mode,
            settings.model_copy(update={"judge": judge}),
            record=None if request.out is None else (request.out, name),
            interruption=interruption,
            on_result=on_result,
        )


@contextmanager
def progress(
    console: Console | None, total: int, what: str
) -> Iterator[Callable[[ItemResult], None]]:
    """A bar on the console, if that is a terminal."""
    console = console or Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda _: bar.advance(task)


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
    about = {
        "manifest": escape_path(str(request.manifest)),
        "splits": ", ".join(request.splits),
        "judges": ", ".join(f"{judge.name} ({judge.context.mode})" for judge in evaluation.judges),
        "bootstrap": f"{evaluation.draws:,} draws of sources, seed {evaluation.seed}",
    }
    chapters = (*sections(evaluation), slice_section(evaluation), *further, worst)
    return Report("Evaluation", about, chapters)
