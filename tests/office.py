"""Two prisons, their people and an office over them, all in memory: what tests of access and bookings begin from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher

from broker.domain.records import (
    ConsoleDevice,
    Contact,
    Device,
    Establishment,
    Grade,
    Hall,
    Prisoner,
    Role,
    Row,
    Scope,
    Seat,
    SynthCredential,
    Visit,
)
from broker.engine.accounts import NewAccount
from broker.engine.office import Office, furnish
from broker.engine.secrets import Passwords, Secrets
from broker.engine.visits import Request
from tests.fakes import FakeClock
from tests.fakes_storage import FakeDirectory, FakeEventLog, FakeJournal

PEPPER = b"p" * 32
ZONE = ZoneInfo("Europe/London")
PASSWORD = "correct horse battery"
BOTH = Scope(frozenset({"HRD", "SKB"}))
HRD = Scope(frozenset({"HRD"}))
SKB = Scope(frozenset({"SKB"}))
TWO = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)  # the fake clock stands at 12:00 of that day
SYNTHETIC_TOKEN = "synthetic-credential-for-tests-only-0123456789"
ENROL_CODE = "enrolment-code-for-tests-only-0123456789-abcdef"


def prison(code: str, name: str, letter: str) -> list[Row]:
    """Return a prison with a hall of two seats, a laptop, a prisoner with an adult and a child on the list."""
    number = f"{letter}1234BC"
    return [
        Establishment(code, name),
        Hall(f"h-{code}", code, "Main hall"),
        Seat(f"t1-{code}", code, f"h-{code}", 1),
        Seat(f"t2-{code}", code, f"h-{code}", 2),
        Device(
            f"d-{code}",
            code,
            f"h-{code}",
            f"t1-{code}",
            f"{code}-1",
            enrol_hash=secrets().hash("enrol", code + ENROL_CODE),
        ),
        Prisoner(number, code, f"John{code}", f"Ash{code}"),
        Prisoner(f"{letter}5678DE", code, f"Paul{code}", f"Birch{code}"),
        Contact(f"c1-{code}", code, number, f"Mary{code}", f"Ash{code}", date(1980, 5, 1), "wife"),
        Contact(f"c2-{code}", code, number, f"Tim{code}", f"Ash{code}", date(2015, 5, 1), "son"),
        Contact(f"c3-{code}", code, f"{letter}5678DE", f"Eve{code}", f"Birch{code}", date(1985, 5, 1), "mother"),
    ]


def secrets() -> Secrets:
    """Return the secrets of the tests' pepper."""
    return Secrets(PEPPER)


def cheap_passwords() -> Passwords:
    """Return argon2id with parameters that cost nothing."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def request(code: str = "HRD", letter: str = "A", **changes: object) -> Request:
    """Return a booking that breaks no rule."""
    values: dict[str, object] = {
        "establishment": code,
        "kind": "social",
        "prisoner_number": f"{letter}1234BC",
        "contact_ids": (f"c1-{code}", f"c2-{code}"),
        "hall_id": f"h-{code}",
        "seat_id": f"t1-{code}",
        "starts_at": TWO,
        "ends_at": TWO + timedelta(minutes=30),
        **changes,
    }
    return Request(**values)  # type: ignore[arg-type]


@dataclass
class Desk:
    """The office of the tests with its fakes in reach."""

    clock: FakeClock = field(default_factory=FakeClock)
    journal: FakeJournal = field(default_factory=FakeJournal)
    directory: FakeDirectory = field(init=False)
    log: FakeEventLog = field(init=False)
    office: Office = field(init=False)

    def __post_init__(self) -> None:
        synthetic = SynthCredential(
            "k1", "ZZS", secrets().hash("synthetic", SYNTHETIC_TOKEN), self.clock.now() + timedelta(days=1)
        )
        self.directory = FakeDirectory(
            *prison("HRD", "HMP Harrowdene", "A"),
            *prison("SKB", "HMP Stoke Barrow", "B"),
            Establishment("ZZS", "Synthetic calls", synthetic=True),
            synthetic,
        )
        self.log = FakeEventLog(self.directory)
        self.office = self.open()

    def open(self) -> Office:
        """Return another office on the same storage: what a second process, or a restart, has."""
        return furnish(
            self.directory,
            self.log,
            self.clock,
            pepper=PEPPER,
            zone=ZONE,
            journal=self.journal,
            passwords=cheap_passwords(),
        )

    def down(self, down: bool = True) -> None:
        """Take the storage away, or bring it back."""
        self.log.down = self.directory.down = down

    async def person(
        self, username: str, number: str, role: Role, place: str = "HRD", grade: Grade = Grade.PRISON_OFFICER
    ) -> None:
        """Make an account with PASSWORD and one role."""
        name = f"{username.title()} Moss"
        await self.office.accounts.add(
            NewAccount(username, number, name, grade, PASSWORD, ((place, role),)), actor="operator"
        )

    async def console(self, place: str, tag: str) -> ConsoleDevice:
        """Enrol a browser as a console of a place, as an operator and a press do."""
        _, code = await self.office.console_devices.enrol(place, tag, "operator")
        device, _ = await self.office.console_devices.redeem(code)
        return device

    async def visit_with_link(self, code: str = "HRD", letter: str = "A") -> tuple[Visit, str]:
        """Book a visit at two o'clock and return it with its link's token."""
        scope = Scope(frozenset({code}))
        visit = await self.office.visits.book(scope, request(code, letter), "staff:1")
        _, token = await self.office.visits.issue_link(scope, visit.id, "staff:1")
        return visit, token

    def types(self, stream: str) -> list[str]:
        """Return the types of a stream's entries, in order."""
        return [entry.type for entry in self.log.entries.get(stream, [])]
