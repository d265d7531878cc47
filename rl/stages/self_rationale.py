"""TRACT stage 2 (arXiv:2503.04381): rationales in the judge's own words, paired with true labels.

The judge so far writes a rationale for every training item; then training begins again from the
untrained judge. Going on from the trained one is much worse, by the paper's figures.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from accelerate import PartialState

from moderation.types import Judgment, Mode
from rl.data import Example
from rl.judge_model import JudgeModel
from rl.prediction import length_batches, serving
from rl.progress import counted
from rl.stages.context import StageContext
from rl.stages.regression import SquaredErrorLoss
from rl.stages.schema import SelfRationaleStage
from rl.stages.supervised import train_supervised

RATIONALES = "rationales.jsonl"


def train(stage: SelfRationaleStage, judge: JudgeModel, context: StageContext) -> None:
    """Train in place, from the untrained judge.

    An item whose rationale was cut off before its score is trained in fast mode alone.
    """
    written = write_rationales(stage, judge, context)
    judge.load_trainable_state(context.untrained)

    def own(example: Example, _: np.random.Generator) -> str | None:
        return written[example.path]

    loss = SquaredErrorLoss(stage.mass_weight)
    train_supervised(judge, stage, context, loss=loss, rationale=own)


def write_rationales(
    stage: SelfRationaleStage, judge: JudgeModel, context: StageContext
) -> Mapping[str, str | None]:
    """The greedy rationale of each training item by its path, None where it was cut off.

    They are kept in the folder as they come; what is there is not written again.
    """
    path = context.folder / RATIONALES
    known = _read(path)
    if PartialState().is_main_process:
        # Without a line that a killed run left half written.
        path.write_text("".join(_line(*entry) for entry in known.items()), "utf-8")
        # A batch is written anew as a whole: its rows have a word in each other's last digits.
        batches = [
            [context.train[place] for place in places]
            for places in length_batches(context.train, stage.write_items)
        ]
        left = [batch for batch in batches if any(e.path not in known for e in batch)]
        bar = counted(context.console, len(left), "batches of rationales")
        with bar as advance, serving(judge) as judged, path.open("a", encoding="utf-8") as stream:
            for batch in left:
                judgments = judged.judge([e.features for e in batch], Mode.FULL)
                texts = [_whole_text(judgment) for judgment in judgments]
                lines = [_line(e.path, text) for e, text in zip(batch, texts, strict=True)]
                stream.write("".join(lines))
                stream.flush()
                advance()
    PartialState().wait_for_everyone()
    return _read(path)


def _whole_text(judgment: Judgment) -> str | None:
    rationale = judgment.rationale
    return rationale.text if rationale is not None and rationale.is_complete else None


def _line(path: str, text: str | None) -> str:
    return json.dumps({"path": path, "rationale": text}, ensure_ascii=False) + "\n"


def _read(path: Path) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
                found[entry["path"]] = entry["rationale"]
            except (ValueError, KeyError, TypeError):
                continue
    return found
