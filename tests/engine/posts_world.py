"""Two establishments with a live call each, people for both posts and the pool: acts, and plain facts of what was done.

The facts are the model's own (what each wall and hall page showed, and when) and the record's (who held which post
where, what is held): nothing here asks the engine who monitors a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from broker.domain import commands as c
from broker.domain.actors import Actor
from broker.domain.call import Call, Phase
from broker.domain.codes import Code, Post, Refused
from broker.domain.permissions import HeldPost, staff_asker
from broker.domain.plan import MediaPlan
from broker.domain.policy import DEFAULT
from broker.domain.records import (
    NATIONAL_POOL,
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
from broker.engine.chairs import StaffChair
from tests.domain.support import ticks
from tests.engine.hall import CONSOLE, Table, shown
from tests.fakes import START, FakePlane
from tests.fakes_storage import FakeDirectory

T = TypeVar("T")

PLACES = ("HRD", "SKB")
CALLS = {"v1": "HRD", "v2": "SKB"}
MONITORS, SUPERVISORS, POOL = ("M1", "M2", "M3"), ("T1", "T2"), ("N1", "N2")
PEOPLE = (*MONITORS, *SUPERVISORS, *POOL)
GOVERNOR = Actor("staff:G1", "G1", "G1", asker=staff_asker("G1", [(Role.DUTY_GOVERNOR, place) for place in PLACES]))


def rows() -> list[object]:
    found: list[object] = [CONSOLE]
    for n, (call, place) in enumerate(CALLS.items(), 1):
        hall, seat, prisoner = f"{place}-A", f"{place}-A-1", f"A123{n}BC"
        ends = START + timedelta(hours=3)
        found += [
            Establishment(place, place),
            Hall(hall, place, "Hall A"),
            Seat(seat, place, hall, 1),
            Device(f"d{n}", place, hall, seat, f"LT-{n}", assured_until=START + timedelta(days=30)),
            Prisoner(prisoner, place, "Daniel", "Osei"),
            Contact(f"c{n}", place, prisoner, "Grace", "Osei", date(1980, 1, 1)),
            Visit(call, place, "social", prisoner, (f"c{n}",), hall, seat, START, ends, "B1"),
            Link(f"l{n}", place, call, f"c{n}", f"hash{n}", START, ends, f"browser{n}"),
        ]
    return found


def chair(number: str) -> StaffChair:
    """Return a signed-in person: everybody may be asked for either post; the pool's people monitor for it alone."""
    expires = START + timedelta(hours=12)
    session = StaffSession(f"ss-{number}", number, number, "h", f"p-{number}", START, expires)
    monitor = [(NATIONAL_POOL, Role.NATIONAL_MONITOR)] if number in POOL else [(p, Role.MONITOR) for p in PLACES]
    granted = [*monitor, *((place, Role.SUPERVISOR) for place in PLACES)]
    grants = tuple(Grant(number, place, role) for place, role in granted)
    return StaffChair(session, Staff(number, number, f"Name {number}", Grade.PRISON_OFFICER, "x"), grants, CONSOLE)


class LapsingPlane(FakePlane):
    """A relay that stops by itself what it is not told again."""

    def __init__(self, table: dict[str, Any]) -> None:
        super().__init__()
        self._of = table
        self.current: dict[str, tuple[MediaPlan, float]] = {}

    async def apply(self, plan: MediaPlan) -> None:
        self.current[plan.call_id] = (plan, self._of["clock"].boottime())

    def crosses(self, call_id: str) -> float | None:
        """Return for how many seconds more something may cross between a call's ends; None: nothing does."""
        plan, at = self.current.get(call_id, (MediaPlan(call_id), 0.0))
        left = at + plan.valid_for_s - self._of["clock"].boottime()
        ends = {f"{call_id}.1", f"{call_id}.2"}
        between = any(route.source in ends and route.sink in ends for route in plan.routes)
        return left if between and left > 0 else None


@dataclass
class Seated:
    """A person on a post at a socket, by the record."""

    number: str
    post: Post
    pool: bool
    places: set[str]
    lost: bool = False
    shows: frozenset[str] = frozenset(CALLS)  # the calls that their page displays, or whether the hall page is there

    @property
    def pair(self) -> tuple[str, Post]:
        return self.number, self.post


@dataclass
class Mark:
    """A proof without a gap: since when, and when last."""

    since: datetime
    at: datetime


@dataclass
class OfCall:
    """What the record says of a call."""

    holds: dict[str, str] = field(default_factory=dict)  # id -> kind
    patrol: str | None = None
    patrol_due: bool = False
    overdue: bool = False
    alarms: int = 0
    uncovered: int = 0


