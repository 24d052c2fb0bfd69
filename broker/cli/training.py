"""`training` and `audit training`: an exercise run, and scored anew from its record."""

from __future__ import annotations

import json as jsonlib
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from broker.cli.tools import fail, in_office, tell, words
from broker.config import Config, sqlite_url
from broker.domain.training import Score, score
from broker.engine.exercises import Exercises
from broker.engine.figures import as_csv
from broker.engine.office import Office
from broker.storage.export import MARKING, ExportBroken, check_export, read_export

RUNS = Path("data/training")
Runs = Annotated[Path, typer.Option("--data-dir", help=words("cli.help.training_dir"))]


def add_to(app: typer.Typer, audit: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("training", help=words("cli.help.training"))(training)
    audit.command("training", help=words("cli.help.audit_training"))(scored)


def training(
    exercise: Annotated[str, typer.Option(help=words("cli.help.exercise"))] = "first-shift",
    calls: Annotated[int | None, typer.Option(min=1, max=8, help=words("cli.help.exercise_calls"))] = None,
    officer: Annotated[str | None, typer.Option(help=words("cli.help.exercise_officer"))] = None,
    port: Annotated[int, typer.Option(help=words("cli.help.port"))] = 8080,
    data_dir: Runs = RUNS,
) -> None:
    """Run an exercise for the officer of the monitoring post, until Ctrl-C."""
    from broker.training import run

    raise typer.Exit(run(exercise, calls, officer, port, data_dir))


def scored(
    data_dir: Runs = RUNS,
    export_file: Annotated[Path | None, typer.Option("--export", help=words("cli.help.figures_export"))] = None,
    as_table: Annotated[bool, typer.Option("--csv", help=words("cli.help.figures_csv"))] = False,
    json: Annotated[bool, typer.Option("--json", help=words("cli.help.json"))] = False,
) -> None:
    """Score the newest run of an exercise, or an export of one."""
    found = _recorded(data_dir) if export_file is None else _exported(export_file)
    if found is None:
        fail("cli.training.not_begun")
    rows = found.as_rows()
    if json:
        tell(jsonlib.dumps({"marking": f"{MARKING} TRAINING", "rows": rows}, sort_keys=True))
    elif as_table:
        tell(as_csv(rows, f"{MARKING} TRAINING"))
    else:
        _show(rows)


def _recorded(data_dir: Path) -> Score | None:
    from broker.training.run import newest

    folder = newest(data_dir)
    if folder is None:
        fail("cli.training.none", folder=data_dir)

    async def work(office: Office, config: Config) -> Score | None:
        places = (await office.directory.all_establishments()).establishments
        return await Exercises(office.log, office.clock).score(places)

    return in_office(work, Config(data_dir=folder, database_url=sqlite_url(folder)))


def _exported(file: Path) -> Score | None:
    """Check the whole file, and only then score."""
    try:
        made_at = datetime.fromisoformat(check_export(file, None).made_at)
        return score(read_export(file), made_at)
    except ExportBroken:
        fail("cli.audit.export_broken", file=str(file))
    except (OSError, ValueError) as error:
        fail("cli.cannot_open", detail=str(error))


def _show(rows: list[tuple[str, ...]]) -> None:
    tell(f"{MARKING} TRAINING")
    cut = rows.index(())
    for name, value in rows[:cut]:
        tell(f"{name}: {value}")
    for row in rows[cut + 2 :]:
        tell(" · ".join(f"{name} {cell}" for name, cell in zip(rows[cut + 1], row, strict=True) if cell))
