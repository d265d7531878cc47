"""What tests ask of the player and of what is drawn under it."""

from playwright.sync_api import Locator, Page

MEDIA = "#media"


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


def blur(one: Locator) -> str:
    """What lies over it."""
    return str(one.evaluate("one => getComputedStyle(one).filter"))
