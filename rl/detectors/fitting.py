"""Every detector that a corpus allows, fitted on one split, each with its provenance."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console

from moderation import __version__
from moderation.errors import ConfigurationError
from moderation.extraction import Extractor
from moderation.progress import each
from rl.corpus.manifest import NAME, read_manifest
from rl.data import Example, load_examples
from rl.detectors.artefact import DetectorArtefact, write_artefact
from rl.detectors.pooled_detector import FAMILIES, fit_pooled
from rl.detectors.signals import D3, fit_signal, signal_names
from rl.detectors.types import Detector, LabelledItem, Provenance


def load_items(
    corpus: Path, extractor: Extractor, split: str, *, console: Console
) -> list[LabelledItem]:
    """The readable items of a split, without what detectors do not read (heat maps, spans).

    Raises:
        ConfigurationError: there is none.
    """
    wanted = sum(row["split"] == split for row in read_manifest(corpus))
    stream = load_examples(corpus, extractor, splits=(split,))
    items = [
        LabelledItem(e.features, e.y, e.is_manipulated, e.source, e.pair_id)
        for e in each(stream, console, wanted, f"items of {split} encoded")
        if isinstance(e, Example)
    ]
    if not items:
        raise ConfigurationError(
            f"no readable item of split {split!r} in {corpus}",
            expected="a corpus with rows of that split",
            remedy="Build it with `moderation corpus build`, or name another split.",
        )
    return items


def fit_detector(name: str, items: Sequence[LabelledItem]) -> tuple[Detector, dict[str, Any]]:
    """Fit `boosted`, `logistic`, `d3`, or `signal-NAME`; with the metrics of the fit.

    Raises:
        ConfigurationError: an unknown name, or too few items.
    """
    if name in FAMILIES:
        return fit_pooled(name, items)
    if name == "d3":
        return fit_signal(D3, items), {}
    if name.startswith("signal-"):
        return fit_signal(name.removeprefix("signal-"), items), {}
    raise ConfigurationError(
        f"no detector is named {name!r}",
        expected=f"one of: {', '.join(detector_names(items))}",
        remedy="Correct the name.",
    )


def detector_names(items: Sequence[LabelledItem]) -> list[str]:
    """All that can be tried on these items."""
    signals = [f"signal-{name}" for name in signal_names(items) if name != D3]
    return [*FAMILIES, "d3", *signals]


def fit_all(
    corpus: Path,
    extractor: Extractor,
    out: Path,
    *,
    names: Sequence[str] = (),
    split: str = "train",
    console: Console,
) -> Iterator[DetectorArtefact]:
    """Fit the named detectors, or all, and write each into `out`/name as it is done.

    Raises:
        ConfigurationError: a named detector cannot be fitted; of all, those that cannot are
            left out, and the console says which.
    """
    items = load_items(corpus, extractor, split, console=console)
    for name in names or detector_names(items):
        try:
            detector, metrics = fit_detector(name, items)
        except ConfigurationError as error:
            if names:
                raise
            console.print(f"left out {name}: {error}")
            continue
        provenance = Provenance(
            data_sha256=sha256((corpus / NAME).read_bytes()).hexdigest(),
            split=split,
            items=len(items),
            code_version=__version__,
            date=datetime.now(UTC).date().isoformat(),
            encoders={encoder.name: encoder.version for encoder in extractor.encoders},
            metrics=metrics,
        )
        yield write_artefact(out / name, detector, provenance)
