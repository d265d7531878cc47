"""Reviews in the console, as reviewers do them: by keyboard, in real browsers."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import HOSTILE, Visit

AXE = Path(__file__).parent / "vendor" / "axe-core"
MEDIA = "#media"


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it is."""
    page.evaluate((AXE / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document).then(found => found.violations)")
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found]


def claim(visit: Visit) -> str:
    """Claims by key; the address of the task."""
    visit.page.keyboard.press("c")
    visit.page.get_by_role("heading", name="Decide").wait_for()
    visit.page.wait_for_load_state()
    return visit.page.url


def has_come(page: Page, *, after: str) -> None:
    """Another task is there, and takes keys."""
    page.wait_for_url(lambda url: url != after)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.locator("main[aria-busy]")).to_have_count(0)


def test_a_review_by_keyboard_alone(visit: Callable[[str], Visit]) -> None:
    ann = visit("ann")
    page = ann.page
    first = claim(ann)
    expect(page.locator("h1")).to_have_text(HOSTILE)
    expect(page.locator(MEDIA)).to_have_class("is-blurred is-grey")
    page.keyboard.press("b")
    expect(page.locator(MEDIA)).to_have_class("is-grey")
    assert page.locator(MEDIA).evaluate("one => one.naturalWidth") > 0
    page.keyboard.press("n")
    page.keyboard.type("a note with 1 and 0")
    expect(page.locator("#note")).to_have_value("a note with 1 and 0")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    has_come(page, after=first)
    page.keyboard.press("u")
    page.wait_for_url(first)
    expect(page.locator("main[aria-busy]")).to_have_count(0)
    page.keyboard.press("a")
    has_come(page, after=first)
    assert ann.wrongs == []


def test_enter_in_a_field_decides_nothing(visit: Callable[[str], Visit]) -> None:
    ann = visit("ann")
    first = claim(ann)
    ann.page.get_by_label("Ask for a second review").press("Enter")
    ann.page.reload()
    assert ann.page.url == first
    expect(ann.page.get_by_role("heading", name="Decide")).to_be_visible()


def test_two_reviewers_at_once_have_different_tasks(visit: Callable[[str], Visit]) -> None:
    ann, ben = visit("ann"), visit("ben")
    first, second = claim(ann), claim(ben)
    assert first != second
    ben.page.goto(first)
    expect(ben.page.locator("form#decision")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(visit: Callable[[str], Visit], scheme: str) -> None:
    lea = visit("lea")
    page = lea.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {"queue": violations(page)}
    page.goto("/console/queue/tasks")
    found["tasks"] = violations(page)
    page.goto("/console/queue")
    claim(lea)
    found["task"] = violations(page)
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Key").wait_for()
    found["login"] = violations(page)
    assert {name: one for name, one in found.items() if one} == {}


def test_axe_is_the_file_of_its_package() -> None:
    named = json.loads((AXE / "VENDORED.json").read_text(encoding="utf-8"))["files"]
    for name, digest in named.items():
        assert sha256((AXE / name).read_bytes()).hexdigest() == digest
