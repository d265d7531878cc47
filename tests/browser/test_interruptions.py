"""A lease that runs out, and a server that dies, in the middle of a review: nothing is lost."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import func, select, update

from moderation.database import reading, writing
from moderation.review.tables import IS_LIVE, decisions, leases
from tests.browser.service import Service
from tests.service_processes import until

NOTE = "the shadow of the left hand"


def claim(page: Page) -> str:
    page.keyboard.press("c")
    page.get_by_role("heading", name="Decide").wait_for()
    page.wait_for_load_state()
    return page.url


def write_note(page: Page) -> None:
    page.keyboard.press("n")
    page.keyboard.type(NOTE)
    page.keyboard.press("Escape")


def decided(service: Service) -> int:
    with reading(service.engine) as connection:
        return connection.scalar(select(func.count()).select_from(decisions)) or 0


def test_a_lease_that_ran_out_is_told_decides_nothing_and_keeps_the_note(
    service: Service, window: BrowserContext, other_window: BrowserContext
) -> None:
    service.send("5 a")
    ann, ben = service.enter(window, "ann"), service.enter(other_window, "ben")
    task = claim(ann)
    write_note(ann)
    with writing(service.engine) as connection:
        before = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(update(leases).where(IS_LIVE).values(expires_at=before))
    # The server puts it back in its own time; the queue then offers it.
    until(lambda: ben.reload() and ben.get_by_role("button", name="Claim").count())
    assert claim(ben) == task
    ann.keyboard.press("1")
    expect(ann.get_by_role("heading", name="This was not done")).to_be_visible()
    expect(ann.locator("main")).to_contain_text("has ended (expired)")
    expect(ann.locator("main")).to_contain_text("note that you typed is kept")
    assert decided(service) == 0
    ben.get_by_role("button", name="Give back").click()
    ben.wait_for_url("**/console/queue")
    ann.goto(f"{service.address}/console/queue")
    assert claim(ann) == task
    expect(ann.locator("#note")).to_have_value(NOTE)
    ann.keyboard.press("1")
    ann.get_by_role("button", name="Undo").wait_for()
    assert decided(service) == 1


def test_a_server_that_is_killed_and_started_again_loses_nothing(
    service: Service, window: BrowserContext
) -> None:
    service.send("5 a", "5 b")
    ann = service.enter(window, "ann")
    task = claim(ann)
    write_note(ann)
    service.kill()
    service.start()
    # The page was open all the time: what was typed in it counts.
    ann.keyboard.press("1")
    ann.get_by_role("button", name="Undo").wait_for()
    ann.wait_for_load_state()
    with reading(service.engine) as connection:
        [row] = connection.execute(select(decisions)).all()
    assert (row.note, f"/tasks/{row.task_id}") == (NOTE, task[task.index("/tasks/") :])
    second = ann.url
    assert second != task
    write_note(ann)
    service.kill()
    service.start()
    ann.reload()
    assert ann.url == second
    expect(ann.locator("#note")).to_have_value(NOTE)
    ann.get_by_role("button", name="Undo").wait_for()
    ann.goto(f"{service.address}/console/queue")
    expect(ann.locator("#held-tasks, section[aria-labelledby=held]")).to_contain_text("held until")
    expect(ann.locator("#counts")).to_contain_text("Nothing waits")
    assert decided(service) == 1
