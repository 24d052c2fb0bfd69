"""A hall on a table for tests of the engine: one establishment, two seats, two visits, fakes all round."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, timedelta

from broker.domain import commands as c
from broker.domain.actors import SYSTEM, Actor
from broker.domain.call import Call
from broker.domain.codes import Post
from broker.domain.coverage import ShownFact
from broker.domain.permissions import HeldPost
from broker.domain.policy import DEFAULT, Policy
from broker.domain.records import (
    NATIONAL_POOL,
    ConsoleDevice,
    Contact,
    Device,
    Establishment,
    Grade,
    Grant,
    Hall,
    Link,
    Prisoner,
    Role,
    Seat,
    Staff,
    StaffSession,
    Visit,
)
from broker.engine.board import Change
from broker.engine.chairs import StaffChair
from broker.engine.engine import Engine
from broker.engine.proofs import Shown
from broker.engine.revocations import Revocations
from tests.domain.support import ticks
from tests.fakes import START, FakeClock, FakePlane
from tests.fakes_storage import FakeDirectory, FakeEventLog, FakeJournal, FakeRenewals
from tests.office import ZONE

PRISON = "HRD"
CONSOLE = ConsoleDevice("cd1", NATIONAL_POOL, "WS-1", START + timedelta(days=30), "console-hash-1")
"""What the browsers of the tests are enrolled as."""


def rows() -> list[object]:
    """Return the directory of the hall."""
    found: list[object] = [CONSOLE]
    found += [Establishment(PRISON, "HMP Harrowdene"), Hall("HRD-A", PRISON, "Hall A")]
    for n in (1, 2):
        seat = f"HRD-A-{n}"
        number = f"A123{n}BC"
        found += [
            Seat(seat, PRISON, "HRD-A", n),
            Device(f"d{n}", PRISON, "HRD-A", seat, f"LT-{n}", assured_until=START + timedelta(days=30)),
            Prisoner(number, PRISON, "Daniel", "Osei"),
            Contact(f"c{n}", PRISON, number, "Grace", "Osei", date(1980, 1, 1)),
            visit(n),
            Link(f"l{n}", PRISON, f"v{n}", f"c{n}", f"hash{n}", START, START + timedelta(hours=8), f"browser{n}"),
        ]
    return found


def visit(n: int, hours: float = 0.0) -> Visit:
    """Return the visit at seat `n`."""
    starts = START + timedelta(hours=hours)
    ends = starts + timedelta(minutes=30)
    return Visit(f"v{n}", PRISON, "social", f"A123{n}BC", (f"c{n}",), "HRD-A", f"HRD-A-{n}", starts, ends, "B1")


def chair(number: str, grade: Grade = Grade.PRISON_OFFICER, profile: str = "", *roles: Role) -> StaffChair:
    """Return a signed-in person with these roles, by default both posts'."""
    expires = START + timedelta(hours=12)
    session = StaffSession(f"ss-{number}", number, number, "h", profile or f"p-{number}", START, expires)
    granted = roles or (Role.MONITOR, Role.SUPERVISOR)
    grants = tuple(Grant(number, PRISON, role) for role in granted)
    return StaffChair(session, Staff(number, number, f"Name {number}", grade, "x"), grants, CONSOLE)


