"""The queue over HTTP, with what follows from decisions; on both databases."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from moderation.access.enrolment import issue_key
from moderation.access.keys import AccessRole
from moderation.casework.running import work_off
from moderation.database import writing
from tests.api_application import Clock, application, client_of
from tests.contract.casework.scripted import Clock as CaseClock
from tests.contract.casework.scripted import deployment, make_desk, policy, send


@dataclass(frozen=True)
class Team:
    """The application with reviews that wait, and keys by name."""

    app: FastAPI
    keys: Mapping[str, str]
    items: list[str]

    def client(self, name: str):
        return client_of(self.app, self.keys[name])


@pytest.fixture
def team(engine: Engine, tmp_path: Path) -> Team:
    """Three items that the judge cannot place, so that people decide."""
    clock = CaseClock()
    desk = make_desk(
        engine, tmp_path, clock=clock, deployment=deployment(live=policy(), calibrators={})
    )
    items = [send(desk, f"5 {k}", uploader="sue").id for k in range(3)]
    work_off(desk)
    roles = {
        "sue": AccessRole.UPLOADER,
        "eve": AccessRole.UPLOADER,
        "ann": AccessRole.REVIEWER,
        "ben": AccessRole.REVIEWER,
        "lea": AccessRole.LEAD,
    }
    with writing(engine) as connection:
        keys = {
            name: issue_key(connection, name=name, role=role, now=clock()).secret_text
            for name, role in roles.items()
        }
    return Team(application(engine, tmp_path, clock=Clock(clock())), keys, items)


FINDING = {"verdict": "manipulated", "action": "remove", "reason_code": "deceptive-event"}


def test_pages_of_the_queue_have_its_order(team: Team) -> None:
    lead = team.client("lea")
    whole = lead.get("/v1/queue/tasks").json()["items"]
    assert len(whole) == 3
    first = lead.get("/v1/queue/tasks", params={"limit": 2}).json()
    rest = lead.get("/v1/queue/tasks", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == whole
    assert rest["next_cursor"] is None
    other = {"desk": "appeals", "cursor": first["next_cursor"]}
    assert lead.get("/v1/queue/tasks", params=other).status_code == 422


def test_a_repeated_claim_claims_once(team: Team) -> None:
    ann = team.client("ann")
    assert ann.get("/v1/queue/next").json()["waits"] is True
    once = {"Idempotency-Key": "claim-1"}
    first = ann.post("/v1/queue/claims", json={}, headers=once).json()
    assert ann.post("/v1/queue/claims", json={}, headers=once).json() == first
    second = ann.post("/v1/queue/claims", json={}).json()
    assert second["task"]["id"] != first["task"]["id"]
    assert ann.get(f"/v1/queue/tasks/{first['task']['id']}").json() == first["task"]
    # Somebody else may neither see it nor use its token.
    ben = team.client("ben")
    assert ben.get(f"/v1/queue/tasks/{first['task']['id']}").status_code == 404
    token = {"token": first["lease"]["token"]}
    for path in ("renew", "release", "skip", "escalate"):
        assert ben.post(f"/v1/leases/{path}", json=token).status_code == 404
    assert ben.post("/v1/decisions", json=token | FINDING).status_code == 404
    assert ann.post("/v1/leases/renew", json=token).status_code == 200
    assert ann.post("/v1/leases/release", json=token).status_code == 204
    late = ann.post("/v1/leases/release", json=token)
    assert (late.status_code, late.json()["code"]) == (409, "lease_expired")


def test_a_decision_an_appeal_and_what_they_leave(team: Team) -> None:
    ann, ben, sue = (team.client(name) for name in ("ann", "ben", "sue"))
    claimed = ann.post("/v1/queue/claims", json={}).json()
    item = claimed["task"]["item_id"]
    early = sue.post("/v1/appeals", json={"item_id": item, "grounds": "no"})
    assert early.status_code == 409
    body = FINDING | {"token": claimed["lease"]["token"], "note": "The light."}
    unknown = ann.post("/v1/decisions", json=body | {"reason_code": "because"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "statement")
    taken = ann.post("/v1/decisions", json=body, headers={"Idempotency-Key": "d"}).json()
    again = ann.post("/v1/decisions", json=body, headers={"Idempotency-Key": "d"})
    assert again.json() == taken
    assert sue.get(f"/v1/items/{item}").json()["route"]["disposition"] == "enforce"
    assert [one["id"] for one in ann.get("/v1/decisions").json()["items"]] == [
        taken["decisions"][0]["id"]
    ]
    assert ben.get("/v1/decisions").json()["items"] == []

    eve = team.client("eve")
    assert eve.post("/v1/appeals", json={"item_id": item, "grounds": "no"}).status_code == 404
    filed = sue.post("/v1/appeals", json={"item_id": item, "grounds": "It is mine."}).json()
    assert eve.get(f"/v1/appeals/{filed['id']}").status_code == 404
    assert ann.post("/v1/queue/claims", json={"desk": "appeals"}).json()["task"] is None
    appealed = ben.post("/v1/queue/claims", json={"desk": "appeals"}).json()
    leave = {"verdict": "authentic", "action": "leave", "reason_code": "deceptive-event"}
    ben.post("/v1/decisions", json=leave | {"token": appealed["lease"]["token"]})
    assert sue.get(f"/v1/appeals/{filed['id']}").json()["state"] == "overturned"
    assert sue.get(f"/v1/items/{item}").json()["route"]["disposition"] == "allow"

    lead = team.client("lea")
    kinds = [
        one["kind"] for one in lead.get("/v1/audit/records", params={"item": item}).json()["items"]
    ]
    assert {"decided", "statement_issued", "appealed", "appeal_decided"} <= set(kinds)
    assert lead.get("/v1/audit/verification").json()["is_whole"] is True
    [statement] = lead.get("/v1/statements").json()["items"]
    exported = lead.post("/v1/statements/exports").json()["exports"]
    assert [one["statements"] for one in exported] == [1]
    file = lead.get("/v1/statements/exports/1").json()
    assert file["statements"] == [statement["payload"]]
    levels = lead.get("/v1/statistics/service-level").json()
    assert (levels["waiting"], [one["reviewer_id"] for one in levels["reviewers"]]) == (
        2,
        ["ann", "ben"],
    )


def test_a_decision_can_be_taken_back(team: Team) -> None:
    ann, ben = team.client("ann"), team.client("ben")
    claimed = ann.post("/v1/queue/claims", json={}).json()
    body = FINDING | {"token": claimed["lease"]["token"]}
    [taken] = ann.post("/v1/decisions", json=body).json()["decisions"]
    assert ben.post(f"/v1/decisions/{taken['id']}/undo").status_code == 409
    back = ann.post(f"/v1/decisions/{taken['id']}/undo").json()
    assert back["task"]["id"] == claimed["task"]["id"]
    item = claimed["task"]["item_id"]
    assert team.client("sue").get(f"/v1/items/{item}").json()["route"]["disposition"] == "review"


def test_views_and_reports_move_a_task(team: Team) -> None:
    lead, sue = team.client("lea"), team.client("sue")
    last = lead.get("/v1/queue/tasks").json()["items"][-1]["item_id"]
    seen = {"reach": 1e6, "remaining": 1e6, "an_hour": 1e4}
    assert sue.put(f"/v1/items/{last}/views", json=seen).status_code == 200
    assert lead.get("/v1/queue/tasks").json()["items"][0]["item_id"] == last
    unknown = sue.post(f"/v1/items/{last}/reports", json={"clause_id": "none"})
    assert unknown.status_code == 422
    other = lead.get("/v1/queue/tasks").json()["items"][-1]["item_id"]
    clauses = [one["id"] for one in lead.get("/v1/policy").json()["policy"]["clauses"]]
    reported = sue.post(f"/v1/items/{other}/reports", json={"clause_id": clauses[0]})
    assert (reported.status_code, reported.json()["clause_id"]) == (201, clauses[0])
    by_item = {one["item_id"]: one for one in lead.get("/v1/queue/tasks").json()["items"]}
    assert by_item[other]["clause_id"] == clauses[0]


def test_settings_of_a_reviewer_are_changed_from_what_they_were(team: Team) -> None:
    ann = team.client("ann")
    read = ann.get("/v1/reviewers/me")
    tag = {"If-Match": read.headers["etag"]}
    wanted = read.json()["wellness"] | {"has_blur": False}
    changed = ann.put("/v1/reviewers/me/wellness", json=wanted, headers=tag)
    assert changed.json()["wellness"]["has_blur"] is False
    assert ann.put("/v1/reviewers/me/wellness", json=wanted, headers=tag).status_code == 412


def test_a_decided_item_is_mixed_in_and_looks_undecided_to_reviewers(team: Team) -> None:
    lead, ann = team.client("lea"), team.client("ann")
    waits = {"item_id": team.items[0], "verdict": "manipulated"}
    refused = lead.post("/v1/golden", json=waits)
    assert (refused.status_code, refused.json()["code"]) == (422, "submission")
    claimed = team.client("ben").post("/v1/queue/claims", json={}).json()
    team.client("ben").post("/v1/decisions", json=FINDING | {"token": claimed["lease"]["token"]})
    item_id = claimed["task"]["item_id"]
    added = lead.post("/v1/golden", json={"item_id": item_id, "verdict": "manipulated"})
    assert added.status_code == 201
    golden = added.json()
    assert (golden["added_by"], golden["shown"]) == ("lea", 0)
    again = lead.post("/v1/golden", json={"item_id": item_id, "verdict": "manipulated"})
    assert (again.status_code, again.json()["code"]) == (409, "not_allowed")

    place = f"/v1/items/{item_id}"
    assert lead.get(place).json()["route"]["disposition"] == "enforce"
    for shown in (ann.get(place).json()["route"], ann.get(f"{place}/result").json()["route"]):
        assert (shown["disposition"], shown["is_by_person"]) == ("review", False)
        assert shown["changed_at"] == shown["settled_at"]

    assert lead.get("/v1/golden").json()["items"] == [golden]
    assert lead.delete(f"/v1/golden/{golden['id']}").status_code == 204
    assert lead.delete("/v1/golden/none").status_code == 404
    assert lead.get("/v1/golden").json()["items"] == [golden | {"is_active": False}]
    assert ann.get(place).json()["route"]["disposition"] == "enforce"
    trail = lead.get("/v1/audit/records", params={"item": item_id}).json()["items"]
    kinds = [one["kind"] for one in trail]
    assert kinds[-2:] == ["golden_added", "golden_retired"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": "undetermined"}, "undetermined"),
        ({"clause_id": "none-such"}, "none-such"),
        ({"item_id": "0" * 32}, "0" * 32),
    ],
)
def test_what_cannot_be_a_golden_item_is_refused(
    team: Team, change: Mapping[str, str], said: str
) -> None:
    claimed = team.client("ben").post("/v1/queue/claims", json={}).json()
    team.client("ben").post("/v1/decisions", json=FINDING | {"token": claimed["lease"]["token"]})
    body = {"item_id": claimed["task"]["item_id"], "verdict": "manipulated"} | change
    answer = team.client("lea").post("/v1/golden", json=body)
    assert answer.status_code in {404, 422}
    assert said in answer.json()["found"]
