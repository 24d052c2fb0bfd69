"""An export of the record: whole streams with their hashes, as JSON lines, in one file that proves itself.

First a line that says what the file holds, then every checkpoint (in an export of everything), then the entries,
stream by stream, then a line with the number of lines before it and the SHA-256 of their bytes. `check_export` reads
the file to its end before anything is computed from it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, exc, select

from broker.domain.audit import (
    CHECKPOINTS,
    Checkpoint,
    Entry,
    Fault,
    Tampering,
    canonical,
    check_checkpoint,
    check_entries,
    read,
    text_of,
)
from broker.domain.records import Establishment
from broker.ports import LogUnavailable, Record
from broker.storage.eventlog import record_of
from broker.storage.keys import PublicKey
from broker.storage.tables import ROWS
from broker.storage.verify import checkpoints_of, entries_of, read_only

FORMAT: Final = 1
MARKING: Final = "OFFICIAL"
_PLACES: Final = ROWS[Establishment]


class ExportBroken(Exception):
    """The file is not what was exported. `fault`: the first entry that does not fit, where it is one entry's fault."""

    def __init__(self, fault: Fault | None = None) -> None:
        super().__init__("the export is broken")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class ExportReport:
    """When an export was made, and what its establishments are."""

    made_at: str
    places: Mapping[str, Establishment]


def official_name(name: str) -> str:
    """Return a file's name with its marking in it (features F98)."""
    return name if MARKING in name else f"{MARKING}-{name}"


def write_export(url: str, path: Path, codes: frozenset[str] | None, at: datetime) -> int:
    """Write one state of the record to a new file of the owner's alone; return the number of entries.

    Args:
        codes: The establishments whose streams and calls are exported; None: every stream is, with the checkpoints.

    Raises:
        LookupError: The database does not know one of the establishments.
        FileExistsError, OSError: The file cannot be made.
        LogUnavailable: The database cannot be read.
    """
    engine, whole = read_only(url), codes is None
    try:
        with engine.begin() as connection:
            head = {
                "export": FORMAT,
                "marking": MARKING,
                "made_at": text_of(at),
                "whole": whole,
                "places": [asdict(place) for place in _places(connection, codes)],
            }
            return _write(path, head, checkpoints_of(connection) if whole else (), _entries(connection, codes))
    except exc.DBAPIError as error:
        raise LogUnavailable(str(error.orig)) from error
    finally:
        engine.dispose()


def _write(path: Path, head: Mapping[str, Any], checkpoints: Iterable[Checkpoint], entries: Iterable[Entry]) -> int:
    total, lines, written = hashlib.sha256(), 0, 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for value in _lines(head, checkpoints, entries):
                line = canonical(value) + b"\n"
                total.update(line)
                file.write(line)
                lines += 1
                written += "entry" in value
            file.write(canonical({"end": lines, "sha256": total.hexdigest()}) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    return written


def _lines(
    head: Mapping[str, Any], checkpoints: Iterable[Checkpoint], entries: Iterable[Entry]
) -> Iterator[Mapping[str, Any]]:
    yield head
    for point in checkpoints:
        stored = point.stored.decode("ascii")
        yield {"checkpoint": point.number, "stored": stored, "hash": point.hash, "signature": point.signature}
    for entry in entries:
        yield {"entry": entry.stored.decode("ascii"), "hash": entry.hash}


def _places(connection: Connection, codes: frozenset[str] | None) -> list[Establishment]:
    known = [Establishment(*row) for row in connection.execute(select(_PLACES).order_by(_PLACES.c.code))]
    if codes is not None and codes - {place.code for place in known}:
        raise LookupError("unknown establishment")
    return [place for place in known if codes is None or place.code in codes]


def _entries(connection: Connection, codes: frozenset[str] | None) -> Iterator[Entry]:
    stream, wanted = None, False
    for entry in entries_of(connection):
        if entry.stream != stream:
            stream, wanted = entry.stream, codes is None or _place_of(entry) in codes
        if wanted:
            yield entry


def _place_of(first: Entry) -> str | None:
    """Return the establishment that a stream belongs to; a call says it in its first entry."""
    kind, _, name = first.stream.partition(":")
    if kind == "establishment":
        return name
    return str(read(first.stored)["body"].get("establishment")) if kind == "call" else None


# --- reading ------------------------------------------------------------------


def check_export(path: Path, key: PublicKey | None = None) -> ExportReport:
    """Read an export to its end and check every line of it.

    Args:
        key: The checkpoints' key: each must be signed with it, and there must be one, so that an export of some
            establishments cannot be checked with a key. Without it their chain is checked, and no signature.

    Raises:
        ExportBroken: Something was changed, left out, added or cut off.
        OSError: The file cannot be read.
    """
    head, points, known = _head(path), 0, dict[str, dict[int, str]]()
    previous: Checkpoint | None = None
    _check_end(path)
    for point in _points(path):
        if (key is not None and not key.signed(point.signature, point.stored)) or check_checkpoint(previous, point):
            raise ExportBroken(Fault(CHECKPOINTS, points + 1, Tampering.CHECKPOINT_BROKEN))
        for stated in point.heads:
            known.setdefault(stated.stream, {})[stated.seq] = stated.hash
        points, previous = points + 1, point
    if key is not None and points == 0:
        raise ExportBroken(Fault(CHECKPOINTS, 1, Tampering.CHECKPOINT_MISSING))
    outcome = check_entries(_read_entries(path), known)
    if outcome.fault is not None:
        raise ExportBroken(outcome.fault)
    places = {place["code"]: Establishment(**place) for place in head["places"]}
    return ExportReport(head["made_at"], places)


def read_export(path: Path) -> Iterator[list[Record]]:
    """Yield the records of each stream of an export that was checked."""
    records = (record_of(entry.stored, entry.hash) for entry in _read_entries(path))
    for _, group in groupby(records, key=lambda record: record.stream):
        yield list(group)


def _values(path: Path) -> Iterator[dict[str, Any]]:
    with open(path, "rb") as file:
        for line in file:
            try:
                value = json.loads(line)
            except ValueError as error:
                raise ExportBroken from error
            if not isinstance(value, dict):
                raise ExportBroken
            yield value


def _head(path: Path) -> dict[str, Any]:
    head = next(_values(path), {})
    if head.get("export") != FORMAT:
        raise ExportBroken
    return head


def _check_end(path: Path) -> None:
    """Check that the last line tells of all that come before it."""
    total, count, held = hashlib.sha256(), 0, b""
    with open(path, "rb") as file:
        for line in file:
            if held:
                total.update(held)
                count += 1
            held = line
    try:
        end = json.loads(held)
        whole = (end["end"], end["sha256"]) == (count, total.hexdigest())
    except (ValueError, KeyError, TypeError) as error:
        raise ExportBroken from error
    if not whole:
        raise ExportBroken


def _points(path: Path) -> Iterator[Checkpoint]:
    for value in _values(path):
        if "checkpoint" in value:
            try:
                stored = value["stored"].encode("ascii")
                point = Checkpoint(value["checkpoint"], stored, value["hash"], value["signature"])
            except (ValueError, KeyError, AttributeError) as error:
                raise ExportBroken from error
            yield point
        elif "entry" in value:
            return


def _read_entries(path: Path) -> Iterator[Entry]:
    for value in _values(path):
        if "entry" in value:
            try:
                stored = value["entry"].encode("ascii")
                held = read(stored)
                entry = Entry(
                    stored=stored, hash=value["hash"], **{name: held[name] for name in held if name != "body"}
                )
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ExportBroken from error
            yield entry
