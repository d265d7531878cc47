"""Settings, waiting list and uploads: accessible in both schemes, and whole on a small screen."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.service import Service
from tests.browser.test_console import violations


def pages(service: Service, page: Page, item: str):
    """Each page by its name, open."""
    for name in ("settings", "uploads", f"uploads/{item}", "queue/tasks"):
        page.goto(f"{service.address}/console/{name}")
        yield name
    page.get_by_label("Select all").check()
    page.keyboard.press("d")
    page.get_by_label("Verdict").select_option("manipulated")
    yield "choose"
    page.get_by_label("Action").select_option("remove")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Decide all").wait_for()
    yield "confirm"
    page.get_by_role("button", name="Decide all").click()
    page.get_by_role("heading", name="decided").wait_for()
    yield "outcome"
    page.goto(f"{service.address}/console/uploads/{item}")
    page.get_by_label("Why is").wait_for()
    yield "appeal"
    page.goto(f"{service.address}/console/uploads")
    page.get_by_label("A table").fill("url,name\nhttp://10.0.0.1/x,x\n")
    page.get_by_role("button", name="Read the table").click()
    page.get_by_role("button", name="Try again").wait_for()
    yield "references"


# 640 pixels: 1280 at a zoom of 200 %.
@pytest.mark.parametrize(("scheme", "width"), [("light", 768), ("dark", 640)])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    service: Service, window: BrowserContext, scheme: str, width: int
) -> None:
    [item] = service.send("5 " + "long-" * 60, uploader="lea")
    page = service.enter(window, "lea")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    found = {}
    for name in pages(service, page, item):
        found[name] = violations(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[name].append("wider than the screen")
    assert {name: one for name, one in found.items() if one} == {}
    assert len(found) == 9
