"""TRACT stage 2 (arXiv:2503.04381): rationales in the judge's own words, paired with true labels.

The judge so far samples rationales for every training item; then training begins again from the
untrained judge. Going on from the trained one is much worse, by the paper's figures. Greedy
rationales would be worse too: they are nearly all alike, and say nothing of how far the judge's own
words can be trusted.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from accelerate import PartialState

from moderation.progress import counted
from rl.data import Example
from rl.judge_model import JudgeModel
from rl.prediction import length_batches, serving
from rl.stages.context import StageContext
from rl.stages.regression import SquaredErrorLoss
from rl.stages.schema import SelfRationaleStage
from rl.stages.supervised import train_supervised

RATIONALES = "rationales.jsonl"


def train(stage: SelfRationaleStage, judge: JudgeModel, context: StageContext) -> None:
    """Train in place, from the untrained judge.

    An item whose rationales were all cut off before their score is trained in fast mode alone.
    """
    written = write_rationales(stage, judge, context)
    judge.load_trainable_state(context.untrained)

    def own(example: Example, generator: np.random.Generator) -> str | None:
        texts = written[example.path]
        return texts[int(generator.integers(len(texts)))] if texts else None

    loss = SquaredErrorLoss(stage.mass_weight)
    train_supervised(judge, stage, context, loss=loss, rationale=own)


def write_rationales(
    stage: SelfRationaleStage, judge: JudgeModel, context: StageContext
) -> Mapping[str, Sequence[str]]:
    """The sampled rationales of each training item by its path, without those that were cut off.

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
                sampled = judged.sample_rationales([e.features for e in batch], stage.rationales)
                for example, rationales in zip(batch, sampled, strict=True):
                    whole = [one.text for one in rationales if one.is_complete]
                    stream.write(_line(example.path, whole))
                stream.flush()
                advance()
    PartialState().wait_for_everyone()
    return _read(path)


def _line(path: str, texts: Sequence[str]) -> str:
    return json.dumps({"path": path, "rationales": list(texts)}, ensure_ascii=False) + "\n"


def _read(path: Path) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
                found[entry["path"]] = entry["rationales"]
            except (ValueError, KeyError, TypeError):
                continue
    return found
