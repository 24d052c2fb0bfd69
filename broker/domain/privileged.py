"""Privileged calls: looks without sound, patrols in their place, and how a call becomes one (domain.md 7.5, 7.6).

The monitoring post of such a call is present, and sees nothing but in a look: a console is attached for its seconds
only. In patrol mode the hall walks past instead, and every patrol is logged. The rules of the gate are in gate.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import SYSTEM, Actor
from broker.domain.asking import require, require_off_post
from broker.domain.call import Call, Phase
from broker.domain.codes import Code, PatrolReason, Post, Refused
from broker.domain.kinds import KINDS, Observation
from broker.domain.policy import Policy

BY = SYSTEM.id

Privileged = c.StartLook | c.StopLook | c.RefuseLooks | c.LogPatrol | c.MakePrivileged


def decide_privileged(call: Call, command: Privileged, policy: Policy, now: datetime) -> list[e.Event]:
    """Return what a command about looks, patrols or the kind of the call does.

    Raises:
        Refused: `not_privileged` where the call is not one, `already_privileged`; by the permission table; and for
            looks `looks_not_allowed` (the kind), `looks_refused` (the caller), `look_running`, `look_too_soon`.
    """
    match command:
        case c.StartLook(actor=actor, lines=lines):
            return _start(call, actor, lines, policy, now)
        case c.StopLook(actor=actor):
            _permit(call, actor, "look.stop")
            look = call.privacy.look
            return end_look(call, actor.id, now) if look is not None and look.session == actor.session else []
        case c.RefuseLooks(actor=actor, leg_id=leg_id):
            return _refuse(call, actor, leg_id, now)
        case c.LogPatrol(actor=actor):
            _permit(call, actor, "patrol.log")
            if call.privacy.patrol is None:
                raise Refused(Code.WRONG_PHASE)
            following = now + timedelta(seconds=policy.patrol_every_s)
            return [e.PatrolLogged(now, actor.id, actor.number or "", following)]
        case c.MakePrivileged(actor=actor, kind=kind):
            return _convert(call, actor, kind, now)


def _permit(call: Call, actor: Actor, action: str) -> None:
    require(actor, action, call)
    if not call.privileged:
        raise Refused(Code.NOT_PRIVILEGED)


def _start(call: Call, actor: Actor, lines: Sequence[tuple[str, int]], policy: Policy, now: datetime) -> list[e.Event]:
    _permit(call, actor, "look.start")
    if KINDS[call.kind].observation is Observation.NONE:
        raise Refused(Code.LOOKS_NOT_ALLOWED)
    if call.privacy.refused:
        raise Refused(Code.LOOKS_REFUSED)
    if call.privacy.look is not None:
        if call.privacy.look.session == actor.session:
            return []
        raise Refused(Code.LOOK_RUNNING)
    if call.phase is Phase.SCHEDULED or call.holds:
        raise Refused(Code.WRONG_PHASE)
    opens = next_look_at(call, policy)
    if opens is not None and now < opens:
        raise Refused(Code.LOOK_TOO_SOON)
    until = now + timedelta(seconds=policy.look_max_s)
    return [e.LookStarted(now, actor.id, actor.number or "", actor.session, tuple(lines), until)]


def next_look_at(call: Call, policy: Policy) -> datetime | None:
    """Return when the next look may begin, None for at once.

    Before the call is live the gap does not count: nothing privileged is said yet, and the look is for the identity
    check.
    """
    if call.phase is not Phase.LIVE or call.privacy.looked_until is None:
        return None
    return call.privacy.looked_until + timedelta(seconds=policy.look_gap_s)


def _refuse(call: Call, actor: Actor, leg_id: str, now: datetime) -> list[e.Event]:
    if not call.privileged:
        raise Refused(Code.NOT_PRIVILEGED)
    if call.leg(leg_id) is None:
        raise Refused(Code.UNKNOWN_LEG)
    if leg_id in call.privacy.refused:
        return []
    return [e.LookRefused(now, actor.id, leg_id), *end_look(call, actor.id, now)]


def _convert(call: Call, actor: Actor, kind: str, now: datetime) -> list[e.Event]:
    require_off_post(actor, "call.make_privileged", call)
    if call.privileged:
        raise Refused(Code.ALREADY_PRIVILEGED)
    wanted = KINDS.get(kind)
    if wanted is None or not wanted.privileged or not wanted.offered:
        raise Refused(Code.KIND_NOT_OFFERED)
    return [e.KindChanged(now, actor.id, kind, actor.number or "")]


def end_look(call: Call, by: str, now: datetime) -> list[e.Event]:
    """Return the end of the look that runs, if one does."""
    return [e.LookEnded(now, by, call.privacy.look.number, call.privacy.look.session)] if call.privacy.look else []


def follow(call: Call, there: bool, steady: bool, policy: Policy, now: datetime) -> list[e.Event]:
    """Return what follows by itself for a privileged call: the end of a look, patrols asked for, and missed.

    Args:
        there: The monitoring post is proven present now.
        steady: It has been so for long enough that a loss is over.
    """
    if not call.privileged:
        return []
    look = call.privacy.look
    before_the_call = look is not None and call.started_at is not None and look.since < call.started_at
    if look is not None and (now >= look.until or before_the_call):
        return end_look(call, BY, now)  # a look for the identity check ends as the call starts
    if call.phase is not Phase.LIVE:
        return []
    why = _patrol_for(call, there, steady)
    if why is not call.privacy.patrol:
        return [_patrol_changed(call, why, policy, now)]
    if why is None or call.privacy.patrol_next_at is None:
        return []
    if call.privacy.patrol_due_at is None and now >= call.privacy.patrol_next_at:
        return [e.PatrolDue(now, BY)]
    asked = call.privacy.patrol_due_at
    late = asked is not None and now - asked >= timedelta(seconds=policy.patrol_late_s)
    return [e.PatrolOverdue(now, BY)] if late and not call.privacy.patrol_overdue else []


def _patrol_for(call: Call, there: bool, steady: bool) -> PatrolReason | None:
    """Return why the hall must patrol now: nobody on post comes first, for then the hall is all there is."""
    lost = not (there and steady) if call.privacy.patrol is PatrolReason.POST_LOST else not there
    if lost and (call.privacy.patrol is PatrolReason.POST_LOST or Post.MONITOR in call.alarms):
        return PatrolReason.POST_LOST
    if KINDS[call.kind].observation is Observation.NONE:
        return PatrolReason.KIND
    return PatrolReason.REFUSED if call.privacy.refused else None


def _patrol_changed(call: Call, why: PatrolReason | None, policy: Policy, now: datetime) -> e.Event:
    if why is None:
        return e.PatrolEnded(now, BY)
    if why is PatrolReason.POST_LOST:
        return e.PatrolBegan(now, BY, why, now)  # the hall is asked at once, whenever it last walked past
    return e.PatrolBegan(now, BY, why, call.privacy.patrol_next_at or now + timedelta(seconds=policy.patrol_every_s))
