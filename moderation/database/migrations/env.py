"""What Alembic runs: the revisions, on the connection that `upgrade` opened and locked."""

from alembic import context

from moderation.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by copying it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
