"""The directory in the database: every query takes its scope, every save checks it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, select

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
from broker.storage.database import Database
from broker.storage.rows import ordered, scope_field
from broker.storage.saving import refuse_out_of_scope, save_rows, upsert
from broker.storage.tables import ROWS, facts

R = TypeVar("R", bound=Row)

_VISIT = ROWS[Visit].c
_LINK = ROWS[Link].c


class SqlDirectory:
    """A `Directory` on a `Database`. Every method raises LogUnavailable where the storage does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def establishments(self, scope: Scope) -> list[Establishment]:
        """Return the establishments of the scope, by code."""
        return await self._in(scope, Establishment)

    async def halls(self, scope: Scope) -> list[Hall]:
        """Return the halls of the scope, by name."""
        return await self._in(scope, Hall)

    async def seats(self, scope: Scope) -> list[Seat]:
        """Return the seats of the scope, by hall and number."""
        return await self._in(scope, Seat)

    async def devices(self, scope: Scope) -> list[Device]:
        """Return the devices of the scope, by asset tag."""
        return await self._in(scope, Device)

    async def console_devices(self, scope: Scope) -> list[ConsoleDevice]:
        """Return the consoles of the scope, by asset tag; those of every establishment are NATIONAL_POOL's."""
        return await self._in(scope, ConsoleDevice)

    async def prisoners(self, scope: Scope) -> list[Prisoner]:
        """Return the prisoners of the scope, by number."""
        return await self._in(scope, Prisoner)

    async def contacts(self, scope: Scope, prisoner_number: str | None = None) -> list[Contact]:
        """Return the contacts of the scope, or of one prisoner, by name."""
        theirs = ROWS[Contact].c.prisoner_number == prisoner_number
        return await self._in(scope, Contact, *([] if prisoner_number is None else [theirs]))

    async def photo(self, scope: Scope, contact_id: str) -> Photo | None:
        """Return the photo on file of a contact of the scope."""
        return next(iter(await self._in(scope, Photo, ROWS[Photo].c.contact_id == contact_id)), None)

    async def restrictions(self, scope: Scope) -> list[Restriction]:
        """Return the restrictions of the scope, past ones too, by their first day."""
        return await self._in(scope, Restriction)

    async def prisoner_alerts(self, scope: Scope) -> list[PrisonerAlert]:
        """Return the alerts of the scope's prisoners, past ones too, by prisoner and code."""
        return await self._in(scope, PrisonerAlert)

    async def authorisations(self, scope: Scope) -> list[Authorisation]:
        """Return the monitoring authorisations of the scope, past ones too, by prisoner and review date."""
        return await self._in(scope, Authorisation)

    async def watches(self, scope: Scope) -> list[Watch]:
        """Return the watch lists of the scope, past entries too, by person."""
        return await self._in(scope, Watch)

    async def visits(self, scope: Scope, starts_from: datetime, starts_before: datetime) -> list[Visit]:
        """Return the visits of the scope that start in the time given, cancelled ones too, by start."""
        return await self._in(scope, Visit, _VISIT.starts_at >= starts_from, _VISIT.starts_at < starts_before)

    async def visit(self, scope: Scope, visit_id: str) -> Visit | None:
        """Return one visit of the scope."""
        return next(iter(await self._in(scope, Visit, _VISIT.id == visit_id)), None)

    async def links(self, scope: Scope, visit_id: str) -> list[Link]:
        """Return the links of one visit of the scope, revoked ones too."""
        return await self._in(scope, Link, _LINK.visit_id == visit_id)

    async def save(self, scope: Scope, rows: Sequence[Row]) -> None:
        """Insert or replace rows by key, all or none. Raises OutOfScope, RowClash, LogUnavailable."""

        def job(connection: Connection) -> None:
            refuse_out_of_scope(connection, scope, rows)
            save_rows(connection, rows)

        await self._database.write(job)

    async def link_by_hash(self, token_hash: str) -> Link | None:
        """Return the link whose token has this keyed hash."""
        return await self._one(Link, token_hash=token_hash)

    async def device_by_hash(self, key_hash: str) -> Device | None:
        """Return the device whose credential has this keyed hash."""
        return await self._one(Device, key_hash=key_hash)

    async def device_by_enrol_hash(self, enrol_hash: str) -> Device | None:
        """Return the device whose enrolment code has this keyed hash."""
        return await self._one(Device, enrol_hash=enrol_hash)

    async def console_by_hash(self, key_hash: str) -> ConsoleDevice | None:
        """Return the console whose credential has this keyed hash."""
        return await self._one(ConsoleDevice, key_hash=key_hash)

    async def console_by_enrol_hash(self, enrol_hash: str) -> ConsoleDevice | None:
        """Return the console whose enrolment code has this keyed hash."""
        return await self._one(ConsoleDevice, enrol_hash=enrol_hash)

    async def session_by_hash(self, token_hash: str) -> StaffSession | None:
        """Return the staff session whose token has this keyed hash."""
        return await self._one(StaffSession, token_hash=token_hash)

    async def synth_by_hash(self, token_hash: str) -> SynthCredential | None:
        """Return the synthetic credential whose token has this keyed hash."""
        return await self._one(SynthCredential, token_hash=token_hash)

    async def staff(self, username: str) -> Staff | None:
        """Return the account of that name."""
        return await self._one(Staff, username=username)

    async def staff_by_number(self, number: str) -> Staff | None:
        """Return the account of the person with that staff number."""
        return await self._one(Staff, number=number)

    async def grants(self, number: str) -> list[Grant]:
        """Return what the person may be, and where."""
        return await self._where(Grant, ROWS[Grant].c.number == number)

    async def sessions(self, number: str) -> list[StaffSession]:
        """Return the person's sessions, ended ones too, by start."""
        return await self._where(StaffSession, ROWS[StaffSession].c.number == number)

    async def all_establishments(self) -> Scope:
        """Return the scope of the system itself, never of a person."""
        wanted = select(ROWS[Establishment].c.code)
        return await self._database.read(lambda connection: Scope(frozenset(connection.scalars(wanted))))

    async def fact(self, name: str) -> str | None:
        """Return a fact about the database itself."""
        wanted = select(facts.c.value).where(facts.c.name == name)
        return await self._database.read(lambda connection: connection.scalar(wanted))

    async def set_fact(self, name: str, value: str) -> None:
        """Set a fact about the database itself."""

        def job(connection: Connection) -> None:
            upsert(connection, facts, [{"name": name, "value": value}])

        await self._database.write(job)

    async def _in(self, scope: Scope, kind: type[R], *conditions: ColumnElement[bool]) -> list[R]:
        """Return the rows of `kind` in `scope`: the one way by which a list of them leaves the database."""
        place = scope_field(kind)
        if place is None:
            raise TypeError(f"{kind.__name__} belongs to no establishment")
        return await self._where(kind, ROWS[kind].c[place].in_(sorted(scope.establishments)), *conditions)

    async def _one(self, kind: type[R], **fields: str) -> R | None:
        table = ROWS[kind]
        rows = await self._where(kind, *(table.c[name] == value for name, value in fields.items()))
        return rows[0] if rows else None

    async def _where(self, kind: type[R], *conditions: ColumnElement[bool]) -> list[R]:
        wanted = select(ROWS[kind]).where(*conditions)

        def job(connection: Connection) -> list[R]:
            return ordered(kind(**row._mapping) for row in connection.execute(wanted))

        return await self._database.read(job)
