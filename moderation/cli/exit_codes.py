"""What the exit code of `moderation` says."""

from enum import IntEnum


class ExitCode(IntEnum):
    """`UNFIT` is `doctor` finding something missing; `INTERRUPTED` comes after saving.

    `UNWRITTEN`: results could not be written, to a full disk perhaps. `BROKEN`: the audit trail
    was tampered with.
    """

    SUCCESS = 0
    BUG = 1
    UNFIT = 1
    CONFIGURATION = 2
    FAILED_ITEMS = 3
    UNWRITTEN = 4
    BROKEN = 5
    INTERRUPTED = 130
