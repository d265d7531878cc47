"""`moderation keys`: who may use the API."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command("create")
def create_command(
    role: Annotated[str, typer.Option(help="uploader, reviewer, lead or admin.")],
    name: Annotated[str, typer.Option(help="Pseudonym of who uses it; records name them by it.")],
    days: Annotated[
        float | None, typer.Option(min=0.001, help="How long it is in force. Default: for good.")
    ] = None,
    automated: Annotated[
        bool, typer.Option("--automated", help="A program uses it: no appeals, no lead's desk.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a key and print it: it is kept nowhere, and cannot be shown again.

    Keys of one name are one person: nobody decides an appeal against their own decision.
    """
    from moderation.access.enrolment import issue_key
    from moderation.access.keys import AccessRole
    from moderation.database import writing
    from moderation.errors import ConfigurationError

    try:
        wanted = AccessRole(role)
    except ValueError:
        raise ConfigurationError(
            f"--role is {role[:40]!r}",
            expected=f"one of {', '.join(AccessRole)}",
            remedy="Correct --role.",
        ) from None
    now = datetime.now(UTC)
    expires_at = None if days is None else now + timedelta(days=days)
    with writing(_engine()) as connection:
        made = issue_key(
            connection,
            name=name,
            role=wanted,
            now=now,
            expires_at=expires_at,
            is_automated=automated,
        )
    if as_json:
        typer.echo(json.dumps({"id": made.key.id, "key": made.secret_text}))
        return
    typer.echo(made.secret_text)
    typer.echo("Keep it: it cannot be shown again.", err=True)


@app.command("list")
def list_command(as_json: Json = False) -> None:
    """List keys, without their secrets."""
    from moderation.access.keys import list_keys
    from moderation.database import reading

    with reading(_engine()) as connection:
        found = list_keys(connection)
    rows = [
        {
            "id": key.id,
            "name": key.name,
            "role": str(key.role),
            "created": key.created_at.isoformat(timespec="seconds"),
            "expires": key.expires_at and key.expires_at.isoformat(timespec="seconds"),
            "revoked": key.revoked_at and key.revoked_at.isoformat(timespec="seconds"),
        }
        for key in found
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    from moderation.cli.remote_view import print_table

    print_table(rows, ("id", "name", "role", "created", "expires", "revoked"))


@app.command("revoke")
def revoke_command(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")],
) -> None:
    """End a key at once."""
    from moderation.access.keys import revoke_key
    from moderation.database import writing

    with writing(_engine()) as connection:
        revoked = revoke_key(connection, key_id, datetime.now(UTC))
    typer.echo(f"key {revoked.id} of {revoked.name} is revoked")


def _engine() -> "Engine":
    from moderation.app import build_engine
    from moderation.settings import Settings

    return build_engine(Settings.load())
