"""Files from a person's hands to their result, in a real browser against the real server."""

import csv
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import delete

from moderation.access.tables import sessions
from moderation.database import writing
from tests.browser.conftest import HOSTILE
from tests.browser.service import Service, wrongs

SCORED = "5.0 of 9"
LARGE = b"5 " + b"a" * 8_000_000


def uploads(service: Service, window: BrowserContext, name: str = "sue") -> Page:
    page = service.enter(window, name)
    page.goto(f"{service.address}/console/uploads")
    return page


def row(page: Page, name: str):
    return page.locator("#uploads tbody tr", has_text=name)


def test_files_by_chooser_get_their_results_and_a_table(
    service: Service, window: BrowserContext, tmp_path: Path
) -> None:
    page = uploads(service, window)
    wrong = wrongs(page)
    page.get_by_text("Where they appear").click()
    page.get_by_label("Appears in").select_option("profile")
    files = [("=1+1.jpg", b"5 a"), (HOSTILE, b"5 b"), ("nothing.jpg", b""), ("bad.mp4", b"corrupt")]
    page.set_input_files(
        "#files", [{"name": n, "mimeType": "image/jpeg", "buffer": b} for n, b in files]
    )
    sending = page.locator("#sending li")
    expect(sending.filter(has_text="taken in")).to_have_count(3)
    expect(sending.filter(has_text="has no bytes")).to_have_count(1)
    # Nobody loads the page again: the table follows by itself.
    expect(row(page, "=1+1.jpg")).to_contain_text(SCORED, timeout=30_000)
    expect(row(page, HOSTILE)).to_contain_text("waits for a person")
    expect(row(page, "bad.mp4")).to_contain_text("could not be scored")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="All as CSV").click()
    with Path(waiting.value.path()).open(newline="") as file:
        rows = {one["name"]: one for one in csv.DictReader(file)}
    assert set(rows) == {"'=1+1.jpg", HOSTILE, "bad.mp4"}
    assert rows[HOSTILE]["surface"] == "profile"
    row(page, HOSTILE).get_by_role("link").click()
    expect(page.locator("h1")).to_have_text(HOSTILE)
    assert wrong == []


def test_files_by_drop(service: Service, window: BrowserContext) -> None:
    page = uploads(service, window, "lea")
    dropped = page.evaluate_handle(
        """() => { const held = new DataTransfer();
        for (const name of ["a.jpg", "b.jpg", "c.jpg"])
          held.items.add(new File([`5 ${name}`], name));
        return held; }"""
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        expect(row(page, name)).to_contain_text(SCORED, timeout=30_000)


def test_a_table_of_addresses_from_a_file(
    service: Service, window: BrowserContext, tmp_path: Path
) -> None:
    table = tmp_path / "references.csv"
    table.write_text(f"url,name\nhttp://127.0.0.1:{service.port}/a.jpg,a\nhttp://10.0.0.1/b,=b\n")
    page = uploads(service, window)
    page.get_by_label("or fill it from a file").set_input_files(table)
    expect(page.get_by_label("A table with the column")).to_have_value(table.read_text())
    page.get_by_role("button", name="Read the table").click()
    # Each row has its own answer: private addresses are not fetched.
    expect(page.get_by_role("button", name="Try again")).to_have_count(2)
    expect(page.locator("#fetched")).to_contain_text("127.0.0.1")
    page.get_by_role("button", name="Try again").first.click()
    expect(page.get_by_role("button", name="Try again")).to_have_count(2)


def test_a_file_is_sent_again_after_the_server_was_away(
    service: Service, window: BrowserContext
) -> None:
    page = uploads(service, window)
    service.kill()
    page.set_input_files("#files", [{"name": "a.jpg", "mimeType": "x/y", "buffer": b"5 a"}])
    line = page.locator("#sending li")
    expect(line).to_contain_text("The server does not answer")
    service.start()
    line.get_by_role("button", name="Try a.jpg again").click()
    expect(line).to_contain_text("taken in")
    expect(row(page, "a.jpg")).to_contain_text(SCORED, timeout=30_000)


def test_a_sender_appeals_against_what_a_reviewer_decided(
    service: Service, window: BrowserContext, other_window: BrowserContext
) -> None:
    [item] = service.send("5 mine")
    ann = service.enter(other_window, "ann")
    ann.keyboard.press("c")
    ann.get_by_role("heading", name="Decide").wait_for()
    ann.wait_for_load_state()
    ann.keyboard.press("1")
    ann.get_by_role("button", name="Undo").wait_for()
    page = uploads(service, window)
    page.goto(f"{service.address}/console/uploads/{item}")
    page.get_by_label("Why is the decision wrong?").fill("It is my own.")
    page.get_by_role("button", name="Appeal").click()
    expect(page.get_by_text("a person is to decide it")).to_be_visible()
    expect(page.get_by_label("Why is the decision wrong?")).to_have_count(0)


def test_a_session_that_ended_is_renewed_on_the_page_and_the_file_is_sent(
    service: Service, window: BrowserContext
) -> None:
    page = uploads(service, window)
    with writing(service.engine) as connection:
        connection.execute(delete(sessions))
    page.set_input_files("#files", [{"name": "a.jpg", "mimeType": "x/y", "buffer": LARGE}])
    asked = page.get_by_role("dialog")
    asked.get_by_label("Key").fill(service.keys["sue"])
    page.keyboard.press("Enter")
    expect(page.locator("#sending li")).to_contain_text("taken in")
    expect(row(page, "a.jpg")).to_contain_text(SCORED, timeout=30_000)
