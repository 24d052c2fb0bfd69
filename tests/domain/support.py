"""A call on a table: its clock, its people and both posts, driven by hand. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import SYSTEM, Actor
from broker.domain.attention import Attention, flows
from broker.domain.call import Call, Leg, LegRole, begin, evolve
from broker.domain.codes import Document, Post
from broker.domain.decide import decide
from broker.domain.gate import GATE, Condition, Evidence, Proof, plan_for
from broker.domain.permissions import HeldPost, staff_asker
from broker.domain.plan import MediaPlan
from broker.domain.policy import DEFAULT
from broker.domain.records import Grade, Role
from broker.domain.task_events import PersonCheck

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PRISON, HALL = "HRD", "HRD-A"


def staff(number: str, post: Post | None, prison: str = PRISON, hall: str | None = HALL) -> Actor:
    """Return a person on a post, with the grants that it needs."""
    grants = [(Role.MONITOR, prison), (Role.SUPERVISOR, prison)]
    if post is None:
        return Actor(f"staff:{number}", number, number, f"s-{number}", staff_asker(number, grants))
    held = HeldPost(post, frozenset({prison}), hall if post is Post.SUPERVISOR else None)
    return Actor(f"staff:{number}", number, number, f"s-{number}", staff_asker(number, grants, held))


MONITOR = staff("M1", Post.MONITOR)
SUPERVISOR = staff("T1", Post.SUPERVISOR)


def booked(
    *,
    legs: Sequence[e.LegSpec] | None = None,
    starts_at: datetime = NOON,
    minutes: int = 30,
    latest_end: datetime | None = None,
    synthetic: bool = False,
    tier: int = 3,
    kind: str = "social",
) -> e.CallScheduled:
    """Return the first event of a call: by default a prisoner and a family of two."""
    people = legs or (
        e.LegSpec("v1.1", "prisoner", ("A1234BC",), synthetic=synthetic),
        e.LegSpec("v1.2", "family", ("c1", "c2"), ("c2",), "c1", synthetic=synthetic),
    )
    ends_at = starts_at + timedelta(minutes=minutes)
    limit = latest_end or starts_at + timedelta(hours=3)
    return e.CallScheduled(
        starts_at - HOUR, "system", "v1", kind, PRISON, HALL, f"{HALL}-1", starts_at, ends_at, limit,
        DEFAULT.version, tuple(people), synthetic, tier,
    )  # fmt: skip


FOUR_LEGS = (
    e.LegSpec("v1.1", "prisoner", ("A1234BC",)),
    e.LegSpec("v1.2", "family", ("c1", "c2"), ("c2",), "c1"),
    e.LegSpec("v1.3", "family", ("c3",), (), "c3", ("audio",)),
    e.LegSpec("v1.4", "interpreter", ("i1",), (), "i1"),
)


def ticks(leg: Leg, people: Iterable[str] | None = None) -> tuple[PersonCheck, ...]:
    """Return all three ticks for everybody of a leg, or for `people`; none for the prisoner, whom the hall verifies."""
    if leg.role is LegRole.PRISONER:
        return ()
    return tuple(
        PersonCheck(person, True, True, Document.WITH_ADULT if person in leg.children else Document.PASSPORT)
        for person in sorted(leg.people if people is None else people)
    )


class Scene:
    """A call, the time, and what proves both posts. `do` decides and evolves; nothing else happens."""

    def __init__(self, first: e.CallScheduled | None = None, conditions: Sequence[Condition] = GATE) -> None:
        self.now = NOON
        self.call: Call = begin(first or booked())
        self.history: list[e.Event] = []
        self.monitor: Proof | None = None
        self.supervisor: Proof | None = None
        self.lease_until = NOON + 1000 * HOUR
        self.moved_at: datetime | None = None
        self.conditions = conditions
        self.attention = Attention(0.0, NOON)
        self.attends = True  # the monitor looks at the call whenever the post is proven

    @property
    def evidence(self) -> Evidence:
        """What is proven now."""
        return Evidence(self.monitor, self.supervisor, self.lease_until, self.moved_at, attention=self.attention)

    @property
    def plan(self) -> MediaPlan:
        """The plan that the relay would get now."""
        return plan_for(self.call, self.evidence, DEFAULT, self.now, self.conditions)

    @property
    def crosses(self) -> bool:
        """Whether any packet may cross from one end to another now."""
        ends = {leg.id for leg in self.call.legs}
        return self.plan.valid_for_s > 0 and any(r.source in ends and r.sink in ends for r in self.plan.routes)

    def do(self, command: c.Command) -> list[e.Event]:
        """Decide and evolve. Raises Refused."""
        self.attention = self.attention.passed(self.now, flows(self.call))
        events = decide(self.call, command, self.evidence, DEFAULT, self.now)
        self.call = reduce(evolve, events, self.call)
        self.history += events
        return events

    def prove(self, post: Post, number: str | None = None, grade: Grade = Grade.PRISON_OFFICER) -> None:
        """The post is proven present at this instant."""
        known = self.monitor if post is Post.MONITOR else self.supervisor
        number = number or ("M1" if post is Post.MONITOR else "T1")
        since = known.since if known and known.number == number and (self.now - known.at).seconds <= 5 else self.now
        proof = Proof(number, grade, f"s-{number}", since, self.now)
        if post is Post.MONITOR:
            self.monitor = proof
            if self.attends:
                self.attention = Attention(0.0, self.now)
        else:
            self.supervisor = proof

    def look(self, number: str = "M1") -> None:
        """A monitor looks at the call at this instant."""
        counted = self.attention.passed(self.now, flows(self.call))
        self.attention = counted.looked(number, f"s-{number}", self.now, DEFAULT.same_look_s)

    def both_proven(self) -> None:
        """Both posts are proven present, by two people."""
        self.prove(Post.MONITOR)
        self.prove(Post.SUPERVISOR)

    def wait(self, seconds: float, *, proven: Sequence[Post] = tuple(Post)) -> None:
        """Let time pass, a second at a time, with these posts proven all along."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now = min(end, self.now + timedelta(seconds=1))
            for post in proven:
                self.prove(post)
            self.do(c.Tick(SYSTEM))

    def arrive(self, leg: Leg) -> None:
        """A leg comes as far as the lobby, with its media up."""
        own = Actor(f"leg:{leg.id}")
        self.do(c.ArriveLeg(own, leg.id, self.call.latest_end + HOUR, f"d-{leg.id}"))
        if leg.needs_consent:
            self.do(c.AcceptConsent(own, leg.id, DEFAULT.notice_version))
        self.do(c.ReportCheck(own, leg.id, "ok", "ok"))
        self.do(c.EnterLobby(own, leg.id))
        self.do(c.ConnectMedia(SYSTEM, leg.id))

    def verify(self, leg: Leg) -> None:
        """The post whose task it is verifies everybody of a leg."""
        actor = SUPERVISOR if leg.role is LegRole.PRISONER else MONITOR
        self.do(c.Verify(actor, leg.id, frozenset(leg.people), self.call.seq, ticks(leg)))

    def everybody_ready(self) -> None:
        """Every leg waits, verified; only the posts' proof may be missing."""
        for leg in self.call.legs:
            self.arrive(leg)
        for leg in self.call.legs:
            self.verify(leg)


def live(first: e.CallScheduled | None = None, conditions: Sequence[Condition] = GATE) -> Scene:
    """Return a call that is live, watched by a console."""
    scene = Scene(first, conditions)
    scene.everybody_ready()
    scene.both_proven()
    lines = tuple((leg.id, number) for number, leg in enumerate(scene.call.legs))
    if not scene.call.privileged:
        scene.do(c.Observe(MONITOR, lines))
    scene.do(c.Tick(SYSTEM))
    return scene


def without(name: str) -> tuple[Condition, ...]:
    """Return the gate with one condition taken out."""
    kept = tuple(condition for condition in GATE if condition.name != name)
    assert len(kept) == len(GATE) - 1
    return kept


def aged(proof: Proof | None, seconds: float) -> Proof | None:
    """Return a proof as if it had been made earlier."""
    return replace(proof, at=proof.at - timedelta(seconds=seconds)) if proof else None
