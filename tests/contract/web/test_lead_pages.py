"""What the pages for leads say of a few real reviews, on both databases."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from moderation.audit.check import verify_store
from moderation.audit.export import verify_file
from moderation.audit.store import Search, search
from moderation.audit.tables import records as audit_records
from moderation.database import reading
from moderation.intake.listings import dead_jobs
from moderation.policy.activation import active_policy
from moderation.policy.loading import DEFAULT
from tests.contract.test_audit_tampering import unguarded
from tests.contract.web.lead_console import LeadConsole, lead_console
from tests.contract.web.test_console import elements
from tests.review_records import HOSTILE, appeals_task

PAGES = (
    *("", "/team", "/golden", "/service", "/calibration", "/policy", "/appeals"),
    *("/appeals?state=all", "/dead-letters", "/audit", "/audit/verification"),
)
TOML = DEFAULT.read_text(encoding="utf-8")
NEWER = (
    TOML.replace('version = "1"', 'version = "2"')
    .replace("enforce = false", "enforce = true")
    .replace("alpha_enforce = 0.01", "alpha_enforce = 0.3")
)


@pytest.fixture
def console(engine: Engine, tmp_path: Path) -> LeadConsole:
    return lead_console(engine, tmp_path)


def words(text: str) -> str:
    """What a page says, without its elements."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_every_page_is_inert_whatever_strangers_wrote(console: LeadConsole) -> None:
    with reading(console.records.desk.engine) as connection:
        [dead] = dead_jobs(connection)
    in_toml = HOSTILE.replace('"', "'")
    own = (f"/appeals/{console.records.appeal_id}", f"/dead-letters/{dead.id}")
    trial = console.post("/policy/trials", toml=NEWER.replace("A careful start", in_toml))
    refused = console.post("/policy/trials", toml=f'name = """{HOSTILE}"""')
    assert (trial.status_code, refused.status_code) == (200, 422)
    texts = [console.page(path) for path in (*PAGES, *own)] + [trial.text, refused.text]
    for text in texts:
        assert "<script>alert" not in text
        for tag, given in elements(text):
            assert tag != "style"
            assert tag != "script" or (given["src"] or "").startswith("/console/static/")
            assert not any(name == "style" or name.startswith("on") for name in given)
    shown = console.page(own[0])
    assert "&lt;script&gt;alert(1)" in shown
    assert "{{ 7 * 7 }}" in shown


def test_the_team_page_tells_agreement_golden_results_and_breaks(console: LeadConsole) -> None:
    text = words(console.page("/team"))
    ben = re.search(r"ben (\d+) ([\dhmin ]+) due, until 2026-05-0\d", text)
    assert ben, text
    assert ben[1] == "1"
    assert "0 of 1 right" in text
    assert re.search(r"deceptive \d\.\d\d", text)
    golden = words(console.page("/golden"))
    assert "manipulated 0 of 1" in golden
    assert "by lea mixed in" in golden


def test_the_service_page_counts_what_waits_and_what_was_closed(console: LeadConsole) -> None:
    text = words(console.page("/service"))
    waits = int(re.search(r"Backlog (\d+) tasks?", text)[1])  # type: ignore[index]
    row = re.search(r"ordinary deceptive (\d+) \d+ (\d+) (\d+) (\d+)", text)
    assert row, text
    assert int(row[1]) == waits > 0
    today = re.search(r"Arrived Closed Late 2026-05-0\d (\d+) (\d+)", text)
    assert today, text
    assert int(today[2]) == int(row[3])
    console.records.clock.wait(days=3)
    console.lead.get("/console/queue")
    assert console.lead.get("/console/lead/service").status_code == 303  # the session is over


def test_calibration_shows_what_was_ruled_beside_what_was_stated(console: LeadConsole) -> None:
    text = words(console.page("/calibration"))
    assert "In force for the fast mode: platt-" in text
    assert re.search(r"Of \d+ items that people ruled", text)
    assert "at least 50 are needed" in text
    assert words(console.page("/calibration?days=366"))
    assert console.lead.get("/console/lead/calibration?days=0").status_code == 404


def test_a_policy_is_tried_and_then_put_into_force_by_name(console: LeadConsole) -> None:
    engine = console.records.desk.engine
    tried = console.post("/policy/trials", toml=NEWER.replace("\n", "\r\n"))
    text = words(tried.text)
    assert "routes.enforce changes from no to yes" in text
    assert re.search(r"enforced by the machine 0 [1-9]", text)
    with reading(engine) as connection:
        assert active_policy(connection).number == 0
    unconfirmed = console.post("/policy/activations", toml=NEWER, replaces="0")
    assert unconfirmed.status_code == 422
    sent = {"toml": NEWER.replace("\n", "\r\n"), "replaces": "0", "confirmed": "default@2"}
    assert console.post("/policy/activations", **sent).headers["location"] == "/console/lead/policy"
    with reading(engine) as connection:
        assert active_policy(connection).content == NEWER
        [told] = search(connection, Search(kind="policy_changed", newest_first=True, limit=1))
    assert (told["actor"], told["body"]["previous"]) == ("lead:lead", "default:1")
    again = console.post("/policy/activations", **sent)
    assert again.status_code == 409
    assert "in force, as number 1" in again.text
    assert "lead:lead" in console.page("/policy")


