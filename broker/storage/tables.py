"""The tables, the same on SQLite and PostgreSQL; those of the directory follow from the records.

What stands here must equal what the migrations make; a test compares the two.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from broker.domain.records import ConsoleDevice, Contact, Device, Link, Row, Staff, StaffSession, SynthCredential, Visit
from broker.storage.rows import TABLES, key_fields, scope_field

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite has no zones, so there it lies as naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A word of an enumeration."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


class Ids(TypeDecorator[tuple[str, ...]]):
    """A tuple of ids, as a JSON list."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> list[str] | None:
        return None if value is None else list(value)

    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(value)


# --- the record -------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("stream", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", Text, nullable=False),  # text, to be compared with the stored bytes as it lies
    Column("actor", Text, nullable=False),
    Column("stored", LargeBinary, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("stream", "seq"),
    UniqueConstraint("stream", "id"),
    sqlite_with_rowid=False,  # a stream lies together, in order
)

heads = Table(
    "heads",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("checkpoint", BigInteger, nullable=False),  # the one that states this head; 0: none does yet
    Index(None, "checkpoint"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("stored", LargeBinary, nullable=False),
    Column("hash", Text, nullable=False),
    Column("signature", Text, nullable=False),
)

renewals = Table(
    "renewals",
    metadata,
    Column("node", Text, primary_key=True),
    Column("at", Instant, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# --- the directory ----------------------------------------------------------

_PLAIN: Mapping[Any, type[TypeEngine[Any]]] = {
    str: Text,
    int: Integer,
    bool: Boolean,
    bytes: LargeBinary,
    date: Date,
    datetime: Instant,
}

_INDEXES: Mapping[type[Any], tuple[tuple[str, ...], ...]] = {
    Contact: (("prisoner_number",),),
    Device: (("key_hash",), ("enrol_hash",)),
    ConsoleDevice: (("key_hash",), ("enrol_hash",)),
    Visit: (("establishment", "starts_at"),),
    Link: (("token_hash",), ("visit_id",)),
    StaffSession: (("token_hash",), ("number",)),
    SynthCredential: (("token_hash",),),
}


def _column(name: str, hint: Any, key: bool) -> Column[Any]:
    optional = get_origin(hint) in (Union, types.UnionType)
    plain = next(arg for arg in get_args(hint) if arg is not type(None)) if optional else hint
    if get_origin(plain) is tuple:
        kind: TypeEngine[Any] = Ids()
    elif isinstance(plain, type) and issubclass(plain, StrEnum):
        kind = Word(plain)
    else:
        kind = _PLAIN[plain]()
    return Column(name, kind, primary_key=key, nullable=optional)


def _table(kind: type[Row], name: str) -> Table:
    hints = get_type_hints(kind)
    keys = key_fields(kind)
    table = Table(
        name, metadata, *(_column(field.name, hints[field.name], field.name in keys) for field in fields(kind))
    )
    wanted = list(_INDEXES.get(kind, ()))
    place = scope_field(kind)
    if place is not None and place not in keys and not any(index[0] == place for index in wanted):
        wanted.append((place,))
    for index in wanted:
        Index(None, *(table.c[column] for column in index))
    if kind is Staff:
        table.append_constraint(UniqueConstraint("number"))
    return table


ROWS: Mapping[type[Any], Table] = {kind: _table(kind, name) for kind, name in TABLES.items()}
"""The table of each kind of row."""
