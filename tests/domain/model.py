"""The model: any order of commands, faults and time, against facts that the model keeps by itself.

Invariants I1, I2, I4, I7, I8 and I12 of reliability.md 3.3. test_model.py runs it; test_model_notices.py takes one
condition after another out of the gate, and the same model must fail.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import SYSTEM, Actor
from broker.domain.call import Phase as CallPhase
from broker.domain.call import begin, evolve
from broker.domain.codec import body_of, event_from, name_of
from broker.domain.codes import EndReason, HoldKind, Post, Refused
from broker.domain.gate import GATE, Condition
from broker.domain.policy import DEFAULT
from broker.domain.records import Grade
from tests.domain.support import FOUR_LEGS, MONITOR, NOON, SUPERVISOR, Scene, booked, staff, ticks

RELIEF = staff("M2", Post.MONITOR)
TWO_LEGS = booked().legs
ACTORS = st.sampled_from([MONITOR, SUPERVISOR, RELIEF, staff("T2", Post.SUPERVISOR, hall="HRD-B")])
LEGS = st.integers(0, 3)
VERBS = st.sampled_from(["clear", "undo", "relabel"])
HUMAN = (HoldKind.SECURITY, HoldKind.TECHNICAL, HoldKind.RECOVERED)


class CallModel(RuleBasedStateMachine):
    """Drives a call; keeps its own plain facts of what may cross."""

    conditions: tuple[Condition, ...] = GATE

    @initialize(
        four=st.booleans(),
        mixed=st.integers(0, 7).map(lambda n: n == 0),
        early=st.integers(0, 3).map(lambda n: n == 0),
        started=st.integers(0, 3).map(lambda n: n > 0),
        short=st.integers(0, 3).map(lambda n: n == 0),
    )
    def book(self, four: bool, mixed: bool, early: bool, started: bool, short: bool) -> None:
        legs = FOUR_LEGS if four else TWO_LEGS
        self.mixed = mixed
        if mixed:
            legs = (legs[0], e.LegSpec("v1.2", "family", ("c1", "c2"), ("c2",), "c1", synthetic=True), *legs[2:])
        starts_at = NOON + timedelta(seconds=40 if early else 0)
        self.first = booked(
            legs=legs, starts_at=starts_at, minutes=3, latest_end=starts_at + timedelta(minutes=5), tier=2
        )
        self.scene = Scene(self.first, self.conditions)
        self.scene.attends = False
        # The model's own facts: nothing here is read back from the code under test.
        self.proofs: dict[Post, tuple[datetime, str, Grade] | None] = {Post.MONITOR: None, Post.SUPERVISOR: None}
        self.consented: set[str] = set()
        self.verified: set[str] = set()
        self.credential: dict[str, datetime] = {}
        self.revoked: set[str] = set()
        self.device: dict[str, str] = {}
        self.left: set[str] = set()
        self.barred: set[str] = set()
        self.ended_at: datetime | None = None
        self.unlooked_s = 0.0  # for how long something crossed since the last look
        if started:
            for number in range(len(legs)):
                self._all_steps(number, 20 if short else 2000)
            self.prove_both()

    # --- helpers ---------------------------------------------------------------

    def _leg(self, number: int) -> e.LegSpec:
        return self.first.legs[number % len(self.first.legs)]

    def _try(self, command: c.Command) -> list[e.Event]:
        try:
            events = self.scene.do(command)
        except Refused:
            return []
        self._note(events)
        return events

    def _note(self, events: list[e.Event]) -> None:
        for event in events:
            if isinstance(event, e.CallEnded):
                self.ended_at = event.at
            if isinstance(event, e.LegUnverified):
                self.verified.discard(event.leg_id)

    def _pass(self, seconds: int) -> None:
        if self.scene.crosses:
            self.unlooked_s += min(seconds, self.scene.plan.valid_for_s)
        self.scene.now += timedelta(seconds=seconds)

    def _all_steps(self, number: int, seconds: int = 2000) -> None:
        self.arrive(number, 0, seconds)
        self.consent(number)
        self.wait_in_lobby(number)
        self.connect(number)
        self.verify(number, True)

    # --- rules: the legs ---------------------------------------------------------

    @rule(number=LEGS, device=st.integers(0, 1), seconds=st.sampled_from([20, 120, 2000]))
    def arrive(self, number: int, device: int, seconds: int) -> None:
        leg = self._leg(number)
        until = self.scene.now + timedelta(seconds=seconds)
        name = f"d{device}"
        events = self._try(c.ArriveLeg(Actor(f"leg:{leg.id}"), leg.id, until, name))
        if any(isinstance(event, e.LegArrived) for event in events):
            self._arrived(leg.id, until, name)

    def _arrived(self, leg_id: str, until: datetime, device: str) -> None:
        self.credential[leg_id] = until
        self.revoked.discard(leg_id)
        if self.device.get(leg_id, device) != device:
            self.consented.discard(leg_id)
            self.verified.discard(leg_id)
        self.device[leg_id] = device

    @rule(number=LEGS)
    def consent(self, number: int) -> None:
        leg = self._leg(number)
        accept = c.AcceptConsent(Actor(f"leg:{leg.id}"), leg.id, DEFAULT.notice_version)
        if leg.role != "prisoner" and self._try(accept):
            self.consented.add(leg.id)

    @rule(number=LEGS)
    def wait_in_lobby(self, number: int) -> None:
        leg = self._leg(number)
        self._try(c.ReportCheck(Actor(f"leg:{leg.id}"), leg.id, "ok", "ok"))
        self._try(c.EnterLobby(Actor(f"leg:{leg.id}"), leg.id))

    @rule(number=LEGS)
    def connect(self, number: int) -> None:
        self._try(c.ConnectMedia(SYSTEM, self._leg(number).id))

    @rule(number=LEGS)
    def lose(self, number: int) -> None:
        self._try(c.LoseMedia(SYSTEM, self._leg(number).id))

    @rule(number=LEGS, rightly=st.booleans())
    def verify(self, number: int, rightly: bool) -> None:
        leg = self._leg(number)
        actor = SUPERVISOR if (leg.role == "prisoner") is rightly else MONITOR
        events = self._try(c.Verify(actor, leg.id, frozenset(leg.people), self.scene.call.seq, ticks(leg)))
        if any(isinstance(event, e.LegVerified) for event in events):
            assert rightly, "a post verified what is not its own"
            self.verified.add(leg.id)

    @rule(number=LEGS, rarely=st.integers(0, 9))
    def leave(self, number: int, rarely: int) -> None:
        if rarely == 0:
            leg = self._leg(number)
            if any(isinstance(x, e.LegLeft) for x in self._try(c.LeaveLeg(Actor(f"leg:{leg.id}"), leg.id))):
                self.left.add(leg.id)

    @rule(number=LEGS)
    def revoke(self, number: int) -> None:
        leg = self._leg(number)
        if self._try(c.Revoke(SYSTEM, leg.id)):
            self.revoked.add(leg.id)
            self.verified.discard(leg.id)

    @rule(person=st.sampled_from(["c1", "c2", "A1234BC", "nobody"]))
    def bar(self, person: str) -> None:
        if self._try(c.Bar(SYSTEM, frozenset({person}))):
            self.barred.add(person)

    @rule()
    def lift(self) -> None:
        if self._try(c.Unbar(SYSTEM, frozenset(self.barred))):
            self.barred.clear()

    @rule(number=LEGS, what=st.sampled_from(["unverified", "revoked", "barred", "arrived"]))
    def recorded_by_another_writer(self, number: int, what: str) -> None:
        """The record went on without this node (the command line): the plan obeys before anybody decides."""
        leg = self._leg(number)
        at = self.scene.now
        if what == "unverified":
            event: e.Event = e.LegUnverified(at, "system", leg.id)
        elif what == "revoked":
            event = e.LegRevoked(at, "system", leg.id)
            self.revoked.add(leg.id)
            self.verified.discard(leg.id)
        elif what == "barred":
            event = e.PeopleBarred(at, "system", leg.people)
            self.barred |= set(leg.people)
        else:
            event = e.LegArrived(at, "system", leg.id, at + timedelta(seconds=900), "d9")
            verified = leg.id in self.verified
            self._arrived(leg.id, at + timedelta(seconds=900), "d9")
            if verified:
                self.verified.add(leg.id)  # that one event alone takes the consent, not yet the verification
        if self.scene.call.phase is not CallPhase.ENDED:
            self.scene.call = evolve(self.scene.call, event)
            self.scene.history.append(event)
            self._note([event])

    # --- rules: the posts ----------------------------------------------------------

    @rule(post=st.sampled_from(list(Post)), number=st.sampled_from(["M1", "M1", "T1", "T1", "M2"]), low=st.booleans())
    def prove(self, post: Post, number: str, low: bool) -> None:
        grade = Grade.OSG if low else Grade.PRISON_OFFICER
        self.scene.prove(post, number, grade)
        self.proofs[post] = (self.scene.now, number, grade)

    @rule(number=st.sampled_from(["M1", "M2"]))
    def look(self, number: str) -> None:
        self.scene.look(number)
        self.unlooked_s = 0.0

    @rule()
    def prove_both_unseen(self) -> None:
        self.scene.both_proven()
        self.proofs[Post.MONITOR] = (self.scene.now, "M1", Grade.PRISON_OFFICER)
        self.proofs[Post.SUPERVISOR] = (self.scene.now, "T1", Grade.PRISON_OFFICER)

    @rule()
    def prove_both(self) -> None:
        self.prove_both_unseen()
        self.look("M1")
        self.tick()

    @rule()
    def watch(self) -> None:
        self._try(c.Observe(MONITOR, tuple((leg.id, n) for n, leg in enumerate(self.first.legs)), True))

    @rule(actor=ACTORS)
    def pause(self, actor: Actor) -> None:
        events = self._try(c.Pause(actor))
        if events:
            placed = [x for x in events if isinstance(x, e.HoldPlaced) and x.by == actor.number]
            assert placed, "placing a hold is always an event"

    @rule(
        actor=ACTORS, index=st.integers(0, 3), verb=st.sampled_from(["clear", "undo", "relabel"]), stale=st.booleans()
    )
    def touch_hold(self, actor: Actor, index: int, verb: str, stale: bool) -> None:
        holds = self.scene.call.holds
        if not holds:
            return
        hold = holds[index % len(holds)]
        version = 0 if stale else self.scene.call.seq
        command: c.Command = c.Clear(actor, hold.id, version)
        if verb != "clear":
            command = c.Undo(actor, hold.id) if verb == "undo" else c.Relabel(actor, hold.id)
        events = self._try(command)
        mine = [x for x in events if getattr(x, "hold_id", None) == hold.id]
        if verb == "clear" and mine:
            owner = Post.SUPERVISOR if hold.kind is HoldKind.TECHNICAL else Post.MONITOR
            assert hold.kind in (HoldKind.SECURITY, HoldKind.TECHNICAL, HoldKind.RECOVERED)
            assert actor.post is owner, "I8: a hold was cleared by the other post"
            assert not stale, "I8: a hold was cleared with a stale version"
        if verb != "clear" and mine:
            assert hold.by == actor.number, "only the maker takes a pause back"

    @rule(actor=ACTORS, rarely=st.integers(0, 9))
    def end(self, actor: Actor, rarely: int) -> None:
        if rarely == 0:
            self._try(c.End(actor, EndReason.CONDUCT))

    # --- rules: the world ------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 3, 6, 11, 16, 46, 70]))
    def time_passes_unseen(self, seconds: int) -> None:
        self._pass(seconds)

    @rule(seconds=st.sampled_from([3, 30, 50, 200]), whose=st.sampled_from([*Post, None]), looks=st.booleans())
    def proofs_arrive_and_nobody_ticks(self, seconds: int, whose: Post | None, looks: bool) -> None:
        """The node stands still for a while; then both posts' proofs arrive, or one's, perhaps with a look."""
        self._pass(seconds)
        if whose is None:
            self.prove_both_unseen()
        else:
            self.prove(whose, "M1" if whose is Post.MONITOR else "T1", False)
        if looks:
            self.look("M1")

    @rule()
    def the_wall_is_proven_and_nobody_looks(self) -> None:
        for _ in range(16):
            self._pass(4)
            self.prove_both_unseen()

    @rule()
    def tick(self) -> None:
        self._try(c.Tick(SYSTEM))

    @rule(seconds=st.sampled_from([-1, 3, 9999]))
    def lease(self, seconds: int) -> None:
        self.scene.lease_until = self.scene.now + timedelta(seconds=seconds)

    @rule(gap=st.sampled_from([1.0, 20.0]))
    def crash_and_recover(self, gap: float) -> None:
        stored = [(name_of(x), x.at, x.actor, body_of(x)) for x in (self.first, *self.scene.history)]
        events = [event_from(*record) for record in stored]
        again = reduce(evolve, events[1:], begin(events[0]))  # type: ignore[arg-type]
        assert again == self.scene.call, "I12: the record does not rebuild the state"
        self._try(c.Recover(SYSTEM, gap))

    # --- invariants --------------------------------------------------------------------

    @invariant()
    def nothing_crosses_that_should_not(self) -> None:
        if not hasattr(self, "scene") or not self.scene.crosses:
            return
        scene, now = self.scene, self.scene.now
        call = scene.call
        deadline = now + timedelta(seconds=scene.plan.valid_for_s)
        assert scene.plan.valid_for_s <= 5, "I2: a plan outlives five seconds"
        assert self.ended_at is None, "I4: something crosses after the end"
        assert now >= self.first.starts_at and call.started_at is not None, "I7: something crosses before the start"
        assert not call.holds, "I1: something crosses a hold"
        assert deadline <= max(call.ends_at, self.first.latest_end), "I1: past the end"
        assert now < call.ends_at, "I1: past the end"
        self._posts_allow(deadline)
        for leg in self.first.legs:
            if leg.id in self.left:
                continue
            assert leg.id in self.verified, f"I1: {leg.id} is not verified"
            assert leg.role == "prisoner" or leg.id in self.consented, f"I1: {leg.id} did not consent"
            assert leg.id not in self.revoked and deadline <= self.credential[leg.id], f"I1: {leg.id} has no credential"
            assert not self.barred & set(leg.people), f"I1: somebody of {leg.id} is barred"
        assert not self.mixed, "README 19: synthetic and real in one call"
        assert deadline <= scene.lease_until, "I1: the lease has lapsed"
        assert self.unlooked_s + scene.plan.valid_for_s <= 60.1, "README 5: nobody looked for twice the limit"

    def _posts_allow(self, deadline: datetime) -> None:
        monitor, supervisor = self.proofs[Post.MONITOR], self.proofs[Post.SUPERVISOR]
        assert monitor is not None and supervisor is not None, "I1: a post was never proven"
        assert deadline <= monitor[0] + timedelta(seconds=15), "I1: unwatched"
        assert deadline <= supervisor[0] + timedelta(seconds=45), "I1: unsupervised"
        assert monitor[1] != supervisor[1], "I1: one person on both posts"
        assert supervisor[2] is not Grade.OSG, "I1: an OSG supervises"

    @invariant()
    def the_end_is_the_end(self) -> None:
        if hasattr(self, "scene") and self.ended_at is not None:
            assert self.scene.call.phase is CallPhase.ENDED
            assert self.scene.plan.routes == frozenset()

    @invariant()
    def before_the_call_only_consoles_see(self) -> None:
        if hasattr(self, "scene") and self.scene.call.phase in (CallPhase.LOBBY, CallPhase.READY):
            assert {route.sink for route in self.scene.plan.routes} <= {MONITOR.session}


EXAMPLES = settings(
    max_examples=1000,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    print_blob=True,
)
