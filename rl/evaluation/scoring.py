"""Scores of files from their bytes, as `moderation score` gives them, kept on the way."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from moderation.app import STARTER_JUDGE, build_dispatcher
from moderation.cli.batch import BatchDispatcher, run_batch
from moderation.cli.interruption import Interrupted, Interruption
from moderation.errors import ConfigurationError
from moderation.journal import Journal
from moderation.judge.artefact import DESCRIPTION_FILE, read_description
from moderation.progress import counted
from moderation.results import RunContext
from moderation.settings import Settings
from moderation.types import ItemResult, Mode
from rl.detectors.artefact import read_artefact
from rl.evaluation.detector_judge import DetectorJudge, is_detector
from rl.evaluation.scores import Scores

SCORES_FOLDER = "scores"


class JudgeSession:
    """A judge, or a detector, that scores many lists of files, one after the other.

    out: where results are journalled, in `scores/NAME-JUDGE-MODE.parquet`, so that a second run
    scores only what is missing or has changed; None keeps none.
    """

    def __init__(
        self,
        dispatcher: BatchDispatcher,
        mode: Mode = Mode.FAST,
        *,
        out: Path | None = None,
        interruption: Interruption | None = None,
        console: Console | None = None,
    ) -> None:
        self.context = RunContext(
            mode, dispatcher.judge_id, setup=dispatcher.setup, limits=dispatcher.limits
        )
        self._dispatcher = dispatcher
        self._out = None if out is None else out / SCORES_FOLDER
        self._interruption = interruption
        self._console = console

    def scores(self, paths: Sequence[Path], name: str) -> Scores:
        """Scores of `paths`, in order; `name` of the record, and of the bar on the console.

        Raises:
            ConfigurationError, WeightsMissing: weights are missing, or the folder not writable.
            OutputError: the record could not be written.
            Interrupted: the user stopped it; what was finished is recorded.
        """
        with ExitStack() as stack:
            journal = None
            if self._out is not None:
                self._out.mkdir(parents=True, exist_ok=True)
                file = f"{name}-{self.context.judge_id}-{self.context.mode.value}.parquet"
                journal = stack.enter_context(Journal(self._out / file, self.context, resume=True))
            said = f"files of {name} scored by {self.context.judge_id}"
            console = self._console or Console(quiet=True)
            advance = stack.enter_context(counted(console, len(paths), said))
            outcome = run_batch(
                self._dispatcher,
                paths,
                self.context.mode,
                journal=journal,
                interruption=self._interruption,
                on_result=lambda _: advance(),
            )
        if outcome.unwritten:
            raise outcome.unwritten
        if outcome.is_interrupted:
            raise Interrupted
        return Scores(self.context, outcome.results, self._probabilities(outcome.results))

    def _probabilities(self, results: Sequence[ItemResult]) -> dict[str, float]:
        if not isinstance(self._dispatcher, DetectorJudge):
            return {}
        given = self._dispatcher.probabilities
        return {r.path: given[r.sha256] for r in results if r.judgment and r.sha256 in given}


def require_judge(name: str) -> None:
    """Nothing where `name` is a judge or a detector that can be read, before anything is scored.

    Raises:
        ConfigurationError: it is neither, or its files were altered.
    """
    folder = STARTER_JUDGE if name == "starter" else Path(name)
    if is_detector(folder):
        read_artefact(folder)
    elif (folder / DESCRIPTION_FILE).is_file():
        read_description(folder)
    else:
        raise ConfigurationError(
            f"{name} is no judge",
            expected="starter, the folder of a judge or of a detector, or a file of scores that "
            "ends in .parquet, .csv or .jsonl",
            remedy="Check the name.",
        )


@contextmanager
def judge_session(
    settings: Settings,
    mode: Mode = Mode.FAST,
    *,
    out: Path | None = None,
    interruption: Interruption | None = None,
    console: Console | None = None,
) -> Iterator[JudgeSession]:
    """A session with the judge or the detector that `settings` name; a detector has one mode.

    Raises:
        ConfigurationError: the judge is not there.
    """
    folder = Path(settings.judge)
    with ExitStack() as resources:
        dispatcher: BatchDispatcher
        if is_detector(folder):
            kept = None if out is None else out / SCORES_FOLDER
            dispatcher, mode = DetectorJudge(folder, settings, resources, kept), Mode.FAST
        else:
            dispatcher = resources.enter_context(build_dispatcher(settings))
        yield JudgeSession(dispatcher, mode, out=out, interruption=interruption, console=console)
