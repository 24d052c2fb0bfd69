"""`console enrol|revoke|list`: the staff browsers that may take a monitoring post."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from broker.cli.tools import OPERATOR, fail, in_office, out, say, tell, words
from broker.config import Config
from broker.domain.records import NATIONAL_POOL, ConsoleDevice, Scope
from broker.engine.console_devices import ASSURED
from broker.engine.office import Office

Place = Annotated[str, typer.Argument(metavar=f"CODE|{NATIONAL_POOL}", help=words("cli.help.console_place"))]
Tag = Annotated[str, typer.Argument(metavar="TAG", help=words("cli.help.tag"))]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    console = typer.Typer(help=words("cli.help.console"), no_args_is_help=True)
    console.command("enrol", help=words("cli.help.console_enrol"))(enrol)
    console.command("revoke", help=words("cli.help.console_revoke"))(revoke)
    console.command("list", help=words("cli.help.console_list"))(consoles)
    app.add_typer(console, name="console")


def enrol(
    place: Place,
    tag: Tag,
    assured_until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help=words("cli.help.assured_until"))] = "",
) -> None:
    """Print the one-time link that enrols a browser; for a console that stands, assure it anew."""

    async def work(office: Office, config: Config) -> tuple[ConsoleDevice, str, str]:
        until = _end_of(assured_until, ZoneInfo(config.zone), office.clock.now())
        row, code = await office.console_devices.enrol(place.upper(), tag, OPERATOR, until)
        return row, _last_day(row, config), f"{config.origin('monitor')}/enrol#{code}"

    row, last, link = in_office(work)
    say("cli.console.renewed" if row.key_hash else "cli.console.enrol", tag=row.asset_tag, date=last)
    tell(link)


def revoke(place: Place, tag: Tag) -> None:
    """Shut a console out."""

    async def work(office: Office, config: Config) -> ConsoleDevice:
        return await office.console_devices.revoke(place.upper(), tag, OPERATOR)

    say("cli.console.revoked", tag=in_office(work).asset_tag)


def consoles() -> None:
    """Show every console, with the end of its assurance."""

    async def work(office: Office, config: Config) -> list[tuple[ConsoleDevice, str]]:
        everywhere = (await office.directory.all_establishments()).establishments | {NATIONAL_POOL}
        rows = await office.directory.console_devices(Scope(everywhere))
        return [(row, _last_day(row, config)) for row in rows]

    table = Table(*(words(f"cli.console.column.{column}") for column in ("place", "tag", "state", "until")))
    for row, last in in_office(work):
        table.add_row(row.establishment, row.asset_tag, words(f"cli.console.state.{_state_of(row)}"), last)
    out.print(table)


def _state_of(row: ConsoleDevice) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if datetime.now(UTC) >= row.assured_until:
        return "expired"
    return "enrolled" if row.key_hash else "waiting"


def _end_of(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the end of that day, or of the day a year from now, in the establishments' zone."""
    try:
        day = date.fromisoformat(text) if text else (now.astimezone(zone) + ASSURED).date()
    except ValueError:
        fail("cli.console.bad_date")
    return datetime.combine(day + timedelta(days=1), time.min, zone)


def _last_day(row: ConsoleDevice, config: Config) -> str:
    return (row.assured_until - timedelta(seconds=1)).astimezone(ZoneInfo(config.zone)).date().isoformat()
