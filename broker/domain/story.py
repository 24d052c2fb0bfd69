"""A call's story: what its records say of every second of it. Pure; read by the figures, the gaps and the shift.

The record's own state machine (call.py) is replayed, so that a figure can never know more or less of a call than the
broker did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from broker.domain import events as e
from broker.domain import task_events as t
from broker.domain.attention import flows
from broker.domain.call import Call, Phase, begin, evolve
from broker.domain.call_record import Attend, Breach
from broker.domain.codec import event_from
from broker.domain.codes import HoldKind, Outcome, Post
from broker.domain.policy import Policy, policy
from broker.domain.spans import Spans, Track, meet, outside, union
from broker.domain.uses import Use, after, use_of


class Recorded(Protocol):
    """A record, wherever it was read: from the log or from an export."""

    @property
    def stream(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def actor(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Act:
    """An intervention: its verb (warn, pause, pause_technical, end, attend), who, and why."""

    at: datetime
    verb: str
    number: str | None
    reason: str | None = None
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """A look that was due: made within its limit, made late, or (no number) never made."""

    at: datetime
    within: bool
    number: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """That some person had the call displayed, from and to; with sound or not."""

    start: datetime
    end: datetime
    sound: bool


@dataclass(frozen=True, slots=True)
class Held:
    """That a hold was placed, and how soon after the person's word nothing was heard any more."""

    start: datetime
    kind: HoldKind
    silent_after_ms: float | None


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert about this call, and how it was cleared."""

    at: datetime
    code: str
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A call, as its records tell it up to `until`: its end, or the instant at which the question was asked."""

    call: Call
    until: datetime
    uses: Track[Use]
    kinds: Track[str]
    tiers: Track[int]
    flow: Spans  # live, with no hold: media may cross
    monitors: Track[str | None]
    supervisors: Track[str | None]
    live: Spans
    held: tuple[Held, ...] = ()
    seen: tuple[Seen, ...] = ()
    acts: tuple[Act, ...] = ()
    looks: tuple[Look, ...] = ()
    credits: tuple[tuple[datetime, int], ...] = ()
    alerts: tuple[Raised, ...] = ()
    arrived_at: datetime | None = None  # the first leg that comes by a link

    @property
    def id(self) -> str:
        """The call's id."""
        return self.call.id

    @property
    def policy(self) -> Policy:
        """The policy that the call is stamped with."""
        return policy(self.call.policy_version)

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """The breaches that were not withdrawn."""
        return tuple(one for one in self.call.record.entries if isinstance(one, Breach) and not one.withdrawn)

    @property
    def attends(self) -> tuple[Attend, ...]:
        """The requests that the hall attend."""
        return tuple(one for one in self.call.record.entries if isinstance(one, Attend))

    @property
    def observed(self) -> Spans:
        """The time in which some person had it displayed."""
        return union((seen.start, seen.end) for seen in self.seen)

    @property
    def listened(self) -> Spans:
        """The time in which some person had its sound."""
        return union((seen.start, seen.end) for seen in self.seen if seen.sound)

    def covered(self, post: Post) -> Spans:
        """Return the time in which somebody was proven to hold the post."""
        track = self.monitors if post is Post.MONITOR else self.supervisors
        return union(span for span, number in track if number is not None)


def tell(records: Sequence[Recorded], now: datetime) -> Story | None:
    """Return the story of one call's stream up to `now`; None where it is no call's, or begins later.

    Args:
        records: In order, from the first.
        now: What is recorded later is left out; a call that runs counts up to here.
    """
    known = [record for record in records if record.at <= now]
    if not known or known[0].type != "call.scheduled":
        return None
    first = known[0]
    opening = event_from(first.type, first.at, first.actor, first.body)
    assert isinstance(opening, e.CallScheduled)
    teller = _Teller(begin(opening), now)
    for record in known[1:]:
        teller.take(record)
    return teller.story()