class World:
    """The engine over fakes, a person's acts on it, and the facts."""

    def __init__(self) -> None:
        clock: dict[str, Any] = {}
        self.plane = LapsingPlane(clock)
        self.table = Table(plane=self.plane, directory=FakeDirectory(*rows()))  # type: ignore[arg-type]
        clock["clock"] = self.table.clock
        self.engine = self.table.engine
        self.engine.checks._draw = lambda: 0.5
        self._loop = asyncio.new_event_loop()
        self._read: dict[str, int] = {}
        self._sockets = 0
        self.seated: dict[str, Seated] = {}
        self.ever: set[tuple[str, str, Post]] = set()  # (number, place, post), by the record
        self.walls: dict[tuple[str, str], Mark] = {}  # (session, call)
        self.halls: dict[str, Mark] = {}
        self.calls = {call_id: OfCall() for call_id in CALLS}
        self.passed: list[tuple[str, str]] = []  # (place, to), by the record, not yet judged
        self.released: list[tuple[str, bool]] = []  # (place, from one of the pool), as `passed`
        self.owner = dict.fromkeys(PLACES, "establishment")
        self.run(self._open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        self.run(self.engine.stop())
        self._loop.close()

    async def turns(self) -> None:
        """Let the engine's own tasks come to their end."""
        for _ in range(50):
            if not self.engine._tasks._tasks:
                return
            await asyncio.sleep(0)

    @property
    def now(self) -> datetime:
        return self.table.clock.now()

    def call(self, call_id: str) -> Call:
        entry = self.engine.entry(call_id)
        assert entry is not None
        return entry.actor.call

    def live(self) -> set[str]:
        return {id for id in CALLS if self.call(id).phase is Phase.LIVE}

    async def _open(self) -> None:
        await self.table.open()
        for n in (1, 2):
            await self.table.arrive(n)

    # --- acts ----------------------------------------------------------------------

    async def sign_on(self, number: str, post: Post, scope: frozenset[str]) -> Code | None:
        """A person signs on at a socket of their own, with a wall or a hall page."""
        self._sockets += 1
        session, place = f"s{self._sockets}-{number}", min(scope)
        wanted = HeldPost(post, scope, f"{place}-A" if post is Post.SUPERVISOR else None)
        refusal = await self.tried(self.engine.sign_on(chair(number), session, wanted, DEFAULT.version))
        if refusal is None:
            for other in [id for id, one in self.seated.items() if one.lost and one.pair == (number, post)]:
                self._forget(other)  # the same person carries on at another socket
            await self.take_record()
            if post is Post.MONITOR:
                await self.engine.offer(session, frozenset(), "audio=8 video=40", 0)
                await self.turns()
        return refusal

    async def verify(self, call_id: str) -> None:
        """Both ends' identities are checked by whoever is on post there."""
        for leg, post in zip(self.call(call_id).legs, (Post.SUPERVISOR, Post.MONITOR), strict=True):
            for session in self.sessions(post, CALLS[call_id]):
                check = c.Verify(self.actor(session), leg.id, frozenset(leg.people), self.call(call_id).seq, ticks(leg))
                await self.tried(self.engine.send(call_id, check))

    async def lose(self, session: str) -> None:
        """The socket is gone."""
        self.seated[session].lost = True
        self.seated[session].shows = frozenset()
        self.engine.lost(session)

    async def second(self) -> None:
        """A second passes: pages say what they show, and the node does what falls due."""
        self.table.clock.turn(1)
        await self.engine.renew()
        for session, one in list(self.seated.items()):
            if one.shows and not one.lost:
                await self._report(session, one)
        await self.engine.second()

    async def _report(self, session: str, one: Seated) -> None:
        if one.post is Post.SUPERVISOR:
            self.engine.prove_presence(session, True)
            self.halls[session] = _marked(self.halls.get(session), self.now, DEFAULT.supervisor_stale_s)
            return
        tiles = {id: [shown(f"{id}.1"), shown(f"{id}.2")] for id in one.shows}
        await self.engine.prove_wall(session, True, tiles)
        for id, place in CALLS.items():
            if place in one.places and (id in one.shows or self.call(id).privileged):
                key = (session, id)
                self.walls[key] = _marked(self.walls.get(key), self.now, DEFAULT.proof_stale_s)

    async def tried(self, work: Awaitable[Any]) -> Code | None:
        """Do it; return why it was refused."""
        try:
            await work
        except Refused as refusal:
            return refusal.code
        return None

    def actor(self, session: str) -> Actor:
        return self.engine.actor(chair(self.seated[session].number), session)

    # --- facts -----------------------------------------------------------------------

    def sessions(self, post: Post, place: str) -> list[str]:
        """Return who is on that post there, by the record."""
        return [id for id, one in self.seated.items() if one.post is post and place in one.places]

    def watchers(self, call_id: str, within_s: float) -> set[str]:
        """Return the numbers of the monitors on post there whose wall displayed the call that lately."""
        there = self.sessions(Post.MONITOR, CALLS[call_id])
        marks = {id: self.walls.get((id, call_id)) for id in there}
        return {self.seated[id].number for id, mark in marks.items() if self._young(mark, within_s)}

    def supervisors(self, call_id: str, within_s: float) -> set[str]:
        """Return the numbers of the supervisors of the call's hall whose page was there that lately."""
        there = self.sessions(Post.SUPERVISOR, CALLS[call_id])
        return {self.seated[id].number for id in there if self._young(self.halls.get(id), within_s)}

    def displays(self, session: str, calls: Iterable[str]) -> bool:
        """Say whether a wall displayed all these calls a moment ago."""
        marks = [self.walls.get((session, id)) for id in calls]
        return all(self._young(mark, DEFAULT.handover_proof_s) for mark in marks)

    def steady(self, call_id: str) -> bool:
        """Say whether some wall has displayed the call without a gap for as long as a hold asks for."""
        marks = [self.walls.get((id, call_id)) for id in self.sessions(Post.MONITOR, CALLS[call_id])]
        since = [mark.since for mark in marks if mark is not None and self._young(mark, DEFAULT.proof_stale_s)]
        return any(self.now - at >= timedelta(seconds=DEFAULT.steady_s) for at in since)

    def _young(self, mark: Mark | None, within_s: float) -> bool:
        return mark is not None and self.now - mark.at <= timedelta(seconds=within_s)

    def _forget(self, session: str) -> None:
        self.seated.pop(session, None)
        self.halls.pop(session, None)
        for key in [key for key in self.walls if key[0] == session]:
            del self.walls[key]

    # --- the record --------------------------------------------------------------------

    async def take_record(self) -> None:
        """Read what was recorded since, of posts and of calls."""
        for place in (*PLACES, NATIONAL_POOL):
            for record in await self._new(f"establishment:{place}"):
                self._of_place(place, record.type, record.actor.removeprefix("staff:"), record.body)
        for call_id, of_call in self.calls.items():
            for record in await self._new(f"call:{call_id}"):
                _of_call(of_call, record.type, record.body)

    async def _new(self, stream: str) -> list[Any]:
        records = await self.table.log.read(stream, self._read.get(stream, 0))
        if records:
            self._read[stream] = records[-1].seq
        return records

    def _of_place(self, place: str, type: str, number: str, body: Any) -> None:
        if type == "post.signed_on":
            post = Post(body["post"])
            seated = self.seated.setdefault(body["session"], Seated(number, post, body["pool"], set()))
            seated.places.add(place)
            self.ever.add((number, place, post))
        elif type == "post.signed_off" and body["session"] in self.seated:
            seated = self.seated[body["session"]]
            seated.places.discard(place)
            if body["why"] == "transferred":
                self.released.append((place, seated.pool))
            if not seated.places:
                self._forget(body["session"])
        elif type == "monitoring.transferred":
            self.owner[place] = body["to"]
            self.passed.append((place, body["to"]))


def _of_call(of_call: OfCall, type: str, body: Any) -> None:
    if type == "hold.placed":
        of_call.holds[body["hold_id"]] = body["kind"]
    elif type == "hold.cleared":
        del of_call.holds[body["hold_id"]]
    elif type == "alarm.raised" and body["post"] == Post.MONITOR:
        of_call.alarms += 1
    elif type == "cover.changed" and body["post"] == Post.MONITOR and body["number"] is None:
        of_call.uncovered += 1
    elif type == "patrol.began":
        of_call.patrol = body["why"]
    elif type == "patrol.ended":
        of_call.patrol, of_call.patrol_due = None, False
    elif type in ("patrol.due", "patrol.logged"):
        of_call.patrol_due = type == "patrol.due"
    elif type in ("attention.overdue", "attention.looked"):
        of_call.overdue = type == "attention.overdue"


def _marked(mark: Mark | None, now: datetime, stale_s: float) -> Mark:
    if mark is None or now - mark.at > timedelta(seconds=stale_s):
        return Mark(now, now)
    return Mark(mark.since, now)
