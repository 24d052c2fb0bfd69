"""The gate: every condition that must hold before a packet crosses, each with the instant it runs out.

Invariant I1 (reliability.md 3.3), as a table of data. The plan's deadline is the
earliest of all of them and of `plan_valid_s` from now (design README 4). A test
removes each condition in turn and demands that the model fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from broker.domain.attention import Attention, begin, flows, hold_s, limit_s
from broker.domain.call import Call, Leg, LegRole, Phase
from broker.domain.codes import Post
from broker.domain.kinds import KINDS
from broker.domain.plan import Media, MediaPlan, Quality, Route
from broker.domain.policy import Policy
from broker.domain.posts import grade_fits
from broker.domain.records import Grade

FOREVER = datetime.max.replace(tzinfo=UTC)
LOOK_SLACK = timedelta(seconds=1)
"""A plan with a look in it lapses this long after the look must be over, should nobody come to end it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That a post is there for a call: who, since when without a gap, and when last proven."""

    number: str
    grade: Grade
    session: str
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known outside of the record, at one instant: both posts' proofs and the node's lease.

    `moved_at`: when the call last got another relay. What a wall displayed before that says nothing of the call as
    it would flow now; the gate waits for a younger proof. No hold follows from it: that is the proof's age's affair.
    `attention`: when the call was last looked at, as this node counts it.

    `room`: asked only by a start that nothing else keeps, for it counts every open call: the weight that the monitors
    of the scope have left for this call (capacity.py). None: it is not counted, as for a call that has started.
    """

    monitor: Proof | None
    supervisor: Proof | None
    lease_until: datetime
    moved_at: datetime | None = None
    room: Callable[[], int] | None = None
    attention: Attention | None = None  # None: what the record says alone


