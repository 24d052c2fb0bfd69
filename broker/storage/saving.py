"""Saving rows of the directory: insert or replace by key, inside a transaction of the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Table, exc, select
from sqlalchemy.dialects import postgresql, sqlite

from broker.domain.records import Establishment, Row, Scope
from broker.ports import OutOfScope, RowClash
from broker.storage.rows import establishment_of, key_fields, scope_field
from broker.storage.tables import ROWS

_IN_ONE_QUERY = 1_000  # SQLite allows 32,766 parameters


def save_rows(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert or replace rows, whoever's they are. Raises RowClash."""
    by_kind: dict[type[Any], list[Row]] = {}
    for row in rows:
        by_kind.setdefault(type(row), []).append(row)
    _refuse_changed_reality(connection, [row for row in rows if isinstance(row, Establishment)])
    for kind, group in by_kind.items():
        names = [field.name for field in fields(kind)]
        values = [{name: getattr(row, name) for name in names} for row in group]
        try:
            upsert(connection, ROWS[kind], values)
        except exc.IntegrityError as error:
            raise RowClash(kind.__name__) from error


def refuse_out_of_scope(connection: Connection, scope: Scope, rows: Sequence[Row]) -> None:
    """Raise OutOfScope where a row, or the one that it would replace, lies outside `scope`."""
    keys: dict[type[Any], list[Any]] = {}
    for row in rows:
        place = establishment_of(row)
        if place is None:
            continue
        if place not in scope:
            raise OutOfScope
        kind = type(row)
        if scope_field(kind) not in key_fields(kind):
            keys.setdefault(kind, []).append(getattr(row, key_fields(kind)[0]))
    for kind, wanted in keys.items():
        table = ROWS[kind]
        for start in range(0, len(wanted), _IN_ONE_QUERY):
            some = wanted[start : start + _IN_ONE_QUERY]
            stands = select(table.c.establishment).where(table.c[key_fields(kind)[0]].in_(some)).distinct()
            if any(place not in scope for place in connection.scalars(stands)):
                raise OutOfScope


def _refuse_changed_reality(connection: Connection, rows: Sequence[Establishment]) -> None:
    """Refuse to make a real establishment synthetic or the reverse (design README 19)."""
    table = ROWS[Establishment]
    known: dict[str, bool] = {}
    for row in rows:
        if row.code not in known:
            stands = connection.scalar(select(table.c.synthetic).where(table.c.code == row.code))
            known[row.code] = row.synthetic if stands is None else bool(stands)
        if known[row.code] != row.synthetic:
            raise RowClash("synthetic is set at creation")


def upsert(connection: Connection, table: Table, values: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows into `table`, or replace the one with the same primary key by each."""
    new: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    keys = [column.name for column in table.primary_key]
    rest = [column.name for column in table.columns if column.name not in keys]
    if rest:
        new = new.on_conflict_do_update(index_elements=keys, set_={name: new.excluded[name] for name in rest})
    else:
        new = new.on_conflict_do_nothing(index_elements=keys)
    connection.execute(new, values)
