"""`moderation audit erase`: retention, and erasure on request, told in the trail."""

import json
from typing import Annotated

import typer


def erase_command(
    item: Annotated[
        str | None,
        typer.Option(help="First note a request to erase this item.", show_default=False),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Code of the request's reason, with --item.")
    ] = "gdpr_article_17",
    allowed_days: Annotated[
        int, typer.Option(min=1, help="Media of items that the machine allowed are kept so long.")
    ] = 30,
    decided_days: Annotated[
        int, typer.Option(min=1, help="Of items that were decided or enforced.")
    ] = 190,
    appealed_days: Annotated[
        int, typer.Option(min=1, help="Of items with an appeal that was decided.")
    ] = 365,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is due by retention.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Erase media and free text that are due, or asked for, without breaking the chain.

    Files go first, then the record tells of it. Stop it at any time; the next run completes it.
    """
    from datetime import UTC, datetime

    from moderation.app import build_engine
    from moderation.audit.erasure import request_erasure
    from moderation.audit.retention import RetentionPolicy
    from moderation.casework.media import due_items, erase_due
    from moderation.database import reading
    from moderation.intake.listings import find_item
    from moderation.service import build_blobs
    from moderation.settings import Settings

    settings, now = Settings.load(), datetime.now(UTC)
    engine = build_engine(settings)
    periods = RetentionPolicy(allowed_days, decided_days, appealed_days)
    if item is not None:
        with reading(engine) as connection:
            find_item(connection, item)
    if dry_run:
        due = [one.item for one in due_items(engine, periods, now=now)]
        typer.echo(json.dumps({"due": due}) if as_json else f"{len(due)} items are due")
        return
    if item is not None:
        request_erasure(engine, item, reason=reason, actor="admin:command-line", at=now)
    erased = erase_due(engine, build_blobs(settings), periods, now=now, actor="system:retention")
    typer.echo(json.dumps({"erased": erased}) if as_json else f"{erased} items erased")
