"""The client: one method a thing to do."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from moderation.client.transport import Transport
from moderation.client.types import (
    Appeal,
    Claim,
    Decision,
    Golden,
    Item,
    ItemStatus,
    Lease,
    Next,
    Result,
    Task,
)
from moderation.client.uploading import progress_of, upload
from moderation.closing import Closing
from moderation.intake.types import ItemState
from moderation.review.types import Action, Desk, Verdict


class ModerationClient(Closing):
    """Speaks to one server with one key; a context manager.

    Requests that fail on the way are tried again, and done once all the same.

    Every method raises:
        ApiError: the server refuses; `api_code` says why.
        ServerUnreachable: it does not answer.
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
        self._sleep = sleep
        self._transport = Transport(
            server,
            key,
            timeout_seconds=timeout_seconds,
            tries=tries,
            sleep=sleep,
            transport=transport,
        )

    def upload(
        self,
        path: Path,
        *,
        name: str | None = None,
        facts: Mapping[str, Any] | None = None,
        progress: Callable[[int], None] = lambda there: None,
    ) -> Item:
        """Hand in a file; after a broken connection only what is missing is sent.

        facts: `surface`, `reach`, `remaining_views` and so on. progress: told how many bytes are
        there.

        Raises:
            ManifestError: the file cannot be read.
        """
        return upload(
            self._transport,
            path,
            name=name or path.name,
            facts=facts or {},
            progress=progress,
            sleep=self._sleep,
        )

    def progress_of(self, sha256: str, size_bytes: int) -> int:
        """Bytes of an upload that are there and may be gone on from; 0: begin."""
        return progress_of(self._transport, sha256, size_bytes)

    def by_reference(self, url: str, **facts: Any) -> Item:
        """Hand in a file by URL, where the server allows it."""
        body = {"url": url, **facts}
        return Item.model_validate(self._json("POST", "/v1/references", json=body))

    def status(self, item_id: str) -> ItemStatus:
        """What became of an item."""
        return ItemStatus.model_validate(self._json("GET", f"/v1/items/{item_id}"))

    def result(self, item_id: str) -> Result:
        """What the machine found."""
        return Result.model_validate(self._json("GET", f"/v1/items/{item_id}/result"))

    def evidence(self, item_id: str) -> dict[str, Any]:
        """Everything that led to the score."""
        found: dict[str, Any] = self._json("GET", f"/v1/items/{item_id}/evidence")
        return found

    def items(self, *, state: ItemState | None = None) -> Iterator[Item]:
        """Items, oldest first, page by page."""
        for row in self._pages("/v1/items", {"state": state}):
            yield Item.model_validate(row)

    def views(self, item_id: str, *, reach: float, remaining: float, an_hour: float) -> Item:
        """Tell how many people see an item."""
        body = {"reach": reach, "remaining": remaining, "an_hour": an_hour}
        return Item.model_validate(self._json("PUT", f"/v1/items/{item_id}/views", json=body))

    def waiting(self, desk: Desk = Desk.GENERAL) -> Iterator[Task]:
        """What waits, in order; for leads."""
        for row in self._pages("/v1/queue/tasks", {"desk": desk}):
            yield Task.model_validate(row)

    def task(self, task_id: str) -> Task:
        """One task: in your hands, or any for leads."""
        return Task.model_validate(self._json("GET", f"/v1/queue/tasks/{task_id}"))

    def look_ahead(self, desk: Desk = Desk.GENERAL) -> Next:
        """What a claim would bring about."""
        return Next.model_validate(self._json("GET", "/v1/queue/next", params={"desk": desk}))

    def claim(self, desk: Desk = Desk.GENERAL) -> Claim | None:
        """The next task; None where nothing waits for you."""
        found = self._json("POST", "/v1/queue/claims", json={"desk": desk})
        return None if found["task"] is None else Claim.model_validate(found)

    def renew(self, token: str) -> Lease:
        """Hold on to a task."""
        return Lease.model_validate(self._json("POST", "/v1/leases/renew", json={"token": token}))

    def release(self, token: str) -> None:
        """Give a task back."""
        self._transport.send("POST", "/v1/leases/release", json={"token": token})

    def skip(self, token: str) -> None:
        """Leave a task to others."""
        self._transport.send("POST", "/v1/leases/skip", json={"token": token})

    def escalate(self, token: str, note: str = "") -> None:
        """Hand a task to the lead."""
        self._transport.send("POST", "/v1/leases/escalate", json={"token": token, "note": note})

    def decide(
        self,
        token: str,
        *,
        verdict: Verdict,
        action: Action,
        reason_code: str,
        note: str = "",
        wants_second: bool = False,
        for_group: bool = False,
    ) -> list[Decision]:
        """Decide the task of a lease; several decisions where it is for a group."""
        body = {
            "token": token,
            "verdict": verdict,
            "action": action,
            "reason_code": reason_code,
            "note": note,
            "wants_second": wants_second,
            "for_group": for_group,
        }
        found = self._json("POST", "/v1/decisions", json=body)
        return [Decision.model_validate(one) for one in found["decisions"]]

    def undo(self, decision_id: str) -> Claim:
        """Take a decision back; the task is in your hands again."""
        return Claim.model_validate(self._json("POST", f"/v1/decisions/{decision_id}/undo"))

    def add_golden(
        self,
        item_id: str,
        verdict: Verdict,
        *,
        clause_id: str | None = None,
        is_harmful: bool = False,
    ) -> Golden:
        """Have an item with a known answer mixed in among the work."""
        body = {
            "item_id": item_id,
            "verdict": verdict,
            "clause_id": clause_id,
            "is_harmful": is_harmful,
        }
        return Golden.model_validate(self._json("POST", "/v1/golden", json=body))

    def golden(self) -> Iterator[Golden]:
        """All golden items, oldest first."""
        return map(Golden.model_validate, self._pages("/v1/golden", {}))

    def retire_golden(self, golden_id: str) -> None:
        """Have it mixed in no more."""
        self._transport.send("DELETE", f"/v1/golden/{golden_id}")

    def appeal(self, item_id: str, grounds: str) -> Appeal:
        """Complain against the decision on an item."""
        body = {"item_id": item_id, "grounds": grounds}
        return Appeal.model_validate(self._json("POST", "/v1/appeals", json=body))

    def find_appeal(self, appeal_id: str) -> Appeal:
        """What became of a complaint."""
        return Appeal.model_validate(self._json("GET", f"/v1/appeals/{appeal_id}"))

    def _json(self, method: str, path: str, **options: Any) -> Any:
        return self._transport.send(method, path, **options).json()

    def _pages(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self._json("GET", path, params={**params, "cursor": cursor, "limit": 200})
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
