"""Establishments, halls, seats, laptops and synthetic credentials: an operator's part of the directory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from broker.cli.tools import OPERATOR, fail, in_office, out, say, tell, words
from broker.config import Config
from broker.domain.records import Device, Establishment, Hall, Seat, SynthCredential
from broker.engine.office import Office
from broker.engine.secrets import write_secret

Code = Annotated[str, typer.Argument(metavar="CODE", help=words("cli.help.code"))]
HallName = Annotated[str, typer.Argument(metavar="HALL", help=words("cli.help.hall_name"))]
Tag = Annotated[str, typer.Argument(metavar="TAG", help=words("cli.help.tag"))]

CREDENTIAL_FILE = "check-call.credential"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    groups: dict[str, dict[str, object]] = {
        "establishment": {"add": add_establishment, "list": list_places},
        "hall": {"add": add_hall},
        "seat": {"add": add_seats},
        "laptop": {"enrol": enrol, "revoke": revoke, "list": list_laptops},
        "synthetic": {"create": create_synthetic},
    }
    for name, commands in groups.items():
        group = typer.Typer(help=words(f"cli.help.{name}"), no_args_is_help=True)
        for verb, command in commands.items():
            group.command(verb, help=words(f"cli.help.{name}_{verb}"))(command)  # type: ignore[type-var]
        app.add_typer(group, name=name)


def add_establishment(
    code: Code,
    name: Annotated[str, typer.Argument(help=words("cli.help.place_name"))],
    open_estate: Annotated[bool, typer.Option("--open-estate", help=words("cli.help.open_estate"))] = False,
    private: Annotated[bool, typer.Option("--private", help=words("cli.help.private"))] = False,
) -> None:
    """Make an establishment."""
    estate, operator = "open" if open_estate else "closed", "private" if private else "public"

    async def work(office: Office, config: Config) -> Establishment:
        return await office.places.add_establishment(code.upper(), name, OPERATOR, estate=estate, operator=operator)

    say("cli.place.establishment_added", code=in_office(work).code)


def list_places() -> None:
    """Show every establishment with its halls and how many seats they have."""

    async def work(office: Office, config: Config) -> tuple[list[Establishment], list[Hall], list[Seat]]:
        scope = await office.directory.all_establishments()
        directory = office.directory
        return (await directory.establishments(scope), await directory.halls(scope), await directory.seats(scope))

    establishments, halls, seats = in_office(work)
    columns = ("code", "name", "hall", "hours", "seats")
    table = Table(*(words(f"cli.place.column.{column}") for column in columns))
    for place in establishments:
        name = f"{place.name} ({words('cli.place.synthetic')})" if place.synthetic else place.name
        theirs: list[Hall | None] = [hall for hall in halls if hall.establishment == place.code]
        for hall in theirs or [None]:
            count = sum(1 for seat in seats if hall and seat.hall_id == hall.id)
            hours = f"{hall.opens}-{hall.closes}" if hall else ""
            table.add_row(place.code, name, hall.name if hall else "", hours, str(count))
    out.print(table)


def add_hall(
    code: Code,
    name: HallName,
    opens: Annotated[str, typer.Option(help=words("cli.help.opens"))] = "08:00",
    closes: Annotated[str, typer.Option(help=words("cli.help.closes"))] = "20:00",
) -> None:
    """Make a hall."""

    async def work(office: Office, config: Config) -> Hall:
        return await office.places.add_hall(code.upper(), name, OPERATOR, opens=opens, closes=closes)

    say("cli.place.hall_added", name=in_office(work).name)


def add_seats(
    code: Code, hall: HallName, numbers: Annotated[str, typer.Argument(help=words("cli.help.seat_numbers"))]
) -> None:
    """Make seats by their numbers: `7`, or `1-12`."""
    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", numbers.strip())
    if match is None:
        fail("cli.place.bad_seat")
    first = int(match[1])
    wanted = range(first, int(match[2] or first) + 1)

    async def work(office: Office, config: Config) -> list[Seat]:
        return await office.places.add_seats(code.upper(), hall, wanted, OPERATOR)

    say("cli.place.seats_added", n=len(in_office(work)))


def enrol(
    code: Code, hall: HallName, seat: Annotated[int, typer.Argument(help=words("cli.help.seat_number"))], tag: Tag
) -> None:
    """Print the one-time link that enrols a laptop for a seat."""

    async def work(office: Office, config: Config) -> str:
        _, secret = await office.places.enrol_laptop(code.upper(), hall, seat, tag, OPERATOR)
        return f"{config.origin('laptop')}/laptop#{secret}"

    link = in_office(work)
    say("cli.laptop.enrol", tag=tag)
    tell(link)


def revoke(code: Code, tag: Tag) -> None:
    """Shut a laptop out."""

    async def work(office: Office, config: Config) -> Device:
        return await office.places.revoke_laptop(code.upper(), tag, OPERATOR)

    say("cli.laptop.revoked", tag=in_office(work).asset_tag)


def list_laptops() -> None:
    """Show every laptop."""

    async def work(office: Office, config: Config) -> tuple[list[Device], dict[str, Hall], dict[str, Seat]]:
        scope = await office.directory.all_establishments()
        halls = {row.id: row for row in await office.directory.halls(scope)}
        seats = {row.id: row for row in await office.directory.seats(scope)}
        return await office.directory.devices(scope), halls, seats

    devices, halls, seats = in_office(work)
    columns = ("code", "tag", "hall", "seat", "state")
    table = Table(*(words(f"cli.laptop.column.{column}") for column in columns))
    for row in devices:
        seat = seats.get(row.seat_id or "")
        number = str(seat.number) if seat else ""
        table.add_row(row.establishment, row.asset_tag, halls[row.hall_id].name, number, words(_state_of(row)))
    out.print(table)


def _state_of(row: Device) -> str:
    if row.revoked_at is not None:
        return "cli.laptop.state.revoked"
    return "cli.laptop.state.enrolled" if row.key_hash else "cli.laptop.state.waiting"


def create_synthetic(
    code: Code,
    days: Annotated[int, typer.Option(min=1, max=366, help=words("cli.help.days"))] = 90,
    save: Annotated[bool, typer.Option(help=words("cli.help.save"))] = False,
) -> None:
    """Make a synthetic establishment (where there is none of that code) and a credential for check-call."""

    async def work(office: Office, config: Config) -> tuple[SynthCredential, str, Path]:
        place = code.upper()
        if place not in await office.directory.all_establishments():
            await office.places.add_establishment(place, words("cli.place.synthetic_name"), OPERATOR, synthetic=True)
        row, token = await office.places.issue_credential(place, OPERATOR, days)
        return row, token, config.data_dir / CREDENTIAL_FILE

    row, token, file = in_office(work)
    if save:
        write_secret(file, token)
        say("cli.synthetic.saved", code=row.establishment, file=str(file))
        return
    say("cli.synthetic.created", code=row.establishment, date=row.expires_at.date().isoformat())
    tell(token)
