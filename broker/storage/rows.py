"""What storage knows of each row of the directory: its key, its table's name, its order in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

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
    Seat,
    Staff,
    StaffSession,
    SynthCredential,
    Visit,
    Watch,
)

R = TypeVar("R", bound=Row)

TABLES: Mapping[type[Row], str] = {
    Establishment: "establishments",
    Hall: "halls",
    Seat: "seats",
    Device: "devices",
    ConsoleDevice: "console_devices",
    Prisoner: "prisoners",
    Contact: "contacts",
    Photo: "photos",
    Restriction: "restrictions",
    PrisonerAlert: "prisoner_alerts",
    Authorisation: "authorisations",
    Watch: "watches",
    Visit: "visits",
    Link: "links",
    Staff: "staff",
    Grant: "grants",
    StaffSession: "staff_sessions",
    SynthCredential: "synth_credentials",
}
"""Every kind of row, with the name of its table."""

_KEYS: Mapping[type[Any], tuple[str, ...]] = {
    Establishment: ("code",),
    Prisoner: ("number",),
    Photo: ("contact_id",),
    Staff: ("username",),
    Grant: ("number", "establishment", "role"),
}

_ORDER: Mapping[type[Any], Callable[[Any], tuple[Any, ...]]] = {
    Hall: lambda row: (row.establishment, row.name, row.id),
    Seat: lambda row: (row.establishment, row.hall_id, row.number, row.id),
    Device: lambda row: (row.establishment, row.asset_tag, row.id),
    ConsoleDevice: lambda row: (row.establishment, row.asset_tag, row.id),
    Contact: lambda row: (row.establishment, row.last_name, row.first_name, row.id),
    Restriction: lambda row: (row.establishment, row.starts_on, row.id),
    PrisonerAlert: lambda row: (row.establishment, row.prisoner_number, row.code, row.id),
    Authorisation: lambda row: (row.establishment, row.prisoner_number, row.review_on, row.id),
    Watch: lambda row: (row.establishment, row.person_id, row.id),
    Visit: lambda row: (row.starts_at, row.id),
    Link: lambda row: (row.opens_at, row.id),
    StaffSession: lambda row: (row.started_at, row.id),
}


def key_fields(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of the fields that make up the key of this kind of row."""
    return _KEYS.get(kind, ("id",))


def key_of(row: Row) -> tuple[Any, ...]:
    """Return the row's key: two rows of a kind with the same key are the old and the new one."""
    return tuple(getattr(row, name) for name in key_fields(type(row)))


def scope_field(kind: type[Any]) -> str | None:
    """Return the field that names the establishment; None for accounts, which belong to none."""
    if kind is Establishment:
        return "code"
    return None if kind in (Staff, StaffSession) else "establishment"


def establishment_of(row: Row) -> str | None:
    """Return the establishment that the row belongs to, None for accounts."""
    field = scope_field(type(row))
    return None if field is None else str(getattr(row, field))


def ordered(rows: Iterable[R]) -> list[R]:
    """Return the rows in the order of their kind, the same on every database and locale."""
    return sorted(rows, key=_place)


def _place(row: Row) -> tuple[Any, ...]:
    order = _ORDER.get(type(row))
    return key_of(row) if order is None else order(row)
