"""`staff add|grant|disable|list`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from broker.cli.tools import OPERATOR, ask_password, fail, in_office, out, say, tell, words
from broker.config import Config
from broker.domain.records import Grade, Grant, Role, Staff
from broker.engine.accounts import NewAccount
from broker.engine.office import Office
from broker.engine.secrets import new_token

Username = Annotated[str, typer.Argument(help=words("cli.help.username"))]
Grants = Annotated[list[str] | None, typer.Option("--grant", metavar="CODE:ROLE", help=words("cli.help.grant"))]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    staff = typer.Typer(help=words("cli.help.staff"), no_args_is_help=True)
    staff.command("add", help=words("cli.help.staff_add"))(add)
    staff.command("grant", help=words("cli.help.staff_grant"))(grant)
    staff.command("disable", help=words("cli.help.staff_disable"))(disable)
    staff.command("enable", help=words("cli.help.staff_enable"))(enable)
    staff.command("password", help=words("cli.help.staff_password"))(password)
    staff.command("list", help=words("cli.help.staff_list"))(everybody)
    app.add_typer(staff, name="staff")


def add(
    username: Annotated[str, typer.Argument(help=words("cli.help.username"))] = "",
    number: Annotated[str, typer.Option(help=words("cli.help.number"))] = "",
    name: Annotated[str, typer.Option(help=words("cli.help.name"))] = "",
    grade: Annotated[Grade | None, typer.Option(help=words("cli.help.grade"))] = None,
    grant: Grants = None,
    generate_password: Annotated[bool, typer.Option(help=words("cli.help.generate_password"))] = False,
) -> None:
    """Make a named account; what is not given is asked for."""
    grants = _parsed(grant or [])
    username = username or typer.prompt(words("cli.staff.username_prompt"))
    number = number or typer.prompt(words("cli.staff.number_prompt"))
    name = name or typer.prompt(words("cli.staff.name_prompt"))
    grade = grade or _asked_grade()
    password = new_token() if generate_password else ask_password()
    account = NewAccount(username, number, name, grade, password, tuple(grants))

    async def work(office: Office, config: Config) -> Staff:
        return await office.accounts.add(account, OPERATOR)

    made = in_office(work)
    say("cli.staff.added", username=made.username, number=made.number)
    if generate_password:
        say("cli.staff.password_once")
        tell(password)
    if not grants:
        say("cli.staff.no_grants", username=made.username)


def grant(username: Username, grants: Annotated[list[str], typer.Argument(metavar="CODE:ROLE...")]) -> None:
    """Give an account more roles."""
    wanted = _parsed(grants)

    async def work(office: Office, config: Config) -> Staff:
        return await office.accounts.grant(username, wanted, OPERATOR)

    say("cli.staff.granted", username=in_office(work).username)


def disable(username: Username) -> None:
    """Shut an account; its sessions end at once."""

    async def work(office: Office, config: Config) -> Staff:
        return await office.accounts.disable(username, OPERATOR)

    say("cli.staff.disabled", username=in_office(work).username)


def enable(username: Username) -> None:
    """Open an account that was shut."""

    async def work(office: Office, config: Config) -> Staff:
        return await office.accounts.enable(username, OPERATOR)

    say("cli.staff.enabled", username=in_office(work).username)


def password(
    username: Username,
    generate_password: Annotated[bool, typer.Option(help=words("cli.help.generate_password"))] = False,
) -> None:
    """Give an account another password; its sessions end and its lock is lifted."""
    secret = new_token() if generate_password else ask_password()

    async def work(office: Office, config: Config) -> Staff:
        return await office.accounts.set_password(username, secret, OPERATOR)

    say("cli.staff.password_set", username=in_office(work).username)
    if generate_password:
        say("cli.staff.password_once")
        tell(secret)


def everybody() -> None:
    """Show every account."""

    async def work(office: Office, config: Config) -> list[tuple[Staff, list[Grant]]]:
        return [(row, await office.directory.grants(row.number)) for row in await office.accounts.everybody()]

    columns = ("username", "number", "name", "grade", "roles", "state")
    table = Table(*(words(f"cli.staff.column.{column}") for column in columns))
    for row, grants in in_office(work):
        roles = ", ".join(f"{grant.establishment}:{grant.role}" for grant in grants)
        state = words("cli.staff.state.disabled" if row.disabled_at else "cli.staff.state.active")
        table.add_row(row.username, row.number, row.name, words(f"grade.{row.grade}"), roles, state)
    out.print(table)


def _asked_grade() -> Grade:
    text = typer.prompt(words("cli.staff.grade_prompt", grades=", ".join(Grade)))
    try:
        return Grade(text.strip().lower())
    except ValueError:
        fail("cli.staff.bad_grade", grades=", ".join(Grade))


def _parsed(texts: list[str]) -> list[tuple[str, Role]]:
    """Return what `CODE:ROLE` texts mean, or end."""
    grants = []
    for text in texts:
        place, _, role = text.partition(":")
        try:
            grants.append((place.upper(), Role(role.lower())))
        except ValueError:
            fail("cli.staff.bad_grant", text=text, roles=", ".join(Role))
    return grants
