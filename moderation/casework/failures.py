"""What goes wrong with a job, as items and results have it."""

from moderation.errors import InternalError, TransientError, TypedError
from moderation.intake.errors import DeliveriesExhausted
from moderation.intake.jobs import JobRules
from moderation.types import ItemError, ItemResult


def failure(sha256: str, error: ItemError) -> ItemResult:
    """The result of content that could not be scored."""
    return ItemResult(sha256, sha256, None, None, None, error)


def exhausted(rules: JobRules) -> ItemError:
    """For a job that was begun too often."""
    most = rules.deliveries_max
    return item_error(
        DeliveriesExhausted(
            f"a job that was begun {most} times and never ended",
            expected="an end, or an error",
            remedy="Look at the workers' logs: the file may be what stops them.",
        )
    )


def item_error(error: Exception) -> ItemError:
    """`error` as items have it."""
    typed = error if isinstance(error, TypedError) else InternalError.of(error)
    is_transient = isinstance(typed, TransientError)
    return ItemError(typed.code, typed.found, typed.expected, typed.remedy, is_transient)
