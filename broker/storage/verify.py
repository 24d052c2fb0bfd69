"""The check of the whole record: every entry, every checkpoint, every anchor (I13, X42).

It opens the database for reading only, reads one state of it, and may run beside the
broker. It finds any edit, deletion, insertion or swap in what a checkpoint covers, in
any column, and any truncation of it; of what is newer than the last checkpoint it finds
all but a rewriting of the very end. How to run it: `verify_database`, or
`python -m broker audit verify`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc
from sqlalchemy.pool import NullPool

from broker.domain.audit import CHECKPOINTS, Checkpoint, Entry, Fault, Head, Tampering, check_checkpoint, check_entries
from broker.ports import LogUnavailable
from broker.storage.anchors import AnchorDamaged, read_anchors
from broker.storage.database import database_url
from broker.storage.keys import PublicKey

_AT_ONCE = 5_000  # rows fetched at once


class _Known:
    """What the checkpoints state: every head of each stream, and which of them stated the last."""

    def __init__(self) -> None:
        self.count = 0
        self.heads: dict[str, dict[int, str]] = {}
        self.stated_by: dict[str, int] = {}

    def add(self, checkpoint: Checkpoint) -> None:
        self.count = checkpoint.number
        for head in checkpoint.heads:
            self.heads.setdefault(head.stream, {})[head.seq] = head.hash
            self.stated_by[head.stream] = checkpoint.number

    def checkpoint_of(self, head: Head) -> int:
        """Return the number of the checkpoint that states `head`, 0 where none does yet."""
        return self.stated_by[head.stream] if head.seq in self.heads.get(head.stream, {}) else 0

    def newer(self, head: Head) -> int:
        """Return how many entries of the stream no checkpoint covers yet."""
        return max(0, head.seq - max(self.heads.get(head.stream, {}), default=0))


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was checked, and the first thing found wrong; `uncovered` entries are newer than any checkpoint."""

    fault: Fault | None
    records: int = 0
    streams: int = 0
    checkpoints: int = 0
    anchors: int = 0
    uncovered: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.fault is None


class _Found(Exception):
    """A fault, on its way to the report."""

    def __init__(self, stream: str, seq: int, code: Tampering) -> None:
        super().__init__(code)
        self.fault = Fault(stream, seq, code)


def verify_database(url: str, public_key: PublicKey, anchors: Path | None = None) -> VerifyReport:
    """Check the record in the database at `url`. Blocking: some seconds for a million entries.

    Args:
        url: As for the broker: `sqlite:///path` or `postgresql://…`.
        public_key: The checkpoints' key, best from a copy kept elsewhere (`audit.pub`).
        anchors: The anchor file, best a copy kept elsewhere; None checks without, and
            then cannot see that the last checkpoints were cut off with what they cover.

    Raises:
        ValueError: The URL names no database of ours.
        LogUnavailable: The database cannot be read, or holds no record.
    """
    engine = read_only(url)
    try:
        anchored = list(_anchored(anchors, public_key))  # before the database: a later checkpoint may lack its anchor
        with engine.begin() as connection:
            return _verify(connection, public_key, anchored)
    except _Found as found:
        return VerifyReport(found.fault)
    except exc.DBAPIError as error:
        raise LogUnavailable(str(error.orig)) from error
    finally:
        engine.dispose()


def _verify(connection: Connection, public_key: PublicKey, anchored: list[Checkpoint]) -> VerifyReport:
    known = _check_checkpoints(connection, public_key, {anchor.number: anchor for anchor in anchored})
    outcome = check_entries(entries_of(connection), known.heads)
    fault = outcome.fault or _heads_fault(connection, outcome.heads, known)
    newer = sum(known.newer(head) for head in outcome.heads.values())
    return VerifyReport(fault, outcome.records, len(outcome.heads), known.count, len(anchored), newer)


