"""What follows by itself: from the call, the evidence and the time, without anybody's command.

`settle` returns the next events that are due, or none. `decide` calls it until
nothing follows, so that a call starts on the very command that completes it,
and a lost proof becomes a hold on the first tick after its grace.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from broker.domain import events as e
from broker.domain.actors import SYSTEM
from broker.domain.attention import hold_s, limit_s
from broker.domain.call import Call, LegRole, Phase
from broker.domain.capacity import weight
from broker.domain.codes import HoldKind, Outcome, Post
from broker.domain.gate import Evidence, Proof, attention_of, effective_end
from broker.domain.policy import Policy
from broker.domain.privileged import follow
from broker.domain.receipts import missed
from broker.domain.tasks import overdue

BY = SYSTEM.id
CLOCK_RUNS = frozenset({HoldKind.SECURITY})  # a security pause costs the callers their minutes (domain.md 7.3)


def settle(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    """Return the events that are due now; empty when nothing follows."""
    if call.phase is Phase.ENDED:
        return overdue(call, policy, now)
    for rule in (
        _cover,
        _end,
        _alarms,
        _attention,
        _privileged,
        _clock,
        _barred,
        _system_holds,
        _rejoin,
        _readiness,
        _start,
        _tasks,
    ):
        events = rule(call, evidence, policy, now)
        if events:
            return events
    return []


def _tasks(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    return missed(call, policy, now) or overdue(call, policy, now)


def fresh(proof: Proof | None, stale_s: float, now: datetime) -> bool:
    """Say whether a proof is young enough to count."""
    return proof is not None and now - proof.at <= timedelta(seconds=stale_s)


def _limits(post: Post, policy: Policy) -> tuple[float, float]:
    if post is Post.MONITOR:
        return policy.proof_stale_s, policy.proof_grace_s
    return policy.supervisor_stale_s, policy.supervisor_grace_s


def _proof(post: Post, evidence: Evidence) -> Proof | None:
    """Return the post's proof; the supervisor's counts for nothing where it is the monitor's own person."""
    if post is Post.MONITOR:
        return evidence.monitor
    same = evidence.monitor and evidence.supervisor and evidence.monitor.number == evidence.supervisor.number
    return None if same else evidence.supervisor


def covered(post: Post, evidence: Evidence, policy: Policy, now: datetime) -> bool:
    """Say whether the post is proven present for the call."""
    return fresh(_proof(post, evidence), _limits(post, policy)[0], now)


