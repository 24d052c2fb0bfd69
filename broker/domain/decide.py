"""What happens when a command meets a call: events, or a refusal with a code. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from typing import assert_never

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain import task_commands as t
from broker.domain.actors import Actor
from broker.domain.asking import require
from broker.domain.call import Call, Hold, Leg, LegRole, Phase, evolve
from broker.domain.codes import STEP_ORDER, Code, HoldKind, Outcome, Post, Refused, Step
from broker.domain.gate import Evidence
from broker.domain.identity import check_people, check_ticks
from broker.domain.policy import Policy
from broker.domain.privileged import decide_privileged, end_look
from broker.domain.receipts import receipt
from broker.domain.risk import decide_tier
from broker.domain.settle import CLOCK_RUNS, close_clock, settle
from broker.domain.task_events import IdentityChecked
from broker.domain.tasks import decide_task

MOST_FOLLOWERS = 32  # settle reaches its end in a handful of steps; more is a bug, never a loop


def decide(call: Call, command: c.Command, evidence: Evidence, policy: Policy, now: datetime) -> list[e.Event]:
    """Return what happens when `command` meets `call`, with all that follows; an empty list means nothing.

    Args:
        call: The call as it stands; never changed.
        command: What someone asked for. Its `actor` is already authenticated.
        evidence: Both posts' proofs and the node's lease, read once by the caller.
        policy: The policy version that the call is stamped with.
        now: Aware UTC time, read once by the caller; the domain has no clock.

    Raises:
        Refused: The rules forbid it. `code` is stable and is shown to the person.
    """
    events = _primary(call, command, policy, now)
    after = reduce(evolve, events, call)
    for _ in range(MOST_FOLLOWERS):
        following = settle(after, evidence, policy, now)
        if not following:
            return events
        events += following
        after = reduce(evolve, following, after)
    raise AssertionError("settle does not settle")


def _primary(call: Call, command: c.Command, policy: Policy, now: datetime) -> list[e.Event]:
    if isinstance(command, t.TaskCommand):
        post = require(command.actor, command.action, call)
        if call.phase is Phase.ENDED and not command.after_end:
            raise Refused(Code.ALREADY_ENDED)
        return decide_task(call, command, post, policy, now)
    if call.phase is Phase.ENDED:
        return _after_the_end(command, now)
    match command:
        case c.Tick():
            return []
        case c.ArriveLeg() | c.AcceptConsent() | c.ReportCheck() | c.Progress() | c.EnterLobby() | c.AskHelp():
            return _leg_steps(call, command, policy, now)
        case c.ConnectMedia() | c.LoseMedia() | c.LeaveLeg() | c.Revoke():
            return _leg_links(call, command, now)
        case c.Verify() | c.RefuseLeg():
            return _identity(call, command, now)
        case c.AssessRisk() | c.SetTier():
            return decide_tier(call, command, policy, now)
        case c.StartLook() | c.StopLook() | c.RefuseLooks() | c.LogPatrol() | c.MakePrivileged():
            return decide_privileged(call, command, policy, now)
        case c.Pause() | c.GiveReason() | c.Relabel() | c.Undo() | c.Clear():
            return _holds(call, command, policy, now)
        case _:
            return _others(call, command, now)


def _after_the_end(command: c.Command, now: datetime) -> list[e.Event]:
    """After the end nothing is refused that the world does by itself, and nothing acts."""
    if isinstance(command, c.RecordObservation):
        return [_observed(command, now)]  # what was displayed until the end
    quiet = (
        c.Tick,
        c.LoseMedia,
        c.ConnectMedia,
        c.StopObserving,
        c.Revoke,
        c.Bar,
        c.Unbar,
        c.SetLimit,
        c.AssessRisk,
        c.StopLook,
    )
    if isinstance(command, (*quiet, c.Progress, c.LeaveLeg, c.ShowWarning, c.Recover)):
        return []
    raise Refused(Code.ALREADY_ENDED)


def _leg(call: Call, leg_id: str) -> Leg:
    leg = call.leg(leg_id)
    if leg is None:
        raise Refused(Code.UNKNOWN_LEG)
    return leg


def _hold(call: Call, hold_id: str) -> Hold:
    hold = call.hold(hold_id)
    if hold is None:
        raise Refused(Code.UNKNOWN_HOLD)
    return hold


# --- a leg's own steps --------------------------------------------------------


def _leg_steps(call: Call, command: c.Command, policy: Policy, now: datetime) -> list[e.Event]:
    by = command.actor.id
    match command:
        case c.ArriveLeg(leg_id=leg_id, credential_until=until, device_id=device):
            return _arrive(call, command, _leg(call, leg_id), until, device, policy, now)
        case c.AcceptConsent(leg_id=leg_id, notice_version=version):
            if version != policy.notice_version:
                raise Refused(Code.STALE_VERSION)
            return [] if _leg(call, leg_id).consented == version else [e.LegConsented(now, by, leg_id, version)]
        case c.ReportCheck(leg_id=leg_id, camera=camera, microphone=microphone):
            leg = _leg(call, leg_id)
            if leg.needs_consent and leg.consented is None:
                raise Refused(Code.CONSENT_MISSING)
            return [e.LegChecked(now, by, leg_id, camera, microphone)]
        case c.Progress(leg_id=leg_id, step=step):
            leg = _leg(call, leg_id)
            further = STEP_ORDER.index(step) > STEP_ORDER.index(leg.step)
            believed = step is not Step.CONNECTED  # that is the relay's word
            return [e.LegProgressed(now, by, leg_id, step)] if further and believed else []
        case c.EnterLobby(leg_id=leg_id):
            return _enter(call, command, _leg(call, leg_id), now)
        case c.AskHelp(leg_id=leg_id, raised=raised):
            changed = e.HelpAsked(now, by, leg_id) if raised else e.HelpGiven(now, by, leg_id)
            return [] if _leg(call, leg_id).raised is raised else [changed]
    raise AssertionError(command)


def _arrive(
    call: Call, command: c.Command, leg: Leg, until: datetime, device: str | None, policy: Policy, now: datetime
) -> list[e.Event]:
    if now < call.starts_at - timedelta(seconds=policy.lobby_opens_s):
        raise Refused(Code.TOO_EARLY)
    if until <= now or leg.left:
        raise Refused(Code.CREDENTIAL_INVALID)
    if call.barred & set(leg.people):
        raise Refused(Code.PERSON_BARRED)
    events: list[e.Event] = []
    same = leg.credential_until == until and leg.device_id == device and not leg.revoked
    if leg.credential_until is None or not same:
        events.append(e.LegArrived(now, command.actor.id, leg.id, until, device))
    if leg.verified and leg.device_id != device:
        events.append(e.LegUnverified(now, command.actor.id, leg.id))
    return events


def _enter(call: Call, command: c.Command, leg: Leg, now: datetime) -> list[e.Event]:
    if leg.credential_until is None or leg.revoked:
        raise Refused(Code.CREDENTIAL_INVALID)
    if leg.needs_consent and leg.consented is None:
        raise Refused(Code.CONSENT_MISSING)
    if not leg.checked:
        raise Refused(Code.CHECK_MISSING)
    return [] if leg.waiting else [e.LegWaiting(now, command.actor.id, leg.id)]


def _leg_links(call: Call, command: c.Command, now: datetime) -> list[e.Event]:
    by = command.actor.id
    match command:
        case c.ConnectMedia(leg_id=leg_id):
            leg = _leg(call, leg_id)
            return [] if leg.connected or leg.left or leg.revoked else [e.LegConnected(now, by, leg_id)]
        case c.LoseMedia(leg_id=leg_id):
            return [e.LegLost(now, by, leg_id)] if _leg(call, leg_id).connected else []
        case c.Revoke(leg_id=leg_id):
            return [] if _leg(call, leg_id).revoked else [e.LegRevoked(now, by, leg_id)]
        case c.LeaveLeg(leg_id=leg_id):
            return _leave(call, command, _leg(call, leg_id), now)
    raise AssertionError(command)


def _leave(call: Call, command: c.Command, leg: Leg, now: datetime) -> list[e.Event]:
    """A leg leaves for good. The call ends when no prisoner, or nobody else, remains."""
    if leg.left:
        return []
    by = command.actor.id
    rest = [other for other in call.active if other.id != leg.id]
    prisoner = any(other.role is LegRole.PRISONER for other in rest)
    if prisoner and any(other.role is not LegRole.PRISONER for other in rest):
        return [e.LegLeft(now, by, leg.id)]
    early = Outcome.PRISONER_COMPLETED_EARLY if leg.role is LegRole.PRISONER else Outcome.VISITOR_COMPLETED_EARLY
    if call.phase is not Phase.LIVE:
        early = Outcome.PRISONER_CANCELLED if leg.role is LegRole.PRISONER else Outcome.VISITOR_CANCELLED
    return [*close_clock(call, now), e.CallEnded(now, by, early, None, leg.id)]


# --- identity -----------------------------------------------------------------


def _identity(call: Call, command: c.Command, now: datetime) -> list[e.Event]:
    assert isinstance(command, c.Verify | c.RefuseLeg)
    leg = _leg(call, command.leg_id)
    who = "prisoner" if leg.role is LegRole.PRISONER else "family"
    verb = "refuse" if isinstance(command, c.RefuseLeg) else "verify"
    post = require(command.actor, f"leg.{verb}.{who}", call)
    if isinstance(command, c.RefuseLeg):
        failed = Outcome.VISITOR_FAILED_SECURITY_CHECKS
        outcome = Outcome.PRISONER_REFUSED_TO_ATTEND if leg.role is LegRole.PRISONER else failed
        return [
            *close_clock(call, now),
            e.CallEnded(now, command.actor.id, outcome, None, leg.id, post, command.reason),
        ]
    if command.version < leg.guard_seq:
        raise Refused(Code.STALE_VERSION)
    if not leg.present:
        raise Refused(Code.WRONG_PHASE)
    check_people(call, leg, command.people)
    if leg.verified == command.people:
        return []
    if leg.role is not LegRole.PRISONER:
        check_ticks(leg, command.people - leg.verified, command.checks)
    by, there = command.actor.id, tuple(sorted(command.people))
    events: list[e.Event] = [e.LegVerified(now, by, leg.id, there, post)]
    if leg.role is not LegRole.PRISONER:
        absent = tuple(person for person in leg.people if person not in command.people)
        events.append(IdentityChecked(now, by, leg.id, command.checks, absent))
    return events


# --- holds ----------------------------------------------------------------------


def _holds(call: Call, command: c.Command, policy: Policy, now: datetime) -> list[e.Event]:
    by = command.actor.id
    if isinstance(command, c.Pause):
        post = require(command.actor, "call.pause", call)
        if call.phase is Phase.SCHEDULED:
            raise Refused(Code.WRONG_PHASE)
        hold_id = f"h{call.seq + 1}"
        return [e.HoldPlaced(now, by, hold_id, HoldKind.SECURITY, post, command.actor.number)]
    assert isinstance(command, c.GiveReason | c.Relabel | c.Undo | c.Clear)
    hold = _hold(call, command.hold_id)
    mine = hold.by is not None and hold.by == command.actor.number
    age = now - hold.placed_at
    match command:
        case c.GiveReason(reason=reason):
            if hold.post is not require(command.actor, "hold.reason", call):
                raise Refused(Code.NOT_YOUR_HOLD)
            return [e.HoldReasoned(now, by, hold.id, reason)]
        case c.Relabel():
            require(command.actor, "hold.relabel", call)
            if not mine or hold.kind is not HoldKind.SECURITY:
                raise Refused(Code.NOT_YOUR_HOLD)
            if age > timedelta(seconds=policy.relabel_s):
                raise Refused(Code.RELABEL_EXPIRED)
            return [e.HoldRelabelled(now, by, hold.id, HoldKind.TECHNICAL)]
        case c.Undo():
            require(command.actor, "hold.undo", call)
            if not mine or hold.kind is not HoldKind.SECURITY:
                raise Refused(Code.NOT_YOUR_HOLD)
            if age > timedelta(seconds=policy.undo_s):
                raise Refused(Code.UNDO_EXPIRED)
            return [e.HoldCleared(now, by, hold.id, True)]
        case c.Clear(version=version):
            require(command.actor, f"hold.clear.{hold.kind.value}", call)
            if version < call.holds_seq:
                raise Refused(Code.STALE_VERSION)
            return [e.HoldCleared(now, by, hold.id)]
        case _:
            assert_never(command)


# --- the rest ---------------------------------------------------------------------


def _others(call: Call, command: c.Command, now: datetime) -> list[e.Event]:
    by = command.actor.id
    match command:
        case c.Warn(warning=warning, legs=legs):
            require(command.actor, "call.warn", call)
            for leg_id in legs:
                _leg(call, leg_id)
            return [e.WarningGiven(now, by, f"w{call.seq + 1}", warning, legs)]
        case c.ShowWarning(leg_id=leg_id, warning_id=warning_id):
            return receipt(call, leg_id, warning_id, by, now)
        case c.GiveHelp(leg_id=leg_id):
            require(command.actor, "alert.clear", call)
            return [e.HelpGiven(now, by, leg_id)] if _leg(call, leg_id).raised else []
        case c.End(reason=reason):
            post = require(command.actor, "call.end", call)
            outcome = Outcome.TERMINATED_BY_STAFF
            return [*close_clock(call, now), e.CallEnded(now, by, outcome, reason, None, post)]
        case c.Observe(lines=lines, focus=focus):
            return _observe(call, command.actor, lines, focus, now)
        case c.StopObserving():
            session = command.actor.session
            if call.privacy.look is not None and call.privacy.look.session == session:
                return end_look(call, by, now)
            seen = next((o for o in call.observers if o.session == session), None)
            return [e.ObservationEnded(now, by, session, seen.number)] if seen else []
        case c.RecordObservation():
            return [_observed(command, now)]
        case c.Bar(people=people):
            known = {person for leg in call.legs for person in leg.people}
            new_people = tuple(sorted((people & known) - call.barred))
            return [e.PeopleBarred(now, by, new_people)] if new_people else []
        case c.Unbar(people=people):
            lifted = tuple(sorted(people & call.barred))
            return [e.PeopleUnbarred(now, by, lifted)] if lifted else []
        case c.SetLimit(latest_end=latest):
            return [e.LimitChanged(now, by, latest)] if latest != call.latest_end else []
        case c.Cancel():
            return [*close_clock(call, now), e.CallEnded(now, by, Outcome.ESTABLISHMENT_CANCELLED)]
        case c.Recover(gap_s=gap_s):
            return _recover(call, gap_s, now)
    raise AssertionError(command)


def _observe(call: Call, actor: Actor, lines: tuple[tuple[str, int], ...], focus: bool, now: datetime) -> list[e.Event]:
    require(actor, "call.listen" if focus else "call.watch", call)
    if call.privileged:
        raise Refused(Code.PRIVILEGED)
    seen = next((o for o in call.observers if o.session == actor.session), None)
    if seen is not None and seen.lines == lines and seen.focus == focus:
        return []
    return [e.ObservationStarted(now, actor.id, actor.session, actor.number or "", focus, lines)]


def _observed(command: c.RecordObservation, now: datetime) -> e.Event:
    span = command.span
    by = f"staff:{span.number}"
    return e.ObservationRecorded(now, by, span.number, span.session, span.start, span.end, span.mode, span.sound)


STALE_OWNER_S = 5.0


def _clock_runs(call: Call) -> bool:
    return any(hold.kind in CLOCK_RUNS for hold in call.holds)


def _recover(call: Call, gap_s: float, now: datetime) -> list[e.Event]:
    """Rebuilt from the record: every leg must come back, and after a long gap a monitor must look first."""
    events: list[e.Event] = [e.CallRecovered(now, "system", gap_s)]
    events += [e.LegLost(now, "system", leg.id) for leg in call.active if leg.connected]
    if call.phase is Phase.LIVE and call.clock_stopped_at is None and not _clock_runs(call):
        events.append(e.ClockStopped(now, "system", now - timedelta(seconds=gap_s)))  # the gap was nobody's minutes
    already = call.held_by(HoldKind.RECOVERED) is not None
    if call.phase is Phase.LIVE and gap_s > STALE_OWNER_S and not already:
        hold_id = f"h{call.seq + len(events) + 1}"
        events.append(e.HoldPlaced(now, "system", hold_id, HoldKind.RECOVERED, Post.MONITOR))
    return events
