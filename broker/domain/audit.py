"""The audit record: canonical bytes, hash chains, checkpoints, and the check that finds tampering.

Design README 6 and reliability.md 4 (Audit), I13. What is hashed is what is stored;
the columns beside it only help queries, and are checked against it. Bytes are ASCII
JSON with sorted keys and no spaces, so that the same entry has one form everywhere
(lone surrogates from a hostile client survive as escapes).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

JSON = Any

GENESIS = "0" * 64
"""What stands for the previous hash before the first entry of a chain."""

CHECKPOINTS = "checkpoints"
"""The name that a fault in the chain of checkpoints carries instead of a stream's."""

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: JSON) -> bytes:
    """Return the one form of `value`. Raises TypeError or ValueError where it is not plain JSON."""
    return _encode(value).encode("ascii")


def text_of(at: datetime) -> str:
    """Return `at` as fixed-width UTC text, which sorts as time does. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """Return the aware UTC instant that `text_of` wrote."""
    return datetime.fromisoformat(text)


def chain(previous: str, stored: bytes) -> str:
    """Return the hash that follows `previous` (hex): SHA-256(previous || stored)."""
    return hashlib.sha256(bytes.fromhex(previous) + stored).hexdigest()


# --- entries ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it lies in storage: its columns, the bytes that were hashed, and the hash."""

    stream: str
    seq: int
    id: str
    type: str
    at: str
    actor: str
    stored: bytes
    hash: str


def seal(
    stream: str, seq: int, previous: str, *, id: str, type: str, at: datetime, actor: str, body: Mapping[str, JSON]
) -> Entry:
    """Return the entry that follows `previous`, the hash of the entry before it.

    Raises:
        TypeError, ValueError: `body` is not plain JSON, or a name cannot be stored everywhere.
    """
    for name in (stream, id, type, actor):
        if not name.isprintable():  # PostgreSQL takes neither NUL nor a lone surrogate in text
            raise ValueError("a name in the record must be printable")
    stored = stored_bytes(stream, seq, id=id, type=type, at=at, actor=actor, body=body)
    return Entry(stream, seq, id, type, text_of(at), actor, stored, chain(previous, stored))


def stored_bytes(
    stream: str, seq: int, *, id: str, type: str, at: datetime, actor: str, body: Mapping[str, JSON]
) -> bytes:
    """Return the bytes of an entry, which are stored and hashed. Raises TypeError, ValueError for no plain JSON."""
    return canonical(
        {"stream": stream, "seq": seq, "id": id, "type": type, "at": text_of(at), "actor": actor, "body": dict(body)}
    )


def read(stored: bytes) -> dict[str, JSON]:
    """Return what the stored bytes hold: stream, seq, id, type, at (text), actor and body."""
    entry: dict[str, JSON] = json.loads(stored)
    return entry


def _well_typed(entry: Entry) -> bool:
    """Say whether each column has its type: SQLite keeps whatever it is given."""
    texts = (entry.stream, entry.id, entry.type, entry.at, entry.actor, entry.hash)
    return type(entry.seq) is int and type(entry.stored) is bytes and all(type(text) is str for text in texts)


def _columns_agree(entry: Entry) -> bool:
    """Say whether the columns are those in the stored bytes, without parsing the body.

    Sorted keys put actor and at before the body and the rest behind it. The match is
    exact because an encoded string never holds a bare quotation mark.
    """
    before = f'{{"actor":{_encode(entry.actor)},"at":{_encode(entry.at)},"body":{{'
    after = (
        f',"id":{_encode(entry.id)},"seq":{entry.seq},"stream":{_encode(entry.stream)},"type":{_encode(entry.type)}}}'
    )
    return entry.stored.startswith(before.encode()) and entry.stored.endswith(after.encode())


