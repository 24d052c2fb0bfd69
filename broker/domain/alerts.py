"""Alerts as tasks: what each code asks of which post, how it clears, and which causes stand for a call. Pure.

A cause stands or it does not: an alert is raised once while its cause stands, and cleared by itself when it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from broker.domain.call import Call, Leg, LegRole, Phase
from broker.domain.codes import AlertCode, AlertLevel, AlertOutcome, HoldKind, Post, RiskReason
from broker.domain.gate import effective_end
from broker.domain.kinds import KINDS, Observation
from broker.domain.policy import Policy
from broker.domain.receipts import is_for


class Clears(StrEnum):
    """What ends an alert."""

    ITSELF = "itself"  # only the end of its cause: nobody may wave it away
    PERSON = "person"  # it has happened: only a person closes it
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: how soon, whose task (None: both posts'), what ends it."""

    level: AlertLevel
    post: Post | None
    clears: Clears


_URGENT, _WARN, _LOW, _INFO = AlertLevel.URGENT, AlertLevel.WARN, AlertLevel.LOW, AlertLevel.INFO

RULES: Mapping[AlertCode, Rule] = {
    AlertCode.UNMONITORED: Rule(_URGENT, None, Clears.ITSELF),
    AlertCode.UNSUPERVISED: Rule(_URGENT, None, Clears.ITSELF),
    AlertCode.UNWATCHED: Rule(_URGENT, Post.MONITOR, Clears.ITSELF),
    AlertCode.UNWATCHED_OFFERED: Rule(_URGENT, Post.MONITOR, Clears.ITSELF),
    AlertCode.UNWATCHED_HELD: Rule(_URGENT, None, Clears.ITSELF),
    AlertCode.CHECK_MISSED: Rule(_WARN, Post.SUPERVISOR, Clears.EITHER),
    AlertCode.UNATTENDED: Rule(_URGENT, None, Clears.EITHER),
    AlertCode.UNRECORDED: Rule(_URGENT, None, Clears.ITSELF),
    AlertCode.WATCH_LIST: Rule(_URGENT, Post.MONITOR, Clears.EITHER),
    AlertCode.AUTHORISATION_EXPIRED: Rule(_WARN, Post.MONITOR, Clears.EITHER),
    AlertCode.REFLAGGED: Rule(_WARN, Post.MONITOR, Clears.EITHER),
    AlertCode.PATROL_DUE: Rule(_WARN, Post.SUPERVISOR, Clears.ITSELF),
    AlertCode.PATROL_OVERDUE: Rule(_URGENT, None, Clears.ITSELF),
    AlertCode.ATTEND: Rule(_URGENT, Post.SUPERVISOR, Clears.EITHER),
    AlertCode.ATTEND_ESCALATED: Rule(_URGENT, None, Clears.ITSELF),
    AlertCode.DISCONNECTED: Rule(_WARN, None, Clears.EITHER),
    AlertCode.MEDIA_BLOCKED: Rule(_WARN, None, Clears.EITHER),
    AlertCode.SELF_TEST_FAILED: Rule(_WARN, None, Clears.EITHER),
    AlertCode.NO_SHOW: Rule(_WARN, None, Clears.EITHER),
    AlertCode.HELP: Rule(_WARN, Post.SUPERVISOR, Clears.EITHER),
    AlertCode.HAND: Rule(_WARN, Post.MONITOR, Clears.EITHER),
    AlertCode.DENIED_ATTEMPT: Rule(_WARN, None, Clears.PERSON),
    AlertCode.LINK_ELSEWHERE: Rule(_WARN, Post.MONITOR, Clears.PERSON),
    AlertCode.WARNING_UNSEEN: Rule(_WARN, Post.MONITOR, Clears.EITHER),
    AlertCode.ENDING_ONE: Rule(_LOW, Post.MONITOR, Clears.EITHER),
    AlertCode.ENDING_FIVE: Rule(_INFO, Post.MONITOR, Clears.EITHER),
    AlertCode.COVERED: Rule(_WARN, Post.MONITOR, Clears.EITHER),
    AlertCode.FROZEN: Rule(_WARN, Post.MONITOR, Clears.EITHER),
    AlertCode.SILENCE: Rule(_LOW, Post.MONITOR, Clears.EITHER),
    AlertCode.FACES_MORE: Rule(_WARN, Post.MONITOR, Clears.EITHER),
    AlertCode.FACES_NONE: Rule(_LOW, Post.MONITOR, Clears.EITHER),
    AlertCode.FACES_FEWER: Rule(_LOW, Post.MONITOR, Clears.EITHER),
}
"""Every code has its row."""

