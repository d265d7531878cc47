"""Metadata requests to the API against a bare FastAPI route that answers the same bytes.

    python -m tests.benchmarks.api [--requests 400] [--rounds 5] [--out FILE.json]

Both run under uvicorn in processes of their own, and are asked over one kept connection, in turns.
The bare route makes the same answer from a value in memory, through the same model. The API checks
the key (a salted hash), its role and its rate, and reads the item, its route and its jobs from
SQLite. Ratios are of medians over all requests.
"""

import argparse
import json
import multiprocessing
import socket
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from tests.api_application import application, make_keys
from tests.contract.casework.scripted import deployment, make_desk, policy, send

_WARM_UP = 50


def serve_api(folder: Path, ready: Connection, listener: socket.socket) -> None:
    """The application on a SQLite file with one item that was scored."""
    from moderation.access.keys import AccessRole
    from moderation.casework.running import work_off
    from moderation.database import open_engine, upgrade

    engine = open_engine(f"sqlite:///{folder}/moderation.sqlite")
    upgrade(engine)
    desk = make_desk(engine, folder, deployment=deployment(live=policy(), calibrators={}))
    item = send(desk, "5 one")
    work_off(desk)
    app = application(engine, folder)
    ready.send((item.id, make_keys(engine)[AccessRole.LEAD]))
    _listen(app, listener)


def serve_bare(answer: str, listener: socket.socket) -> None:
    """One route, the same model, the same answer."""
    from fastapi import FastAPI

    from moderation.api.item_views import ItemStatus

    app = FastAPI()
    found = ItemStatus.model_validate_json(answer)

    @app.get("/v1/items/{item_id}")
    def status(item_id: str) -> ItemStatus:
        return found

    _listen(app, listener)


def _listen(app: object, listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(app, log_level="error", access_log=False)  # type: ignore[arg-type]
    uvicorn.Server(config).run(sockets=[listener])


def _bound() -> socket.socket:
    # With the protocol named, asyncio switches Nagle's algorithm off, as uvicorn's own sockets have
    # it; otherwise every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def _url(listener: socket.socket, path: str) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}{path}"


def measure(client: httpx.Client, url: str, requests: int) -> list[float]:
    """Seconds of each request."""
    seconds = []
    for _ in range(requests):
        began = time.perf_counter()
        client.get(url).raise_for_status()
        seconds.append(time.perf_counter() - began)
    return seconds


def run(requests: int, rounds: int) -> dict[str, float]:
    """Medians in milliseconds, and ratios."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        api, bare = _bound(), _bound()
        here, there = spawn.Pipe()
        server = spawn.Process(target=serve_api, args=(Path(folder), there, api))
        server.start()
        item_id, key = here.recv()
        with httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            path = f"/v1/items/{item_id}"
            urls = {"item": _url(api, path), "me": _url(api, "/v1/me"), "bare": _url(bare, path)}
            answer = client.get(urls["item"]).raise_for_status()
            floor = spawn.Process(target=serve_bare, args=(answer.text, bare))
            floor.start()
            try:
                if client.get(urls["bare"]).json() != answer.json():
                    raise RuntimeError("the bare route answers something else")
                seconds: dict[str, list[float]] = {name: [] for name in urls}
                for url in urls.values():
                    measure(client, url, _WARM_UP)
                for _ in range(rounds):
                    for name, url in urls.items():
                        seconds[name] += measure(client, url, requests)
            finally:
                for process in (server, floor):
                    process.terminate()
                    process.join()
    medians = {name: 1000 * statistics.median(each) for name, each in seconds.items()}
    return {
        "item_ms": medians["item"],
        "me_ms": medians["me"],
        "bare_ms": medians["bare"],
        "item_ratio": medians["item"] / medians["bare"],
        "me_ratio": medians["me"] / medians["bare"],
    }


def main() -> None:
    """Measure, and say so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = run(given.requests, given.rounds)
    print(
        f"bare route {found['bare_ms']:.2f} ms; item {found['item_ms']:.2f} ms "
        f"({found['item_ratio']:.2f} times); key {found['me_ms']:.2f} ms "
        f"({found['me_ratio']:.2f} times)"
    )
    if given.out is not None:
        given.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
