"""The console over HTTP, with the real application on both databases."""

import re
from datetime import timedelta
from hashlib import sha256
from importlib import resources
from json import loads

import pytest

from moderation.access.keys import AccessRole, list_keys, revoke_key
from moderation.access.role_sets import PUBLIC
from moderation.database import writing
from moderation.web.permissions import MATRIX
from tests.contract.web.consoles import Console, claimed, elements, token_in


def test_every_page_lets_in_the_roles_of_the_matrix_and_no_other(console: Console) -> None:
    browsers = {role: console.client(role) for role in AccessRole}
    stranger = console.client()
    # Logging out comes last: it ends the sessions that the others need.
    for method, template in sorted(MATRIX, key=lambda place: place[1].endswith("logout")):
        allowed, path = MATRIX[method, template], re.sub(r"[{}]|:path", "", template)
        without = stranger.request(method, path)
        is_sent_away = without.headers.get("location", "").startswith("/console/login")
        assert is_sent_away == (allowed is not PUBLIC), path
        if allowed is PUBLIC:
            continue
        for role, browser in browsers.items():
            fields = {"form_token": token_in(browser.get("/console/queue").text)}
            answer = browser.request(
                method,
                path,
                data=fields if method == "POST" else None,
                headers={"X-Form-Token": fields["form_token"]},
            )
            is_refused = answer.status_code == 403
            assert is_refused == (role not in allowed), f"{path} as {role}"


def test_cookies_headers_and_the_form_token(console: Console) -> None:
    browser = console.client(base="https://testserver")
    answer = console.log_in(browser, console.keys[AccessRole.REVIEWER], back="//evil.example")
    assert answer.headers["location"] == "/console"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-console=")
    for word in ("HttpOnly", "SameSite=strict", "Secure", "Path=/"):
        assert word in cookie
    queue = browser.get("/console/queue")
    assert "default-src 'none'" in queue.headers["content-security-policy"]
    assert "unsafe" not in queue.headers["content-security-policy"]
    assert queue.headers["x-content-type-options"] == "nosniff"
    assert queue.headers["cache-control"] == "no-store"
    assert browser.post("/console/claims").status_code == 403
    other = token_in(console.client(AccessRole.LEAD).get("/console/queue").text)
    assert browser.post("/console/claims", data={"form_token": other}).status_code == 403


def test_pages_hold_no_script_or_style_of_their_own_and_nothing_from_elsewhere(
    console: Console,
) -> None:
    browser = console.client(AccessRole.LEAD)
    task = claimed(browser)
    for path in (
        "/console/login",
        "/console/queue",
        "/console/queue/tasks",
        "/console/settings",
        "/console/uploads",
        task,
    ):
        text = browser.get(path).text
        for tag, given in elements(text):
            assert tag != "style", path
            assert tag != "script" or given["src"].startswith("/console/static/"), path
            assert not any(name == "style" or name.startswith("on") for name in given), path
            for name in ("src", "href", "action", "formaction"):
                assert re.match(r"/(?!/)|#", given.get(name) or "#"), path
        assert "alert(1)</script>" not in text
    assert "&lt;script&gt;alert(1)" in browser.get(task).text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("lane=2", 200),
        ("lane=" + "9" * 30, 200),
        ("lane=%00", 404),
        ("clause=%00", 404),
        ("clause=" + "a" * 65, 404),
        ("modality=smell", 200),
        ("after=none-such", 404),
    ],
)
def test_filters_that_nobody_would_choose_are_no_error_of_ours(
    console: Console, asked: str, status: int
) -> None:
    answer = console.client(AccessRole.LEAD).get(f"/console/queue/tasks?{asked}")
    assert answer.status_code == status


def test_a_key_that_is_none_and_too_many_tries(console: Console) -> None:
    browser = console.client()
    statuses = [console.log_in(browser, "nonsense").status_code for _ in range(21)]
    assert statuses == [401] * 20 + [429]


