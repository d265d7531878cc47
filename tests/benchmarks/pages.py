"""What a real browser says of a page: when it was drawn, what it loaded, how much of a film."""

from dataclasses import asdict, dataclass

from playwright.sync_api import Page, Request

# Drawn: loaded, its picture decoded, and two frames later, so that one with all of it was shown.
_WATCH = """
addEventListener("keydown", () => {
  window.drawnAt = 0;
  sessionStorage.setItem("pressed", performance.timeOrigin + performance.now());
}, { capture: true });
const told = async () => {
  await document.querySelector("img#media")?.decode().catch(() => null);
  requestAnimationFrame(() => requestAnimationFrame(() => {
    window.drawnAt = performance.timeOrigin + performance.now(); }));
};
addEventListener("load", told);
document.addEventListener("console:task", told);
"""
LOOK_MS = 2500
"""Nobody decides sooner; what comes next is loaded meanwhile."""


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes on the wire with headers, and how many requests; media: of which the item itself.

    again_bytes: when the page is opened once more, by the same browser.
    """

    requests: int
    bytes: int
    media_bytes: int
    again_bytes: int

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def press_and_draw(page: Page, key: str) -> float:
    """Milliseconds from a key to the item that it leads to, drawn; by the browser's clock."""
    before = page.url
    if not page.evaluate("'drawnAt' in window"):
        page.add_init_script(_WATCH)
        page.reload()
    page.wait_for_function("window.drawnAt")
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press(key)
    page.wait_for_function(
        "([url]) => location.href !== url && window.drawnAt && document.getElementById('decision')",
        arg=[before],
    )
    taken: float = page.evaluate("drawnAt - Number(sessionStorage.getItem('pressed'))")
    return taken


def weigh(page: Page, address: str) -> Weight:
    """Of everything that a first visit loads, until nothing more comes, and of a second one."""
    session = page.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    session.detach()
    first, again = _visit(page, address), _visit(page, address)
    media = sum(size for url, size in first if url.endswith("/media"))
    return Weight(len(first), sum(size for _, size in first), media, sum(size for _, size in again))


def _visit(page: Page, address: str) -> list[tuple[str, int]]:
    """Addresses that were asked for, with the bytes that came."""
    finished: list[Request] = []

    def note(request: Request) -> None:
        finished.append(request)

    page.on("requestfinished", note)
    page.goto(address, wait_until="networkidle")
    page.remove_listener("requestfinished", note)
    sizes = [(one.url, one.sizes()) for one in finished]
    return [(url, size["responseBodySize"] + size["responseHeadersSize"]) for url, size in sizes]


def media_bytes(page: Page, address: str, seconds: float) -> tuple[int, int]:
    """Bytes of the film that came when its page opened, and in all after a jump to `seconds`."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    films: set[str] = set()
    came = 0

    def begun(event: dict[str, object]) -> None:
        request = event["request"]
        assert isinstance(request, dict)
        if str(request["url"]).endswith("/media"):
            films.add(str(event["requestId"]))

    def received(event: dict[str, object]) -> None:
        nonlocal came
        if str(event["requestId"]) in films:
            came += int(str(event["dataLength"]))

    session.on("Network.requestWillBeSent", begun)
    session.on("Network.dataReceived", received)
    page.goto(address)
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")
    page.wait_for_timeout(2000)
    opened = came
    page.evaluate(
        "seconds => new Promise(done => { const film = document.querySelector('video');"
        " film.addEventListener('seeked', done, { once: true }); film.currentTime = seconds; })",
        seconds,
    )
    page.wait_for_timeout(2000)
    return opened, came
