"""Storage in memory: fakes that pass the same contract suites as the real adapters (tests/contract)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from broker.domain import audit
from broker.domain.records import (
    Authorisation,
    ConsoleDevice,
    Contact,
    Device,
    Establishment,
    Grant,
    Hall,
    Link,
    Photo,
    Prisoner,
    PrisonerAlert,
    Restriction,
    Row,
    Scope,
    Seat,
    Staff,
    StaffSession,
    SynthCredential,
    Visit,
    Watch,
)
from broker.ports import LogConflict, LogUnavailable, NewEvent, OutOfScope, Record, RowClash
from broker.storage.rows import establishment_of, key_of, ordered

R = TypeVar("R", bound=Row)


class FakeDirectory:
    """A directory in a dict. Set `down` to make it unavailable."""

    def __init__(self, *rows: Row) -> None:
        self.rows: dict[tuple[type[Any], tuple[Any, ...]], Row] = {}
        self.facts: dict[str, str] = {}
        self.down = False
        self.take(rows)

    def take(self, rows: Sequence[Row]) -> None:
        """Insert or replace rows, asking nobody's scope. Raises RowClash, and then takes none."""
        if self.down:
            raise LogUnavailable("the fake directory is down")
        after = dict(self.rows)
        for row in rows:
            key = (type(row), key_of(row))
            old = after.get(key)
            if isinstance(row, Establishment) and isinstance(old, Establishment) and old.synthetic != row.synthetic:
                raise RowClash("synthetic is set at creation")
            after[key] = row
        numbers = [row.number for row in after.values() if isinstance(row, Staff)]
        if len(numbers) != len(set(numbers)):
            raise RowClash("staff number taken")
        self.rows = after

    def _all(self, kind: type[R]) -> list[R]:
        if self.down:
            raise LogUnavailable("the fake directory is down")
        return ordered(row for row in self.rows.values() if isinstance(row, kind))

    def _in(self, scope: Scope, kind: type[R]) -> list[R]:
        return [row for row in self._all(kind) if establishment_of(row) in scope.establishments]

    async def establishments(self, scope: Scope) -> list[Establishment]:
        return self._in(scope, Establishment)

    async def halls(self, scope: Scope) -> list[Hall]:
        return self._in(scope, Hall)

    async def seats(self, scope: Scope) -> list[Seat]:
        return self._in(scope, Seat)

    async def devices(self, scope: Scope) -> list[Device]:
        return self._in(scope, Device)

    async def console_devices(self, scope: Scope) -> list[ConsoleDevice]:
        return self._in(scope, ConsoleDevice)

    async def prisoners(self, scope: Scope) -> list[Prisoner]:
        return self._in(scope, Prisoner)

    async def contacts(self, scope: Scope, prisoner_number: str | None = None) -> list[Contact]:
        rows = self._in(scope, Contact)
        return [row for row in rows if prisoner_number is None or row.prisoner_number == prisoner_number]

    async def photo(self, scope: Scope, contact_id: str) -> Photo | None:
        return next((row for row in self._in(scope, Photo) if row.contact_id == contact_id), None)

    async def restrictions(self, scope: Scope) -> list[Restriction]:
        return self._in(scope, Restriction)

    async def prisoner_alerts(self, scope: Scope) -> list[PrisonerAlert]:
        return self._in(scope, PrisonerAlert)

    async def authorisations(self, scope: Scope) -> list[Authorisation]:
        return self._in(scope, Authorisation)

    async def watches(self, scope: Scope) -> list[Watch]:
        return self._in(scope, Watch)

    async def visits(self, scope: Scope, starts_from: datetime, starts_before: datetime) -> list[Visit]:
        return [row for row in self._in(scope, Visit) if starts_from <= row.starts_at < starts_before]

    async def visit(self, scope: Scope, visit_id: str) -> Visit | None:
        return next((row for row in self._in(scope, Visit) if row.id == visit_id), None)

    async def links(self, scope: Scope, visit_id: str) -> list[Link]:
        return [row for row in self._in(scope, Link) if row.visit_id == visit_id]

    async def save(self, scope: Scope, rows: Sequence[Row]) -> None:
        for row in rows:
            for version in (row, self.rows.get((type(row), key_of(row)))):
                place = None if version is None else establishment_of(version)
                if place is not None and place not in scope:
                    raise OutOfScope
        self.take(rows)

    async def link_by_hash(self, token_hash: str) -> Link | None:
        return next((row for row in self._all(Link) if row.token_hash == token_hash), None)

    async def device_by_hash(self, key_hash: str) -> Device | None:
        return next((row for row in self._all(Device) if row.key_hash == key_hash), None)

    async def device_by_enrol_hash(self, enrol_hash: str) -> Device | None:
        return next((row for row in self._all(Device) if row.enrol_hash == enrol_hash), None)

    async def console_by_hash(self, key_hash: str) -> ConsoleDevice | None:
        return next((row for row in self._all(ConsoleDevice) if row.key_hash == key_hash), None)

    async def console_by_enrol_hash(self, enrol_hash: str) -> ConsoleDevice | None:
        return next((row for row in self._all(ConsoleDevice) if row.enrol_hash == enrol_hash), None)

    async def session_by_hash(self, token_hash: str) -> StaffSession | None:
        return next((row for row in self._all(StaffSession) if row.token_hash == token_hash), None)

    async def synth_by_hash(self, token_hash: str) -> SynthCredential | None:
        return next((row for row in self._all(SynthCredential) if row.token_hash == token_hash), None)

    async def staff(self, username: str) -> Staff | None:
        return next((row for row in self._all(Staff) if row.username == username), None)

    async def staff_by_number(self, number: str) -> Staff | None:
        return next((row for row in self._all(Staff) if row.number == number), None)

    async def grants(self, number: str) -> list[Grant]:
        return [row for row in self._all(Grant) if row.number == number]

    async def sessions(self, number: str) -> list[StaffSession]:
        return [row for row in self._all(StaffSession) if row.number == number]

    async def all_establishments(self) -> Scope:
        return Scope(frozenset(row.code for row in self._all(Establishment)))

    async def fact(self, name: str) -> str | None:
        return self.facts.get(name)

    async def set_fact(self, name: str, value: str) -> None:
        self.facts[name] = value


