"""What people set for themselves, and find again."""

import pytest

from moderation.access.keys import AccessRole
from moderation.database import reading
from moderation.review.reviewers import find_reviewer
from moderation.review.types import Wellness
from tests.contract.web.consoles import (
    Console,
    claimed,
    elements,
    token_in,
)

PAGE = "/console/settings"


def test_media_and_rest_are_kept_and_used(console: Console) -> None:
    browser = console.client(AccessRole.REVIEWER)
    fields = {
        "form_token": token_in(browser.get(PAGE).text),
        "has_mute": "1",
        "work_minutes": "45",
        "break_minutes": "7.5",
        "harmful_daily_max": "30",
    }
    answer = browser.post(f"{PAGE}/wellness", data=fields)
    assert answer.headers["location"] == f"{PAGE}?saved=1"
    with reading(console.engine) as connection:
        kept = find_reviewer(connection, "reviewer").wellness
    assert kept == Wellness(
        has_blur=False,
        has_greyscale=False,
        has_mute=True,
        work_minutes=45,
        break_minutes=7.5,
        harmful_daily_max=30,
    )
    shown = elements(browser.get(claimed(browser)).text)
    veils = {one["data-veil"]: one["aria-pressed"] for _, one in shown if "data-veil" in one}
    assert veils["blur"] == veils["grey"] == "false"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("work_minutes", "0"),
        ("work_minutes", "nan"),
        ("break_minutes", "1e9"),
        ("break_minutes", ""),
        ("harmful_daily_max", "-1"),
        ("harmful_daily_max", "many"),
    ],
)
def test_numbers_that_nobody_can_work_by_are_refused_and_change_nothing(
    console: Console, name: str, value: str
) -> None:
    browser = console.client(AccessRole.REVIEWER)
    fields = {
        "form_token": token_in(browser.get(PAGE).text),
        "work_minutes": "45",
        "break_minutes": "10",
        "harmful_daily_max": "30",
    }
    assert browser.post(f"{PAGE}/wellness", data=fields | {name: value}).status_code == 422
    with reading(console.engine) as connection:
        assert find_reviewer(connection, "reviewer").wellness == Wellness()


def test_appearance_and_keys_follow_the_person_to_another_browser(console: Console) -> None:
    browser = console.client(AccessRole.UPLOADER)
    fields = {"form_token": token_in(browser.get(PAGE).text), "appearance": "dark"}
    assert browser.post(f"{PAGE}/appearance", data=fields).status_code == 303
    assert browser.post(f"{PAGE}/appearance", data=fields | {"appearance": "x"}).status_code == 422
    other = console.client(AccessRole.UPLOADER)
    assert root_of(other) == "dark"
    assert not single_keys(other)
    fields = {"form_token": token_in(other.get(PAGE).text), "has_single_keys": "1"}
    assert other.post(f"{PAGE}/keys", data=fields).status_code == 204
    assert single_keys(browser)
    assert root_of(browser) == "dark"
    assert root_of(console.client(AccessRole.LEAD)) == "system"


def root_of(browser) -> str | None:
    """The appearance that a page asks for."""
    return elements(browser.get(PAGE).text)[0][1]["data-appearance"]


def single_keys(browser) -> bool:
    """Whether the list of keys, on any page, says that they act."""
    found = elements(browser.get(PAGE).text)
    return next("checked" in given for _, given in found if given.get("id") == "keys-on")


def test_an_uploader_has_no_rest_to_set(console: Console) -> None:
    browser = console.client(AccessRole.UPLOADER)
    shown = browser.get(PAGE).text
    assert "work_minutes" not in shown
    fields = {"form_token": token_in(shown)}
    assert browser.post(f"{PAGE}/wellness", data=fields).status_code == 403
