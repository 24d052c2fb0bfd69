"""A call: its legs, its holds, its clock; and how each event changes it.

A call is live when its set of holds is empty (design README 3). Phases:

    SCHEDULED -> LOBBY <-> READY -> LIVE -> ENDED        (any phase -> ENDED, which is final)

`evolve(call, event)` is total over recorded events and never refuses: refusing
is `decide`'s task (decide.py). `seq` counts the events of the call's stream.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import singledispatch

from broker.domain import events as e
from broker.domain import task_events as t
from broker.domain.call_record import NOTHING_RECORDED, CallRecord, after
from broker.domain.codes import (
    STEP_ORDER,
    EndReason,
    HoldKind,
    IdentityReason,
    ObservationMode,
    Outcome,
    PauseReason,
    Post,
    RiskReason,
    Step,
)
from broker.domain.given import Given
from broker.domain.kinds import KINDS
from broker.domain.leg import Leg as Leg
from broker.domain.leg import LegRole as LegRole
from broker.domain.observer import Observer
from broker.domain.plan import Media
from broker.domain.privacy import NO_LOOKS, Privacy, PrivacyEvent, changed, not_looked_at


class Phase(StrEnum):
    """Where a call stands in its life. `paused` is not a phase: holds are."""

    SCHEDULED = "scheduled"
    LOBBY = "lobby"
    READY = "ready"
    LIVE = "live"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Hold:
    """Why media is held. Holds belong to posts, so relief inherits them."""

    id: str
    kind: HoldKind
    post: Post | None
    by: str | None
    placed_at: datetime
    reason: PauseReason | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call as its events made it."""

    id: str
    kind: str
    establishment: str
    hall_id: str
    seat_id: str
    starts_at: datetime
    booked_s: int
    ends_at: datetime
    latest_end: datetime
    policy_version: str
    legs: tuple[Leg, ...]
    synthetic: bool = False
    tier: int = 3
    tier_reasons: tuple[RiskReason, ...] = ()
    set_tier: int = 3  # what a person set last, and the staff number of who that was; None: nobody has
    set_by: str | None = None
    privacy: Privacy = NO_LOOKS  # looks at a privileged call, and patrols in their place
    risen: bool = False  # the rules have raised the tier since the call was scheduled, and nobody has set it since
    phase: Phase = Phase.SCHEDULED
    holds: tuple[Hold, ...] = ()
    observers: tuple[Observer, ...] = ()
    barred: frozenset[str] = frozenset()
    monitor: str | None = None  # staff number of who covers, None: nobody proven
    supervisor: str | None = None
    alarms: frozenset[Post] = frozenset()
    started_at: datetime | None = None
    clock_stopped_at: datetime | None = None
    credited_s: int = 0
    rebook_s: int = 0
    stopped_s: int = 0  # for how long the clock stood, all in all, up to its last start
    warnings: tuple[Given, ...] = ()
    record: CallRecord = NOTHING_RECORDED
    looked_at: datetime | None = None  # the newest look on record
    look_since: datetime | None = None  # the last look that was recorded as one
    overdue: bool = False
    outcome: Outcome | None = None
    end_reason: EndReason | None = None
    identity: IdentityReason | None = None  # why the leg that ended it was refused at its check
    ended_at: datetime | None = None
    ended_by_leg: str | None = None
    ended_by: str | None = None
    epoch: int = 1
    seq: int = 0
    holds_seq: int = 0  # of the last event that changed the holds

    def leg(self, leg_id: str) -> Leg | None:
        """Return the leg with that id."""
        return next((leg for leg in self.legs if leg.id == leg_id), None)

    def hold(self, hold_id: str) -> Hold | None:
        """Return the hold with that id."""
        return next((hold for hold in self.holds if hold.id == hold_id), None)

    def held_by(self, kind: HoldKind) -> Hold | None:
        """Return the first hold of that kind."""
        return next((hold for hold in self.holds if hold.kind is kind), None)

    @property
    def help_asked(self) -> bool:
        """Say whether somebody at the seat asks for a member of staff."""
        return any(leg.raised and leg.role is LegRole.PRISONER for leg in self.legs)

    @property
    def tier_by(self) -> str | None:
        """The staff number of who set the tier that stands; None: the rules."""
        return self.set_by if self.tier == self.set_tier else None

    @property
    def privileged(self) -> bool:
        """Say whether staff never hear the call, and see it in looks at most."""
        return KINDS[self.kind].privileged

    @property
    def active(self) -> tuple[Leg, ...]:
        """The legs that have not left for good."""
        return tuple(leg for leg in self.legs if not leg.left)


