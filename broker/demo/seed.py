"""Filling the demo's database: places, people, staff, laptops and today's visits, through the office and on record."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from broker.demo.people import (
    BOT_MONITOR,
    BOT_SUPERVISOR,
    CLERK,
    HARROWDENE,
    MONITOR,
    MOST,
    OTHERS,
    PRISONS,
    STOKE_BARROW,
    SUPERVISOR,
    SYNTHETIC,
    Account,
    Prison,
    contacts,
    prisoner,
    words,
)
from broker.demo.portraits import portrait
from broker.domain.records import NATIONAL_POOL, Contact, Photo, Restriction, Row, Scope, Seat, Visit
from broker.engine.accounts import NewAccount
from broker.engine.office import Office
from broker.engine.secrets import new_id
from broker.engine.visits import Request

ACTOR: Final = "demo"
BOT_SEATS: Final = range(1, 21)
LENGTH: Final = timedelta(minutes=60)
GUEST: Final = 21  # that prisoner's family comes with a child
GUEST_SEAT: Final = 24  # the seat of the visit that waits for the person at the demo
_WORDS = words(
    "amber birch cedar copper dawn ember fern harbour heron lantern maple meadow orchard pebble river thistle"
)


class AlreadyOthers(Exception):
    """The data directory holds a database that the demo did not make."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """An account of the demo with the password that was made for it."""

    account: Account
    password: str


@dataclass(frozen=True, slots=True)
class Played:
    """A visit with what opens both of its chairs."""

    call_id: str
    seat: int
    family_token: str
    laptop_token: str


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the demo has to show and to tell its bots."""

    sign_ins: dict[str, SignIn]  # by username
    hall_id: str
    guest: Played
    credential: str
    console_token: str  # enrols the browser of whoever tries the demo, for every prison of it
    bot_console_token: str


async def seed(office: Office, progress: Callable[[str], None]) -> Seeded:
    """
    Fill an empty database.

    Raises:
        AlreadyOthers: It is not empty and not the demo's.
        LogUnavailable: It cannot be recorded.
    """
    if await office.directory.all_establishments() != Scope(frozenset()):
        raise AlreadyOthers
    await office.directory.set_fact("made_by", "demo")
    progress("demo.seeding")
    for prison in PRISONS:
        await add_places(office, prison, ACTOR)
        await add_people(
            office, prison, ACTOR, MOST, lambda at, one: portrait(one.id, child=one.relationship == "child")
        )
        kept_apart = contacts(prison, MOST - 1)[0]
        apart = Restriction(new_id("r"), prison.code, kept_apart.id, None, "NONCON", date(2026, 1, 1))
        await office.streams.establishment(prison.code).append("demo.people", ACTOR, {"rows": 1}, [apart])
    await office.places.add_establishment(SYNTHETIC.code, SYNTHETIC.name, ACTOR, synthetic=True)
    _, credential = await office.places.issue_credential(SYNTHETIC.code, ACTOR)
    accounts = (MONITOR, SUPERVISOR, CLERK, *OTHERS, BOT_MONITOR, BOT_SUPERVISOR)
    made = await asyncio.gather(*(add_account(office, account, ACTOR) for account in accounts))
    sign_ins = {one.account.username: one for one in made}
    guest = await play(office, HARROWDENE, GUEST_SEAT, GUEST, LENGTH, ACTOR)
    await _later_today(office)
    hall = await office.places.hall(HARROWDENE.code, HARROWDENE.halls[0][0])
    _, console = await office.console_devices.enrol(NATIONAL_POOL, "DEMO-1", ACTOR)
    _, bots = await office.console_devices.enrol(HARROWDENE.code, "DEMO-BOTS", ACTOR)
    return Seeded(sign_ins, hall.id, guest, credential, console, bots)


async def play(office: Office, prison: Prison, seat_number: int, at: int, length: timedelta, actor: str) -> Played:
    """Book a visit for prisoner `at` that starts now at a seat of the prison's first hall, and what opens its chairs.

    Raises:
        Refused: The seat, the prisoner or the family is taken.
    """
    place, hall_name = prison.code, prison.halls[0][0]
    now = office.clock.now()
    visit = await _book(office, prison, hall_name, seat_number, at, (now, now + length), actor)
    _, family = await office.visits.issue_link(Scope(frozenset({place})), visit.id, actor)
    tag = f"{place}-{hall_name[0]}{seat_number:02}"
    _, laptop = await office.places.enrol_laptop(place, hall_name, seat_number, tag, actor)
    return Played(visit.id, seat_number, family, laptop)


async def add_places(office: Office, prison: Prison, actor: str) -> None:
    """Make a prison with its halls, open all day, and their seats."""
    await office.places.add_establishment(prison.code, prison.name, actor)
    for name, seats in prison.halls:
        await office.places.add_hall(prison.code, name, actor, opens="00:00", closes="00:00")
        await office.places.add_seats(prison.code, name, range(1, seats + 1), actor)


async def add_people(
    office: Office, prison: Prison, actor: str, count: int, photo: Callable[[int, Contact], bytes]
) -> None:
    """Make the first `count` prisoners with their families; `photo` draws what is on file for one of prisoner `at`."""
    families = [(at, one) for at in range(count) for one in contacts(prison, at)]
    rows: list[Row] = [*(prisoner(prison, at) for at in range(count)), *(one for _, one in families)]
    await office.streams.establishment(prison.code).append("demo.people", actor, {"rows": len(rows)}, rows)
    photos = [Photo(one.id, prison.code, "image/png", photo(at, one)) for at, one in families]
    await office.photos.save(prison.code, photos, actor)


async def add_account(office: Office, account: Account, actor: str) -> SignIn:
    """Make an account, with a password that can be typed."""
    first, second = secrets.SystemRandom().sample(_WORDS, 2)
    password = f"{first}-{second}-{secrets.randbelow(9000) + 1000}"
    grants = ((account.establishment, account.role),)
    new = NewAccount(account.username, account.number, account.name, account.grade, password, grants)
    await office.accounts.add(new, actor)
    return SignIn(account, password)


async def _later_today(office: Office) -> None:
    """Book visits that have not begun: at the first prison in both halls, and at the second."""
    now = office.clock.now()
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    plan = (
        (HARROWDENE, 0, 25, 24, 0),
        (HARROWDENE, 0, 26, 25, 0),
        (HARROWDENE, 1, 1, 26, 1),
        (HARROWDENE, 1, 2, 27, 2),
        (STOKE_BARROW, 0, 1, 0, 0),
        (STOKE_BARROW, 0, 2, 1, 1),
        (STOKE_BARROW, 0, 3, 2, 2),
    )
    for prison, hall, seat, at, hours in plan:
        begins = start + timedelta(hours=hours)
        await _book(office, prison, prison.halls[hall][0], seat, at, (begins, begins + LENGTH), ACTOR)


async def _book(
    office: Office,
    prison: Prison,
    hall_name: str,
    seat_number: int,
    at: int,
    times: tuple[datetime, datetime],
    actor: str,
) -> Visit:
    scope = Scope(frozenset({prison.code}))
    hall = await office.places.hall(prison.code, hall_name)
    seat: Seat = next(
        row for row in await office.directory.seats(scope) if row.hall_id == hall.id and row.number == seat_number
    )
    family = tuple(person.id for person in contacts(prison, at))
    number = prisoner(prison, at).number
    request = Request(prison.code, "social", number, family, hall.id, seat.id, *times)
    return await office.visits.book(scope, request, actor)
