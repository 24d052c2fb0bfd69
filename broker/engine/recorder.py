"""The recorder: events to the log; restrictive ones to the journal where the log cannot take them.

Design README 7: restrictive commands never fail because the record is down;
permissive ones are recorded first or refused. Once the journal holds an event of
a stream, later events of that stream queue behind it, in order.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

import structlog

from broker.domain import events as e
from broker.domain.codec import body_of, name_of
from broker.ports import EventLog, Journal, LogUnavailable, NewEvent

log = structlog.get_logger()

FLUSH_EVERY_S = 1.0

# What may stand only once it is recorded. Everything else makes a call no freer.
PERMISSIVE = (
    e.CallScheduled,
    e.LegArrived,
    e.LegConsented,
    e.LegVerified,
    e.CallReady,
    e.CallStarted,
    e.HoldCleared,
    e.HoldRelabelled,
    e.PeopleUnbarred,
    e.LimitChanged,
    e.ObservationStarted,
    e.LookStarted,
    e.PatrolBegan,  # in place of a monitor
)


def restrictive_part(events: Sequence[e.Event]) -> list[e.Event]:
    """Return the events up to the first that needs a record before it may stand."""
    part: list[e.Event] = []
    for event in events:
        if isinstance(event, PERMISSIVE):
            break
        part.append(event)
    return part


def new_event(event: e.Event) -> NewEvent:
    """Return the event as the log takes it, under a fresh id."""
    return NewEvent(secrets.token_hex(16), name_of(event), event.at, event.actor, body_of(event))


class Recorder:
    """Writes a call's events; says whether the log has them or the journal."""

    def __init__(self, event_log: EventLog, journal: Journal) -> None:
        self._log = event_log
        self._journal = journal
        self._behind = bool(journal.waiting())
        self._memory: list[tuple[str, list[NewEvent]]] = []  # where even the journal's disk is full
        self._flushing = asyncio.Lock()

    @property
    def behind(self) -> bool:
        """Say whether events wait in the journal."""
        return self._behind

    async def record(self, stream: str, after_seq: int, events: Sequence[e.Event]) -> None:
        """Write to the log.

        Raises:
            LogUnavailable: The log is down, or older events still wait in the journal.
        """
        if self._behind:
            await self.flush()
        if self._behind:
            raise LogUnavailable("older events wait in the journal")
        await self._log.append(stream, after_seq, [new_event(event) for event in events])

    def journal(self, stream: str, events: Sequence[e.Event]) -> None:
        """Keep restrictive events in the journal, fsynced; in memory alone where even that fails.

        What only memory holds dies with the process; so does the node's renewal, and a
        call recovered after such a gap comes back under a hold (design README 7).
        """
        self._behind = True
        new = [new_event(event) for event in events]
        try:
            if not self._memory:
                self._journal.put(stream, new)
                return
        except OSError:
            log.error("journal not writable", stream=stream)
        self._memory.append((stream, new))

    async def flush(self) -> bool:
        """Move what waits to the log, in order; return whether nothing waits any more."""
        async with self._flushing:
            try:
                for stream, events in self._journal.waiting():
                    await self._log.append(stream, await self._log.head(stream), events)
                    self._journal.taken(1)
                while self._memory:
                    stream, events = self._memory[0]
                    await self._log.append(stream, await self._log.head(stream), events)
                    del self._memory[0]
            except (LogUnavailable, OSError):
                return False
            self._behind = False
            return True

    async def run(self) -> None:
        """Keep trying, once a second, for as long as something waits."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            if self._behind and await self.flush():
                log.info("journal flushed")
