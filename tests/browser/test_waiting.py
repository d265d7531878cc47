"""The waiting list as a lead works it: views to come back to, and decisions by keyboard."""

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from moderation.database import reading
from moderation.review.tables import decisions
from tests.browser.service import Service, wrongs

TABS_MAX = 60


def waiting(service: Service, window: BrowserContext) -> Page:
    page = service.enter(window, "lea")
    page.get_by_role("link", name="Waiting").click()
    page.wait_for_load_state()
    return page


def tab_to(page: Page, name: str) -> None:
    """By keyboard, as far as it takes."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "(document.activeElement.getAttribute('aria-label') ?? "
            "document.activeElement.textContent).trim()"
        )
        if told.startswith(name):
            return
    raise AssertionError(f"no Tab reaches {name!r}")


def test_a_view_is_saved_counts_by_itself_and_is_there_again(
    service: Service, window: BrowserContext, other_window: BrowserContext
) -> None:
    service.send("5 a", "5 b video")
    page = waiting(service, window)
    page.get_by_label("Kind").select_option("video")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Save this view").click()
    page.get_by_label("Name").fill("Films <b>first</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as Films <b>first</b>")).to_be_visible()
    expect(page.get_by_label("Saved views")).to_contain_text("1")
    page.goto(f"{service.address}/console/queue/tasks")
    expect(page.locator("tbody tr")).to_have_count(2)
    again = waiting(service, other_window)
    again.get_by_role("link", name="Films <b>first</b>").click()
    expect(again.locator("tbody tr")).to_have_count(1)
    service.send("5 c video")
    # The page asks by itself, every quarter of a minute.
    expect(again.get_by_label("Saved views")).to_contain_text("2")


def test_several_tasks_are_decided_by_keyboard_alone(
    service: Service, window: BrowserContext
) -> None:
    service.send(*(f"5 {name}" for name in "abcde"))
    page = waiting(service, window)
    wrong = wrongs(page)
    tab_to(page, "Select task")
    page.keyboard.press("Space")
    for _ in range(2):
        tab_to(page, "Select task")
    page.keyboard.press("Shift+Space")
    expect(page.locator("#selected-count")).to_have_text("3 selected")
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="Decide 3 tasks alike")).to_be_visible()
    expect(page.get_by_label("Verdict")).to_be_focused()
    page.keyboard.type("man")
    page.keyboard.press("Tab")
    page.keyboard.type("lab")
    tab_to(page, "Go on")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("3 items will be ruled manipulated")
    expect(page.locator("main")).to_contain_text("gets a label")
    with reading(service.engine) as connection:
        assert connection.execute(select(decisions)).all() == []
    tab_to(page, "Decide all 3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="3 of 3 decided")).to_be_visible()
    with reading(service.engine) as connection:
        found = connection.execute(select(decisions)).all()
    assert [(one.verdict, one.action) for one in found] == [("manipulated", "label")] * 3
    assert len({one.bulk_id for one in found}) == 1
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert wrong == []


def test_all_on_the_page_are_selected_and_unselected(
    service: Service, window: BrowserContext
) -> None:
    service.send("5 a", "5 b")
    page = waiting(service, window)
    everything = page.get_by_label("Select all on this page")
    everything.check()
    expect(page.locator("#selected-count")).to_have_text("2 selected")
    page.locator('input[name^="task:"]').first.uncheck()
    expect(page.locator("#selected-count")).to_have_text("1 selected")
    everything.check()
    everything.uncheck()
    expect(page.locator("#selected-count")).to_have_text("")