def _anchored(path: Path | None, public_key: PublicKey) -> Iterator[Checkpoint]:
    """Yield the anchors, each signed and following from the one before."""
    if path is None:
        return
    previous: Checkpoint | None = None
    try:
        for anchor in read_anchors(path):
            if _is_wrong(previous, anchor, public_key):
                raise _Found(CHECKPOINTS, (previous.number if previous else 0) + 1, Tampering.ANCHOR_BROKEN)
            previous = anchor
            yield anchor
    except AnchorDamaged as damaged:
        raise _Found(CHECKPOINTS, damaged.number, Tampering.ANCHOR_BROKEN) from damaged
    except FileNotFoundError as error:
        raise _Found(CHECKPOINTS, 1, Tampering.ANCHORS_MISSING) from error


def _is_wrong(previous: Checkpoint | None, checkpoint: Checkpoint, public_key: PublicKey) -> bool:
    typed = type(checkpoint.number) is int and type(checkpoint.stored) is bytes
    typed = typed and type(checkpoint.hash) is str and type(checkpoint.signature) is str
    if not typed or not public_key.signed(checkpoint.signature, checkpoint.stored):
        return True
    return check_checkpoint(previous, checkpoint) is not None


def _check_checkpoints(connection: Connection, public_key: PublicKey, anchored: Mapping[int, Checkpoint]) -> _Known:
    """Check the chain of checkpoints against their signatures and the anchors; return what they state."""
    known = _Known()
    previous: Checkpoint | None = None
    for checkpoint in checkpoints_of(connection):
        number = known.count + 1
        if _is_wrong(previous, checkpoint, public_key) or anchored.get(number, checkpoint) != checkpoint:
            raise _Found(CHECKPOINTS, number, Tampering.CHECKPOINT_BROKEN)
        known.add(checkpoint)
        previous = checkpoint
    if max(anchored, default=0) > known.count:
        raise _Found(CHECKPOINTS, known.count + 1, Tampering.CHECKPOINT_MISSING)
    return known


def _heads_fault(connection: Connection, seen: Mapping[str, Head], known: _Known) -> Fault | None:
    """Compare the table of heads with the streams: appends and checkpoints start from it."""
    left = dict(seen)
    for stream, seq, hash, checkpoint in _rows_of(connection, "SELECT stream, seq, hash, checkpoint FROM heads"):
        head = left.pop(stream, None)
        if head is None:
            return Fault(str(stream), 1, Tampering.REMOVED)
        if (seq, hash, checkpoint) != (head.seq, head.hash, known.checkpoint_of(head)):
            return Fault(stream, head.seq, Tampering.HEAD)
    for stream in sorted(left):
        return Fault(stream, left[stream].seq, Tampering.HEAD)
    return None


def checkpoints_of(connection: Connection) -> Iterator[Checkpoint]:
    """Yield the checkpoints as they lie there, in their order."""
    for row in _rows_of(connection, "SELECT number, stored, hash, signature FROM checkpoints ORDER BY number"):
        yield Checkpoint(*row)


def entries_of(connection: Connection) -> Iterator[Entry]:
    """Yield the entries as they lie there, stream by stream, each in its order."""
    columns = "stream, seq, id, type, at, actor, stored, hash"
    for row in _rows_of(connection, f"SELECT {columns} FROM events ORDER BY stream, seq"):
        yield Entry(*row)


def _rows_of(connection: Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows as the driver gives them, few at once: no type of ours may fail on, or mend, what lies there."""
    result = connection.execution_options(stream_results=True).exec_driver_sql(sql)
    for part in result.partitions(_AT_ONCE):
        yield from (tuple(row) for row in part)


def read_only(text: str) -> Engine:
    """Return an engine that can change nothing and makes no file."""
    url = database_url(text)
    if url.get_backend_name() == "postgresql":
        engine = create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
        return engine.execution_options(postgresql_readonly=True)
    file = "file:" + quote(str(Path(str(url.database)).absolute()))
    only = URL.create("sqlite", database=file, query={"mode": "ro", "uri": "true"})
    engine = create_engine(only, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")  # one state of the database, whatever is appended meanwhile

    return engine
