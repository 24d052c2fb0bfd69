"""What has been revoked, and who is told: at once, or within seconds where another process did it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

import structlog

from broker.domain.records import Row, Scope
from broker.engine.stream import SYSTEM_STREAM, establishment_stream
from broker.ports import Clock, Directory, EventLog, LogUnavailable, Record

POLL_S: Final = 1.0  # revoked by another process: told within 1 s and the time of two queries

_KEYS: Mapping[str, tuple[str, str]] = {
    "link.revoked": ("link", "link_id"),
    "visit.cancelled": ("visit", "visit_id"),
    "device.revoked": ("device", "device_id"),
    "session.revoked": ("session", "session_id"),
    "staff.disabled": ("staff", "number"),
    "staff.password_set": ("staff", "number"),
    "staff.granted": ("staff", "number"),  # signed in again, the person has the new rights
    "staff.ungranted": ("staff", "number"),
}
_FOR_GOOD: Final = frozenset({"link", "visit", "session"})

Told = Callable[[], None]


class Revocable(Protocol):
    """What can be revoked by one of its keys, or run out: a chair, or what a post rests on."""

    @property
    def keys(self) -> frozenset[str]: ...
    @property
    def until(self) -> datetime | None: ...


log = structlog.get_logger()


def key_of(record_type: str, body: Mapping[str, object]) -> str | None:
    """Return the key that an event of the record revokes, None where it revokes nothing."""
    if record_type not in _KEYS:
        return None
    kind, field = _KEYS[record_type]
    return f"{kind}:{body.get(field)}"


class Revocations:
    """Who sits where, by what could be revoked; and the record, followed for what other processes revoke."""

    def __init__(self, log: EventLog, directory: Directory, clock: Clock) -> None:
        self._log = log
        self._directory = directory
        self._clock = clock
        self._seated: dict[object, tuple[Revocable, Told]] = {}
        self._gone: set[str] = set()
        self._heads: dict[str, int] | None = None

    def on(self, chair: Revocable, told: Told) -> Callable[[], None]:
        """Call `told` once when what `chair` rests on is revoked or runs out; return what takes that back."""
        token = object()
        self._seated[token] = (chair, told)
        return lambda: self._seated.pop(token, None) and None

    def stands(self, chair: Revocable) -> bool:
        """Say whether nothing that `chair` rests on is known to be revoked or run out."""
        until = chair.until
        return not (self._gone & chair.keys) and (until is None or self._clock.now() < until)

    def revoke(self, *keys: str) -> None:
        """Tell everybody who rests on one of `keys`, now. Links, visits and sessions never come back."""
        self._gone.update(key for key in keys if key.partition(":")[0] in _FOR_GOOD)
        wanted = set(keys)
        self._tell(token for token, (chair, _) in self._seated.items() if chair.keys & wanted)

    async def start(self) -> None:
        """Begin to follow the record from its end; call it before the first chair is taken."""
        self._heads = await self._heads_now()

    async def poll(self) -> None:
        """Tell whoever was revoked by another process, or has run out. Raises LogUnavailable."""
        self._tell(token for token, (chair, _) in self._seated.items() if not self.stands(chair))
        if self._heads is None:
            await self.start()
        assert self._heads is not None
        for name, head in (await self._heads_now()).items():
            after = self._heads.get(name, 0)
            for record in await self._log.read(name, after) if head > after else []:
                await self._heed(record)
                self._heads[name] = record.seq

    async def watch(self) -> None:
        """Poll for as long as the broker runs."""
        while True:
            try:
                await self.poll()
            except LogUnavailable as error:
                log.warning("revocations not polled", reason=str(error))
            await asyncio.sleep(POLL_S)

    async def _heads_now(self) -> dict[str, int]:
        places = await self._log.heads(establishment_stream(""))
        return {SYSTEM_STREAM: await self._log.head(SYSTEM_STREAM), **places}

    async def _heed(self, record: Record) -> None:
        key = key_of(record.type, record.body)
        if key is None:
            return
        self.revoke(key)
        await self._repair(record)

    async def _repair(self, record: Record) -> None:
        """Save the rows of a revocation that reached the record by the journal alone."""
        place = record.stream.removeprefix(establishment_stream(""))
        scope = Scope(frozenset({place}))
        rows: list[Row] = []
        if record.type in {"link.revoked", "visit.cancelled"}:
            links = await self._directory.links(scope, str(record.body.get("visit_id")))
            wanted = record.body.get("link_id")
            rows += [
                replace(link, revoked_at=record.at)
                for link in links
                if link.revoked_at is None and wanted in {None, link.id}
            ]
        if record.type == "visit.cancelled":
            visit = await self._directory.visit(scope, str(record.body.get("visit_id")))
            if visit is not None and visit.cancelled_at is None:
                rows.append(replace(visit, cancelled_at=record.at, cancel_reason=str(record.body.get("reason"))))
        if record.type == "session.revoked":
            sessions = await self._directory.sessions(str(record.body.get("number")))
            wanted = record.body.get("session_id")
            rows += [
                replace(row, revoked_at=record.at) for row in sessions if row.id == wanted and row.revoked_at is None
            ]
        if record.type == "device.revoked":
            wanted = record.body.get("device_id")
            laptops, consoles = await self._directory.devices(scope), await self._directory.console_devices(scope)
            rows += [replace(row, revoked_at=record.at) for row in laptops if row.id == wanted and not row.revoked_at]
            rows += [replace(row, revoked_at=record.at) for row in consoles if row.id == wanted and not row.revoked_at]
        if rows:
            await self._directory.save(scope, rows)

    def _tell(self, tokens: Iterable[object]) -> None:
        for token in list(tokens):
            entry = self._seated.pop(token, None)
            if entry is not None:
                entry[1]()
