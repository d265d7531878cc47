"""The page of one item over HTTP: what was made of it, for whom, and what comes meanwhile."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.casework.running import explain_next
from moderation.casework.showing import setup_of
from tests.contract.casework.scripted import RULES
from tests.contract.web.item_console import FIRST, ItemConsole, held
from tests.contract.web.test_console import claimed, elements, token_in
from tests.shown_items import FILM, PHOTO, VOICE, made, show, with_facts


@pytest.fixture
def console(engine: Engine, tmp_path: Path) -> ItemConsole:
    return ItemConsole(engine, tmp_path)


@pytest.mark.parametrize("sample", [FILM, VOICE, PHOTO])
def test_everything_is_shown_and_nothing_of_it_is_markup(console: ItemConsole, sample: str) -> None:
    console.send(sample)
    browser = console.client(AccessRole.REVIEWER)
    task = claimed(browser)
    text = browser.get(task).text
    found = elements(text)
    for tag, given in found:
        assert tag != "style"
        assert tag != "script" or given["src"].startswith("/console/static/")
        assert not any(name == "style" or name.startswith("on") for name in given)
        for name in ("src", "href", "hx-get", "action"):
            assert re.match(r"/(?!/)|#", given.get(name) or "#"), given
    assert "alert(1)</script>" not in text
    assert text.count("&lt;script&gt;alert(1)") > 2
    has_time = sample != PHOTO
    assert ('id="plot"' in text) == has_time
    assert ('id="said"' in text) == has_time
    assert ("Frames" in text or "Heat maps" in text) == (sample != VOICE)
    for word in ("Signals", "typical", "unsupported", "Origin, copies and earlier decisions"):
        assert word in text
    names = re.findall(rf"{task}/materials/([a-z0-9_.-]+)", text)
    assert names
    assert all(browser.get(f"{task}/materials/{name}").status_code == 200 for name in set(names))


def test_pieces_are_for_whoever_holds_the_task_and_are_shut_in(console: ItemConsole) -> None:
    console.send(FILM)
    holder, lead = console.client(AccessRole.REVIEWER), console.client(AccessRole.LEAD)
    admin = console.client(AccessRole.ADMIN)
    task = claimed(lead)
    place = f"{task}/materials/spectrogram.png"
    answer = lead.get(place)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert admin.get(place).status_code == 200
    for path in (place, f"{task}/evidence", f"{task}/captions"):
        assert holder.get(path).status_code == 404
    for name in ("index.json", "..%2Findex.json", "frame-999.jpg", "x.html"):
        assert lead.get(f"{task}/materials/{name}").status_code == 404
    captions = lead.get(f"{task}/captions")
    assert captions.headers["content-type"].startswith("text/vtt")
    assert "<script" not in captions.text
    assert "&lt;script&gt;" in captions.text


def test_what_is_missing_is_made_meanwhile_and_what_is_damaged_again(console: ItemConsole) -> None:
    item = console.send(PHOTO, with_materials=False)
    browser = console.client(AccessRole.REVIEWER)
    task = claimed(browser)
    assert f'hx-get="{task}/evidence"' in browser.get(task).text
    assert browser.get(f"{task}/evidence").status_code == 204
    show(console.desk, item, made(PHOTO))
    part = browser.get(f"{task}/evidence").text
    assert 'id="stage"' in part
    assert "<html" not in part
    setup = setup_of(console.desk.deployment)
    file = console.desk.blobs.materials / item.sha256[:2] / item.sha256 / setup / "frame-000.jpg"
    file.write_bytes(b"<script>")
    assert browser.get(f"{task}/materials/frame-000.jpg").status_code == 503
    assert browser.get(f"{task}/evidence").status_code == 204


def test_where_nothing_will_come_that_is_said(console: ItemConsole) -> None:
    console.send(PHOTO, with_materials=False)
    browser = console.client(AccessRole.REVIEWER)
    task = claimed(browser)
    browser.get(task)
    for _ in range(3):
        # The file is a picture, and the scripted judge finds no digit in it.
        explain_next(console.desk)
        browser.get(f"{task}/evidence")
    part = browser.get(f"{task}/evidence")
    assert part.status_code == 200
    assert "No timeline, frames or signals were made" in part.text
    assert f"{task}/evidence" not in part.text


def test_claims_are_marked_by_word_and_sign(console: ItemConsole) -> None:
    item = console.send(VOICE, with_materials=False)
    claims = [
        {**made(VOICE).facts["claims"][0], "standing": standing}
        for standing in ("supported", "unsupported", "contradicted")
    ]
    show(console.desk, item, with_facts(made(VOICE), claims=claims))
    browser = console.client(AccessRole.REVIEWER)
    text = browser.get(claimed(browser)).text
    for sign, word in (("✔", "supported"), ("?", "unsupported"), ("✘", "contradicted")):
        assert re.search(
            rf'standing {word}"><span aria-hidden="true">{re.escape(sign)}</span> {word}', text
        )


def test_a_rest_that_is_due_is_told_after_the_decision(console: ItemConsole) -> None:
    for sample in (PHOTO, VOICE):
        console.send(sample)
    browser = console.client(AccessRole.REVIEWER)
    task = claimed(browser)
    fields = held(browser.get(task).text)
    for _ in range(10):
        console.clock.now += RULES.lease
        browser.post(f"{task}/renew", data=fields)
    decided = browser.post(f"{task}/decision", data=fields | FIRST)
    assert decided.headers["location"] == "/console/queue"
    told = browser.get("/console/queue").text
    assert "A rest is due" in told
    assert "What you decided is kept" in told
    console.clock.now += RULES.lease * 2
    assert "A rest is due" not in browser.get("/console/queue").text


def test_logging_in_again_on_the_page_that_is_open(console: ItemConsole) -> None:
    console.send(PHOTO)
    browser = console.client(AccessRole.REVIEWER)
    task = claimed(browser)
    fields, part = held(browser.get(task).text), {"HX-Request": "true"}
    browser.cookies.delete("console")
    sent = browser.post(f"{task}/decision", data=fields | FIRST)
    assert sent.headers["location"] == f"/console/login?back={task.replace('/', '%2F')}" or (
        sent.headers["location"] == f"/console/login?back={task}"
    )
    asked = browser.get("/console/login", headers=part).text
    assert "<html" not in asked
    login = {"form_token": token_in(asked), "back": "/console"}
    wrong = browser.post("/console/login", data=login | {"key": "x"}, headers=part)
    assert (wrong.status_code, "not known" in wrong.text) == (401, True)
    login["form_token"] = token_in(wrong.text)
    right = login | {"key": console.keys[AccessRole.REVIEWER]}
    told = browser.post("/console/login", data=right, headers=part).json()
    assert told["name"] == "reviewer"
    assert browser.post(f"{task}/renew", data=fields).status_code == 403
    fresh = fields | {"form_token": told["form_token"]}
    assert browser.post(f"{task}/renew", data=fresh).status_code == 204