Until = datetime | None  # None: the condition does not hold now


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the gate: `until(call, evidence, policy, now)` says how long it holds from now."""

    name: str
    until: Callable[[Call, Evidence, Policy, datetime], Until]


def _if(holds: bool) -> Until:
    return FOREVER if holds else None


def _after(instant: datetime | None, seconds: float) -> Until:
    return None if instant is None else instant + timedelta(seconds=seconds)


def effective_end(call: Call, now: datetime) -> datetime:
    """Return when the call ends if nothing more happens: a stopped clock pushes the end, up to the limit."""
    if call.clock_stopped_at is None:
        return call.ends_at
    return max(call.ends_at, min(call.ends_at + (now - call.clock_stopped_at), call.latest_end))


def _monitored(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> Until:
    proof = evidence.monitor
    if call.privileged and call.privacy.patrol is not None:
        return FOREVER  # the hall walks past instead
    if proof is not None and not call.privileged and evidence.moved_at is not None and proof.at <= evidence.moved_at:
        return None
    return _after(proof.at if proof else None, policy.proof_stale_s + policy.proof_grace_s)


def _supervised(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> Until:
    proof = evidence.supervisor
    return _after(proof.at if proof else None, policy.supervisor_stale_s + policy.supervisor_grace_s)


def attention_of(call: Call, evidence: Evidence, now: datetime) -> Attention:
    """Return how long the call has flowed without a look, up to now."""
    known = evidence.attention or begin(call, now)
    return known.passed(now, flows(call))


def _looked_at(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> Until:
    limit = limit_s(call, policy)
    if limit is None:
        return FOREVER
    return _after(now, hold_s(limit, policy) - attention_of(call, evidence, now).unwatched_s)


def _two_people(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> Until:
    one, other = evidence.monitor, evidence.supervisor
    return _if(one is None or other is None or one.number != other.number)


def _graded(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> Until:
    one, other = evidence.monitor, evidence.supervisor
    return _if(
        (one is None or grade_fits(Post.MONITOR, one.grade))
        and (other is None or grade_fits(Post.SUPERVISOR, other.grade))
    )


def _credentials(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> Until:
    ends = [None if leg.revoked else leg.credential_until for leg in call.active]
    known = [end for end in ends if end is not None]
    return min(known, default=None) if len(known) == len(ends) else None


GATE: tuple[Condition, ...] = (
    Condition("live", lambda call, *_: _if(call.phase is Phase.LIVE)),
    Condition("no_holds", lambda call, *_: _if(not call.holds)),
    Condition("in_time", lambda call, evidence, policy, now: effective_end(call, now)),
    Condition("monitored", _monitored),
    Condition("supervised", _supervised),
    Condition("looked_at", _looked_at),
    Condition("two_people", _two_people),
    Condition("grades", _graded),
    Condition("verified", lambda call, *_: _if(all(leg.verified for leg in call.active))),
    Condition("consented", lambda call, *_: _if(all(leg.consented or not leg.needs_consent for leg in call.active))),
    Condition("credentials", _credentials),
    Condition("nobody_barred", lambda call, *_: _if(not any(call.barred & set(leg.people) for leg in call.active))),
    Condition("unmixed", lambda call, *_: _if(all(leg.synthetic == call.synthetic for leg in call.legs))),
    Condition("lease", lambda call, evidence, policy, now: evidence.lease_until),
)


def open_until(
    call: Call, evidence: Evidence, policy: Policy, now: datetime, conditions: Sequence[Condition] = GATE
) -> datetime | None:
    """Return until when media may cross, or None where it may not now."""
    deadline = now + timedelta(seconds=policy.plan_valid_s)
    for condition in conditions:
        until = condition.until(call, evidence, policy, now)
        if until is None or until <= now:
            return None
        deadline = min(deadline, until)
    return deadline


def failing(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[str]:
    """Return the names of the conditions that do not hold now."""
    checked = ((condition.name, condition.until(call, evidence, policy, now)) for condition in GATE)
    return [name for name, until in checked if until is None or until <= now]


def plan_for(
    call: Call, evidence: Evidence, policy: Policy, now: datetime, conditions: Sequence[Condition] = GATE
) -> MediaPlan:
    """Return every path that the call allows now, valid for seconds."""
    deadline = open_until(call, evidence, policy, now, conditions)
    if deadline is not None:
        sources: Sequence[Leg] = call.active
        routes = _between_legs(call)
    elif call.phase in (Phase.LOBBY, Phase.READY) and not call.holds:
        deadline = _lobby_until(call, evidence, policy, now)
        sources = [leg for leg in call.active if _may_be_checked(leg)]
        routes = set()
    else:
        return MediaPlan(call.id, call.epoch)
    routes |= _to_observers(call, sources, now)
    stills = frozenset() if call.privileged else _stills(call, sources)
    if call.privacy.look is not None and deadline is not None:
        deadline = min(deadline, call.privacy.look.until + LOOK_SLACK)
    if deadline is None or not (routes or stills):
        return MediaPlan(call.id, call.epoch)
    return MediaPlan(call.id, call.epoch, (deadline - now).total_seconds(), frozenset(routes), stills)


def _may_be_checked(leg: Leg) -> bool:
    """Say whether a monitor may see this leg before the call: after its consent, or once verified at the seat."""
    return leg.present and (bool(leg.verified) if leg.role is LegRole.PRISONER else True)


def _lobby_until(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> datetime | None:
    ends = [leg.credential_until for leg in call.active if leg.credential_until and not leg.revoked]
    deadline = min([now + timedelta(seconds=policy.plan_valid_s), evidence.lease_until, call.latest_end, *ends])
    return deadline if deadline > now else None


def _between_legs(call: Call) -> set[Route]:
    """Return the routes between legs: a leg's lines carry the other legs in the order of the call."""
    routes = set()
    for sink in call.active:
        others = [leg for leg in call.legs if leg.id != sink.id]
        for source in call.active:
            if source.id == sink.id:
                continue
            for kind in source.sends:
                routes.add(Route(source.id, kind, sink.id, others.index(source)))
    return routes


def _to_observers(call: Call, sources: Sequence[Leg], now: datetime) -> set[Route]:
    """Return the routes to consoles: every picture, small but in focus, and the sound of the call in focus.

    The sound only where the kind lets staff hear.

    A console has one sound line per leg of a call: the legs' order is the line's number.
    """
    routes: set[Route] = set()
    if call.privileged and (call.privacy.look is None or now >= call.privacy.look.until):
        return routes  # a look's console is the only one that a privileged call ever has
    audible = KINDS[call.kind].audio_to_staff
    for observer in call.observers:
        lines = dict(observer.lines)
        for number, leg in enumerate(call.legs):
            if leg not in sources:
                continue
            if leg.id in lines and Media.VIDEO in leg.sends:
                quality = Quality.BEST if observer.focus or call.privileged else Quality.LOW
                routes.add(Route(leg.id, Media.VIDEO, observer.session, lines[leg.id], quality))
            if observer.focus and audible and Media.AUDIO in leg.sends:
                routes.add(Route(leg.id, Media.AUDIO, observer.session, number))
    return routes


def _stills(call: Call, sources: Sequence[Leg]) -> frozenset[str]:
    """Return the legs whose picture some console watches without a line for it."""
    watched = [dict(observer.lines) for observer in call.observers]
    return frozenset(
        leg.id for leg in sources if Media.VIDEO in leg.sends and any(leg.id not in lines for lines in watched)
    )
