"""How much each leg's link lost over the last quarter of an hour: one sample every five seconds, in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

from broker.domain.call import Call, Phase
from broker.engine.registry import Registry
from broker.ports import Clock, EndpointHealth

EVERY_S: Final = 5
KEPT: Final = 15 * 60 // EVERY_S

Percent = int | None  # None: not connected


class Losses:
    """A ring of samples for each leg of the open calls."""

    def __init__(self, registry: Registry, health: Callable[[str], EndpointHealth | None], clock: Clock) -> None:
        self._registry = registry
        self._health = health
        self._clock = clock
        self._rings: dict[str, deque[Percent]] = {}
        self.at: datetime | None = None
        """When the newest sample was taken."""

    async def run(self) -> None:
        """Sample for as long as the node lives."""
        while True:
            self.sample()
            await asyncio.sleep(EVERY_S)

    def sample(self) -> None:
        """Take one sample of every leg, and forget the legs of calls that are over."""
        self.at = self._clock.now()
        calls = [entry.actor.call for entry in self._registry if entry.actor.call.phase is not Phase.ENDED]
        legs = {leg.id: leg for call in calls for leg in call.legs}
        for leg_id in set(self._rings) - set(legs):
            del self._rings[leg_id]
        for leg_id, leg in legs.items():
            self._rings.setdefault(leg_id, deque(maxlen=KEPT)).append(
                loss_percent(self._health(leg_id)) if leg.connected else None
            )

    def of(self, call: Call) -> dict[str, list[Percent]]:
        """Return the samples of each leg, the newest last, all of one length."""
        return {leg.id: list(self._rings.get(leg.id, ())) for leg in call.legs}


def loss_percent(health: EndpointHealth | None) -> Percent:
    """Return the loss of the worse direction, in whole percent."""
    return None if health is None else round(100 * max(health.loss_in, health.loss_out))
