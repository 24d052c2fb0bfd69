"""A suspension of a visitor: a restriction with its reason and how to appeal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a restriction of before has neither, and is none."""
    for name in ("reason", "appeal"):
        op.add_column("restrictions", sa.Column(name, sa.Text(), nullable=True))
