"""`risk import`: alerts, authorisations and the watch list of one establishment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broker.cli.service import tell_faults
from broker.cli.tools import OPERATOR, in_office, read_file, say, words
from broker.config import Config
from broker.engine.importer import Result
from broker.engine.office import Office


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help=words("cli.help.risk"), no_args_is_help=True)
    group.command("import", help=words("cli.help.risk_import"))(take)
    group.callback()(_group)  # with one command alone typer would drop the word "import"
    app.add_typer(group, name="risk")


def _group() -> None:
    """Hold the commands of `risk`."""


def take(file: Annotated[Path, typer.Argument(help=words("cli.help.risk_file"))]) -> None:
    """Import a file; all of it, or nothing."""
    content = read_file(file)

    async def work(office: Office, config: Config) -> Result:
        return await office.risk_importer.take((file.name, content), OPERATOR)

    result = in_office(work)
    tell_faults(result.faults)
    say("cli.risk.taken", rows=result.people, unchanged=result.unchanged)