def test_logging_out_and_a_revoked_key_end_the_session(console: Console) -> None:
    browser = console.client(AccessRole.REVIEWER)
    fields = {"form_token": token_in(browser.get("/console/queue").text)}
    token = browser.cookies["console"]
    assert browser.post("/console/logout", data=fields).status_code == 303
    browser.cookies.set("console", token)
    assert browser.get("/console/queue").status_code == 303
    lead = console.client(AccessRole.LEAD)
    with writing(console.engine) as connection:
        [key] = [one for one in list_keys(connection) if one.role is AccessRole.LEAD]
        revoke_key(connection, key.id, console.clock())
    assert lead.get("/console/queue").headers["location"].startswith("/console/login")
    part = lead.get("/console/queue/counts", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["hx-retarget"]) == (401, "#notice")


def test_claim_decide_undo_and_decide_again(console: Console) -> None:
    browser = console.client(AccessRole.REVIEWER)
    first = claimed(browser)
    shown = browser.get(first).text
    fields = {"form_token": token_in(shown), "token": token_in(shown, "token")}
    choice = {"choice": "manipulated:label:deceptive-event", "note": "The light."}
    wrong = browser.post(f"{first}/decision", data=fields | {"choice": "manipulated:label:because"})
    assert wrong.status_code == 422
    decided = browser.post(f"{first}/decision", data=fields | choice)
    second = decided.headers["location"]
    assert second not in (first, "/console/queue")
    again = browser.post(f"{first}/decision", data=fields | choice)
    assert again.status_code == 409
    after = browser.get(second).text
    [undo] = re.findall(r'action="(/console/decisions/[^"]+/undo)"', after)
    held = {"form_token": token_in(after), "token": token_in(after, "token")}
    assert browser.post(undo, data=held).headers["location"] == first
    assert browser.get(first).status_code == 200
    # The one that was claimed in between is back in its place.
    assert browser.get(second).status_code == 404


def test_nobody_else_sees_or_ends_a_task_in_hand(console: Console) -> None:
    ann = console.client(AccessRole.REVIEWER)
    lead = console.client(AccessRole.LEAD)
    task = claimed(lead)
    assert ann.get(task).status_code == 404
    assert ann.get(f"{task}/media").status_code == 404
    shown = lead.get(task).text
    stolen = {
        "form_token": token_in(ann.get("/console/queue").text),
        "token": token_in(shown, "token"),
    }
    for step in ("renew", "leave", "release", "skip", "escalate"):
        assert ann.post(f"{task}/{step}", data=stolen).status_code == 404
    own = stolen | {"form_token": token_in(shown)}
    assert lead.post(f"{task}/renew", data=own).status_code == 204
    assert lead.post(f"{task}/leave", data=own).status_code == 204
    assert lead.post(f"{task}/skip", data=own).status_code == 303


def test_media_comes_in_ranges_and_may_do_nothing(console: Console) -> None:
    browser = console.client(AccessRole.REVIEWER)
    task = claimed(browser)
    whole = browser.get(f"{task}/media")
    part = browser.get(f"{task}/media", headers={"Range": "bytes=0-0"})
    assert (part.status_code, part.content) == (206, whole.content[:1])
    assert whole.headers["content-security-policy"].startswith("sandbox")
    # Its bytes are no media, whatever it is called.
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-disposition"] == "attachment"


def test_what_is_vendored_is_what_was_published() -> None:
    root = resources.files("moderation.web") / "static" / "vendor" / "htmx"
    listed = loads((root / "VENDORED.json").read_text())
    assert (root / "LICENSE").is_file()
    for name, digest in listed["files"].items():
        assert sha256((root / name).read_bytes()).hexdigest() == digest


def test_counts_are_no_sign_of_life(console: Console) -> None:
    browser = console.client(AccessRole.REVIEWER)
    for _ in range(7):
        console.clock.now += timedelta(minutes=10)
        last = browser.get("/console/queue/counts")
    assert last.status_code == 303


def test_what_is_bundled_is_sent_again_only_where_it_changed(console: Console) -> None:
    browser = console.client()
    first = browser.get("/console/static/console.js")
    tag = {"If-None-Match": first.headers["etag"]}
    again = browser.get("/console/static/console.js", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    other = browser.get("/console/static/console.css", headers=tag)
    assert other.status_code == 200
