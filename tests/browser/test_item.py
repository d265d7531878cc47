"""The page of one item, in a real browser: player, timeline, frames, and what a reviewer does."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copyfile

import pytest
from playwright.sync_api import Locator, Page, expect

from moderation.access.tables import sessions
from moderation.database import open_engine, writing
from moderation.policy.schema import Reveal, Reviewing
from tests.browser.conftest import Site, Visit, serve
from tests.browser.test_console import claim, violations
from tests.contract.casework.scripted import Clock, deployment, make_desk, policy
from tests.shown_items import HOSTILE, send_sample

FILM, VOICE, PHOTO = "video-manipulated.mp4", "voice-manipulated.wav", "photo-manipulated.jpg"
MEDIA = "#media"


@pytest.fixture
def sample() -> str:
    """What waits; tests ask for another by parameter."""
    return FILM


@pytest.fixture
def reveal() -> Reveal:
    """When the judge is heard."""
    return Reveal.AT_ONCE


@pytest.fixture
def site(migrated: Path, tmp_path: Path, sample: str, reveal: Reveal) -> Iterator[Site]:
    """One item with real materials waits."""
    file = tmp_path / "moderation.sqlite"
    copyfile(migrated, file)
    engine = open_engine(f"sqlite:///{file}")
    live = policy().model_copy(update={"review": Reviewing(reveal=reveal)})
    found = deployment(live=live)
    desk = make_desk(
        engine, tmp_path, clock=Clock(), deployment=deployment(live=live, calibrators={})
    )
    send_sample(desk, sample, name=HOSTILE)
    with serve(engine, tmp_path, lambda: found) as served:
        yield served
    engine.dispose()


def end_sessions(tmp_path: Path) -> None:
    """As if the time of all of them were over."""
    engine = open_engine(f"sqlite:///{tmp_path / 'moderation.sqlite'}")
    with writing(engine) as connection:
        connection.execute(sessions.delete())
    engine.dispose()


def seconds(page: Page) -> float:
    """Where the player is, once it has got there."""
    arrived = "new Promise(done => one.addEventListener('seeked', done, { once: true }))"
    there = f"one => Promise.resolve(one.seeking ? {arrived} : 0).then(() => one.currentTime)"
    return float(page.locator(MEDIA).evaluate(there))


def playhead(page: Page) -> float:
    """In percent of the length."""
    return float((page.locator("#playhead").get_attribute("x") or "").rstrip("%"))


def is_ready(page: Page) -> None:
    """The media can be played from anywhere."""
    known = (
        "new Promise(done => one.addEventListener('loadedmetadata', () => done(1), { once: true }))"
    )
    page.locator(MEDIA).evaluate(f"one => one.readyState >= 1 || {known}")


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


def blur(one: Locator) -> str:
    """What lies over it."""
    return str(one.evaluate("one => getComputedStyle(one).filter"))


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


def test_hostile_text_is_text_everywhere(visit: Callable[[str], Visit]) -> None:
    ann = visit("ann")
    page = ann.page
    claim(ann)
    page.get_by_text("All that it wrote").click()
    for place in ("h1", ".claims", "#said", ".said"):
        expect(page.locator(place).first).to_contain_text("<script>alert(1)</script><img src=x")
    assert page.locator("img[src=x], main script").count() == 0
    assert ann.wrongs == []


def test_a_session_that_ends_is_begun_again_on_the_page(
    visit: Callable[[str], Visit], site: Site, tmp_path: Path
) -> None:
    ann = visit("ann")
    page = ann.page
    page.clock.install()
    first = claim(ann)
    page.get_by_label("Note for colleagues").fill("half a tho")
    end_sessions(tmp_path)
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
    end_sessions(tmp_path)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    page.clock.fast_forward(10 * 60 * 1000)
    page.keyboard.press("1")
    dialog.get_by_label("Your key").fill(site.keys["ann"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert found == []
    assert [one for one in ann.wrongs if "401" not in one] == []


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
