"""`audit export` and `audit figures`: the record as a file that proves itself, and the figures computed anew."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from broker.cli.tools import configuration, fail, in_office, out, say, tell, words
from broker.config import Config
from broker.domain.audit import Tampering
from broker.domain.records import Establishment
from broker.domain.report import Asked, Report
from broker.engine.figures import Figures, as_csv, report_of
from broker.engine.office import Office
from broker.ports import LogUnavailable
from broker.storage.export import MARKING, ExportBroken, check_export, official_name, read_export, write_export
from broker.storage.keys import PublicKey

Places = Annotated[list[str] | None, typer.Option("--establishment", help=words("cli.help.only_places"))]
From = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=words("cli.help.figures_from"))]
To = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help=words("cli.help.figures_to"))]


def add_to(audit: typer.Typer) -> None:
    """Add the commands of this file."""
    audit.command("export", help=words("cli.help.audit_export"))(export)
    audit.command("figures", help=words("cli.help.audit_figures"))(figures)


def export(
    file: Annotated[Path | None, typer.Argument(help=words("cli.help.export_file"))] = None,
    establishment: Places = None,
    database: Annotated[str | None, typer.Option(help=words("cli.help.database"))] = None,
) -> None:
    """Write the record to a new file."""
    config, now = configuration(), datetime.now(UTC)
    named = file or Path(f"{MARKING}-record-{now:%Y%m%d-%H%M%S}.jsonl")
    path = named.with_name(official_name(named.name))
    codes = frozenset(code.upper() for code in establishment) if establishment else None
    try:
        count = write_export(database or config.database_url, path, codes, now)
    except LookupError:
        fail("cli.place.unknown_establishment")
    except FileExistsError:
        fail("cli.audit.export_exists", file=str(path))
    except LogUnavailable as error:
        fail("cli.storage", detail=str(error))
    except (OSError, ValueError) as error:
        fail("cli.cannot_open", detail=str(error))
    say("cli.audit.exported", n=count, file=str(path))


def figures(
    start: From = None,
    to: To = None,
    establishment: Places = None,
    export_file: Annotated[Path | None, typer.Option("--export", help=words("cli.help.figures_export"))] = None,
    key: Annotated[Path | None, typer.Option(help=words("cli.help.figures_key"))] = None,
    as_table: Annotated[bool, typer.Option("--csv", help=words("cli.help.figures_csv"))] = False,
    json: Annotated[bool, typer.Option("--json", help=words("cli.help.json"))] = False,
) -> None:
    """Compute the figures of a range of days, today's where none is named."""
    config = configuration()
    first, last = _range(start, to, ZoneInfo(config.zone))
    if export_file is None:
        found = in_office(lambda office, config: _live(office, config, first, last, establishment), config)
    else:
        found = _exported(export_file, key, first, last, establishment, config)
    if json:
        tell(jsonlib.dumps(found.as_json(), sort_keys=True))
    elif as_table:
        tell(as_csv(found.as_rows(), MARKING))
    else:
        _show(found)


async def _known_places(office: Office, config: Config) -> dict[str, Establishment]:
    return {row.code: row for row in await office.directory.establishments(await office.directory.all_establishments())}


def _codes(wanted: list[str] | None, known: Mapping[str, Establishment]) -> frozenset[str]:
    codes = frozenset(code.upper() for code in wanted or known)
    if codes - set(known):
        fail("cli.place.unknown_establishment")
    return codes


def _range(start: str | None, to: str | None, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instant of the first day and the last of the last, in the halls' zone."""
    try:
        first = date.fromisoformat(start) if start else datetime.now(zone).date()
        last = date.fromisoformat(to) if to else max(first, datetime.now(zone).date())
    except ValueError:
        fail("cli.audit.bad_day")
    if last < first:
        fail("cli.audit.bad_day")
    return datetime.combine(first, time.min, zone), datetime.combine(last + timedelta(days=1), time.min, zone)


async def _live(
    office: Office, config: Config, first: datetime, last: datetime, establishment: list[str] | None
) -> Report:
    codes = _codes(establishment, await _known_places(office, config))
    reader = Figures(office.log, office.directory, office.clock, ZoneInfo(config.zone))
    return await reader.report(Asked(first, last, codes))


def _exported(
    file: Path, key: Path | None, first: datetime, last: datetime, establishment: list[str] | None, config: Config
) -> Report:
    """Check the whole file, and only then count."""
    try:
        found = check_export(file, PublicKey.from_file(key) if key is not None else None)
        codes = _codes(establishment, found.places)
        made_at = datetime.fromisoformat(found.made_at)
        return report_of(read_export(file), Asked(first, last, codes), found.places, ZoneInfo(config.zone), made_at)
    except ExportBroken as broken:
        if broken.fault is None:
            fail("cli.audit.export_broken", file=str(file))
        fault = broken.fault
        if fault.code is Tampering.CHECKPOINT_MISSING:
            fail("cli.audit.export_unsigned", file=str(file))
        fail("cli.audit.broken", stream=fault.stream, seq=fault.seq, reason=words(f"cli.audit.fault.{fault.code}"))
    except (OSError, ValueError) as error:
        fail("cli.cannot_open", detail=str(error))


def _show(found: Report) -> None:
    tell(MARKING)
    table = Table("figure", "value")
    for name, value in found.figures.items():
        table.add_row(name, "-" if value is None else f"{value}")
    out.print(table)
    say("cli.audit.gaps", n=len(found.gaps))
    for gap in found.gaps:
        tell(" ".join(str(part) for part in gap.as_json().values()))
    tell(MARKING)
