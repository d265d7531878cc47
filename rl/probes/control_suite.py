"""All controls that a corpus allows by itself, modality by modality."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import track

from encoders.types import MediaFeatures
from moderation.app import build_extractor, build_sandbox
from moderation.errors import ConfigurationError
from moderation.settings import Settings
from rl.corpus.manifest import is_in, read_manifest
from rl.detectors.pooled import Pooled, pool
from rl.detectors.scoring import encode_files
from rl.probes.controls import (
    codec_only,
    duration_only,
    real_against_real,
    silence_only,
    source_overlap,
)
from rl.probes.file_facts import facts_of
from rl.probes.verdict import Verdict


def run_controls(
    corpus: Path, split: str, settings: Settings, *, draws: int = 1000, console: Console
) -> dict[str, list[Verdict]]:
    """Verdicts by modality on the rows of `split`; under `all`, the overlap of all splits.

    Raises:
        ConfigurationError: the manifest has no row of that split.
    """
    manifest = read_manifest(corpus)
    rows = [row for row in manifest if is_in(row["split"], split)]
    if not rows:
        raise ConfigurationError(
            f"no row of split {split!r} in {corpus}",
            expected=f"one of: {', '.join(sorted({row['split'] for row in manifest}))}",
            remedy="Name another split.",
        )
    pooled = _pooled(corpus, rows, settings, console)
    found = {"all": [source_overlap(manifest)]}
    for modality in sorted({row["modality"] for row in rows}):
        mine = [row for row in rows if row["modality"] == modality]
        facts = [facts_of(corpus, row) for row in track(mine, f"{modality} facts", console=console)]
        seen = [row for row in mine if row["path"] in pooled]
        found[modality] = [
            codec_only(mine, facts, draws=draws),
            duration_only(mine, facts, draws=draws),
            silence_only(mine, facts, draws=draws),
            real_against_real(seen, [pooled[row["path"]] for row in seen], draws=draws),
        ]
    return found


def _pooled(
    corpus: Path, rows: list[dict[str, object]], settings: Settings, console: Console
) -> Mapping[str, Pooled]:
    """Pooled features by path, of the files that can be read."""
    paths = [corpus / str(row["path"]) for row in rows]
    with build_sandbox(settings) as sandbox:
        stream = encode_files(paths, build_extractor(settings, sandbox))
        return {
            str(row["path"]): pool(item.features)
            for row, item in zip(
                rows, track(stream, "features", total=len(rows), console=console), strict=True
            )
            if isinstance(item.features, MediaFeatures)
        }
