"""From a decision to the next task: it comes into the page that is open, with its media loaded."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_console import MEDIA, claim, has_come


def asked_for_media(page: Page) -> list[str]:
    """The addresses of all media that the page asks for from now on."""
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/media") else None)
    return asked


def test_the_next_task_comes_into_the_open_page_with_its_media_loaded(
    visit: Callable[[str], Visit],
) -> None:
    ann = visit("ann")
    page = ann.page
    asked = asked_for_media(page)
    with page.expect_response(lambda one: one.url.endswith("/media") and page.url not in one.url):
        first = claim(ann)
        page.evaluate("window.isOpen = true")
    # Ahead of the decision: of the one in hand, and of the one after it.
    assert len(set(asked)) == len(asked) == 2
    page.keyboard.press("1")
    has_come(page, after=first)
    assert page.evaluate("window.isOpen")
    assert asked.count(f"{page.url}/media") == 1
    expect(page.locator(MEDIA)).to_have_class("is-blurred is-grey")
    assert page.locator(MEDIA).evaluate("one => one.complete && one.naturalWidth > 0")
    expect(page.locator("main")).to_be_focused()
    # The lease, the keys and the veils are those of the new task.
    page.keyboard.press("b")
    expect(page.locator(MEDIA)).to_have_class("is-grey")
    second = page.url
    page.keyboard.press("a")
    has_come(page, after=second)
    page.go_back()
    page.wait_for_url(second)
    expect(page.get_by_role("heading", name="Decide")).to_have_count(0)
    assert [one for one in ann.wrongs if "404" not in one] == []


def test_a_key_that_is_pressed_twice_decides_one_task(visit: Callable[[str], Visit]) -> None:
    ann = visit("ann")
    page = ann.page
    first = claim(ann)
    # Faster than anybody can look.
    page.evaluate("""() => {
        const press = () => document.body.dispatchEvent(
            new KeyboardEvent("keydown", { key: "1", bubbles: true }));
        document.addEventListener("console:task", press);
        press();
        press();
    }""")
    has_come(page, after=first)
    second = page.url
    page.wait_for_timeout(1500)
    assert page.url == second
    expect(page.get_by_role("heading", name="Decide")).to_be_visible()


def test_a_decision_that_the_server_does_not_answer_is_told_and_can_be_sent_again(
    visit: Callable[[str], Visit],
) -> None:
    ann = visit("ann")
    page = ann.page
    first = claim(ann)
    page.get_by_label("Note for colleagues").fill("half a thought")
    page.keyboard.press("Escape")
    page.route("**/decision", lambda route: route.abort())
    page.keyboard.press("1")
    expect(page.locator("#notice")).to_contain_text("does not answer")
    expect(page.get_by_label("Note for colleagues")).to_have_value("half a thought")
    page.unroute("**/decision")
    page.keyboard.press("1")
    has_come(page, after=first)


def test_what_is_larger_is_scrolled_and_comes_back(visit: Callable[[str], Visit]) -> None:
    ann = visit("ann")
    page = ann.page
    claim(ann)
    media, frame = page.locator(MEDIA), page.locator(".shown .frame").first
    usual, room = (one.evaluate("one => one.clientWidth") for one in (media, frame))
    for larger in (2, 4):
        page.keyboard.press("z")
        assert media.evaluate("one => one.clientWidth") > (larger - 0.2) * room
        expect(frame).to_have_attribute("tabindex", "0")
        assert frame.evaluate("one => one.scrollLeft") > 0
    page.keyboard.press("z")
    assert media.evaluate("one => one.clientWidth") == usual
    assert ann.wrongs == []
