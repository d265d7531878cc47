"""The media judge's adapter learns to grade written answers: a start for training on media."""

from pathlib import Path

from rl.corpus.fetch import default_folder
from rl.corpus.sources import search_roots
from rl.judge_model import JudgeModel
from rl.stages.context import StageContext
from rl.stages.schema import TextJudgeStage
from rl.text_judge import regression
from rl.text_judge.items import found_data, read_items
from rl.text_judge.model import TextJudge


def train(stage: TextJudgeStage, judge: JudgeModel, context: StageContext) -> None:
    """Train the adapter in place; the projectors stay as they are.

    Raises:
        ConfigurationError: see `graded_answers`.
        ManifestError: a row of the data is damaged.
    """
    regression.train(
        stage,
        TextJudge(stage.form, backbone=judge.backbone, tokenizer=judge.tokenizer),
        [item for path in graded_answers(stage) for item in read_items(path)],
        context.folder,
        seed=context.seed,
        console=context.console,
    )


def graded_answers(stage: TextJudgeStage) -> list[Path]:
    """The stage's files, looked for in MODERATION_SOURCES and where `corpus fetch` puts them.

    Raises:
        ConfigurationError: one is not there.
    """
    roots = (*search_roots(()), default_folder())
    return [found_data(name, roots) for name in stage.files]
