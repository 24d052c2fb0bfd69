"""`python -m broker`."""

from __future__ import annotations

from broker.cli import app

if __name__ == "__main__":
    app(prog_name="broker")
