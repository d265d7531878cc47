"""What intake refuses, and why."""

from moderation.errors import PermanentError, TransientError


class UploadError(PermanentError):
    """Bytes that are not taken: other ones than were declared, or in the wrong place."""

    code = "upload"


class UploadTooLarge(UploadError):
    """More bytes than this deployment takes."""

    code = "upload_too_large"


class UploadBusy(TransientError):
    """Somebody is sending the same upload at this moment."""

    code = "upload_busy"


class SubmissionError(PermanentError):
    """An item that cannot be taken in as it was described."""

    code = "submission"


class UnknownItem(PermanentError):
    """There is no item with this id."""

    code = "unknown_item"


class UnknownJob(PermanentError):
    """There is no job with this id, or it is not dead."""

    code = "unknown_job"


class DeliveriesExhausted(PermanentError):
    """A job that was begun too often without an end: it may be what stops its workers."""

    code = "deliveries_exhausted"
