"""The registry: the calls open on this node, each with its actor; opened by the clock, recovered by the record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import reduce

import structlog

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import SYSTEM
from broker.domain.bookings import barred, no_contact
from broker.domain.call import Call, LegRole, Phase, begin, evolve
from broker.domain.codec import event_from
from broker.domain.codes import Code, Refused
from broker.domain.policy import Policy
from broker.domain.records import Scope, Visit
from broker.engine.actor import CallActor, Done, stream_of
from broker.engine.board import Board, CallChanged
from broker.engine.facts import LOOK_BACK, CallFacts, facts_of, latest_end, scheduled
from broker.engine.presence import Presence
from broker.engine.recorder import Recorder
from broker.engine.risk import Risks
from broker.ports import Clock, Directory, EventLog, LogConflict, LogUnavailable, MediaPlane, Record

log = structlog.get_logger()

SWEEP_EVERY_S = 2.0
TICK_EVERY_S = 0.2
KEEP_ENDED = timedelta(minutes=10)  # so that a page that comes back reads how its call ended


@dataclass(frozen=True, slots=True)
class Entry:
    """An open call: its writer, its names, its booking."""

    actor: CallActor
    facts: CallFacts
    visit: Visit


class Registry:
    """Every open call of this node."""

    def __init__(
        self,
        event_log: EventLog,
        recorder: Recorder,
        directory: Directory,
        media: MediaPlane,
        clock: Clock,
        presence: Presence,
        board: Board,
        policy: Policy,
        zone: tzinfo,
    ) -> None:
        self._log = event_log
        self._zone = zone
        self._recorder = recorder
        self._directory = directory
        self._media = media
        self._clock = clock
        self._presence = presence
        self._board = board
        self._policy = policy
        self._entries: dict[str, Entry] = {}
        self._finished: set[str] = set()
        self._opening = asyncio.Lock()
        self._risks = Risks(directory, policy, zone)
        presence.open_calls = lambda: [entry.actor.coming for entry in self._entries.values()]
        self.last_renewal: datetime | None = None  # of the node's former life; set before the first sweep

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries.values()))

    def entry(self, call_id: str) -> Entry | None:
        """Return an open call."""
        return self._entries.get(call_id)

    def of_leg(self, leg_id: str) -> Entry | None:
        """Return the open call that has this leg: a leg's id is its call's and a number."""
        return self._entries.get(leg_id.rpartition(".")[0])

    async def send(self, call_id: str, command: c.Command) -> Done:
        """Do `command` on an open call. Raises Refused."""
        entry = self._entries.get(call_id)
        if entry is None:
            raise Refused(Code.UNKNOWN_CALL)
        try:
            return await entry.actor.send(command)
        except LogConflict:
            return await (await self._rebuild(entry)).actor.send(command)

    async def run(self) -> None:
        """Tick every call for as long as the node lives."""
        while True:
            for entry in self:
                await self._tick(entry)
            await asyncio.sleep(TICK_EVERY_S)

    async def run_sweeps(self) -> None:
        """Follow the directory, every other second; apart from the ticks, so that a slow database stops no clock."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await self.sweep()
            except LogUnavailable:
                log.warning("sweep put off", reason="storage")

    async def _tick(self, entry: Entry) -> None:
        try:
            await entry.actor.tick()
        except LogConflict:
            log.error("call owned elsewhere", call=entry.actor.call.id)
            await self._rebuild(entry)
        except Exception:
            # A fault in one call must not stop the others' clocks; its plan lapses by itself, shut.
            log.exception("call tick failed", call=entry.actor.call.id)

    async def sweep(self) -> None:
        """Open the calls whose lobby is open, follow the directory's changes, drop what ended long ago."""
        now = self._clock.now()
        self._risks.begin()
        scope = await self._directory.all_establishments()
        soon = now + timedelta(seconds=self._policy.lobby_opens_s)
        visits = await self._directory.visits(scope, now - LOOK_BACK, soon + LOOK_BACK)
        for visit in visits:
            if visit.starts_at <= soon:
                await self._guarded(visit, visits, now)
        for entry in self:
            ended = entry.actor.call.ended_at
            if ended is not None and now - ended > KEEP_ENDED:
                del self._entries[entry.actor.call.id]
                self._presence.forget(entry.actor.call.id)

    async def open(self, visit: Visit) -> Entry | None:
        """Open one visit's call now, without waiting for the sweep; None where it is over."""
        self._risks.begin()
        scope = await self._directory.all_establishments()
        others = await self._directory.visits(scope, visit.starts_at - LOOK_BACK, visit.ends_at + LOOK_BACK)
        return await self._open(visit, others, self._clock.now())

    async def _guarded(self, visit: Visit, visits: list[Visit], now: datetime) -> None:
        """Follow one visit; what fails there stops neither the other visits nor the next sweep."""
        try:
            await self._follow(visit, visits, now)
        except (Refused, LogConflict, LogUnavailable) as error:
            log.warning("visit followed later", visit=visit.id, reason=repr(error))
        except Exception:
            log.exception("visit not followed", visit=visit.id)

    async def _follow(self, visit: Visit, visits: list[Visit], now: datetime) -> None:
        entry = self._entries.get(visit.id)
        if entry is None:
            if visit.cancelled_at is None and visit.id not in self._finished:
                await self._open(visit, visits, now)
            return
        call = entry.actor.call
        if visit.cancelled_at is not None and call.phase is not Phase.ENDED:
            await self.send(call.id, c.Cancel(SYSTEM))
            return
        if call.phase is Phase.ENDED:
            return
        await self._recheck(entry, now)  # first what restricts: without a record the rest is refused
        limit = latest_end(visit, entry.facts.hall, visits, self._zone)
        if limit != call.latest_end:
            await self.send(call.id, c.SetLimit(SYSTEM, limit))
        await self.send(call.id, await self._risks.command(visit, now))

    async def _recheck(self, entry: Entry, now: datetime) -> None:
        """Ask again what was asked at booking and at the door: restrictions, the link, the laptop (features F108)."""
        call = entry.actor.call
        scope = Scope(frozenset({call.establishment}))
        rows = await self._risks.rows(call.establishment)
        people = [contact for contact in rows.contacts if contact.id in entry.facts.contacts]
        standing = no_contact(rows.restrictions) if call.phase is Phase.LIVE else rows.restrictions
        shut = barred(people, rows.contacts, standing, now.astimezone(self._zone))
        if shut - call.barred:
            await self.send(call.id, c.Bar(SYSTEM, shut))
        links = {link.bound_hash for link in await self._directory.links(scope, call.id) if link.revoked_at is None}
        devices = {
            device.id
            for device in await self._directory.devices(scope)
            if device.revoked_at is None and (device.assured_until is None or device.assured_until > now)
        }
        for leg in call.active:
            known = devices if leg.role is LegRole.PRISONER else links
            if leg.credential_until is not None and not leg.revoked and leg.device_id not in known:
                await self.send(call.id, c.Revoke(SYSTEM, leg.id))
        if call.barred - shut:
            await self.send(call.id, c.Unbar(SYSTEM, call.barred - shut))

    async def _open(self, visit: Visit, visits: list[Visit], now: datetime) -> Entry | None:
        async with self._opening:
            known = self._entries.get(visit.id)
            if known is not None or visit.id in self._finished:
                return known
            try:
                facts = await facts_of(self._directory, await self._directory.all_establishments(), visit)
            except LookupError:
                log.error("visit without its rows", visit=visit.id)
                self._finished.add(visit.id)
                return None
            records = await self._log.read(stream_of(visit.id))
            if not records and visit.ends_at <= now:
                self._finished.add(visit.id)  # nobody came while the node was down: the day's list shows it
                return None
            call = replay(records) if records else await self._schedule(visit, facts, visits, now)
            if call.phase is Phase.ENDED and call.ended_at is not None and now - call.ended_at > KEEP_ENDED:
                self._finished.add(visit.id)
                return None
            entry = Entry(self._actor(call), facts, visit)
            self._entries[visit.id] = entry
            if records and call.phase is not Phase.ENDED:
                await entry.actor.send(c.Recover(SYSTEM, self._gap_s(records, now)))
            self._board.publish(CallChanged(entry.actor.call, ()))
            return entry

    async def _schedule(self, visit: Visit, facts: CallFacts, visits: list[Visit], now: datetime) -> Call:
        limit = latest_end(visit, facts.hall, visits, self._zone)
        first = scheduled(visit, facts, self._policy, limit, now, await self._risks.of(visit, now))
        await self._recorder.record(stream_of(visit.id), 0, [first])
        return begin(first)

    def _gap_s(self, records: list[Record], now: datetime) -> float:
        """Return how long nobody owned the call: since the last renewal, or its last event where that is younger."""
        last = max(filter(None, [self.last_renewal, records[-1].at]))
        return max(0.0, (now - last).total_seconds())

    def _actor(self, call: Call) -> CallActor:
        return CallActor(
            call,
            self._recorder,
            self._media,
            self._clock,
            lambda call: self._presence.evidence(call, self._clock.now()),
            self._changed,
        )

    def _changed(self, done: Done) -> None:
        self._board.publish(CallChanged(done.call, done.events, done.recorded))

    async def _rebuild(self, entry: Entry) -> Entry:
        """The record went on without us (the command line, another node): take its word."""
        records = await self._log.read(stream_of(entry.actor.call.id))
        call = replace(replay(records), epoch=entry.actor.call.epoch)
        again = Entry(self._actor(call), entry.facts, entry.visit)
        self._entries[call.id] = again
        return again


def replay(records: list[Record]) -> Call:
    """Return the call that a stream's records make.

    Raises:
        ValueError: The stream does not begin with `call.scheduled`.
    """
    events = [event_from(record.type, record.at, record.actor, record.body) for record in records]
    if not events or not isinstance(events[0], e.CallScheduled):
        raise ValueError("a call's stream begins with call.scheduled")
    return reduce(evolve, events[1:], begin(events[0]))
