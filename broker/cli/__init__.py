"""The command line: `python -m broker …`."""

from __future__ import annotations

import typer

from broker.cli import console, places, risk, service, staff
from broker.cli.tools import words

app = typer.Typer(
    name="broker",
    help=words("cli.help.app"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals may hold passwords and names
    rich_markup_mode=None,
)
service.add_to(app)
staff.add_to(app)
places.add_to(app)
console.add_to(app)
risk.add_to(app)
