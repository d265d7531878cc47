"""Files handed in from the browser, followed, taken away as a table, and appealed."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from pyarrow import parquet

from moderation.access.enrolment import issue_key
from moderation.access.keys import AccessRole
from moderation.casework.running import work_off
from moderation.database import reading, writing
from moderation.intake.listings import list_items
from moderation.intake.types import Item, Source, Views
from tests.contract.web.consoles import HOSTILE, Console, claimed, elements, token_in

PAGE = "/console/uploads"


def send(browser: TestClient, content: bytes | Iterator[bytes], **told: str):
    """A file, as the page's script sends it."""
    headers = {"X-Form-Token": token_in(browser.get("/console/settings").text)}
    return browser.post(PAGE, params={"id": uuid4().hex} | told, content=content, headers=headers)


def newest(console: Console) -> Item:
    with reading(console.engine) as connection:
        return list_items(connection, is_newest_first=True, limit=1)[0]


@pytest.fixture
def browser(console: Console) -> TestClient:
    """An uploader's, after what is there already."""
    console.clock.now += timedelta(minutes=1)
    console.desk.clock.wait(minutes=1)
    return console.client(AccessRole.UPLOADER)


def test_a_file_is_taken_in_scored_and_seen_by_its_sender_alone(
    console: Console, browser: TestClient
) -> None:
    told = {"name": HOSTILE, "surface": "profile", "reach": "20", "remaining_views": "10"}
    answer = send(browser, b"5 mine", **told)
    assert answer.status_code == 201, answer.text
    item = newest(console)
    assert (item.uploader, item.surface, item.declared_name) == ("uploader", "profile", HOSTILE)
    assert (item.views, item.source) == (Views(20.0, 10.0, 0.0), Source.UPLOAD)
    assert item.sha256 == sha256(b"5 mine").hexdigest()
    assert console.desk.blobs.path(item.sha256).read_bytes() == b"5 mine"
    assert "is being examined" in browser.get(f"{PAGE}/table").text
    work_off(console.desk)
    assert "waits for a person" in browser.get(f"{PAGE}/table").text
    shown = browser.get(f"{PAGE}/{item.id}").text
    assert "5.00" in shown
    assert "Why is the decision wrong?" not in shown
    for text in (shown, browser.get(PAGE).text):
        assert "alert(1)</script>" not in text
        assert "&lt;script&gt;alert(1)" in text
    lead = console.client(AccessRole.LEAD)
    assert lead.get(f"{PAGE}/{item.id}").status_code == 404
    assert item.id not in lead.get(PAGE).text
    assert item.id not in lead.get(f"{PAGE}/results.csv").text


@pytest.mark.parametrize(
    ("content", "told", "status"),
    [
        (b"", {}, 409),
        (b"5" * 1_000_001, {}, 413),
        (b"5", {"surface": "../feed"}, 422),
        (b"5", {"reach": "many"}, 422),
        (b"5", {"reach": "inf"}, 422),
        (b"5", {"views_an_hour": "-1"}, 422),
        (b"5", {"id": ""}, 422),
        (b"5", {"id": "x" * 32}, 422),
    ],
)
def test_what_no_item_can_be_is_refused_and_leaves_nothing(
    console: Console, browser: TestClient, content: bytes, told: dict[str, str], status: int
) -> None:
    before = newest(console).id
    assert send(browser, content, **told).status_code == status
    assert newest(console).id == before
    assert list((console.folder / "parts").iterdir()) == []


def test_a_body_that_does_not_say_its_length_is_cut_off_where_it_grows_too_large(
    console: Console, browser: TestClient
) -> None:
    answer = send(browser, (b"5" * 100_000 for _ in range(11)))
    assert answer.status_code == 413
    assert list((console.folder / "parts").iterdir()) == []


def test_a_file_that_is_sent_again_under_its_id_is_taken_in_once(
    console: Console, browser: TestClient
) -> None:
    item_id = uuid4().hex
    first, again = (send(browser, b"5 mine", id=item_id) for _ in range(2))
    assert (first.status_code, again.status_code, again.text) == (201, 201, first.text)
    assert send(browser, b"5 other", id=item_id).status_code == 409
    assert send(console.client(AccessRole.LEAD), b"5 mine", id=item_id).status_code == 409
    with reading(console.engine) as connection:
        assert [one.id for one in list_items(connection, uploader="uploader")] == [item_id]


