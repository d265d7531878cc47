"""How the page looks: hostile text, axe-core in both schemes, twice the size."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_console import claim, violations
from tests.shown_items import FILM, PHOTO, VOICE


def test_hostile_text_is_text_everywhere(visit: Callable[[str], Visit]) -> None:
    ann = visit("ann")
    page = ann.page
    claim(ann)
    page.get_by_text("All that it wrote").click()
    for place in ("h1", ".claims", "#said", ".said"):
        expect(page.locator(place).first).to_contain_text("<script>alert(1)</script><img src=x")
    assert page.locator("img[src=x], main script").count() == 0
    assert ann.wrongs == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sample", [FILM, VOICE, PHOTO])
def test_axe_finds_nothing_and_nothing_is_cut_off_at_twice_the_size(
    visit: Callable[[str], Visit], scheme: str
) -> None:
    ann = visit("ann")
    page = ann.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    claim(ann)
    for one in page.locator("details").all():
        one.evaluate("one => { one.open = true; }")
    assert violations(page) == []
    # 1280 pixels at 200 % are 640 to the page.
    page.set_viewport_size({"width": 640, "height": 450})
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    assert violations(page) == []
