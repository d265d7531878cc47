"""What a server, or the way to it, answers instead."""

from moderation.errors import PermanentError, TransientError


class ApiError(PermanentError):
    """An error answer. api_code: the server's; status: of HTTP."""

    code = "api"

    def __init__(
        self,
        found: str,
        *,
        expected: str,
        remedy: str,
        api_code: str = "",
        status: int = 0,
        request_id: str = "",
    ) -> None:
        super().__init__(found, expected=expected, remedy=remedy)
        self.api_code = api_code
        self.status = status
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.api_code}: {super().__str__()}" if self.api_code else super().__str__()


class ServerUnreachable(TransientError):
    """No answer, after several tries."""

    code = "server_unreachable"