class FakeEventLog:
    """A log in lists, hash-chained like the real one. Set `down` to make it unavailable."""

    def __init__(self, directory: FakeDirectory | None = None) -> None:
        self.entries: dict[str, list[audit.Entry]] = {}
        self.directory = directory or FakeDirectory()
        self.down = False

    async def append(
        self, stream: str, after_seq: int, events: Sequence[NewEvent], rows: Sequence[Row] = ()
    ) -> list[Record]:
        self._available()
        entries = list(self.entries.get(stream, ()))
        held = {entry.id for entry in entries}
        fresh = list({event.id: event for event in events if event.id not in held}.values())
        replayed = len({event.id for event in events}) - len(fresh)
        if (fresh or not events) and len(entries) not in {after_seq, after_seq + replayed}:
            raise LogConflict(stream)
        for event in fresh:
            entries.append(
                audit.seal(
                    stream,
                    len(entries) + 1,
                    entries[-1].hash if entries else audit.GENESIS,
                    id=event.id,
                    type=event.type,
                    at=event.at,
                    actor=event.actor,
                    body=event.body,
                )
            )
        if fresh or not events:
            self.directory.take(rows)
        if entries:
            self.entries[stream] = entries
        by_id = {entry.id: entry for entry in entries}
        return [_record(by_id[event.id]) for event in events]

    async def read(self, stream: str, after_seq: int = 0) -> list[Record]:
        self._available()
        return [_record(entry) for entry in self.entries.get(stream, ()) if entry.seq > after_seq]

    async def head(self, stream: str) -> int:
        self._available()
        return len(self.entries.get(stream, ()))

    async def streams(self, prefix: str) -> list[str]:
        self._available()
        return sorted(name for name in self.entries if name.startswith(prefix))

    async def heads(self, prefix: str) -> dict[str, int]:
        self._available()
        return {name: len(self.entries[name]) for name in sorted(self.entries) if name.startswith(prefix)}

    def _available(self) -> None:
        if self.down:
            raise LogUnavailable("the fake log is down")


def _record(entry: audit.Entry) -> Record:
    return Record(
        entry.stream,
        entry.seq,
        entry.id,
        entry.type,
        audit.instant(entry.at),
        entry.actor,
        audit.read(entry.stored)["body"],
        entry.hash,
    )


class FakeJournal:
    """A journal in a list. Set `broken` to make it refuse, as a full disk does."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, list[NewEvent]]] = []
        self.broken = False

    def put(self, stream: str, events: Sequence[NewEvent]) -> None:
        if self.broken:
            raise OSError("the fake journal is broken")
        for event in events:
            audit.text_of(event.at)
            audit.canonical(dict(event.body))
        self.entries.append((stream, list(events)))

    def waiting(self) -> list[tuple[str, list[NewEvent]]]:
        return list(self.entries)

    def taken(self, count: int) -> None:
        del self.entries[:count]


class FakeRenewals:
    """Renewals in a dict. Set `down` to make it unavailable."""

    def __init__(self) -> None:
        self.at: dict[str, datetime] = {}
        self.down = False

    async def renew(self, node: str, at: datetime) -> None:
        if self.down:
            raise LogUnavailable("the fake renewals are down")
        self.at[node] = max(at, self.at.get(node, at))

    async def last(self, node: str) -> datetime | None:
        return self.at.get(node)
