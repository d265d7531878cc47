"""All controls that a corpus allows by itself, modality by modality."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import av
from rich.console import Console

from encoders.errors import TypedError, WeightsMissing
from encoders.types import MediaFeatures
from moderation.app import build_extractor, build_sandbox
from moderation.progress import each
from moderation.settings import Settings
from rl.corpus.manifest import read_manifest
from rl.detectors.pooled import Pooled, pool
from rl.detectors.scoring import encode_files
from rl.evaluation.labels import in_splits
from rl.probes.controls import (
    REAL_AGAINST_REAL_MAX,
    codec_only,
    duration_only,
    real_against_real,
    silence_only,
    source_overlap,
)
from rl.probes.file_facts import FileFacts, facts_of
from rl.probes.sample import Row
from rl.probes.verdict import Verdict, Verdicts, undecided


def run_controls(
    corpus: Path, split: str, settings: Settings, *, draws: int = 1000, console: Console
) -> Verdicts:
    """Verdicts by modality on the rows of `split`; under `all`, the overlap of all splits.

    Raises:
        ManifestError: the manifest has no row of that split.
    """
    manifest = read_manifest(corpus)
    rows = in_splits(manifest, [split])
    return control_rows(corpus, rows, manifest, settings, draws=draws, console=console)


def control_rows(
    corpus: Path,
    rows: Sequence[Row],
    manifest: Sequence[Row],
    settings: Settings,
    *,
    draws: int = 1000,
    console: Console,
) -> Verdicts:
    """The same for some `rows` of a manifest; files that cannot be read are left out."""
    readable = [
        (row, facts)
        for row in each(rows, console, len(rows), "files' facts")
        if (facts := _facts(corpus, row)) is not None
    ]
    pooled = _pooled(corpus, [row for row, _ in readable], settings, console)
    found: dict[str, list[Verdict]] = {"all": [source_overlap(manifest)]}
    for modality in sorted({row["modality"] for row, _ in readable}):
        mine = [row for row, _ in readable if row["modality"] == modality]
        known = [fact for row, fact in readable if row["modality"] == modality]
        found[modality] = [
            codec_only(mine, known, draws=draws),
            duration_only(mine, known, draws=draws),
            silence_only(mine, known, draws=draws),
            _real_against_real(mine, pooled, draws),
        ]
    return found


def _facts(corpus: Path, row: Row) -> FileFacts | None:
    try:
        return facts_of(corpus, row)
    except (OSError, av.FFmpegError, TypedError):
        return None


def _real_against_real(
    rows: Sequence[Row], pooled: Mapping[str, Pooled] | None, draws: int
) -> Verdict:
    if pooled is None:
        said = "The encoders' weights are not here: `moderation models pull` fetches them."
        return undecided("real against real", REAL_AGAINST_REAL_MAX, said)
    seen = [row for row in rows if row["path"] in pooled]
    return real_against_real(seen, [pooled[row["path"]] for row in seen], draws=draws)


def _pooled(
    corpus: Path, rows: Sequence[Row], settings: Settings, console: Console
) -> Mapping[str, Pooled] | None:
    """Pooled features by path, of the files that can be read; None without the weights."""
    paths = [corpus / str(row["path"]) for row in rows]
    with build_sandbox(settings) as sandbox:
        try:
            extractor = build_extractor(settings, sandbox)
        except WeightsMissing:
            return None
        stream = encode_files(paths, extractor)
        return {
            str(row["path"]): pool(item.features)
            for row, item in zip(
                rows, each(stream, console, len(rows), "files encoded"), strict=True
            )
            if isinstance(item.features, MediaFeatures)
        }
