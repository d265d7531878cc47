"""Alembic's environment and the revisions, in one line."""
