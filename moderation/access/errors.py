"""Why a request is not let in."""

from moderation.errors import PermanentError, TransientError


class KeyRefused(PermanentError):
    """No key, one that is not known, revoked or expired."""

    code = "key_refused"


class RoleRefused(PermanentError):
    """A key whose role may not do this."""

    code = "role_refused"


class TooManyRequests(TransientError):
    """More requests than a key may send; retry_after_seconds: until one is free."""

    code = "too_many_requests"

    def __init__(self, found: str, *, expected: str, retry_after_seconds: float) -> None:
        remedy = f"Try again in {retry_after_seconds:.1f} s."
        super().__init__(found, expected=expected, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds


class SessionEnded(PermanentError):
    """No session of the console, or one that has ended."""

    code = "session_ended"
