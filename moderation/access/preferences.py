"""How the console looks and acts for one person, on whichever machine they log in."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from moderation.access.tables import preferences


class Appearance(StrEnum):
    """System: as the browser is set."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Preferences:
    """has_single_keys: a key alone decides, claims and so on (WCAG 2.1.4 asks for a switch)."""

    appearance: Appearance = Appearance.SYSTEM
    has_single_keys: bool = True


def find_preferences(connection: Connection, person: str) -> Preferences:
    """Of the holder of keys of this name; the usual ones until they choose."""
    row = connection.execute(
        select(preferences).where(preferences.c.person == person)
    ).one_or_none()
    if row is None:
        return Preferences()
    return Preferences(Appearance(row.appearance), row.has_single_keys)


def keep_preferences(connection: Connection, person: str, chosen: Preferences) -> None:
    """In place of what was kept."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = asdict(chosen)
    statement = dialect.insert(preferences).values(person=person, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[preferences.c.person], set_=values)
    )