OF_A_CALL = frozenset(
    {
        AlertCode.UNMONITORED,
        AlertCode.UNSUPERVISED,
        AlertCode.WATCH_LIST,
        AlertCode.AUTHORISATION_EXPIRED,
        AlertCode.REFLAGGED,
        AlertCode.PATROL_DUE,
        AlertCode.PATROL_OVERDUE,
        AlertCode.UNWATCHED,
        AlertCode.UNWATCHED_HELD,
        AlertCode.DISCONNECTED,
        AlertCode.MEDIA_BLOCKED,
        AlertCode.SELF_TEST_FAILED,
        AlertCode.NO_SHOW,
        AlertCode.HELP,
        AlertCode.HAND,
        AlertCode.ATTEND,
        AlertCode.ATTEND_ESCALATED,
        AlertCode.WARNING_UNSEEN,
        AlertCode.ENDING_FIVE,
        AlertCode.ENDING_ONE,
    }
)
"""The codes for which `causes` answers: what it does not name of these does not stand."""

ADVICE: Mapping[AlertCode, str] = {
    AlertCode.COVERED: "covered_s",
    AlertCode.FROZEN: "frozen_s",
    AlertCode.SILENCE: "silence_s",
    AlertCode.FACES_MORE: "faces_more_s",
    AlertCode.FACES_NONE: "faces_none_s",
    AlertCode.FACES_FEWER: "child_absent_s",
}
"""What a console's detectors may say, and the field of the policy that tells how long it must last. Advice only."""

OF_FACES = frozenset({AlertCode.FACES_MORE, AlertCode.FACES_NONE, AlertCode.FACES_FEWER})
"""Those of a detector that counts faces: said of one end, and only where faces are expected."""


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two alerts the same one while it stands."""

    code: AlertCode
    establishment: str
    call_id: str | None = None
    leg_id: str | None = None
    by: str | None = None  # staff number of whoever caused it


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, from its cause to its end."""

    id: str
    at: datetime
    key: Key
    level: AlertLevel
    post: Post | None
    hall_id: str | None = None
    acked_by: str | None = None  # staff number
    acked_at: datetime | None = None
    cleared_by: str | None = None  # staff number; None with an outcome: by itself
    cleared_at: datetime | None = None
    outcome: AlertOutcome | None = None

    @property
    def code(self) -> AlertCode:
        """What it is about."""
        return self.key.code

    @property
    def stands(self) -> bool:
        """Say whether it still asks for an act."""
        return self.outcome is None


@dataclass(frozen=True, slots=True)
class Cause:
    """Something of a call that an alert stands for; `post`: whose task, None for both."""

    code: AlertCode
    leg_id: str | None
    post: Post | None


def causes(call: Call, policy: Policy, now: datetime) -> frozenset[Cause]:
    """Return every cause that stands for `call` now, of the codes in OF_A_CALL."""
    if call.phase is Phase.ENDED:
        return frozenset(_of_attendance(call))
    tasks = (*_of_attendance(call), *_of_warnings(call))
    by_time = (*_of_clock(call, policy, now), *_of_legs(call, policy, now))
    return frozenset((*tasks, *_of_posts(call), *_of_risk(call), *_of_patrols(call), *by_time))


def _of_posts(call: Call) -> Iterator[Cause]:
    if Post.MONITOR in call.alarms or call.held_by(HoldKind.UNMONITORED):
        yield _cause(AlertCode.UNMONITORED)
    if Post.SUPERVISOR in call.alarms or call.held_by(HoldKind.UNSUPERVISED):
        yield _cause(AlertCode.UNSUPERVISED)
    if call.overdue and not call.privileged:
        yield _cause(AlertCode.UNWATCHED)
    if call.held_by(HoldKind.UNWATCHED):
        yield _cause(AlertCode.UNWATCHED_HELD)


