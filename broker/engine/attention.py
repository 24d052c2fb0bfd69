"""When each live call was last looked at: counted in memory, on the node that owns the calls; begun from the record."""

from __future__ import annotations

from datetime import datetime, timedelta

from broker.domain.attention import Attention, begin, flows
from broker.domain.call import Call, Phase
from broker.domain.policy import Policy


class AttentionBook:
    """One count for each live call. Reading it counts up to now, by the state of the call since the last reading."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._calls: dict[str, Attention] = {}

    def of(self, call: Call, now: datetime) -> Attention:
        """Return how long `call` has flowed without a look."""
        if call.phase is not Phase.LIVE:
            return Attention(0.0, now)
        known = self._calls.get(call.id) or begin(call, now)
        counted = self._calls[call.id] = known.passed(now, flows(call))
        return counted

    def looked(self, call: Call, number: str, session: str, at: datetime, now: datetime) -> None:
        """A person at a console looked at the call at `at`."""
        if call.phase is Phase.LIVE:
            counted = self.of(call, now)
            self._calls[call.id] = counted.looked(number, session, at, self._policy.same_look_s)

    def in_focus(self, call: Call, now: datetime) -> bool:
        """Say whether a look goes on now."""
        known = self._calls.get(call.id)
        gap = timedelta(seconds=self._policy.same_look_s)
        return known is not None and known.look is not None and now - known.look.at <= gap

    def forget(self, call_id: str) -> None:
        """Drop the count of a call that is over."""
        self._calls.pop(call_id, None)
