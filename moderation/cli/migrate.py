"""`moderation migrate`: the database's schema, by itself, before the processes that need it."""

import typer


def migrate_command() -> None:
    """Bring the database to the schema of this version.

    Every process does so at its start; run it first where several versions meet in a rolling
    upgrade, or where processes may not change the schema. Nothing is done twice.
    """
    from moderation.app import build_engine
    from moderation.database.upgrading import newest_revision
    from moderation.settings import Settings, without_password

    settings = Settings.load()
    engine = build_engine(settings)
    engine.dispose()
    where = without_password(settings.database_url)
    typer.echo(f"{where} has the schema {newest_revision()}")
