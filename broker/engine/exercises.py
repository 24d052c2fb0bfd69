"""The reader of an exercise: its score, from the record alone (domain/training.py)."""

from __future__ import annotations

import asyncio

from broker.domain.training import Score, score
from broker.engine.actor import stream_of
from broker.engine.stream import establishment_stream
from broker.ports import Clock, EventLog, Record


class Exercises:
    """Scores from the live record. One object a node."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def score(self, establishments: frozenset[str]) -> Score | None:
        """Return the score of the newest exercise at these places as of now; None: none. Raises LogUnavailable."""
        places = [await self._log.read(establishment_stream(code)) for code in sorted(establishments)]
        calls = [
            await self._log.read(stream_of(str(record.body["call_id"])))
            for records in places
            for record in records
            if record.type == "training.call"
        ]
        streams: list[list[Record]] = [*places, *calls]
        return await asyncio.to_thread(score, streams, self._clock.now())
