"""One row with one seed: its shared parts, its own stages, and the judge that comes out."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from rl.ablation.effort import Effort, effort
from rl.ablation.items import AblationItems
from rl.ablation.plan import AblationPlan, RowPlan
from rl.ablation.stopwatch import elapsed_seconds, timed
from rl.judge_model import JudgeModel
from rl.stages.run import FINISHED, PLAN, stage_folder, train_stages
from rl.stages.schema import Stage
from rl.training import untrained_judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where runs of one ablation are trained. out: its folder. backbone: where it lies."""

    plan: AblationPlan
    items: AblationItems
    out: Path
    backbone: Path
    device: str
    console: Console

    def row_folder(self, name: str, seed: int) -> Path:
        """The folder of one run."""
        return row_folder(self.out, name, seed)

    def trained(self, row: RowPlan, seed: int) -> JudgeModel:
        """The judge of a row; what is finished of it is not trained again."""
        for name in self._chain(row.part):
            folder = self._part_folder(name, seed)
            stages = self.plan.part(name).stages
            if not (stage_folder(folder, len(stages), stages[-1]) / FINISHED).exists():
                self._train(stages, self.plan.part(name).before, folder, seed)
        return self._train(row.stages, row.part, self.row_folder(row.name, seed), seed)

    def effort(self, row: RowPlan, seed: int, judge: JudgeModel) -> Effort:
        """Of the row's stages, the shared ones among them."""

        def count_tokens(text: str) -> int:
            return len(judge.tokenizer.encode(text, add_special_tokens=False))

        places = stage_places(self.plan, row, self.out, seed)
        return effort(places, count_tokens=count_tokens)

    def wall_seconds(self, row: RowPlan, seed: int) -> float:
        """Of training, the shared parts among it."""
        parts = [self._part_folder(name, seed) for name in self._chain(row.part)]
        return sum(map(elapsed_seconds, (*parts, self.row_folder(row.name, seed))))

    def _train(
        self, stages: tuple[Stage, ...], part: str | None, folder: Path, seed: int
    ) -> JudgeModel:
        if part is not None:
            self._take_over(part, folder, seed)
        recipe, items = self.plan.training(stages, seed), self.items
        with timed(folder):
            judge = untrained_judge(
                recipe, list(items.train), backbone=self.backbone, device=self.device
            )
            train_stages(judge, recipe, items.train, items.validation, folder, console=self.console)
        return judge

    def _take_over(self, part: str, folder: Path, seed: int) -> None:
        """What a shared part has trained, as finished stages of `folder`."""
        origin = self._part_folder(part, seed)
        for number, stage in enumerate(self.plan.part(part).stages, 1):
            target = stage_folder(folder, number, stage)
            if (target / FINISHED).exists():
                continue
            source = stage_folder(origin, number, stage)
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / PLAN, target / PLAN)
            unfinished = target / f"{FINISHED}.new"
            shutil.copyfile(source / FINISHED, unfinished)
            unfinished.replace(target / FINISHED)

    def _chain(self, part: str | None) -> list[str]:
        return chain(self.plan, part)

    def _part_folder(self, name: str, seed: int) -> Path:
        return part_folder(self.out, name, seed)


def row_folder(out: Path, name: str, seed: int) -> Path:
    """The folder of one run."""
    return out / f"seed-{seed}" / "rows" / name


def part_folder(out: Path, name: str, seed: int) -> Path:
    """The folder of a shared part."""
    return out / f"seed-{seed}" / "parts" / name


def chain(plan: AblationPlan, part: str | None) -> list[str]:
    """The parts up to `part`, in the order in which they are trained."""
    names: list[str] = []
    while part is not None:
        names.insert(0, part)
        part = plan.part(part).before
    return names


def stage_places(
    plan: AblationPlan, row: RowPlan, out: Path, seed: int
) -> list[tuple[Stage, Path]]:
    """The stages of a row, each with the folder in which it was trained, and not taken over."""
    owners = [(len(plan.part(n).stages), part_folder(out, n, seed)) for n in chain(plan, row.part)]
    owners.append((len(row.stages), row_folder(out, row.name, seed)))
    places = []
    for number, stage in enumerate(row.stages, 1):
        owner = next(folder for stages, folder in owners if number <= stages)
        places.append((stage, stage_folder(owner, number, stage)))
    return places
