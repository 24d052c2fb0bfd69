"""How the bot of the technical post answers requests to attend: on its way within seconds, settled a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from broker.protocol.tasks import RecordPart
from broker.synthetic.staff import Supervisor
from broker.synthetic.talk import Closed, Refused, TookTooLong

ON_ITS_WAY_S = 3.0
SETTLED_S = 12.0  # after that
TURN_S = 0.25


class Steward:
    """The answers of one supervisor. `deaf`: calls whose requests it leaves alone; `ignored` is told of each once."""

    def __init__(self, ignored: Callable[[str], None] = lambda call_id: None) -> None:
        self.deaf: set[str] = set()
        self._ignored = ignored
        self._known: dict[tuple[str, str, bool], float] = {}  # request, whether it waits -> when that was first seen
        self._told: set[tuple[str, str]] = set()

    async def run(self, supervisor: Supervisor) -> None:
        """Answer for as long as the post is held."""
        while supervisor.on_post:
            for call_id, entry in self._open(supervisor):
                with suppress(Refused, TookTooLong, Closed):
                    await self._see_to(supervisor, call_id, entry)
            await asyncio.sleep(TURN_S)

    def _open(self, supervisor: Supervisor) -> list[tuple[str, RecordPart]]:
        found = [(call_id, entry) for (call_id, _), entry in supervisor.records.items() if entry.kind == "attend"]
        return [(call_id, entry) for call_id, entry in found if entry.closed_at is None]

    async def _see_to(self, supervisor: Supervisor, call_id: str, entry: RecordPart) -> None:
        now = asyncio.get_running_loop().time()
        if entry.acknowledged_at is None and call_id in self.deaf:
            if (call_id, entry.id) not in self._told:
                self._told.add((call_id, entry.id))
                self._ignored(call_id)
            return
        since = self._known.setdefault((call_id, entry.id, entry.acknowledged_at is None), now)
        if entry.acknowledged_at is None and now - since >= ON_ITS_WAY_S:
            await supervisor.acknowledge(call_id, entry.id)
        elif entry.acknowledged_at is not None and now - since >= SETTLED_S:
            await supervisor.close(call_id, entry.id)