def _cover(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    events: list[e.Event] = []
    for post, known in ((Post.MONITOR, call.monitor), (Post.SUPERVISOR, call.supervisor)):
        proof = _proof(post, evidence)
        number = proof.number if proof and covered(post, evidence, policy, now) else None
        if number != known:
            events.append(e.CoverChanged(now, BY, post, number, proof.at if proof and number is None else None))
    return events


def _alarms(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    events: list[e.Event] = []
    for post in Post:
        there = covered(post, evidence, policy, now)
        if call.phase is Phase.LIVE and not there and post not in call.alarms:
            events.append(e.AlarmRaised(now, BY, post))
        if there and post in call.alarms:
            events.append(e.AlarmCleared(now, BY, post))
    return events


def _clock(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    should_stop = (
        call.phase is Phase.LIVE and bool(call.holds) and not any(hold.kind in CLOCK_RUNS for hold in call.holds)
    )
    if should_stop and call.clock_stopped_at is None:
        return [e.ClockStopped(now, BY, now)]
    if call.clock_stopped_at is not None and not should_stop:
        return [restart_clock(call, now)]
    return []


def restart_clock(call: Call, now: datetime) -> e.ClockRestarted:
    """Return the credit for a stopped clock: the end moves up to the limit, the rest is a rebook credit."""
    assert call.clock_stopped_at is not None
    lost = now - call.clock_stopped_at
    ends_at = max(call.ends_at, min(call.ends_at + lost, call.latest_end))
    credited = ends_at - call.ends_at
    return e.ClockRestarted(now, BY, round(credited.total_seconds()), round((lost - credited).total_seconds()), ends_at)


def _system_holds(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    if call.phase is not Phase.LIVE:
        return []
    for kind, post in ((HoldKind.UNMONITORED, Post.MONITOR), (HoldKind.UNSUPERVISED, Post.SUPERVISOR)):
        events = _coverage_hold(call, evidence, policy, now, kind, post)
        if events:
            return events
    events = _unwatched(call, evidence, policy, now)
    if events:
        return events
    together = all(leg.connected and leg.verified and not leg.revoked for leg in call.active)
    hold = call.held_by(HoldKind.INTERRUPTED)
    if not together and hold is None:
        return [e.HoldPlaced(now, BY, _hold_id(call), HoldKind.INTERRUPTED, None)]
    if together and hold is not None:
        return [e.HoldCleared(now, BY, hold.id)]
    return []


def _barred(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    """A person of a live call now stands under a restriction: held, for the monitoring post to decide."""
    barred = any(call.barred & set(leg.people) for leg in call.active)
    held = any(hold.kind is HoldKind.SECURITY and hold.by is None for hold in call.holds)
    if call.phase is not Phase.LIVE or not barred or held:
        return []
    return [e.HoldPlaced(now, BY, _hold_id(call), HoldKind.SECURITY, Post.MONITOR)]


def _coverage_hold(
    call: Call, evidence: Evidence, policy: Policy, now: datetime, kind: HoldKind, post: Post
) -> list[e.Event]:
    proof = _proof(post, evidence)
    stale_s, grace_s = _limits(post, policy)
    hold = call.held_by(kind)
    patrolled = kind is HoldKind.UNMONITORED and call.privileged  # there the hall walks past instead (README 10)
    if hold is None and not patrolled and not fresh(proof, stale_s + grace_s, now):
        return [e.HoldPlaced(now, BY, _hold_id(call), kind, None)]
    if hold is not None and _steady(proof, policy, now) and covered(post, evidence, policy, now):
        return [e.HoldCleared(now, BY, hold.id)]
    return []


def _privileged(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    there = covered(Post.MONITOR, evidence, policy, now)
    steady = _steady(_proof(Post.MONITOR, evidence), policy, now)
    return follow(call, there, steady, policy, now)


def _steady(proof: Proof | None, policy: Policy, now: datetime) -> bool:
    """Say whether the post has been proven for so long that a loss is over."""
    return proof is not None and now - proof.since >= timedelta(seconds=policy.steady_s)


def _attention(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    """Put on record that a look began, or that the call's limit was passed without one."""
    limit = limit_s(call, policy)
    if call.phase is not Phase.LIVE or limit is None:
        return []
    attention = attention_of(call, evidence, now)
    look = attention.look
    if look is not None and look.since != call.look_since:
        within = look.after_s <= limit
        after_s = round(look.after_s, 1)
        return [e.AttentionLooked(now, f"staff:{look.number}", look.number, after_s, limit, within, look.since)]
    if attention.unwatched_s >= limit and not call.overdue:
        return [e.AttentionOverdue(now, BY, call.tier, limit, call.monitor)]
    return []


def _unwatched(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    """Hold at twice the limit; clear by itself some steady seconds after a look."""
    limit, hold = limit_s(call, policy), call.held_by(HoldKind.UNWATCHED)
    attention = attention_of(call, evidence, now)
    if hold is None:
        late = limit is not None and attention.unwatched_s >= hold_s(limit, policy)
        return [e.HoldPlaced(now, BY, _hold_id(call), HoldKind.UNWATCHED, None)] if late else []
    look = attention.look
    steady = timedelta(seconds=policy.steady_s)
    looked = look is not None and look.at > hold.placed_at and now - max(look.since, hold.placed_at) >= steady
    return [e.HoldCleared(now, BY, hold.id)] if looked or limit is None else []


def _hold_id(call: Call) -> str:
    return f"h{call.seq + 1}"


def _rejoin(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    """A leg away for longer than the grace is verified anew (features F20)."""
    return [
        e.LegUnverified(now, BY, leg.id)
        for leg in call.active
        if leg.verified
        and not leg.connected
        and leg.lost_at is not None
        and now - leg.lost_at > timedelta(seconds=policy.rejoin_grace_s)
    ]


def _readiness(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    ready = all(leg.present and leg.verified for leg in call.active)
    if call.phase is Phase.LOBBY and ready:
        return [e.CallReady(now, BY)]
    if call.phase is Phase.READY and not ready:
        return [e.CallUnready(now, BY)]
    return []


def missing(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[str]:
    """Return what the start still waits for, in the order in which a caller should read it."""
    return list(dict.fromkeys(_lacking(call, evidence, policy, now)))


def _lacking(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> Iterator[str]:
    if now < call.starts_at:
        yield "window"
    for leg in call.active:
        who = "prisoner" if leg.role is LegRole.PRISONER else "family"
        if not leg.present or not leg.connected:
            yield who
        elif not leg.verified:
            yield "seat" if who == "prisoner" else "identity"
    yield from (post.value for post in Post if not covered(post, evidence, policy, now))
    watched = covered(Post.MONITOR, evidence, policy, now)
    if watched and evidence.room is not None and evidence.room() < weight(call, policy):
        yield "capacity"
    if call.holds:
        yield "hold"


def _start(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    if call.phase is not Phase.READY or call.barred or any(_lacking(call, evidence, policy, now)):
        return []
    booked = timedelta(seconds=call.booked_s)
    ends_at = max(call.ends_at, min(now + booked, call.latest_end))
    family_late = max(
        (leg.waiting_at - call.starts_at for leg in call.active if leg.waiting_at and leg.needs_consent),
        default=timedelta(0),
    )
    owed = booked - (ends_at - now) - max(family_late, timedelta(0))
    return [e.CallStarted(now, BY, ends_at, max(0, round(owed.total_seconds())))]


def _end(call: Call, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    """End at the time: of a live call, its end; of one that never started, its slot, or the limit while both wait."""
    waiting_for_staff = all(leg.present for leg in call.active)
    if call.phase is Phase.LIVE:
        due = effective_end(call, now)
    else:
        due = call.latest_end if waiting_for_staff else call.ends_at
    if now < due:
        return []
    return [*close_clock(call, now), e.CallEnded(now, BY, _outcome(call))]


def close_clock(call: Call, now: datetime) -> list[e.Event]:
    """Return the credit that is owed when a call ends with its clock stopped: all of it is a rebook credit."""
    if call.clock_stopped_at is None:
        return []
    lost = now - call.clock_stopped_at
    return [e.ClockRestarted(now, BY, 0, round(lost.total_seconds()), call.ends_at)]


def _outcome(call: Call) -> Outcome:
    if call.phase is Phase.LIVE:
        return Outcome.TECHNICAL_FAILURE if call.clock_stopped_at is not None else Outcome.COMPLETED_NORMALLY
    if any(leg.needs_consent and not leg.present for leg in call.active):
        return Outcome.VISITOR_DID_NOT_ARRIVE
    return Outcome.ESTABLISHMENT_CANCELLED
