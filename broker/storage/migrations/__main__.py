"""Write the next revision from what `tables.py` says: `python -m broker.storage.migrations "what changes"`.

It migrates an empty SQLite file, compares, and writes the difference. Read what it wrote:
a renamed column looks like one dropped and one added, and a table that SQLite has to copy
loses its triggers.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from broker.storage.migrations import config, upgrade


def main(message: str) -> None:
    """Write the revision into `versions/`."""
    done = sorted((Path(__file__).parent / "versions").glob("[0-9]*.py"))
    number = int(done[-1].name[:4]) + 1 if done else 1
    with tempfile.TemporaryDirectory() as folder, create_engine(f"sqlite:///{folder}/empty.db").begin() as connection:
        upgrade(connection)
        command.revision(config(connection), message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('usage: python -m broker.storage.migrations "what changes"')
    main(sys.argv[1])
