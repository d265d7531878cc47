"""Scores of files from their bytes, as `moderation score` gives them, kept on the way."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from moderation.app import build_dispatcher
from moderation.cli.batch import run_batch
from moderation.cli.interruption import Interrupted, Interruption
from moderation.journal import Journal
from moderation.results import RunContext
from moderation.settings import Settings
from moderation.types import ItemResult, Mode
from rl.evaluation.scores import Scores

SCORES_FOLDER = "scores"


def score_files(
    paths: Sequence[Path],
    mode: Mode,
    settings: Settings,
    *,
    record: tuple[Path, str] | None = None,
    interruption: Interruption | None = None,
    on_result: Callable[[ItemResult], None] = lambda _: None,
) -> Scores:
    """Scores of `paths` by the judge that `settings` name.

    record: a folder and a name; results are journalled there, in `scores/NAME-JUDGE-MODE.parquet`,
    and a second run scores only what is missing or has changed.

    Raises:
        ConfigurationError, WeightsMissing: the judge is not there, or the folder not writable.
        OutputError: the record could not be written.
        Interrupted: the user stopped it; what was finished is recorded.
    """
    with ExitStack() as stack:
        dispatcher = stack.enter_context(build_dispatcher(settings))
        context = RunContext(
            mode, dispatcher.judge_id, setup=dispatcher.setup, limits=dispatcher.limits
        )
        journal = None
        if record is not None:
            folder = record[0] / SCORES_FOLDER
            folder.mkdir(parents=True, exist_ok=True)
            out = folder / f"{record[1]}-{context.judge_id}-{mode.value}.parquet"
            journal = stack.enter_context(Journal(out, context, resume=True))
        outcome = run_batch(
            dispatcher, paths, mode, journal=journal, interruption=interruption, on_result=on_result
        )
    if outcome.unwritten:
        raise outcome.unwritten
    if outcome.is_interrupted:
        raise Interrupted
    return Scores(context, outcome.results)