def test_a_file_needs_the_form_token(browser: TestClient) -> None:
    assert browser.post(PAGE, content=b"5").status_code == 403
    assert browser.post(PAGE, content=b"5", headers={"X-Form-Token": "x"}).status_code == 403


def test_results_as_a_table_run_in_no_spreadsheet(console: Console, browser: TestClient) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", 'a,"b', HOSTILE, "plain"]
    for number, name in enumerate(names):
        send(browser, f"5 {number} own".encode(), name=name)
    work_off(console.desk)
    answer = browser.get(f"{PAGE}/results.csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    inert = {"'=1+1", "'+1", "'-1", "'@SUM(A1)", 'a,"b', HOSTILE, "plain"}
    assert {row["name"] for row in rows} == inert
    assert {float(row["score"]) for row in rows} == {5.0}
    assert {row["disposition"] for row in rows} == {"review"}
    whole = parquet.read_table(io.BytesIO(browser.get(f"{PAGE}/results.parquet").content))
    assert set(whole.column("name").to_pylist()) >= {"=1+1", "plain", HOSTILE}
    assert whole.column("score").to_pylist() == [5.0] * len(names)
    assert browser.get(f"{PAGE}/results.xlsx").status_code == 404


def test_a_sender_reads_why_and_appeals_once(console: Console, browser: TestClient) -> None:
    item = decided(console, browser)
    shown = browser.get(f"{PAGE}/{item.id}").text
    assert "labelled" in shown
    assert "as a person decided" in shown
    fields = {"form_token": token_in(shown), "grounds": HOSTILE}
    appeals = f"{PAGE}/{item.id}/appeals"
    for grounds in ("", " ", "x" * 5001):
        assert browser.post(appeals, data=fields | {"grounds": grounds}).status_code == 422
    assert browser.post(appeals, data=fields).status_code == 303
    after = browser.get(f"{PAGE}/{item.id}").text
    assert "a person is to decide it" in after
    assert not any(given.get("id") == "grounds" for _, given in elements(after))
    assert browser.post(appeals, data=fields).status_code == 409
    # Whoever decided before is not given it; another one is.
    lead = console.client(AccessRole.LEAD)
    token = {"form_token": token_in(lead.get("/console/queue").text), "desk": "appeals"}
    task = lead.post("/console/claims", data=token).headers["location"]
    assert "/console/tasks/" in task
    assert "alert(1)</script>" not in lead.get(task).text


def test_nobody_appeals_for_somebody_else(console: Console, browser: TestClient) -> None:
    item = decided(console, browser)
    with writing(console.engine) as connection:
        key = issue_key(
            connection, name="tim", role=AccessRole.UPLOADER, now=console.clock()
        ).secret_text
    tim = console.client()
    console.log_in(tim, key)
    fields = {"form_token": token_in(tim.get(PAGE).text), "grounds": "mine"}
    assert tim.post(f"{PAGE}/{item.id}/appeals", data=fields).status_code == 404


def decided(console: Console, browser: TestClient) -> Item:
    """An upload of the uploader's that a reviewer has had labelled; the only one that waits."""
    reviewer = console.client(AccessRole.REVIEWER)
    for _ in range(2):
        decide(reviewer, "authentic:leave")
    send(browser, b"5 mine", name="mine.jpg")
    work_off(console.desk)
    decide(reviewer, "manipulated:label")
    return newest(console)


def decide(reviewer: TestClient, choice: str) -> None:
    task = claimed(reviewer)
    shown = reviewer.get(task).text
    fields = {"form_token": token_in(shown), "token": token_in(shown, "token")}
    choice = f"{choice}:deceptive-event"
    answer = reviewer.post(f"{task}/decision", data=fields | {"choice": choice})
    assert answer.status_code == 303
    # The next one was claimed: back with it.
    if "/tasks/" in (held := answer.headers["location"]):
        token = token_in(reviewer.get(held).text, "token")
        reviewer.post(f"{held}/release", data=fields | {"token": token})
