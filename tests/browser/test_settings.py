"""What a reviewer sets is there again, in this browser and in another."""

from playwright.sync_api import BrowserContext, expect

from tests.browser.service import Service, wrongs

DARK = "rgb(22, 24, 27)"


def test_settings_are_kept_and_used(
    service: Service, window: BrowserContext, other_window: BrowserContext
) -> None:
    service.send("5 a")
    page = service.enter(window, "ann")
    wrong = wrongs(page)
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("body")).not_to_have_css("background-color", DARK)
    page.get_by_label("blurred").uncheck()
    page.get_by_label("A break is due after").fill("45")
    page.get_by_role("button", name="Save media and rest").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    page.get_by_label("dark", exact=True).check()
    page.get_by_role("group", name="Keys").get_by_label("Single keys act").uncheck()
    page.get_by_role("button", name="Save appearance and keys").click()
    expect(page.get_by_label("dark", exact=True)).to_be_checked()
    expect(page.get_by_label("blurred")).not_to_be_checked()
    expect(page.get_by_label("A break is due after")).to_have_value("45")
    expect(page.locator("body")).to_have_css("background-color", DARK)

    other = service.enter(other_window, "ann")
    expect(other.locator("body")).to_have_css("background-color", DARK)
    other.keyboard.press("c")
    # Keys are off: the list of them still opens, and can switch them on.
    other.keyboard.press("?")
    with other.expect_response("**/console/settings/keys"):
        other.locator("#keys").get_by_label("Single keys act").check()
    other.get_by_role("button", name="Close").click()
    assert other.url.endswith("/console/queue")
    other.reload()
    other.wait_for_load_state()
    other.keyboard.press("c")
    other.get_by_role("heading", name="Decide").wait_for()
    expect(other.locator('[data-veil="blur"]')).to_have_attribute("aria-pressed", "false")
    expect(other.locator('[data-veil="grey"]')).to_have_attribute("aria-pressed", "true")
    assert wrong == []
