"""The journal: where a restrictive event waits, fsynced, while the log cannot take it.

One file of lines, `CRC JSON`. It reserves its space beforehand, so that the disk which
is full for the log is not yet full for a pause (reliability.md X13). The unused rest is
zeros: reading stops at the first. A line torn by a crash was never acknowledged.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from broker.domain import audit
from broker.ports import NewEvent

RESERVED_BYTES = 1 << 20
"""Space held in advance: some 3,000 pauses."""


class FileJournal:
    """A `Journal` in one file, held by one process at a time."""

    def __init__(self, path: Path, *, reserve_bytes: int = RESERVED_BYTES) -> None:
        """Open or create the journal, and drop a torn last line.

        Raises:
            OSError: It cannot be opened, or another process holds it (BlockingIOError).
        """
        self._reserve_bytes = reserve_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._reserve(path)
            self._waiting, self._end, self.damaged = _parse(self._content())
            if self.damaged:
                _keep_copy(path, self._content())
            self._wipe(self._end)
        except BaseException:
            os.close(self._file)
            raise

    def put(self, stream: str, events: Sequence[NewEvent]) -> None:
        """Write one entry and fsync it. Raises OSError where even that fails; then nothing is kept."""
        self._write({"stream": stream, "events": [_plain(event) for event in events]})
        self._waiting.append((stream, list(events)))

    def waiting(self) -> list[tuple[str, list[NewEvent]]]:
        """Return what has not reached the log, oldest first."""
        return list(self._waiting)

    def taken(self, count: int) -> None:
        """Forget the `count` oldest entries, durably. Raises OSError.

        After a crash in the midst of it, entries may come back: the log knows their ids.
        """
        if count <= 0:
            return
        if count >= len(self._waiting):
            self._wipe(0)
            self._end = 0
        else:
            self._write({"taken": count})
        del self._waiting[:count]

    def close(self) -> None:
        """Close the file and let go of it."""
        os.close(self._file)

    def _reserve(self, path: Path) -> None:
        size = os.fstat(self._file).st_size
        with contextlib.suppress(OSError):  # no room to reserve: then it takes what it finds
            os.posix_fallocate(self._file, 0, max(self._reserve_bytes, size))
        os.fsync(self._file)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)  # the file's name is durable too
        finally:
            os.close(directory)

    def _content(self) -> bytes:
        return os.pread(self._file, os.fstat(self._file).st_size, 0)

    def _write(self, value: dict[str, Any]) -> None:
        line = _line(value)
        try:
            self._write_at(self._end, line)
        except OSError:
            with contextlib.suppress(OSError):
                self._wipe(self._end)  # what half arrived is no entry
            raise
        self._end += len(line)

    def _write_at(self, offset: int, data: bytes) -> None:
        while data:
            written = os.pwrite(self._file, data, offset)
            offset, data = offset + written, data[written:]
        os.fsync(self._file)

    def _wipe(self, start: int) -> None:
        """Make everything from `start` zeros, and durable."""
        size = os.fstat(self._file).st_size
        used = os.pread(self._file, size, start).rstrip(b"\0")
        if used:
            self._write_at(start, bytes(len(used)))


def _plain(event: NewEvent) -> dict[str, Any]:
    at = audit.text_of(event.at)
    return {"id": event.id, "type": event.type, "at": at, "actor": event.actor, "body": dict(event.body)}


def _event(plain: dict[str, Any]) -> NewEvent:
    return NewEvent(plain["id"], plain["type"], audit.instant(plain["at"]), plain["actor"], plain["body"])


def _line(value: dict[str, Any]) -> bytes:
    text = audit.canonical(value)
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _read_line(line: bytes) -> dict[str, Any] | None:
    """Return what the line holds, None where it is damaged."""
    crc, _, text = line.partition(b" ")
    if crc != b"%08x" % zlib.crc32(text):
        return None
    value: dict[str, Any] = json.loads(text)
    return value


def _parse(content: bytes) -> tuple[list[tuple[str, list[NewEvent]]], int, int]:
    """Return what waits, where the last whole line ends, and how many lines before it are damaged."""
    used = content.partition(b"\0")[0]
    waiting: list[tuple[str, list[NewEvent]]] = []
    end = position = damaged = suspect = 0
    for line in used.splitlines(keepends=True):
        position += len(line)
        value = _read_line(line[:-1]) if line.endswith(b"\n") else None
        if value is None:
            suspect += 1  # a torn end, unless a whole line follows
            continue
        end, damaged, suspect = position, damaged + suspect, 0
        if "taken" in value:
            del waiting[: value["taken"]]
        else:
            waiting.append((value["stream"], [_event(plain) for plain in value["events"]]))
    return waiting, end, damaged


def _keep_copy(path: Path, content: bytes) -> None:
    """Keep a damaged journal beside the new one, for a person to read."""
    copy = path.with_name(path.name + ".damaged")
    copy.write_bytes(content.rstrip(b"\0"))
    copy.chmod(0o600)
