"""Player, timeline and frames, by mouse and by keyboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.item.player import MEDIA, blur, is_ready, playhead, seconds
from tests.browser.test_console import claim
from tests.shown_items import FILM, VOICE


@pytest.mark.parametrize("sample", [FILM, VOICE])
def test_the_player_goes_where_claims_and_marks_are(visit: Callable[[str], Visit]) -> None:
    ann = visit("ann")
    page = ann.page
    claim(ann)
    is_ready(page)
    [first, _, third] = page.locator(".claims .seek").all()
    # By mouse, then by keyboard.
    first.click()
    assert seconds(page) == pytest.approx(1.0, abs=0.05)
    third.focus()
    page.keyboard.press("Enter")
    assert seconds(page) == pytest.approx(2.5, abs=0.05)
    length = float(page.locator("#plot").get_attribute("data-seconds") or 0)
    assert playhead(page) == pytest.approx(100 * 2.5 / length, abs=1)
    # Marks, spectrogram and the bare ground of the drawing.
    page.locator("#plot g[data-seek] .claim.clean").click()
    assert seconds(page) == pytest.approx(0.0, abs=0.05)
    box = page.locator("#plot").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] - 40)
    assert seconds(page) == pytest.approx(0.9 * length, abs=0.1)
    assert ann.wrongs == []


def test_the_timeline_is_a_slider_and_keys_step_through_its_marks(
    visit: Callable[[str], Visit],
) -> None:
    ann = visit("ann")
    page = ann.page
    claim(ann)
    is_ready(page)
    slider = page.get_by_role("slider", name="Position in the media")
    slider.focus()
    for key, told in (("End", "0:04 of 0:04"), ("Home", "0:00 of 0:04")):
        page.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuetext", told)
    page.keyboard.press("ArrowRight")
    assert seconds(page) == pytest.approx(0.2, abs=0.05)
    steps = [float(one) for one in (slider.get_attribute("data-steps") or "").split()]
    page.keyboard.press("l")
    assert seconds(page) == pytest.approx(next(one for one in steps if one > 0.3), abs=0.05)
    page.keyboard.press("j")
    assert seconds(page) == pytest.approx(0.0, abs=0.05)
    # Keys that decide still do, although the timeline has the focus.
    page.keyboard.press("1")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert ann.wrongs == []


def test_it_plays_and_the_playhead_and_the_transcript_follow(visit: Callable[[str], Visit]) -> None:
    ann = visit("ann")
    page = ann.page
    claim(ann)
    is_ready(page)
    page.keyboard.press("p")
    page.locator(MEDIA).evaluate(
        """one => new Promise(done => one.addEventListener("timeupdate", () => {
             if (one.currentTime > 1.6) done(1);
           }))"""
    )
    page.keyboard.press("p")
    at = seconds(page)
    expect(page.locator("#said [aria-current]")).to_contain_text("<script>alert(1)</script>")
    length = float(page.locator("#plot").get_attribute("data-seconds") or 0)
    assert playhead(page) == pytest.approx(100 * at / length, abs=2)
    assert page.locator(MEDIA).evaluate("one => one.textTracks[0].kind") == "captions"
    assert ann.wrongs == []


def test_frames_are_veiled_like_the_media_and_heat_maps_lie_over_them(
    visit: Callable[[str], Visit],
) -> None:
    ann = visit("ann")
    page = ann.page
    claim(ann)
    stage, heat, thumb = (
        page.locator(one) for one in ("#stage", "#heat", ".strip img.veiled >> nth=3")
    )
    for one in (page.locator(MEDIA), stage, thumb):
        assert "blur" in blur(one)
        assert "grayscale" in blur(one)
    page.keyboard.press("b")
    page.keyboard.press("g")
    assert {blur(one) for one in (page.locator(MEDIA), stage, thumb)} == {"none"}
    assert heat.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    slider = page.get_by_label("Opacity")
    slider.focus()
    page.keyboard.press("Home")
    assert heat.evaluate("one => getComputedStyle(one).opacity") == "0"
    page.keyboard.press("End")
    assert heat.evaluate("one => getComputedStyle(one).opacity") == "1"
    before = heat.get_attribute("src")
    page.get_by_label("Heat map").select_option("image.blur_inconsistency")
    assert "image-blur_inconsistency.png" in (heat.get_attribute("src") or "")
    assert heat.get_attribute("src") != before
    page.locator("[data-frame]").nth(5).click()
    shown = page.locator("[data-frame]").nth(5)
    expect(shown).to_have_attribute("aria-pressed", "true")
    assert stage.get_attribute("src") == shown.get_attribute("data-frame")
    assert seconds(page) == pytest.approx(float(shown.get_attribute("data-seconds") or 0), abs=0.05)
    assert ann.wrongs == []
