"""Free text beside the chain: kept, read and erased."""

from collections.abc import Sequence

from sqlalchemy import Connection, null, select, update

from moderation.audit.commitments import CommittedText
from moderation.audit.tables import texts


def read_text(connection: Connection, commitment: str) -> CommittedText | None:
    """The text; None where it is erased, or never was."""
    query = select(texts.c.text, texts.c.salt).where(texts.c.commitment == commitment)
    row = connection.execute(query).one_or_none()
    return None if row is None or row.text is None else CommittedText(row.text, row.salt)


def kept_texts(connection: Connection, item: str) -> tuple[str, ...]:
    """Commitments of the texts about `item` that are not erased, in order."""
    query = select(texts.c.commitment).where(texts.c.item == item, texts.c.text.is_not(None))
    return tuple(connection.scalars(query.order_by(texts.c.sequence, texts.c.commitment)))


def erase_texts(connection: Connection, commitments: Sequence[str], erased_by: int) -> None:
    """Drop text and salt of each. erased_by: number of the record that tells of it.

    What commitments stand for can then be neither read nor guessed; the chain is untouched.
    """
    for commitment in commitments:
        connection.execute(
            update(texts)
            .where(texts.c.commitment == commitment)
            .values(text=null(), salt=null(), erased_sequence=erased_by)
        )