@dataclass(slots=True)
class _Teller:
    """Replays a call and notes what changes."""

    call: Call
    now: datetime
    uses: Track[Use] = field(init=False)
    kinds: Track[str] = field(init=False)
    tiers: Track[int] = field(init=False)
    monitors: Track[str | None] = field(default_factory=lambda: Track[str | None](None))
    supervisors: Track[str | None] = field(default_factory=lambda: Track[str | None](None))
    flows: Track[bool] = field(default_factory=lambda: Track(False))
    lives: Track[bool] = field(default_factory=lambda: Track(False))
    held: list[Held] = field(default_factory=list)
    watching: dict[str, tuple[datetime, bool]] = field(
        default_factory=dict
    )  # by session: since when, with sound or not
    attached: list[Seen] = field(default_factory=list)
    recorded: list[Seen] = field(default_factory=list)
    acts: dict[str, Act] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    overdue_at: datetime | None = None
    credits: list[tuple[datetime, int]] = field(default_factory=list)
    arrived_at: datetime | None = None

    def __post_init__(self) -> None:
        self.uses = Track(Use.OUTSIDE)
        self.kinds, self.tiers = Track(self.call.kind), Track(self.call.tier)
        self._note(self.call.starts_at)

    def take(self, record: Recorded) -> None:
        """Take one record."""
        try:
            event: e.Event | None = event_from(record.type, record.at, record.actor, record.body)
        except KeyError:
            event = None
        if isinstance(event, e.CallRecovered):
            self._away(event)
        if event is not None:
            self._ends_first(event)
            self.call = evolve(self.call, event)
            self._on_event(event)
            self._note(record.at)

    # --- what the state says ----------------------------------------------------

    def _note(self, at: datetime) -> None:
        call = self.call
        self.lives.set(at, call.phase is Phase.LIVE)
        self.flows.set(at, flows(call))
        self.kinds.set(at, call.kind)
        self.tiers.set(at, call.tier)
        self.uses.set(max(at, call.starts_at), use_of(call))

    def _away(self, event: e.CallRecovered) -> None:
        """The broker was away: nothing flowed, nobody was proven, and it was no caller's fault."""
        since = event.at - timedelta(seconds=event.gap_s)
        self.flows.set(since, False)
        if self.call.phase is Phase.LIVE:
            self.uses.set(max(since, self.call.starts_at), Use.SERVICE)
        self.monitors.set(since, None)
        self.supervisors.set(since, None)
        for session in list(self.watching):
            self._stop_watching(session, since)

    def _ends_first(self, event: e.Event) -> None:
        """What a call's end closes, while its state still knows it."""
        if isinstance(event, e.CallEnded):
            for session in list(self.watching):
                self._stop_watching(session, event.at)

    def _on_event(self, event: e.Event) -> None:
        match event:
            case e.CoverChanged():
                track = self.monitors if event.post is Post.MONITOR else self.supervisors
                track.set(event.proven_at or event.at, event.number)
            case e.LegArrived(leg_id=leg_id):
                leg = self.call.leg(leg_id)
                if self.arrived_at is None and leg is not None and leg.needs_consent:
                    self.arrived_at = event.at
            case e.ObservationStarted():
                self._stop_watching(event.session, event.at)
                self.watching[event.session] = (event.at, event.focus)
            case e.ObservationEnded(session=session):
                self._stop_watching(session, event.at)
            case e.ClockRestarted(credited_s=credited_s):
                self.credits.append((event.at, credited_s))
            case e.WarningGiven():
                self._act(event.warning_id, Act(event.at, "warn", staff_of(event.actor), event.warning))
            case e.CallEnded() if event.by_post is not None:
                self._act("end", Act(event.at, "end", staff_of(event.actor), event.reason))
            case t.AttendRequested():
                self._act(event.attend_id, Act(event.at, "attend", staff_of(event.actor), event.reason))
            case e.AttentionOverdue() | e.AttentionLooked() | e.ObservationRecorded():
                self._on_looks(event)
            case _:
                self._on_hold(event)

    def _on_looks(self, event: e.AttentionOverdue | e.AttentionLooked | e.ObservationRecorded) -> None:
        match event:
            case e.AttentionOverdue():
                self.overdue_at = self.overdue_at or event.at
            case e.AttentionLooked(at=at, number=number):
                within = event.within and self.overdue_at is None
                self.looks.append(Look(at if within else self.overdue_at or at, within, number))
                self.overdue_at = None
            case e.ObservationRecorded(from_=start, to=end, sound=sound):
                if start < end:
                    self.recorded.append(Seen(start, end, sound))

    def _on_hold(self, event: e.Event) -> None:
        match event:
            case e.HoldPlaced():
                self.held.append(Held(event.at, event.kind, event.silent_after_ms))
                if event.by is not None:
                    self._act(event.hold_id, Act(event.at, "pause", event.by))
            case e.HoldReasoned(hold_id=hold_id, reason=reason):
                self._amend(hold_id, reason=reason)
            case e.HoldRelabelled(hold_id=hold_id):
                self._amend(hold_id, verb="pause_technical")
            case e.HoldCleared(hold_id=hold_id, undone=True):
                self._amend(hold_id, undone=True)
            case _:
                return

    def _act(self, key: str, act: Act) -> None:
        self.acts[key] = act

    def _amend(self, key: str, **changes: Any) -> None:
        if key in self.acts:
            self.acts[key] = replace(self.acts[key], **changes)

    def _stop_watching(self, session: str, at: datetime) -> None:
        known = self.watching.pop(session, None)
        if known is not None and known[0] < at:
            since, sound = known
            self.attached.append(Seen(since, at, sound))

    # --- the end -------------------------------------------------------------------

    def story(self) -> Story:
        """Return the whole."""
        call = self.call
        until = call.ended_at or self.now
        self._rest(until)
        for session in list(self.watching):
            self._stop_watching(session, until)
        looks = list(self.looks)
        if self.overdue_at is not None:
            looks.append(Look(self.overdue_at, False, None))
        # A console that records spans says more than one that only said when it was attached.
        seen = self.recorded or self.attached
        due = union([(call.starts_at, until)])
        return Story(
            call,
            until,
            self.uses,
            self.kinds,
            self.tiers,
            meet(self.flows.where(True), due),
            self.monitors,
            self.supervisors,
            meet(self.lives.where(True), due),
            tuple(self.held),
            tuple(seen),
            tuple(self.acts.values()),
            tuple(looks),
            tuple(self.credits),
            arrived_at=self.arrived_at,
        )

    def _rest(self, until: datetime) -> None:
        """Say what became of the booked time after the end; of a call that runs nothing is said beyond now."""
        call = self.call
        if call.ended_at is None:
            self.uses.set(until, Use.OUTSIDE)
            return
        booked_until = call.starts_at + timedelta(seconds=call.booked_s)
        whole = call.outcome in (Outcome.VISITOR_DID_NOT_ARRIVE,) and call.started_at is None
        if whole:  # nobody waits for a prisoner to be fetched for a family that never comes
            self.uses = Track(Use.OUTSIDE)
            self.uses.set(call.starts_at, Use.LATE_FAMILY)
        if until < call.starts_at or until >= booked_until:
            self.uses.set(max(until, call.starts_at), Use.OUTSIDE)
            return
        self.uses.set(until, Use.LATE_FAMILY if whole else after(call))
        self.uses.set(booked_until, Use.OUTSIDE)


def staff_of(actor: str) -> str | None:
    """Return the staff number of an actor's id; None where it is no person of staff."""
    return actor.removeprefix("staff:") if actor.startswith("staff:") else None


def with_alerts(story: Story, alerts: Iterable[Raised]) -> Story:
    """Return the story with the alerts about its call, which stand in its establishment's stream."""
    return replace(story, alerts=tuple(sorted(alerts, key=lambda alert: (alert.at, alert.code))))


def gaps_of(story: Story, post: Post) -> Spans:
    """Return when the call was live and the post was proven by nobody."""
    return outside(story.live, story.covered(post))
