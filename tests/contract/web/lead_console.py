"""The console with days of review behind it, and a browser for each role."""

from dataclasses import dataclass
from pathlib import Path

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.web.application import add_console
from tests.api_application import application, make_keys
from tests.contract.web.test_console import token_in
from tests.review_records import Records, make_records


@dataclass(frozen=True)
class LeadConsole:
    """lead: logged in as one."""

    records: Records
    lead: TestClient

    def page(self, path: str, status: int = 200) -> str:
        """The text of a page for leads, by what follows `/console/lead`."""
        answer = self.lead.get(f"/console/lead{path}")
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, path: str, **fields: str) -> Response:
        """A form of this session."""
        token = token_in(self.lead.get("/console/queue").text)
        return self.lead.post(f"/console/lead{path}", data={"form_token": token} | fields)


def lead_console(engine: Engine, folder: Path) -> LeadConsole:
    """On a database with the records of a few reviews."""
    records = make_records(engine, folder)
    app = application(engine, folder, clock=records.clock)  # type: ignore[arg-type]
    add_console(app, app.state.services)
    lead = TestClient(app, follow_redirects=False)
    form_token = token_in(lead.get("/console/login").text)
    key = make_keys(engine)[AccessRole.LEAD]
    answer = lead.post("/console/login", data={"form_token": form_token, "key": key})
    assert answer.status_code == 303
    return LeadConsole(records, lead)
