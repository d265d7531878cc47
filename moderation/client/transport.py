"""Requests that are tried again: safely, as a repeated one has the same idempotency key."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from moderation.client.errors import ApiError, ServerUnreachable

# The connection, not the request: what a proxy or a restart answers. 409 says that it is done.
_AGAIN = frozenset({429, 502, 503, 504})


class Transport:
    """Sends requests to one server with one key.

    tries: of each request. sleep: between them, in seconds; twice as long each time, or what the
    server asks for.
    """

    def __init__(
        self,
        server: str,
        key: str,
        *,
        timeout_seconds: float = 30.0,
        tries: int = 4,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._tries = tries
        self._sleep = sleep
        self._client = httpx.Client(
            base_url=server,
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout_seconds,
            transport=transport,
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        content: Callable[[], Any] | None = None,
        headers: Mapping[str, str] | None = None,
        tries: int | None = None,
    ) -> httpx.Response:
        """The answer. content: makes the body anew for each try.

        Raises:
            ApiError: the server refuses.
            ServerUnreachable: no answer, or `_AGAIN`, at the last try too.
        """
        sent = dict(headers or {})
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid.uuid4().hex)
        wanted = {name: value for name, value in (params or {}).items() if value is not None}
        last = self._tries if tries is None else tries
        for tried in range(1, last + 1):
            pause = 0.25 * 2.0**tried
            try:
                answer = self._client.request(
                    method,
                    path,
                    json=json,
                    params=wanted,
                    headers=sent,
                    content=None if content is None else content(),
                )
            except httpx.TransportError as error:
                if tried == last:
                    raise ServerUnreachable(
                        f"{self._client.base_url} does not answer ({type(error).__name__})",
                        expected="a server",
                        remedy="Start one with `moderation serve`, or correct MODERATION_SERVER.",
                    ) from error
            else:
                if answer.status_code < 400:
                    return answer
                if answer.status_code not in _AGAIN or tried == last:
                    raise _refusal(answer)
                asked = answer.headers.get("retry-after", "")
                pause = max(pause, float(asked)) if asked.isdigit() else pause
            self._sleep(min(pause, 60.0))
        raise AssertionError("unreachable: the last try returns or raises")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        told = answer.json()
        return ApiError(
            told["found"],
            expected=told["expected"],
            remedy=told["remedy"],
            api_code=told["code"],
            status=answer.status_code,
            request_id=told["request_id"],
        )
    except (ValueError, KeyError, TypeError):
        return ApiError(
            f"an answer {answer.status_code} that is not this program's",
            expected="a moderation server",
            remedy="Correct MODERATION_SERVER.",
            status=answer.status_code,
        )
