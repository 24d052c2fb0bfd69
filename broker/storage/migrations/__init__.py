"""The history of the tables, run by Alembic from inside the broker: no ini file, no command of its own."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

_ONE_AT_A_TIME = 0x766973697473  # the key of PostgreSQL's advisory lock while tables change; any constant does


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, for `connection` where one is given."""
    alembic = Config()
    alembic.set_main_option("script_location", str(Path(__file__).parent))
    alembic.attributes["connection"] = connection
    return alembic


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest revision, inside the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    command.upgrade(config(connection), "head")
