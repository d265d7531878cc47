"""The waiting list: views that are saved, and decisions on what is selected."""

import re
from collections import Counter

from sqlalchemy import select

from moderation.access.keys import AccessRole
from moderation.audit.check import verify_store
from moderation.database import reading
from moderation.review.saved_views import VIEWS_MAX
from moderation.review.tables import decisions
from tests.contract.web.consoles import (
    HOSTILE,
    Console,
    claimed,
    elements,
    token_in,
)

LIST = "/console/queue/tasks"


def links(text: str) -> list[str]:
    """Where a page leads."""
    return [str(given["href"]) for tag, given in elements(text) if tag == "a"]


def test_a_view_is_saved_found_counted_and_removed_by_its_owner(console: Console) -> None:
    browser = console.client(AccessRole.LEAD)
    token = token_in(browser.get(LIST).text)
    wanted = {"form_token": token, "name": HOSTILE, "lane": "1", "modality": "image"}
    where = browser.post("/console/queue/views", data=wanted).headers["location"]
    assert where == f"{LIST}?lane=1&modality=image"
    again = browser.post("/console/queue/views", data=wanted | {"desk": "lead", "state": "leased"})
    assert again.headers["location"] == f"{LIST}?desk=lead&lane=1&modality=image&state=leased"
    browser.post("/console/queue/views", data=wanted | {"name": "Pictures"})
    shown = browser.get(LIST).text
    assert [one for one in links(shown) if one.startswith(f"{LIST}?")] == [
        again.headers["location"],
        where,
    ]
    assert "alert(1)</script>" not in shown
    counts = browser.get(f"{LIST}/counts?lane=1&modality=image").text
    assert re.findall(r'class="soft">([^<]+)', counts) == ["0", "2"]
    here = browser.get(where).text
    [removal] = re.findall(r'formaction="(/console/queue/views/[^"]+/remove)"', here)
    other = console.client(AccessRole.ADMIN)
    other.post(removal, data={"form_token": token_in(other.get(LIST).text)})
    assert where not in links(other.get(LIST).text)
    assert where in links(browser.get(LIST).text)
    browser.post(removal, data={"form_token": token})
    assert where not in links(browser.get(LIST).text)


def test_names_and_numbers_of_views_are_bounded(console: Console) -> None:
    browser = console.client(AccessRole.LEAD)
    token = token_in(browser.get(LIST).text)
    for name in ("", "  ", "n" * 81):
        answer = browser.post("/console/queue/views", data={"form_token": token, "name": name})
        assert answer.status_code == 409
    names = [f"view {n}" for n in range(VIEWS_MAX + 1)]
    statuses = [
        browser.post("/console/queue/views", data={"form_token": token, "name": one}).status_code
        for one in names
    ]
    assert Counter(statuses) == {303: VIEWS_MAX, 409: 1}


def test_what_is_selected_is_chosen_confirmed_and_decided_once(console: Console) -> None:
    browser = console.client(AccessRole.LEAD)
    ids = selectable(browser.get(LIST).text)
    assert len(ids) == 2
    selected = {"form_token": token_in(browser.get(LIST).text), "back": f"{LIST}?lane=1"}
    selected |= {f"task:{one}": "1" for one in ids}
    assert browser.post("/console/queue/selection", data=selected | {"verdict": "x"}).status_code
    chosen = browser.post("/console/queue/selection", data=selected).text
    [reason] = {str(g["name"]) for t, g in elements(chosen) if "reason:" in str(g.get("name"))}
    finding = {"verdict": "manipulated", "action": "label", "note": HOSTILE}
    without = browser.post("/console/queue/selection", data=selected | finding)
    assert without.status_code == 422
    finding[reason] = "deceptive-event"
    confirm = browser.post("/console/queue/selection", data=selected | finding).text
    assert "2 items" in confirm
    assert "gets a label" in confirm
    assert "alert(1)</script>" not in confirm
    # Another lead takes one in the meantime.
    taken = claimed(console.client(AccessRole.ADMIN)).rpartition("/")[2]
    answer = browser.post("/console/queue/selection/decisions", data=selected | finding)
    assert "1 of 2 decided" in answer.text
    assert "it is leased" in answer.text
    again = browser.post("/console/queue/selection/decisions", data=selected | finding)
    assert "0 of 2 decided" in again.text
    with reading(console.engine) as connection:
        rows = connection.execute(select(decisions)).all()
    assert {row.task_id for row in rows} == set(ids) - {taken}
    assert [row.bulk_id is not None for row in rows] == [True]
    assert verify_store(console.engine).chain.is_whole
    [undo] = re.findall(r'action="(/console/decisions/[^"]+/undo)"', answer.text)
    back = browser.post(undo, data={"form_token": selected["form_token"]})
    assert back.headers["location"] == f"/console/tasks/{rows[0].task_id}"


def test_nothing_selected_is_told_and_no_address_leads_elsewhere(console: Console) -> None:
    browser = console.client(AccessRole.LEAD)
    shown = browser.get(LIST).text
    fields = {"form_token": token_in(shown), "back": "https://evil.example/"}
    for more in ({}, {"task:none-such": "1"}, {f"task:{'x' * 5000}": "1"}):
        answer = browser.post("/console/queue/selection", data=fields | more)
        assert answer.status_code == 422
    one = {f"task:{selectable(shown)[0]}": "1"}
    chosen = browser.post("/console/queue/selection", data=fields | one).text
    assert "evil.example" not in chosen


def selectable(text: str) -> list[str]:
    """Ids of the tasks with a box."""
    names = [str(given.get("name")) for tag, given in elements(text) if tag == "input"]
    return [one.removeprefix("task:") for one in names if one.startswith("task:")]
