"""Synthetic calls for check-call: people, places and bookings of one synthetic establishment (design README 19)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Final

from broker.domain.codes import Code, Refused
from broker.domain.kinds import offered
from broker.domain.records import (
    Contact,
    Device,
    Establishment,
    Grade,
    Hall,
    Link,
    Prisoner,
    Role,
    Row,
    Scope,
    Seat,
    Staff,
    SynthCredential,
    Visit,
)
from broker.engine.access import new_link
from broker.engine.accounts import Accounts, NewAccount
from broker.engine.console_devices import ConsoleDevices
from broker.engine.secrets import Secrets, derived_id, new_id, new_token
from broker.engine.stream import Change, Fact, Streams
from broker.engine.visits import booked_fact
from broker.ports import Clock, Directory

MOST_AT_ONCE: Final = 250
MOST_STANDING: Final = 2_000  # visits of the last half hour: a leaked credential must not fill the disk
LENGTH: Final = timedelta(minutes=30)
CONSOLE_ASSURED: Final = timedelta(days=1)
HALL_NAME: Final = "Synthetic hall"
_BORN = date(1980, 1, 1)


@dataclass(frozen=True, slots=True)
class SyntheticCall:
    """One call to drive: its visit and what opens its two chairs."""

    visit: Visit
    family_token: str
    laptop_token: str


@dataclass(frozen=True, slots=True)
class SyntheticStaff:
    """One synthetic person of staff; the password is told once."""

    staff: Staff
    password: str


@dataclass(frozen=True, slots=True)
class SyntheticCalls:
    """What check-call needs to drive its calls."""

    establishment: str
    hall_id: str
    calls: tuple[SyntheticCall, ...]
    monitor: SyntheticStaff
    supervisor: SyntheticStaff
    console_code: str  # enrols the browser of the monitor


class Synthetics:
    """Makes synthetic calls, and nothing that is not synthetic."""

    def __init__(
        self,
        directory: Directory,
        streams: Streams,
        secrets: Secrets,
        accounts: Accounts,
        consoles: ConsoleDevices,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._streams = streams
        self._secrets = secrets
        self._accounts = accounts
        self._consoles = consoles
        self._clock = clock

    async def make(self, credential: SynthCredential, count: int, kind: str = "social") -> SyntheticCalls:
        """Make `count` visits of a kind that start now, two people for the posts, and a console for the monitor.

        Raises:
            Refused: `not_permitted` for an establishment that is not synthetic, `too_late` past the cap.
            LogUnavailable: It cannot be recorded.
        """
        if not 1 <= count <= MOST_AT_ONCE or kind not in {one.code for one in offered()}:
            raise Refused(Code.NOT_PERMITTED)
        place = credential.establishment
        found = await self._directory.establishments(Scope(frozenset({place})))
        if not found or not found[0].synthetic:
            raise Refused(Code.NOT_PERMITTED)
        actor = f"synthetic:{credential.id}"
        made: list[SyntheticCall] = []
        hall = Hall(derived_id("h", place, HALL_NAME), place, HALL_NAME, "00:00", "00:00")

        async def work() -> Change:
            made.clear()
            rows: list[Row] = [hall]
            facts: list[Fact] = []
            for number in await self._free(place, count):
                call, theirs = self._call(found[0], hall, number, kind, actor)
                made.append(call)
                rows += theirs
                links = [row.id for row in theirs if isinstance(row, Link)]
                facts += [
                    booked_fact(call.visit),
                    Fact("link.issued", {"link_id": links[0], "visit_id": call.visit.id}),
                ]
            return Change(facts, rows)

        await self._streams.establishment(place).change(actor, work)
        monitor = await self._person(place, Role.MONITOR, Grade.OSG, actor)
        supervisor = await self._person(place, Role.SUPERVISOR, Grade.PRISON_OFFICER, actor)
        until = self._clock.now() + CONSOLE_ASSURED
        _, code = await self._consoles.enrol(place, monitor.staff.number, actor, until)
        return SyntheticCalls(place, hall.id, tuple(made), monitor, supervisor, code)

    async def _free(self, place: str, count: int) -> list[int]:
        """Return the numbers of seats (each with its prisoner, contact and laptop) that no standing visit has."""
        now = self._clock.now()
        visits = await self._directory.visits(Scope(frozenset({place})), now - LENGTH, now + LENGTH)
        taken = {visit.seat_id for visit in visits if visit.cancelled_at is None and visit.ends_at > now}
        if len(taken) + count > MOST_STANDING:
            raise Refused(Code.TOO_LATE)
        free = (number for number in range(1, MOST_STANDING + 1) if _seat_id(place, number) not in taken)
        return [next(free) for _ in range(count)]

    def _call(
        self, establishment: Establishment, hall: Hall, number: int, kind: str, actor: str
    ) -> tuple[SyntheticCall, list[Row]]:
        place, now = establishment.code, self._clock.now().astimezone(UTC)
        seat = Seat(_seat_id(place, number), place, hall.id, number)
        prisoner = Prisoner(_prisoner_number(place, number), place, "Synthetic", f"Prisoner {number}")
        contact = Contact(
            derived_id("c", place, str(number)), place, prisoner.number, "Synthetic", f"Family {number}", _BORN
        )
        code = new_token()
        laptop = Device(
            derived_id("d", place, str(number)),
            place,
            hall.id,
            seat.id,
            f"SYN-{number:04}",
            enrol_hash=self._secrets.hash("enrol", code),
        )
        visit = Visit(
            new_id("v"),
            place,
            kind,
            prisoner.number,
            (contact.id,),
            hall.id,
            seat.id,
            now,
            now + LENGTH,
            booked_by=actor,
        )
        link, token = new_link(self._secrets, place, visit.id, contact.id, now - timedelta(minutes=15), visit.ends_at)
        return SyntheticCall(visit, token, code), [seat, prisoner, contact, laptop, visit, link]

    async def _person(self, place: str, role: Role, grade: Grade, actor: str) -> SyntheticStaff:
        name, password = new_id("synthetic-"), new_token()
        account = NewAccount(
            name, f"SYN-{name[-8:].upper()}", f"Synthetic {role.value}", grade, password, ((place, role),)
        )
        return SyntheticStaff(await self._accounts.add(account, actor), password)


def _seat_id(place: str, number: int) -> str:
    return derived_id("t", place, str(number))


def _prisoner_number(place: str, number: int) -> str:
    """Return a number that no real prisoner can have: theirs begin with one letter and four digits."""
    return f"SYN{place}{number:04}"
