"""Why a batch cannot go on, or why a file of it has no score."""

from moderation.errors import ConfigurationError, TransientError

LOST_AT_FIRST_MAX = 5
"""So many losses before anything has come back: after that nobody is expected to live."""


class NoWorkers(TransientError):
    """Nobody works the queue off."""

    code = "no_workers"


class BrokerSilent(TransientError):
    """The broker does not answer."""

    code = "broker_silent"


class WorkerDiffers(ConfigurationError):
    """A worker would give other scores than this process."""

    code = "worker_differs"


class WorkerUnfit(ConfigurationError):
    """A worker cannot score anything, and says why."""

    code = "worker_unfit"


class WorkerLost(TransientError):
    """A file whose worker ended or broke down twice: with others, and alone."""

    code = "worker_lost"

    @classmethod
    def over(cls, fault: str) -> "WorkerLost":
        """One file. fault: what was seen the second time."""
        return cls(
            f"its worker gave no row, twice: {fault}",
            expected="a worker that lives through it",
            remedy="Look into the worker's log; try it again with --resume, or --engine local.",
        )
