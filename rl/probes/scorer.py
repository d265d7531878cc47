"""What probes ask of a judge: files in, one score each."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from moderation.extraction import Extractor
from moderation.ports import Dispatcher
from moderation.types import Mode
from rl.detectors.artefact import DetectorArtefact
from rl.detectors.scoring import encode_files, score_encoded
from rl.probes.statistics import Floats

# Files -> authenticity scores in [0, 9], in order; NaN where a file got no score.
Scorer = Callable[[Sequence[Path]], Floats]


def dispatcher_scorer(dispatcher: Dispatcher, mode: Mode = Mode.FAST) -> Scorer:
    """Scores as `moderation score` gives them."""
    return partial(_scores, dispatcher, mode)


def _scores(dispatcher: Dispatcher, mode: Mode, paths: Sequence[Path]) -> Floats:
    results = dispatcher.score(paths, mode)
    return np.array([np.nan if r.judgment is None else r.judgment.expected_score for r in results])


def detector_scorer(artefact: DetectorArtefact, extractor: Extractor) -> Scorer:
    """Scores of a baseline detector."""
    return partial(_detector_scores, artefact, extractor)


def _detector_scores(
    artefact: DetectorArtefact, extractor: Extractor, paths: Sequence[Path]
) -> Floats:
    scored = score_encoded(list(encode_files(paths, extractor)), artefact, extractor)
    judgments = [entry.result.judgment for entry in scored]
    return np.array([np.nan if j is None else j.expected_score for j in judgments])
