"""Alembic's entry: it runs the revisions on the connection that `upgrade` was given."""

from __future__ import annotations

from alembic import context

from broker.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
