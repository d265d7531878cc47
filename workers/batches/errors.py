"""Why a batch cannot go on, or why a file of it has no score."""

from moderation.errors import ConfigurationError, TransientError


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
    """A file whose worker was lost twice: with others, and alone."""

    code = "worker_lost"

    @classmethod
    def twice(cls) -> "WorkerLost":
        """Of one file."""
        return cls(
            "the worker ended in the midst of this file, twice",
            expected="a worker that lives",
            remedy="Look into the worker's log; try it again with --resume, or in the engine "
            "`local`.",
        )