@dataclass
class Table:
    """The engine with everything around it faked."""

    clock: FakeClock = field(default_factory=FakeClock)
    plane: FakePlane = field(default_factory=FakePlane)
    directory: FakeDirectory = field(default_factory=lambda: FakeDirectory(*rows()))  # type: ignore[arg-type]
    journal: FakeJournal = field(default_factory=FakeJournal)
    renewals: FakeRenewals = field(default_factory=FakeRenewals)
    changes: list[Change] = field(default_factory=list)
    policy: Policy = DEFAULT

    def __post_init__(self) -> None:
        self.log = FakeEventLog(self.directory)
        self.engine = self.new_engine()

    def new_engine(self) -> Engine:
        """Return an engine over the same storage, as a restart makes."""
        self.revocations = Revocations(self.log, self.directory, self.clock)
        engine = Engine(
            self.log,
            self.journal,
            self.renewals,
            self.directory,
            self.plane,
            self.clock,
            self.policy,
            "node-1",
            ZONE,
            revocations=self.revocations,
        )
        engine.board.listen(self.changes.append)
        return engine

    async def open(self) -> None:
        """Do what `start` does, without tasks: the test turns the clock and ticks."""
        self.engine.registry.last_renewal = await self.renewals.last("node-1")
        await self.engine.renew()
        await self.engine.registry.sweep()
        self.plane.watch(self.engine.endpoint_changed)
        self.plane.watch_homes(self.engine.home_changed)
        self.plane.watch_stills(self.engine.still_made)
        self.engine.board.listen(self.engine.follow)

    def call(self, n: int = 1) -> Call:
        """Return the call at seat `n` as it stands."""
        entry = self.engine.entry(f"v{n}")
        assert entry is not None
        return entry.actor.call

    async def pass_time(self, seconds: float) -> None:
        """Let time pass a second at a time: renewals, ticks."""
        for _ in range(round(seconds)):
            self.clock.turn(1)
            await self.engine.renew()
            await self.tick()

    async def tick(self) -> None:
        """Tick every call once."""
        for entry in self.engine.registry:
            await entry.actor.tick()

    @staticmethod
    async def turns() -> None:
        """Let the engine's own tasks take their turns."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def post(self, number: str, post: Post, session: str, grade: Grade = Grade.PRISON_OFFICER) -> Actor:
        """A person signs on to a post."""
        hall = "HRD-A" if post is Post.SUPERVISOR else None
        seated = chair(number, grade)
        await self.engine.sign_on(seated, session, HeldPost(post, frozenset({PRISON}), hall), DEFAULT.version)
        return self.engine.actor(seated, session)

    async def arrive(self, n: int = 1) -> None:
        """Both legs of a call come as far as the lobby, with media."""
        send = self.engine.registry.send
        for leg, device in ((f"v{n}.1", f"d{n}"), (f"v{n}.2", f"browser{n}")):
            own = Actor(f"leg:{leg}")
            await send(f"v{n}", c.ArriveLeg(own, leg, START + timedelta(hours=8), device))
            if leg.endswith(".2"):
                await send(f"v{n}", c.AcceptConsent(own, leg, DEFAULT.notice_version))
            await send(f"v{n}", c.ReportCheck(own, leg, "ok", "ok"))
            await send(f"v{n}", c.EnterLobby(own, leg))
            await send(f"v{n}", c.ConnectMedia(SYSTEM, leg))

    async def live(self, n: int = 1) -> tuple[Actor, Actor]:
        """Bring a call to life: two people on the posts, both legs verified, the wall shown."""
        monitor = await self.post("M1", Post.MONITOR, "c-m", Grade.OSG)
        supervisor = await self.post("T1", Post.SUPERVISOR, "s-t")
        for home in range(self.plane.homes):
            await self.engine.offer("c-m", frozenset(), "audio=8 video=40", home)
        await self.join(monitor, supervisor, n)
        return monitor, supervisor

    async def join(self, monitor: Actor, supervisor: Actor, n: int) -> None:
        """Both legs come, are verified and shown: the call starts if nothing else is missing."""
        await self.arrive(n)
        call = self.call(n)
        for actor, leg in zip((supervisor, monitor), call.legs, strict=True):
            await self.engine.send(call.id, c.Verify(actor, leg.id, frozenset(leg.people), call.seq, ticks(leg)))
        await self.turns()
        await self.show(n)
        self.engine.prove_presence("s-t", True)
        await self.tick()

    async def show(self, n: int = 1, **changes: object) -> None:
        """The wall reports that it shows the call (a placeholder where the relay sends nothing)."""
        await self.engine.prove_wall("c-m", True, {f"v{n}": [shown(f"v{n}.1", **changes), shown(f"v{n}.2", **changes)]})


def shown(
    leg: str, *, line: int | None = None, timestamp: int | None = None, ratio: float = 1.0, home: int = 0
) -> Shown:
    """Return what a healthy page says of one picture."""
    return Shown(ShownFact(leg, line, 15, True, ratio, True, 320, 180), timestamp, home)


def crosses(table: Table, n: int = 1) -> bool:
    """Say whether the relay may let anything cross between the ends of a call."""
    ends = {f"v{n}.1", f"v{n}.2"}
    return any(r.source in ends and r.sink in ends for r in table.plane.now_for(f"v{n}").routes)