def begin(event: e.CallScheduled) -> Call:
    """Return the call that a stream's first event makes."""
    return Call(
        id=event.call_id,
        kind=event.kind,
        establishment=event.establishment,
        hall_id=event.hall_id,
        seat_id=event.seat_id,
        starts_at=event.starts_at,
        booked_s=int((event.ends_at - event.starts_at).total_seconds()),
        ends_at=event.ends_at,
        latest_end=event.latest_end,
        policy_version=event.policy_version,
        legs=tuple(_leg(spec) for spec in event.legs),
        synthetic=event.synthetic,
        tier=event.tier,
        tier_reasons=event.tier_reasons,
        seq=1,
    )


def _leg(spec: e.LegSpec) -> Leg:
    return Leg(
        id=spec.id,
        role=LegRole(spec.role),
        people=spec.people,
        children=frozenset(spec.children),
        main_caller=spec.main_caller,
        sends=frozenset(Media(kind) for kind in spec.sends),
        synthetic=spec.synthetic,
    )


def evolve(call: Call, event: e.Event) -> Call:
    """Return the call after `event`."""
    return _apply(event, replace(call, seq=call.seq + 1))


@singledispatch
def _apply(event: e.Event, call: Call) -> Call:
    raise TypeError(f"no rule for {type(event).__name__}")


def _with_leg(call: Call, leg_id: str, *, guard: bool = False, **changes: object) -> Call:
    if guard:
        changes["guard_seq"] = call.seq
    legs = tuple(replace(leg, **changes) if leg.id == leg_id else leg for leg in call.legs)  # type: ignore[arg-type]
    return replace(call, legs=legs)


def _further(leg: Leg | None, step: Step) -> Step:
    return step if leg is None else max(step, leg.step, key=STEP_ORDER.index)


@_apply.register
def _(event: e.LegArrived, call: Call) -> Call:
    leg = call.leg(event.leg_id)
    changes: dict[str, object] = {}
    if leg is not None and leg.device_id not in (None, event.device_id):
        # Another device may have another person in front of it: the notice and the check begin anew.
        changes = {"consented": None, "checked": False, "waiting": False, "trouble": None}
    call = _with_leg(
        call,
        event.leg_id,
        guard=True,
        credential_until=event.credential_until,
        device_id=event.device_id,
        revoked=False,
        step=Step.LINK_OPENED if changes else _further(leg, Step.LINK_OPENED),
        **changes,
    )
    return replace(call, phase=Phase.LOBBY) if call.phase is Phase.SCHEDULED else call


@_apply.register
def _(event: e.LegConsented, call: Call) -> Call:
    step = _further(call.leg(event.leg_id), Step.CONSENTED)
    return _with_leg(call, event.leg_id, consented=event.notice_version, step=step)


@_apply.register
def _(event: e.LegChecked, call: Call) -> Call:
    leg = call.leg(event.leg_id)
    found = {event.camera, event.microphone}
    if "blocked" in found or "none" in found:
        return _with_leg(call, event.leg_id, trouble="blocked" if "blocked" in found else "failed")
    return _with_leg(call, event.leg_id, checked=True, trouble=None, step=_further(leg, Step.MEDIA_CHOSEN))


