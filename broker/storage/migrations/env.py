"""Alembic's entry: it runs the revisions on the connection that `upgrade` was given."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from broker.storage.tables import Ids, Instant, Word, metadata


def plain(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Write our column types as what lies under them: a revision must not change when the code does."""
    if kind == "type":
        for ours, theirs in ((Instant, "sa.DateTime(timezone=True)"), (Word, "sa.Text()"), (Ids, "sa.JSON()")):
            if isinstance(item, ours):
                return theirs
    return False


connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, render_item=plain)
with context.begin_transaction():
    context.run_migrations()
