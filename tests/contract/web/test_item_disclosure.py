"""What a reviewer is told of an item, and what only later or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from encoders.types import Modality
from moderation.access.keys import AccessRole
from moderation.casework.reviewing import CaseReview
from moderation.casework.showing import materials_of
from moderation.database import reading
from moderation.policy.schema import Reveal
from moderation.review.appeals import file_appeal
from moderation.review.claims import claim
from moderation.review.first_views import first_view
from moderation.review.golden import GoldenItem, add_golden
from moderation.review.types import Verdict
from tests.contract.casework.scripted import RULES
from tests.contract.web.item_console import FIRST, ItemConsole, held
from tests.contract.web.test_console import claimed, token_in
from tests.shown_items import FILM, HOSTILE, PHOTO, SCORE, VOICE


@pytest.fixture
def console(engine: Engine, tmp_path: Path) -> ItemConsole:
    return ItemConsole(engine, tmp_path)


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


def test_a_golden_item_does_not_tell_what_it_is(console: ItemConsole) -> None:
    golden = console.send(PHOTO)
    lead, browser = console.client(AccessRole.LEAD), console.client(AccessRole.REVIEWER)
    task = claimed(lead)
    lead.post(f"{task}/decision", data=held(lead.get(task).text) | FIRST)
    console.send(VOICE)
    rules = replace(RULES, golden_rate=1.0)
    with CaseReview(console.engine, rules, "test").at(console.clock()) as tx:
        known = GoldenItem(
            golden.id, golden.sha256, "deceptive", "default@test", Modality.IMAGE,
            Verdict.MANIPULATED, "admin",
        )  # fmt: skip
        add_golden(tx, known)
        found = claim(tx, str(AccessRole.REVIEWER))
    assert found is not None
    assert found.task.item_id == golden.id
    place = f"/console/tasks/{found.task.id}"
    text = browser.get(place).text
    assert 'id="stage"' in text
    assert "Decided before on the same bytes" not in text
    # Another judge's materials are made for it as for whatever waits.
    materials_of(console.desk.blobs).drop(golden.sha256)
    assert f'hx-get="{place}/evidence"' in browser.get(place).text


def test_an_appeal_comes_with_its_grounds_and_what_it_is_against(console: ItemConsole) -> None:
    console.send(PHOTO)
    first, other = console.client(AccessRole.REVIEWER), console.client(AccessRole.LEAD)
    task = claimed(first)
    first.post(f"{task}/decision", data=held(first.get(task).text) | FIRST)
    console.clock.now += RULES.undo * 2
    with CaseReview(console.engine, RULES, "test").at(console.clock()) as tx:
        file_appeal(tx, task.rpartition("/")[2], f"I took it myself {HOSTILE}")
    form_token = token_in(other.get("/console/queue").text)
    given = other.post("/console/claims", data={"form_token": form_token, "desk": "appeals"})
    text = other.get(given.headers["location"]).text
    assert "I took it myself &lt;script&gt;" in text
    assert "Decided before on the same bytes" in text
    assert "It is in force" in text
