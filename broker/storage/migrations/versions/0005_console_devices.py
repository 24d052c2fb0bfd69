"""Consoles: the staff browsers that may take a monitoring post."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of consoles."""
    op.create_table(
        "console_devices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("establishment", sa.Text(), nullable=False),
        sa.Column("asset_tag", sa.Text(), nullable=False),
        sa.Column("assured_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=True),
        sa.Column("enrol_hash", sa.Text(), nullable=True),
        sa.Column("enrol_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_devices")),
    )
    for column in ("enrol_hash", "establishment", "key_hash"):
        op.create_index(op.f(f"ix_console_devices_{column}"), "console_devices", [column], unique=False)
