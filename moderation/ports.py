"""What the domain needs from the outside, as protocols."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from encoders.types import MediaFeatures
from moderation.types import Examination, ItemResult, Judgment, Mode


class JudgeBackend(Protocol):
    """Scores encoded items.

    A plugin of `moderation.judges` gives one by `from_folder(folder, *, backbone, device,
    backbone_files)`, as `moderation.judge.soft_token.SoftTokenJudge` does.
    """

    judge_id: str

    def judge(
        self, batch: Sequence[MediaFeatures], mode: Mode, *, rationales: int = 1
    ) -> list[Judgment]:
        """One `Judgment` an item, in order; equal to 1e-4 whatever the batch.

        Raises:
            JudgeError: the items lack what this judge reads.
        """
        ...


class Calibrator(Protocol):
    """A fitted map from digit distributions to P(manipulated): an immutable value.

    A plugin of `moderation.calibrators` is a class of such maps. `name` is the plugin's.
    N items, K score levels.
    """

    name: ClassVar[str]

    @classmethod
    def fit(
        cls,
        digit_NK: npt.NDArray[np.float64],
        is_manipulated_N: npt.NDArray[np.bool_],
        weight_N: npt.NDArray[np.float64] | None = None,
    ) -> Self:
        """The map that fits best. Both classes are there.

        weight_N: what each item counts for, above 0, on any scale; None: all alike.
        """
        ...

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        """The map that `parameters` wrote down.

        Raises:
            ValueError, KeyError, TypeError: it did not write this.
        """
        ...

    def parameters(self) -> dict[str, float | list[float]]:
        """Everything that the map consists of, as JSON values: finite, and exact."""
        ...

    def probability(self, digit_NK: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """P(manipulated), (N,), in [0, 1]. Needs NumPy alone."""
        ...


class Bell(Protocol):
    """Tells workers elsewhere that content is to be scored. A context manager that closes itself.

    A plugin of `moderation.bells` is called with the `Settings`. The job in the database is what
    counts: a ring that is lost delays it, and nothing more.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def ring(self, sha256: str, judge_id: str, policy_id: str) -> None:
        """Returns at once, and never raises: who takes an upload does not wait for a broker."""
        ...


class BatchEngine(Protocol):
    """Gets many files scored: in this process, or elsewhere. A context manager that closes itself.

    A plugin of `moderation.dispatchers` is called with `moderation.dispatch.ScoringParts`. Where
    it loads no model in this process, it says so by an attribute `is_remote` that is true; it
    then need be no `Dispatcher`.
    judge_id, setup, limits: see `moderation.results.RunContext`.
    """

    judge_id: str
    setup: str
    limits: str

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """One result a path, in the order given; a bad file gives a row, never an exception.

        Closing the iterator begins nothing more, and waits for nothing; closing the dispatcher
        ends what is under way, and leaves no process behind.
        """
        ...


class Dispatcher(BatchEngine, Protocol):
    """One that also tells everything about a single file, which stays in this process."""

    def examine(self, path: Path, mode: Mode, *, rationales: int = 1) -> Examination:
        """Everything about one file.

        Raises:
            MediaError: the file cannot be scored.
        """
        ...
