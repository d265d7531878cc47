"""A fitted baseline detector that scores files as a judge does."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from moderation.app import build_extractor, build_sandbox
from moderation.extraction import Extractor
from moderation.settings import Settings
from moderation.setup_digests import plan_id
from moderation.types import ItemResult, Mode
from rl.detectors.artefact import DESCRIPTION_FILE, read_artefact
from rl.detectors.scoring import BATCH_ITEMS, encode_files, score_encoded


def is_detector(folder: Path) -> bool:
    """Whether `moderation detectors fit` wrote this folder."""
    return (folder / DESCRIPTION_FILE).is_file()


class DetectorJudge:
    """Scores of a detector, and its own P(manipulated) beside them.

    probabilities: P(manipulated) by SHA-256 of the file, of this run and, with `out`, of earlier
    ones: they are kept there in `DETECTOR-probabilities.jsonl`, each before its score.
    """

    def __init__(
        self, folder: Path, settings: Settings, resources: ExitStack, out: Path | None
    ) -> None:
        self._artefact = read_artefact(folder)
        self.judge_id = self._artefact.detector_id
        self.setup: str | None = plan_id(settings)
        self.limits: str | None = None
        self._settings = settings
        self._resources = resources
        self._file = None if out is None else out / f"{self.judge_id}-probabilities.jsonl"
        self.probabilities = dict(_kept(self._file))

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """See `moderation.ports.Dispatcher`; there is one mode, and never a rationale."""
        files = list(paths)
        for start in range(0, len(files), BATCH_ITEMS):
            encoded = list(encode_files(files[start : start + BATCH_ITEMS], self._extractor))
            for scored in score_encoded(encoded, self._artefact, self._extractor):
                self._keep(scored.result.sha256, scored.p_manipulated)
                yield scored.result

    @cached_property
    def _extractor(self) -> Extractor:
        sandbox = self._resources.enter_context(build_sandbox(self._settings))
        return build_extractor(self._settings, sandbox)

    def _keep(self, sha256: str | None, p_manipulated: float | None) -> None:
        # The first answer stands: in another batch the same bytes differ in the last bit.
        if sha256 is None or p_manipulated is None or sha256 in self.probabilities:
            return
        self.probabilities[sha256] = p_manipulated
        if self._file is not None:
            line = json.dumps({"sha256": sha256, "p_manipulated": p_manipulated})
            with self._file.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def _kept(file: Path | None) -> Iterator[tuple[str, float]]:
    """What an earlier run wrote; a torn last line is left out."""
    if file is None or not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        yield entry["sha256"], entry["p_manipulated"]
