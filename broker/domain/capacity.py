"""How much the monitors of a scope can watch: weights by tier against a cap for each of them (features F57)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from broker.domain.call import Call, Phase
from broker.domain.policy import Policy
from broker.domain.posts import Holder


def weight(call: Call, policy: Policy) -> int:
    """Return how much of a monitor's cap a call takes."""
    if call.privileged:
        return policy.weight_privileged
    return {1: policy.weight_tier1, 2: policy.weight_tier2}.get(call.tier, policy.weight_tier3)


def room_for(call: Call, monitors: Sequence[Holder], calls: Iterable[Call], policy: Policy, now: datetime) -> int:
    """Return how much weight is left for `call` to start with; negative where live calls weigh more than the cap.

    Calls that could start but for this and have a better claim (a higher tier, then the earlier slot) come first.
    A tier that rises in a live call may take a scope past its cap: no live call is ever stopped for it.

    Args:
        call: The call that would start.
        monitors: Every monitor who is on post with a socket, of any scope.
        calls: Every open call of the node, `call` among them or not.
        policy: Its weights and cap.
        now: A call whose slot has not begun has no claim yet.
    """
    ours = [holder for holder in monitors if holder.covers(call.establishment, call.hall_id)]
    claims = [other for other in calls if other.id != call.id and _claims(other, call, now)]
    here = [other for other in claims if other.establishment == call.establishment]
    # Whoever may watch this call watches the rest of their scope too, with the help of those who watch nothing else.
    reached = [other for other in claims if _reached(other, ours)]
    helpers = [holder for holder in monitors if holder in ours or _only_within(holder, claims, reached)]
    return min(_left(ours, here, policy), _left(helpers, reached, policy))


def _left(monitors: Sequence[Holder], calls: Sequence[Call], policy: Policy) -> int:
    return policy.monitor_cap * len(monitors) - sum(weight(call, policy) for call in calls)


def _claims(other: Call, call: Call, now: datetime) -> bool:
    if other.phase is Phase.LIVE:
        return True
    able = other.phase is Phase.READY and not other.holds and not other.barred and other.starts_at <= now
    able = able and other.supervisor is not None and all(leg.connected for leg in other.active)
    return able and (other.tier, other.starts_at, other.id) < (call.tier, call.starts_at, call.id)


def _reached(call: Call, monitors: Sequence[Holder]) -> bool:
    return any(holder.covers(call.establishment, call.hall_id) for holder in monitors)


def _only_within(holder: Holder, claims: Sequence[Call], reached: Sequence[Call]) -> bool:
    theirs = [call for call in claims if holder.covers(call.establishment, call.hall_id)]
    return bool(theirs) and all(call in reached for call in theirs)
