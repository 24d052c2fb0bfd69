"""What a privileged call's looks and patrols are told as: in full to staff, and openly to the callers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from broker.domain.call import Call
from broker.domain.kinds import KINDS, Observation
from broker.domain.policy import policy
from broker.domain.privileged import next_look_at
from broker.protocol.server import LooksPart, PrivilegedPart


def for_staff(call: Call, name_of: Callable[[str | None], str | None], now: datetime) -> PrivilegedPart | None:
    """Return what both posts may know; None for a call that is not privileged."""
    if not call.privileged:
        return None
    rules = policy(call.policy_version)
    opens = next_look_at(call, rules)
    return PrivilegedPart(
        may_look=_may_look(call),
        looks=call.privacy.looks,
        looking=name_of(call.privacy.look.number) if call.privacy.look else None,
        until=call.privacy.look.until if call.privacy.look else None,
        next_at=opens if opens is not None and opens > now else None,
        refused=bool(call.privacy.refused),
        patrol=call.privacy.patrol,
        patrol_next_at=call.privacy.patrol_next_at,
        patrol_due_at=call.privacy.patrol_due_at,
        patrol_overdue=call.privacy.patrol_overdue,
        look_max_s=rules.look_max_s,
        look_gap_s=rules.look_gap_s,
    )


def for_callers(call: Call) -> LooksPart | None:
    """Return what every end of the call is told, without a name of staff."""
    if not call.privileged:
        return None
    rules = policy(call.policy_version)
    return LooksPart(
        may_look=_may_look(call),
        looking=call.privacy.look is not None,
        until=call.privacy.look.until if call.privacy.look else None,
        looks=call.privacy.looks,
        refused=bool(call.privacy.refused),
        max_s=round(rules.look_max_s),
        every_min=round(rules.look_gap_s / 60),
    )


def _may_look(call: Call) -> bool:
    return KINDS[call.kind].observation is not Observation.NONE
