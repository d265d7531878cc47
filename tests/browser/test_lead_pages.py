"""The pages for leads in a real browser, with days of review behind them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from playwright.sync_api import Page, expect

from moderation.access.enrolment import issue_key
from moderation.access.keys import AccessRole
from moderation.database import open_engine, writing
from moderation.policy.loading import DEFAULT
from moderation.web.application import add_console
from tests.api_application import application
from tests.browser.conftest import Site, Visit, served
from tests.browser.test_console import violations
from tests.review_records import HOSTILE, make_records

PAGES = ("Overview", "Team", "Service level", "Calibration", "Policy", "Appeals", "Dead letters")
ZOOM_200 = {"width": 640, "height": 480}
TABLET = {"width": 768, "height": 1024}


@pytest.fixture(scope="module")
def reviewed(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Eighty uploads, most of them reviewed: enough for the monitor to have an opinion."""
    folder = tmp_path_factory.mktemp("reviewed")
    file = folder / "moderation.sqlite"
    copyfile(migrated, file)
    engine = open_engine(f"sqlite:///{file}")
    records = make_records(engine, folder, digits=range(10), copies=8)
    with writing(engine) as connection:
        made = issue_key(connection, name="lea", role=AccessRole.LEAD, now=records.clock())
    app = application(engine, folder, clock=records.clock)  # type: ignore[arg-type]
    add_console(app, app.state.services)
    with served(app) as address:
        yield Site(address, {"lea": made.secret_text})
    engine.dispose()


@pytest.fixture
def site(reviewed: Site) -> Site:
    """Served to `visit`, in place of the one with four pictures."""
    return reviewed


def every_page(page: Page) -> Iterator[str]:
    """Each page for leads in turn, reached as a lead does; its name."""
    page.goto("/console/lead")
    for name in (*PAGES, "Audit trail"):
        page.get_by_role("navigation", name="Pages for leads").get_by_role(
            "link", name=name
        ).click()
        expect(page.locator(".pages [aria-current]")).to_have_text(name)
        page.wait_for_load_state()
        yield name
    for listing in ("appeals", "dead-letters"):
        page.goto(f"/console/lead/{listing}")
        page.locator("tbody a").first.click()
        expect(page.locator("h1")).to_contain_text("ppeal" if listing == "appeals" else "letter")
        page.wait_for_load_state()
        yield f"one of {listing}"
    for path in ("golden", "audit/verification"):
        page.goto(f"/console/lead/{path}")
        yield path


def try_policy(page: Page, change: tuple[str, str]) -> None:
    """As it is, with a change and a version of its own."""
    text = DEFAULT.read_text(encoding="utf-8").replace('version = "1"', 'version = "2"')
    page.goto("/console/lead/policy")
    page.get_by_label("Policy, as TOML").fill(text.replace(*change))
    page.get_by_role("button", name="Try it").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page_for_leads(
    visit: Callable[[str], Visit], scheme: str
) -> None:
    lea = visit("lea")
    lea.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {name: violations(lea.page) for name in every_page(lea.page)}
    try_policy(lea.page, ("enforce = false", "enforce = true"))
    expect(lea.page.locator("h1")).to_contain_text("would change")
    found["trial"] = violations(lea.page)
    assert {name: one for name, one in found.items() if one} == {}
    assert lea.wrongs == []


@pytest.mark.parametrize("size", [ZOOM_200, TABLET], ids=["zoom", "tablet"])
def test_no_page_needs_to_be_moved_sideways(visit: Callable[[str], Visit], size: dict) -> None:
    lea = visit("lea")
    lea.page.set_viewport_size(size)
    beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    small = """() => [...document.querySelectorAll(".plot text")]
        .filter(one => one.getBoundingClientRect().height < 11).length"""
    for name in every_page(lea.page):
        assert lea.page.evaluate(beyond) == 0, name
        assert lea.page.evaluate(small) == 0, name


def test_what_strangers_wrote_is_text_and_nothing_else(visit: Callable[[str], Visit]) -> None:
    lea = visit("lea")
    for name in every_page(lea.page):
        assert lea.page.locator("main script, main img").count() == 0, name
    lea.page.goto("/console/lead/appeals")
    lea.page.locator("tbody a").first.click()
    expect(lea.page.get_by_text(HOSTILE).first).to_be_visible()
    lea.page.goto("/console/lead/dead-letters")
    lea.page.locator("tbody a").first.click()
    expect(lea.page.locator("h1")).to_contain_text(HOSTILE)
    assert lea.wrongs == []


def test_plots_are_drawn_and_told(visit: Callable[[str], Visit]) -> None:
    lea = visit("lea")
    lea.page.goto("/console/lead/calibration")
    diagram = lea.page.get_by_role("img", name="Reliability diagram")
    expect(diagram).to_be_visible()
    assert diagram.locator("circle.mark").count() >= 4
    assert diagram.locator("line.interval").count() >= 1
    expect(lea.page.get_by_role("img", name="Scores when")).to_be_visible()
    expect(lea.page.get_by_role("heading", name="Does it still hold?")).to_be_visible()
    assert lea.page.locator("#monitor ~ div tbody tr").count() == 4
    lea.page.goto("/console/lead/team")
    expect(lea.page.get_by_role("img", name="Cohen's kappa")).to_be_visible()
    lea.page.goto("/console/lead/service")
    expect(lea.page.get_by_role("img", name="Tasks that arrived")).to_be_visible()


def test_a_policy_from_a_file_is_tried_by_keyboard(
    visit: Callable[[str], Visit], tmp_path: Path
) -> None:
    lea = visit("lea")
    page = lea.page
    file = tmp_path / "mine.toml"
    text = DEFAULT.read_text(encoding="utf-8").replace('name = "default"', 'name = "mine"')
    file.write_text(text.replace("enforce = false", "enforce = true"), encoding="utf-8")
    page.goto("/console/lead/policy")
    page.get_by_label("Or from a file").set_input_files(file)
    expect(page.get_by_label("Policy, as TOML")).to_have_value(file.read_text(encoding="utf-8"))
    page.get_by_label("Backlog in hours").fill("24")
    page.get_by_label("Backlog in hours").press("Enter")
    expect(page.locator("h1")).to_contain_text("mine@1")
    expect(page.get_by_text("24.0 hours of work waiting")).to_be_visible()
    # The box is asked for before anything is sent.
    page.get_by_role("button", name="Put it into force").press("Enter")
    expect(page.locator("h1")).to_contain_text("mine@1")
    page.get_by_role("link", name="Leave everything as it is").press("Enter")
    expect(page.get_by_role("heading", name="In force: default@1")).to_be_visible()
    assert lea.wrongs == []


def test_a_trail_is_looked_into_and_exported(visit: Callable[[str], Visit]) -> None:
    lea = visit("lea")
    page = lea.page
    page.goto("/console/lead/audit")
    page.get_by_label("Kind").select_option("appealed")
    page.get_by_role("button", name="Search").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("summary").press("Enter")
    expect(page.locator("tbody pre")).to_contain_text('"kind": "appealed"')
    page.locator("tbody a").press("Enter")
    expect(page.get_by_label("Item")).not_to_have_value("")
    assert page.locator("tbody tr").count() >= 4
    with page.expect_download() as waited:
        page.get_by_role("link", name="Export all of it").click()
    assert waited.value.suggested_filename == "trail.jsonl"
    assert lea.wrongs == []
