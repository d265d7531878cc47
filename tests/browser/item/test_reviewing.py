"""What comes while somebody reviews: the judge's view, evidence made meanwhile, a session's end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from moderation.access.tables import sessions
from moderation.casework.scoring import ScoringDesk
from moderation.database import reading, writing
from moderation.intake.types import Item
from moderation.policy.schema import Reveal
from moderation.review.listings import decided
from tests.browser.conftest import Site, Visit
from tests.browser.item.player import blur, is_ready, playhead, seconds
from tests.browser.test_console import claim, has_come, violations
from tests.shown_items import FILM, PHOTO, VOICE, made, send_sample, show


def end_sessions(desk: ScoringDesk) -> None:
    """As if the time of all of them were over."""
    with writing(desk.engine) as connection:
        connection.execute(sessions.delete())


@pytest.mark.parametrize("sample", [FILM, PHOTO])
@pytest.mark.parametrize("reveal", [Reveal.AFTER_VIEW])
def test_the_score_comes_after_the_first_view_and_nothing_else_moves(
    visit: Callable[[str], Visit], sample: str
) -> None:
    ann = visit("ann")
    page = ann.page
    claim(ann)
    assert "P(manipulated)" not in page.content()
    page.keyboard.press("b")
    page.get_by_label("Note for colleagues").fill("a note")
    if sample == FILM:
        is_ready(page)
        page.locator("#plot").press("End")
        at = seconds(page)
    page.get_by_role("button", name="Looks manipulated").click()
    heading = page.get_by_role("heading", name="What the judge says")
    expect(heading).to_be_focused()
    expect(page.get_by_text("P(manipulated)").first).to_be_visible()
    expect(page.locator(".claims li")).not_to_have_count(0)
    expect(page.get_by_label("Note for colleagues")).to_have_value("a note")
    assert "blur" not in blur(page.locator("#stage"))
    if sample == FILM:
        assert seconds(page) == at
        assert playhead(page) == pytest.approx(100)
    page.keyboard.press("1")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert ann.wrongs == []


@pytest.mark.parametrize("has_materials", [False])
def test_evidence_that_is_made_meanwhile_comes_by_itself(
    visit: Callable[[str], Visit], desk: ScoringDesk, item: Item, sample: str
) -> None:
    ann = visit("ann")
    page = ann.page
    claim(ann)
    expect(page.get_by_text("They appear here by themselves")).to_be_visible()
    assert violations(page) == []
    note = page.get_by_label("Note for colleagues")
    note.fill("a note")
    show(desk, item, made(sample))
    expect(page.locator("#plot")).to_be_visible(timeout=30_000)
    expect(note).to_have_value("a note")
    expect(note).to_be_focused()
    assert "blur" in blur(page.locator("#stage"))
    page.locator(".claims .seek").first.click()
    assert seconds(page) == pytest.approx(1.0, abs=0.05)
    assert ann.wrongs == []


def test_a_session_that_ends_is_begun_again_on_the_page(
    visit: Callable[[str], Visit], site: Site, desk: ScoringDesk
) -> None:
    ann = visit("ann")
    page = ann.page
    page.clock.install()
    first = claim(ann)
    page.get_by_label("Note for colleagues").fill("half a tho")
    end_sessions(desk)
    page.clock.fast_forward(timedelta(seconds=61).seconds * 1000)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Your session has ended")
    found = violations(page)
    dialog.get_by_label("Your key").fill("nonsense")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Your key").fill(site.keys["ann"])
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert page.url == first
    note = page.get_by_label("Note for colleagues")
    expect(note).to_have_value("half a tho")
    note.focus()
    page.keyboard.press("End")
    page.keyboard.type("ught")
    page.keyboard.press("Escape")
    # And once more, with the decision itself after a long silence.
    end_sessions(desk)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    page.clock.fast_forward(10 * 60 * 1000)
    page.keyboard.press("1")
    dialog.get_by_label("Your key").fill(site.keys["ann"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert found == []
    assert [one for one in ann.wrongs if "401" not in one] == []


def test_a_second_review_is_asked_for_by_key(
    visit: Callable[[str], Visit], desk: ScoringDesk
) -> None:
    ann = visit("ann")
    claim(ann)
    wish = ann.page.get_by_label("Ask for a second review")
    for _ in range(3):
        ann.page.keyboard.press("r")
    expect(wish).to_be_checked()
    ann.page.keyboard.press("1")
    expect(ann.page.get_by_role("button", name="Undo")).to_be_visible()
    with reading(desk.engine) as connection:
        assert [one.wants_second for one in decided(connection)] == [True]
    assert ann.wrongs == []


@pytest.mark.parametrize("is_loaded_ahead", [True, False])
def test_the_next_one_comes_as_mute_as_its_reviewer_wants_it(
    visit: Callable[[str], Visit], desk: ScoringDesk, is_loaded_ahead: bool
) -> None:
    send_sample(desk, VOICE, name="next", with_materials=False)
    ann = visit("ann")
    page = ann.page
    if not is_loaded_ahead:
        page.route("**/console/queue/ahead*", lambda route: route.abort())
    with page.expect_event(
        "requestfinished" if is_loaded_ahead else "requestfailed",
        lambda one: "/queue/ahead" in one.url,
    ):
        first = claim(ann)
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("1")
    has_come(page, after=first)
    assert page.locator("#media").evaluate("one => one.muted")
    expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
