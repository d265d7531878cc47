"""The application with items that have real materials, for tests of the item page."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from moderation.access.rate_limit import Rate
from moderation.intake.types import Item
from moderation.policy.schema import Reveal, Reviewing
from moderation.web.application import add_console
from tests.api_application import Clock, application, make_keys
from tests.contract.casework.scripted import deployment, make_desk, policy
from tests.contract.web.test_console import Console, token_in
from tests.shown_items import HOSTILE, send_sample

FIRST = {"choice": "manipulated:label:deceptive-event", "note": f"See {HOSTILE}"}


class ItemConsole(Console):
    """The application with a desk to send items to; `after`: the judge's view comes second."""

    def __init__(self, engine: Engine, folder: Path, reveal: Reveal = Reveal.AT_ONCE) -> None:
        live = policy().model_copy(update={"review": Reviewing(reveal=reveal)})
        # Without a calibrator everything waits for a person; the console shows one all the same.
        self.desk = make_desk(engine, folder, deployment=deployment(live=live, calibrators={}))
        self.engine, self.keys = engine, make_keys(engine)
        self.clock = Clock(self.desk.clock())
        shown = deployment(live=live)
        self.app = application(engine, folder, clock=self.clock, deployed=lambda: shown)
        add_console(self.app, self.app.state.services, logins=Rate(per_second=1e-6, burst=20))

    def send(self, sample: str, **changes: Any) -> Item:
        """An item that waits, with its materials unless they are not wanted."""
        return send_sample(self.desk, sample, name=f"{HOSTILE}{sample}", **changes)


def held(text: str) -> dict[str, str]:
    """What forms of a page carry."""
    return {"form_token": token_in(text), "token": token_in(text, "token")}