def _of_risk(call: Call) -> Iterator[Cause]:
    """A call that starts with somebody on the watch list, or with authority that has lapsed; a tier that rose."""
    if call.risen and call.phase is not Phase.LIVE:
        yield _cause(AlertCode.REFLAGGED)
    if call.phase is not Phase.LIVE:
        return
    if RiskReason.WATCH_LIST in call.tier_reasons:
        yield _cause(AlertCode.WATCH_LIST)
    if RiskReason.AUTHORISATION_EXPIRED in call.tier_reasons:
        yield _cause(AlertCode.AUTHORISATION_EXPIRED)


def _of_attendance(call: Call) -> Iterator[Cause]:
    """A request to attend that waits, or that went to the orderly officer; it outlives its call."""
    attend = call.record.attending
    if attend is None or attend.acknowledged_at is not None:
        return
    yield _cause(AlertCode.ATTEND_ESCALATED if attend.escalated_at else AlertCode.ATTEND)


def _of_warnings(call: Call) -> Iterator[Cause]:
    """The newest warning of each end that did not present it, for as long as it has not."""
    newest = {leg.id: given for given in call.warnings for leg in call.active if is_for(given, leg)}
    for leg_id, given in newest.items():
        if leg_id in given.missed_by and leg_id not in given.shown_by:
            yield Cause(AlertCode.WARNING_UNSEEN, leg_id, Post.MONITOR)


def _of_patrols(call: Call) -> Iterator[Cause]:
    if call.privacy.patrol_due_at is not None:
        yield _cause(AlertCode.PATROL_DUE)
    if call.privacy.patrol_overdue:
        yield _cause(AlertCode.PATROL_OVERDUE)


def _of_clock(call: Call, policy: Policy, now: datetime) -> Iterator[Cause]:
    if call.phase is not Phase.LIVE:
        return
    left = (effective_end(call, now) - now).total_seconds()
    if left <= policy.ending_last_s:
        yield _cause(AlertCode.ENDING_ONE)
    elif left <= policy.ending_soon_s:
        yield _cause(AlertCode.ENDING_FIVE)


def _of_legs(call: Call, policy: Policy, now: datetime) -> Iterator[Cause]:
    late = call.phase is not Phase.LIVE and now - call.starts_at >= timedelta(minutes=policy.no_show_min)
    for leg in call.active:
        post = whose(leg)
        if leg.raised and leg.role is LegRole.PRISONER:
            yield Cause(AlertCode.HELP, leg.id, post)
        elif leg.raised:
            yield Cause(AlertCode.HAND, leg.id, post)
        if leg.trouble is not None:
            yield Cause(_TROUBLES[leg.trouble], leg.id, post)
        if late and not leg.waiting:
            yield Cause(AlertCode.NO_SHOW, leg.id, post)
        lost_at = leg.lost_at if call.phase is Phase.LIVE and not leg.connected else None
        if lost_at is not None and now - lost_at >= timedelta(seconds=policy.disconnected_s):
            yield Cause(AlertCode.DISCONNECTED, leg.id, None)


_TROUBLES = {"blocked": AlertCode.MEDIA_BLOCKED, "failed": AlertCode.SELF_TEST_FAILED}


def whose(leg: Leg) -> Post:
    """Return whose task a leg's equipment and people are: the hall's at the seat, else the monitoring post's."""
    return Post.SUPERVISOR if leg.role is LegRole.PRISONER else Post.MONITOR


def _cause(code: AlertCode) -> Cause:
    return Cause(code, None, RULES[code].post)


def detectors_on(call: Call, policy: Policy) -> bool:
    """Say whether a console may look into this call's pictures by machine: never where staff only glance or do not."""
    return policy.detectors and KINDS[call.kind].observation is Observation.FULL


def faces_expected(call: Call, leg: Leg, policy: Policy) -> int | None:
    """Return how many faces an end should show: those verified, one at the seat. None: they are not counted.

    A synthetic call shows no people.
    """
    if not (policy.faces and detectors_on(call, policy)) or call.synthetic:
        return None
    if leg.role is LegRole.PRISONER:
        return 1
    return len(leg.verified) or None


def advice_stands(code: AlertCode, since: datetime, policy: Policy, now: datetime) -> bool:
    """Say whether what a console has seen since then has lasted long enough for an alert."""
    limit_s: float = getattr(policy, ADVICE[code])
    return now - since >= timedelta(seconds=limit_s)
