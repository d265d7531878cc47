"""Trains and tests the rows of a recipe; what is finished is not run again.

OUT/<digest>-<stage>/   the adapter after a stage, named by all that it depends on
OUT/rows.jsonl          a line for every finished row and seed, with its predictions
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

from moderation.app import build_weights, choose_device
from moderation.judge.backbone import locate
from moderation.settings import Settings
from rl.precision import compute_dtype
from rl.seeds import chosen_seeds
from rl.text_judge import regression, rollouts
from rl.text_judge.items import TextItem, found_data, read_items
from rl.text_judge.model import TextJudge
from rl.text_judge.prediction import predict
from rl.text_judge.recipe import TextRecipe, TextRolloutsStage, TextRow, read_text_recipe

ROWS = "rows.jsonl"
_ADAPTER = "adapter.safetensors"


@dataclass(frozen=True, slots=True)
class FinishedTextRow:
    """digest: of all that it depends on. p: benchmark -> (N, 10). whole: benchmark -> share of
    replies that came to a score. rationales: benchmark -> texts, None in fast mode.
    """

    row: str
    seed: int
    digest: str
    p: Mapping[str, Sequence[Sequence[float]]]
    whole: Mapping[str, float]
    rationales: Mapping[str, Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class TextRun:
    """A recipe with its data at hand. test: benchmark -> items."""

    recipe: TextRecipe
    train: Sequence[TextItem]
    test: Mapping[str, Sequence[TextItem]]
    backbone: Path
    device: str
    out: Path
    console: Console

    @classmethod
    def of(
        cls, path: Path, roots: Sequence[Path], out: Path, settings: Settings, console: Console
    ) -> "TextRun":
        """Read recipe and data.

        Raises:
            ConfigurationError: the recipe cannot be used, or a file is under none of `roots`.
            ManifestError: a row of the data is damaged.
        """
        recipe = read_text_recipe(path)
        return cls(
            recipe=recipe,
            train=[i for name in recipe.data.train for i in read_items(found_data(name, roots))],
            test={n: read_items(found_data(file, roots)) for n, file in recipe.data.test.items()},
            backbone=locate(
                recipe.judge.backbone, build_weights(settings), offline=settings.offline
            ),
            device=choose_device(settings.device),
            out=out,
            console=console,
        )

    def rows(self, seeds: Sequence[int] = ()) -> list[FinishedTextRow]:
        """All rows of these seeds, of all without any, trained and tested where that is not done.

        Raises:
            ConfigurationError: the recipe does not have one of `seeds`.
        """
        seeds = chosen_seeds(seeds, self.recipe.seeds)
        done = {(row.row, row.seed, row.digest): row for row in _read(self.out / ROWS)}
        finished = []
        for seed in seeds:
            for row in self.recipe.rows:
                digest = self._digest(row.stages, seed, row.mode)
                known = done.get((row.name, seed, digest))
                finished.append(known or self._run(row, seed, digest))
        return finished

    def _run(self, row: TextRow, seed: int, digest: str) -> FinishedTextRow:
        self.console.print(f"{row.name}, seed {seed}", highlight=False)
        judge = self._trained(row.stages, seed)
        said = {name: predict(judge, items, row.mode) for name, items in self.test.items()}
        finished = FinishedTextRow(
            row=row.name,
            seed=seed,
            digest=digest,
            p={name: one.p_NK.tolist() for name, one in said.items()},
            whole={n: sum(one.is_whole_N) / len(one.is_whole_N) for n, one in said.items()},
            rationales={name: one.rationales for name, one in said.items()},
        )
        self.out.mkdir(parents=True, exist_ok=True)
        with (self.out / ROWS).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(finished)) + "\n")
        return finished

    def _trained(self, stages: Sequence[str], seed: int) -> TextJudge:
        """The judge after these stages; the last one that is kept is where it goes on from."""
        torch.manual_seed(seed)
        judge = TextJudge.untrained(
            self.recipe.judge,
            backbone=self.backbone,
            dtype=compute_dtype(self.device),
            device=self.device,
        )
        folders = [
            self.out / f"{self._digest(stages[: count + 1], seed)}-{name}"
            for count, name in enumerate(stages)
        ]
        kept = max((n for n, f in enumerate(folders, 1) if (f / _ADAPTER).exists()), default=0)
        if kept:
            judge.load_trainable_state(load_file(folders[kept - 1] / _ADAPTER))
        for name, folder in list(zip(stages, folders, strict=True))[kept:]:
            folder.mkdir(parents=True, exist_ok=True)
            stage = self.recipe.stages[name]
            told: dict[str, Any] = {"seed": seed, "console": self.console}
            if isinstance(stage, TextRolloutsStage):
                rollouts.train(stage, judge, self.train, folder, **told)
            else:
                regression.train(stage, judge, self.train, folder, **told)
            unfinished = folder / f"{_ADAPTER}.new"
            save_file(judge.trainable_state(), unfinished)
            unfinished.replace(folder / _ADAPTER)
        return judge.eval()

    def _digest(self, stages: Sequence[str], seed: int, *more: object) -> str:
        """Names the backbone, the data, the stages and the seed."""
        recipe = self.recipe
        decides = {
            "judge": recipe.judge.model_dump(mode="json"),
            "train": [asdict(item) for item in self.train],
            "test": {n: [asdict(i) for i in items] for n, items in self.test.items()}
            if more
            else None,
            "stages": [recipe.stages[name].model_dump(mode="json") for name in stages],
            "seed": seed,
            "more": [str(one) for one in more],
        }
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]


def _read(path: Path) -> list[FinishedTextRow]:
    """Whole lines; one that a killed run left half written is none."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return [FinishedTextRow(**json.loads(line)) for line in whole.splitlines()]
