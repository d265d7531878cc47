"""Scores of files from their bytes, as `moderation score` gives them, kept on the way."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from moderation.app import STARTER_JUDGE, build_dispatcher
from moderation.cli.batch import run_batch
from moderation.cli.interruption import Interrupted, Interruption
from moderation.journal import Journal
from moderation.judge.artefact import read_description
from moderation.results import RunContext
from moderation.settings import Settings
from moderation.types import ItemResult, Mode
from rl.evaluation.scores import Scores

SCORES_FOLDER = "scores"


class WhenNeeded:
    """A dispatcher that loads its judge with the first file: a resumed run may need none."""

    def __init__(self, settings: Settings, resources: ExitStack) -> None:
        folder = STARTER_JUDGE if settings.judge == "starter" else Path(settings.judge)
        self.judge_id = read_description(folder).judge_id
        self._settings = settings
        self._resources = resources

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """See `moderation.ports.Dispatcher`."""
        files = list(paths)
        if not files:
            return
        dispatcher = self._resources.enter_context(build_dispatcher(self._settings))
        yield from dispatcher.score(files, mode, rationales=rationales)


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
        Interrupted: the user stopped it; what was finished is recorded.
    """
    with ExitStack() as stack:
        dispatcher = WhenNeeded(settings, stack)
        context = RunContext(mode, dispatcher.judge_id)
        journal = None
        if record is not None:
            folder = record[0] / SCORES_FOLDER
            folder.mkdir(parents=True, exist_ok=True)
            out = folder / f"{record[1]}-{context.judge_id}-{mode.value}.parquet"
            journal = stack.enter_context(Journal(out, context, resume=True))
        outcome = run_batch(
            dispatcher, paths, mode, journal=journal, interruption=interruption, on_result=on_result
        )
    if outcome.is_interrupted:
        raise Interrupted
    return Scores(context, outcome.results)