# --- checkpoints ------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """The last entry of a stream at some moment."""

    stream: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement of where every stream stood, chained to the one before.

    `heads` are those that moved since that one, so that a checkpoint costs what
    happened and not what ever was; the chain of them gives the head of every stream.
    """

    number: int
    stored: bytes
    hash: str
    signature: str

    @property
    def at(self) -> datetime:
        """When it was made."""
        return instant(json.loads(self.stored)["at"])

    @property
    def heads(self) -> list[Head]:
        """The heads that it states."""
        return [Head(*head) for head in json.loads(self.stored)["heads"]]


def checkpoint_bytes(number: int, at: datetime, previous: str, heads: Sequence[Head]) -> bytes:
    """Return the bytes of a checkpoint: what is hashed and signed."""
    listed = [[head.stream, head.seq, head.hash] for head in sorted(heads)]
    return canonical({"checkpoint": number, "at": text_of(at), "previous": previous, "heads": listed})


# --- verification -----------------------------------------------------------


class Tampering(StrEnum):
    """What is wrong with the first bad entry."""

    EDITED = "edited"  # a column differs from the stored bytes
    BROKEN = "broken"  # the hash does not follow from the entry before and the stored bytes
    GAP = "gap"  # an entry is missing, doubled or out of place
    TRUNCATED = "truncated"  # a checkpoint knows a later entry of this stream
    REMOVED = "removed"  # a checkpoint knows this stream, and it is gone
    REWRITTEN = "rewritten"  # the chain is whole, but a checkpoint saw another
    HEAD = "head"  # the table of heads disagrees with the stream
    CHECKPOINT_BROKEN = "checkpoint_broken"  # edited, missing, doubled, or signed by another key
    CHECKPOINT_MISSING = "checkpoint_missing"  # an anchor knows it, the database does not
    ANCHOR_BROKEN = "anchor_broken"  # a line of the anchor file is damaged or not ours
    ANCHORS_MISSING = "anchors_missing"  # there is no anchor file where one should be


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad entry: its stream (or `CHECKPOINTS`), its number there, and what is wrong."""

    stream: str
    seq: int
    code: Tampering


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check of entries found; `heads` are those of the streams read."""

    fault: Fault | None
    records: int
    heads: Mapping[str, Head]


def follow(previous: Head | None, entry: Entry) -> Tampering | None:
    """Return what is wrong with `entry` where it comes after `previous` in its stream."""
    after, sofar = (previous.seq, previous.hash) if previous else (0, GENESIS)
    if not _well_typed(entry):
        return Tampering.EDITED
    if entry.seq != after + 1:
        return Tampering.GAP
    if chain(sofar, entry.stored) != entry.hash:
        return Tampering.BROKEN
    if not _columns_agree(entry):
        return Tampering.EDITED
    return None


def check_entries(entries: Iterable[Entry], known: Mapping[str, Mapping[int, str]]) -> Outcome:
    """Check every entry, and what checkpoints `known` of them (stream → seq → hash).

    Args:
        entries: Grouped by stream, each stream ordered by seq; read once, never held.
        known: Every head that a checkpoint ever stated. Earlier ones count too: a chain
            rewritten between two checkpoints agrees with the later one alone.
    """
    heads: dict[str, Head] = {}
    records = 0
    stated: Mapping[int, str] = {}
    name: str | None = None
    for entry in entries:
        if entry.stream != name:
            name, stated = entry.stream, known.get(entry.stream, {})
        code = follow(heads.get(entry.stream), entry)
        if code is None and stated.get(entry.seq, entry.hash) != entry.hash:
            code = Tampering.REWRITTEN
        if code is not None:
            before = heads.get(entry.stream)
            return Outcome(Fault(entry.stream, before.seq + 1 if before else 1, code), records, heads)
        heads[entry.stream] = Head(entry.stream, entry.seq, entry.hash)
        records += 1
    return Outcome(_what_is_missing(heads, known), records, heads)


def _what_is_missing(heads: Mapping[str, Head], known: Mapping[str, Mapping[int, str]]) -> Fault | None:
    for stream in sorted(known):
        last = max(known[stream], default=0)
        if stream not in heads:
            return Fault(stream, 1, Tampering.REMOVED)
        if heads[stream].seq < last:
            return Fault(stream, heads[stream].seq + 1, Tampering.TRUNCATED)
    return None


def check_checkpoint(previous: Checkpoint | None, checkpoint: Checkpoint) -> Tampering | None:
    """Return what is wrong with `checkpoint` after `previous`.

    Its signature is the caller's to check, and first: what is read here is only safe to read signed.
    """
    number, sofar = (previous.number + 1, previous.hash) if previous else (1, GENESIS)
    wrong = Tampering.CHECKPOINT_BROKEN
    if checkpoint.number != number or chain(sofar, checkpoint.stored) != checkpoint.hash:
        return wrong
    stated = json.loads(checkpoint.stored)
    if stated["checkpoint"] != number or stated["previous"] != sofar:
        return wrong
    return None
