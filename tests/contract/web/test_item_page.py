"""The page of one item over HTTP: what was made of it, what is hidden, and from whom."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.access.rate_limit import Rate
from moderation.casework.reviewing import CaseReview
from moderation.casework.running import explain_next
from moderation.casework.showing import setup_of
from moderation.database import reading
from moderation.intake.types import Item
from moderation.policy.schema import Reveal, Reviewing
from moderation.review.appeals import file_appeal
from moderation.review.first_views import first_view
from moderation.review.types import Verdict
from moderation.web.application import add_console
from tests.api_application import Clock, application, make_keys
from tests.contract.casework.scripted import RULES, deployment, make_desk, policy
from tests.contract.web.test_console import Console, claimed, elements, token_in
from tests.shown_items import HOSTILE, SCORE, made, send_sample, show, with_facts

FILM, VOICE, PHOTO = "video-manipulated.mp4", "voice-manipulated.wav", "photo-manipulated.jpg"
FIRST = {"choice": "manipulated:label:deceptive-event", "note": f"See {HOSTILE}"}


class ItemConsole(Console):
    """The application with a desk to send items to; `after`: the judge's view comes second."""

    def __init__(self, engine: Engine, folder: Path, reveal: Reveal = Reveal.AT_ONCE) -> None:
        live = policy().model_copy(update={"review": Reviewing(reveal=reveal)})
        # Without a calibrator everything waits for a person; the console shows one all the same.
        self.desk = make_desk(engine, folder, deployment=deployment(live=live, calibrators={}))
        self.engine, self.keys = engine, make_keys(engine)
        self.clock = Clock(self.desk.clock())
        shown = deployment(live=live)
        self.app = application(engine, folder, clock=self.clock, deployed=lambda: shown)
        add_console(self.app, self.app.state.services, logins=Rate(per_second=1e-6, burst=20))

    def send(self, sample: str, **changes: Any) -> Item:
        """An item that waits, with its materials unless they are not wanted."""
        return send_sample(self.desk, sample, name=f"{HOSTILE}{sample}", **changes)


@pytest.fixture
def console(engine: Engine, tmp_path: Path) -> ItemConsole:
    return ItemConsole(engine, tmp_path)


def held(text: str) -> dict[str, str]:
    """What forms of a page carry."""
    return {"form_token": token_in(text), "token": token_in(text, "token")}


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


def told_by_the_judge(text: str) -> set[str]:
    """Which of the judge's words and numbers are in a page."""
    numbers = {"3.00", f"{SCORE:.2f}", f"{SCORE:.1f} of 9", "7.2 of 9", "81 %"}
    words = {
        "P(manipulated)", "spliced region", "resynthesised voice", "judged authenticity",
        "Judged authenticity", "supported", "wholly fabricated", "interval",
    }  # fmt: skip
    return {one for one in numbers | words if one in text}


@pytest.mark.parametrize("sample", [FILM, VOICE, PHOTO])
def test_the_judge_is_heard_after_the_reviewer(engine: Engine, tmp_path: Path, sample: str) -> None:
    console = ItemConsole(engine, tmp_path, Reveal.AFTER_VIEW)
    console.send(sample)
    browser = console.client(AccessRole.REVIEWER)
    task = claimed(browser)
    before = browser.get(task).text
    assert told_by_the_judge(before) == set()
    assert told_by_the_judge(browser.get(f"{task}/evidence").text) == set()
    # What was measured is shown, and the lead reads everything.
    assert "Signals" in before
    assert {"3.00", "supported"} <= told_by_the_judge(
        console.client(AccessRole.LEAD).get(task).text
    )
    fields, part = held(before), {"HX-Request": "true"}
    place = f"{task}/view"
    assert browser.post(place, data=fields | {"view": "both"}, headers=part).status_code == 422
    stolen = fields | {"view": "authentic", "token": "x" * 32}
    assert browser.post(place, data=stolen, headers=part).status_code == 404
    assert told_by_the_judge(browser.get(task).text) == set()
    after = browser.post(place, data=fields | {"view": "authentic"}, headers=part)
    assert after.status_code == 200
    assert {"3.00", "P(manipulated)", "supported"} <= told_by_the_judge(after.text)
    browser.post(place, data=fields | {"view": "manipulated"}, headers=part)
    assert "Your first view: <strong>authentic</strong>" in browser.get(task).text
    with reading(engine) as connection:
        kept = first_view(connection, task.rpartition("/")[2], str(AccessRole.REVIEWER))
    assert kept is Verdict.AUTHENTIC
    # It can be decided without; and without a script the page comes whole again.
    without = browser.post(place, data=fields | {"view": "authentic"})
    assert (without.status_code, without.headers["location"]) == (303, task)
    decided = browser.post(f"{task}/decision", data=fields | FIRST)
    assert decided.status_code == 303


def test_earlier_decisions_are_told_but_not_to_a_second_opinion(console: ItemConsole) -> None:
    item = console.send(PHOTO)
    first, second = console.client(AccessRole.REVIEWER), console.client(AccessRole.LEAD)
    task = claimed(first)
    fields = held(first.get(task).text) | FIRST | {"wants_second": "1"}
    assert first.post(f"{task}/decision", data=fields).status_code == 303
    again = claimed(second)
    assert again != task
    assert "Decided before on the same bytes" not in second.get(again).text
    # The same bytes under another clause are another case: there it is told.
    other = console.send(PHOTO, reported_clause="intimate")
    assert other.sha256 == item.sha256
    third = console.client(AccessRole.ADMIN)
    text = third.get(claimed(third)).text
    assert "Decided before on the same bytes" in text
    assert "See &lt;script&gt;" in text


def test_an_appeal_comes_with_its_grounds_and_what_it_is_against(console: ItemConsole) -> None:
    console.send(PHOTO)
    first, other = console.client(AccessRole.REVIEWER), console.client(AccessRole.LEAD)
    task = claimed(first)
    first.post(f"{task}/decision", data=held(first.get(task).text) | FIRST)
    console.clock.now += RULES.undo * 2
    with CaseReview(console.engine, RULES, "test").at(console.clock()) as tx:
        file_appeal(tx, task.rpartition("/")[2], f"I took it myself {HOSTILE}")
    form_token = token_in(other.get("/console/queue").text)
    claim = other.post("/console/claims", data={"form_token": form_token, "desk": "appeals"})
    text = other.get(claim.headers["location"]).text
    assert "I took it myself &lt;script&gt;" in text
    assert "Decided before on the same bytes" in text
    assert "It is in force" in text


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