@_apply.register
def _(event: e.LegProgressed, call: Call) -> Call:
    return _with_leg(call, event.leg_id, step=event.step)


@_apply.register
def _(event: e.LegWaiting, call: Call) -> Call:
    leg = call.leg(event.leg_id)
    at = leg.waiting_at if leg and leg.waiting_at else event.at
    return _with_leg(call, event.leg_id, waiting=True, waiting_at=at, step=_further(leg, Step.LOBBY))


@_apply.register
def _(event: e.LegConnected, call: Call) -> Call:
    return _with_leg(call, event.leg_id, connected=True, lost_at=None, step=Step.CONNECTED)


@_apply.register
def _(event: e.LegLost, call: Call) -> Call:
    return _with_leg(call, event.leg_id, connected=False, lost_at=event.at, step=Step.CONNECTING)


@_apply.register
def _(event: e.LegLeft, call: Call) -> Call:
    return _with_leg(call, event.leg_id, guard=True, left=True, connected=False, waiting=False, step=Step.AWAY)


@_apply.register
def _(event: e.LegVerified, call: Call) -> Call:
    return _with_leg(call, event.leg_id, verified=frozenset(event.people))


@_apply.register
def _(event: e.LegUnverified, call: Call) -> Call:
    return _with_leg(call, event.leg_id, guard=True, verified=frozenset())


@_apply.register
def _(event: e.LegRevoked, call: Call) -> Call:
    return _with_leg(
        call, event.leg_id, guard=True, revoked=True, connected=False, verified=frozenset(), lost_at=event.at
    )


@_apply.register
def _(event: e.PeopleBarred, call: Call) -> Call:
    return replace(call, barred=call.barred | frozenset(event.people))


@_apply.register
def _(event: e.PeopleUnbarred, call: Call) -> Call:
    return replace(call, barred=call.barred - frozenset(event.people))


@_apply.register
def _(event: e.HelpAsked, call: Call) -> Call:
    return _with_leg(call, event.leg_id, raised=True)


@_apply.register
def _(event: e.HelpGiven, call: Call) -> Call:
    return _with_leg(call, event.leg_id, raised=False)


@_apply.register
def _(event: e.CallReady, call: Call) -> Call:
    return replace(call, phase=Phase.READY)


@_apply.register
def _(event: e.CallUnready, call: Call) -> Call:
    return replace(call, phase=Phase.LOBBY)


@_apply.register
def _(event: e.CallStarted, call: Call) -> Call:
    legs = tuple(replace(leg, raised=False) for leg in call.legs)
    return replace(
        call,
        legs=legs,
        phase=Phase.LIVE,
        started_at=event.at,
        ends_at=event.ends_at,
        rebook_s=call.rebook_s + event.rebook_s,
    )


@_apply.register
def _(event: e.CoverChanged, call: Call) -> Call:
    if event.post is Post.MONITOR:
        return replace(call, monitor=event.number)
    return replace(call, supervisor=event.number)


@_apply.register
def _(event: e.AlarmRaised, call: Call) -> Call:
    return replace(call, alarms=call.alarms | {event.post})


@_apply.register
def _(event: e.AlarmCleared, call: Call) -> Call:
    return replace(call, alarms=call.alarms - {event.post})


@_apply.register
def _(event: e.HoldPlaced, call: Call) -> Call:
    hold = Hold(event.hold_id, event.kind, event.post, event.by, event.at)
    return replace(call, holds=(*call.holds, hold), holds_seq=call.seq)


@_apply.register
def _(event: e.HoldReasoned, call: Call) -> Call:
    return _with_hold(call, event.hold_id, reason=event.reason)


@_apply.register
def _(event: e.HoldRelabelled, call: Call) -> Call:
    return replace(_with_hold(call, event.hold_id, kind=event.kind), holds_seq=call.seq)


@_apply.register
def _(event: e.HoldCleared, call: Call) -> Call:
    holds = tuple(hold for hold in call.holds if hold.id != event.hold_id)
    return replace(call, holds=holds, holds_seq=call.seq)


