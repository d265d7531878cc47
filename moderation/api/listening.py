"""The server's sockets and signals."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

GRACE_SECONDS = 30


class _Server(uvicorn.Server):
    """Ends where it was started from: uvicorn's own dies of the signal, with all that is open."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        ends = (signal.SIGINT, signal.SIGTERM)
        before = {one: signal.signal(one, self.handle_exit) for one in ends}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def listen(app: FastAPI, host: str, port: int) -> None:
    """Serve `app` until SIGTERM or SIGINT; requests in hand are answered first.

    A second signal ends it at once.
    """
    _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    ).run()
