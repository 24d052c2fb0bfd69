"""How a synthetic monitor looks: each call that is coming due, in focus until the broker takes it for a look."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from broker.protocol import client
from broker.protocol.attention import AttentionPart
from broker.synthetic.talk import Closed, Refused, TookTooLong, new_key, until

if TYPE_CHECKING:
    from broker.synthetic.staff import Monitor

LOOK_FROM = 0.6  # of the limit
TURN_S = 0.5
LOOK_S = 6.0


class Attending:
    """The looks of one monitor. `chosen` is what a test has in focus: it comes back after each look."""

    def __init__(self) -> None:
        self.chosen: str | None = None
        self.known: dict[str, AttentionPart] = {}

    async def run(self, monitor: Monitor) -> None:
        """Look at what comes due for as long as the post is held."""
        while monitor.on_post:
            call_id = self.next() if monitor.attends and monitor.watching else None
            if call_id is not None:
                with suppress(Refused, TookTooLong):
                    await self._look(monitor, call_id)
            await asyncio.sleep(TURN_S)

    def next(self) -> str | None:
        """Return the call that is nearest to its limit, where one comes near."""
        share = {
            call_id: part.unwatched_s / part.limit_s
            for call_id, part in self.known.items()
            if not part.in_focus and (part.state == "held" or part.unwatched_s >= LOOK_FROM * part.limit_s)
        }
        return max(share, key=lambda call_id: share[call_id], default=None)

    async def _look(self, monitor: Monitor, call_id: str) -> None:
        try:
            await monitor.command(client.WallFocus(key=new_key(), call_id=call_id, sound=False))
            await until(lambda: call_id not in self.known or self.known[call_id].in_focus, LOOK_S, "a look")
            await monitor.command(client.WallFocus(key=new_key(), call_id=self.chosen))
        except Closed:
            return
