"""Options that several calibration commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Scores = Annotated[
    Path,
    typer.Option(
        help="Results of `moderation score --out`: .parquet, .csv or .jsonl.", show_default=False
    ),
]
Labels = Annotated[
    Path,
    typer.Option(
        help="CSV or Parquet with is_manipulated and path or sha256; perhaps y, source, recipe, "
        "modality, split, and weight or propensity. Or a corpus folder.",
        show_default=False,
    ),
]
FitScores = Annotated[Path | None, *Scores.__metadata__]
FitLabels = Annotated[Path | None, *Labels.__metadata__]
CalibratorFile = Annotated[
    Path, typer.Option(help="A file that `calibrate fit` wrote.", show_default=False)
]
Splits = Annotated[
    list[str] | None,
    typer.Option("--split", help="Part of the labels; repeatable.", show_default=False),
]
JudgeId = Annotated[
    str | None,
    typer.Option("--judge", help="Id of the judge, if the scores are of several."),
]
Seed = Annotated[int, typer.Option(help="Of everything that is drawn.")]
Draws = Annotated[int, typer.Option(min=1, help="Bootstrap draws.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


class IntervalChoice(StrEnum):
    """`moderation.calibration.conformal.METHODS` by name, without importing NumPy."""

    CQR = "cqr"
    ABSOLUTE = "absolute"