def test_what_is_wrong_with_a_policy_is_told_by_line(console: LeadConsole) -> None:
    wrong = console.post("/policy/trials", toml=TOML.replace("severity = 5.0", 'severity = "much"'))
    assert wrong.status_code == 422
    line = TOML[: TOML.index("severity = 5.0")].count("\n") + 1
    text = words(wrong.text)
    assert f"line {line}: key &#39;clauses[1].severity&#39;" in text
    assert f"▸ {line} severity = &#34;much&#34;" in text
    # What was typed is still there.
    assert "severity = &#34;much&#34;" in wrong.text.split("<textarea")[1]
    assert console.post("/policy/trials").status_code == 422
    assert console.post("/policy/trials", toml="=" * 200_000).status_code == 422
    assert console.post("/policy/trials", toml="a" * 2_000_000).status_code == 403


def test_an_appeal_says_who_may_take_it_until_it_is_closed(console: LeadConsole) -> None:
    open_ones = words(console.page("/appeals"))
    assert "It is a recording of my own." in open_ones
    path = f"/appeals/{console.records.appeal_id}"
    text = words(console.page(path))
    taken = re.search(r"may be taken by ([a-z, ]+):", text)
    assert taken, text
    names = {name.strip() for name in taken[1].split(",")}
    decided = set(re.findall(r"2026-05-0\d \d\d:\d\d UTC (ann|ben)", text))
    assert decided
    assert names == {"admin", "ann", "ben", "cem", "lead", "reviewer"} - decided
    appeals_task(console.records, "dora")
    after = words(console.page(path))
    assert "Closed 2026-05-0" in after
    assert "dora" in after
    assert "None." in words(console.page("/appeals"))
    assert "2026-05-0" in words(console.page("/appeals?state=all"))
    assert console.lead.get("/console/lead/appeals/none-such").status_code == 404


def test_a_dead_letter_is_put_back_once(console: LeadConsole) -> None:
    with reading(console.records.desk.engine) as connection:
        [dead] = dead_jobs(connection)
    assert "corrupt_media for good" in words(console.page("/dead-letters"))
    assert "corrupt_media" in console.page(f"/dead-letters/{dead.id}")
    answer = console.post(f"/dead-letters/{dead.id}/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/lead/dead-letters")
    assert console.post(f"/dead-letters/{dead.id}/retry").status_code == 404
    assert console.lead.get(f"/console/lead/dead-letters/{dead.id}").status_code == 404
    assert "None." in words(console.page("/dead-letters"))
    told = words(console.page("/audit?kind=job_retried"))
    assert "lead:lead" in told


def test_the_trail_is_searched_page_by_page_verified_and_exported(
    console: LeadConsole, tmp_path: Path
) -> None:
    path, seen = "/audit?order=oldest", []
    while path:
        text = console.page(path)
        seen += [int(number) for number in re.findall(r'<tr><td class="number">(\d+)</td>', text)]
        found = re.search(r'href="/console/lead(/audit\?[^"]+)">Next page', text)
        path = "" if found is None else found[1].replace("&amp;", "&")
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) == verify_store(console.records.desk.engine).chain.records > 50
    of_item = console.page(f"/audit?item={console.records.item_id}&kind=decided")
    assert "reviewer:ann" in of_item
    assert "No record like this" not in of_item
    day = console.records.clock()
    later = f"{day + timedelta(days=1):%Y-%m-%dT%H:%M}"
    assert "No record like this" in console.page(f"/audit?since={later}")
    assert "No record like this" not in console.page(f"/audit?until={later}")
    assert "The trail is whole" in console.page("/audit/verification")
    exported = console.lead.get("/console/lead/audit/export")
    assert "attachment" in exported.headers["content-disposition"]
    (tmp_path / "trail.jsonl").write_bytes(exported.content)
    assert verify_file(tmp_path / "trail.jsonl").is_whole
    assert not list((tmp_path / "exports").iterdir())


def test_a_search_that_cannot_be_is_explained(console: LeadConsole) -> None:
    for asked in (
        *("item=a%20b", "item=%00", "actor=ann", "kind=nothing"),
        *("since=yesterday", "since=0001-01-01"),
    ):
        assert 'role="alert"' in console.page(f"/audit?{asked}", 422), asked


def test_an_address_that_nobody_gave_leads_nowhere(console: LeadConsole) -> None:
    for path in (
        *("/appeals?after=x", "/dead-letters?after=99999999999999.000000-a", "/golden?after=%00"),
        *("/audit?after=99999999999999999999", "/team?days=many"),
    ):
        assert console.lead.get(f"/console/lead{path}").status_code == 404, path


def test_a_record_that_was_altered_shows(console: LeadConsole) -> None:
    with unguarded(console.records.desk.engine) as connection:
        connection.execute(
            update(audit_records).where(audit_records.c.sequence == 5).values(actor="lead:mallory")
        )
        connection.execute(
            update(audit_records).where(audit_records.c.sequence == 7).values(record="{")
        )
    text = console.page("/audit/verification")
    assert "The trail is broken" in text
    assert "differs from the record" in text
    assert "A record is damaged" in console.page("/audit?order=oldest", 422)