def _with_hold(call: Call, hold_id: str, **changes: object) -> Call:
    holds = tuple(replace(hold, **changes) if hold.id == hold_id else hold for hold in call.holds)  # type: ignore[arg-type]
    return replace(call, holds=holds)


@_apply.register
def _(event: e.ClockStopped, call: Call) -> Call:
    return replace(call, clock_stopped_at=event.since)


@_apply.register
def _(event: e.ClockRestarted, call: Call) -> Call:
    return replace(
        call,
        clock_stopped_at=None,
        ends_at=event.ends_at,
        credited_s=call.credited_s + event.credited_s,
        rebook_s=call.rebook_s + event.rebook_s,
        stopped_s=call.stopped_s + event.credited_s + event.rebook_s,
    )


@_apply.register
def _(event: e.LimitChanged, call: Call) -> Call:
    return replace(call, latest_end=event.latest_end)


@_apply.register
def _(event: e.TierSet, call: Call) -> Call:
    call = replace(call, tier=event.tier, tier_reasons=event.reasons, risen=call.risen or event.tier < call.tier)
    return call if event.by is None else replace(call, set_tier=event.tier, set_by=event.by, risen=False)


@_apply.register
def _(event: e.KindChanged, call: Call) -> Call:
    return replace(call, kind=event.kind, observers=(), overdue=False)  # a privileged call has no limit to pass


@_apply.register
def _(event: PrivacyEvent, call: Call) -> Call:
    privacy = changed(call.privacy, event, call.started_at)
    if isinstance(event, e.LookStarted):
        return replace(call, privacy=privacy, observers=(Observer(event.session, event.number, event.lines),))
    return replace(call, privacy=privacy, observers=() if isinstance(event, e.LookEnded) else call.observers)


@_apply.register
def _(event: e.WarningGiven, call: Call) -> Call:
    return replace(call, warnings=(*call.warnings, Given(event.warning_id, event.warning.value, event.at, event.legs)))


@_apply.register
def _(event: e.WarningDisplayed | t.WarningMissed, call: Call) -> Call:
    return replace(call, warnings=tuple(given.heard(event) for given in call.warnings))


@_apply.register
def _(event: t.TaskEvent, call: Call) -> Call:
    return replace(call, record=after(call.record, event, call.seq))


@_apply.register
def _(event: e.ObservationStarted, call: Call) -> Call:
    others = tuple(o for o in call.observers if o.session != event.session)
    return replace(call, observers=(*others, Observer(event.session, event.number, event.lines, event.focus)))


@_apply.register
def _(event: e.ObservationEnded, call: Call) -> Call:
    return replace(call, observers=tuple(o for o in call.observers if o.session != event.session))


@_apply.register
def _(event: e.ObservationRecorded, call: Call) -> Call:
    if event.mode is not ObservationMode.FOCUS:
        return call
    return replace(call, looked_at=max(event.to, call.looked_at or event.to))


@_apply.register
def _(event: e.AttentionLooked, call: Call) -> Call:
    return replace(call, looked_at=event.at, look_since=event.since, overdue=False)


@_apply.register
def _(event: e.AttentionOverdue, call: Call) -> Call:
    return replace(call, overdue=True)


@_apply.register
def _(event: e.CallRecovered, call: Call) -> Call:
    return replace(
        call, epoch=call.epoch + 1, observers=(), privacy=not_looked_at(call.privacy), monitor=None, supervisor=None
    )


@_apply.register
def _(event: e.CallEnded, call: Call) -> Call:
    return replace(
        call,
        phase=Phase.ENDED,
        outcome=event.outcome,
        end_reason=event.reason,
        identity=event.identity,
        ended_at=event.at,
        ended_by_leg=event.by_leg,
        ended_by=event.actor,
        observers=(),
        privacy=not_looked_at(call.privacy),
    )
