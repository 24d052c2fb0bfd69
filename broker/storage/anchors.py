"""The anchor file: every checkpoint once more, outside of the database, one JSON line each.

Whoever can change the database cannot thereby change this file; ship it elsewhere (a
log server, storage that only appends) and even the owner of the machine cannot.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from broker.domain.audit import Checkpoint, canonical

ANCHOR_FILE = "anchors.jsonl"


class AnchorDamaged(Exception):
    """A line of the anchor file cannot be read; `number` is that of the line, from 1."""

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number} of the anchor file is damaged")
        self.number = number


class Anchors:
    """The file, open for appending."""

    def __init__(self, path: Path) -> None:
        """Create the file where there is none, and drop a last line torn by a crash. Raises OSError, AnchorDamaged."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab+") as file:
            file.seek(0)
            content = file.read()
            file.truncate(content.rfind(b"\n") + 1)
            os.fsync(file.fileno())
        last = 0
        for checkpoint in read_anchors(path):
            last = checkpoint.number
        self.last = last
        """The number of the last checkpoint in the file, 0 where it is empty."""

    def add(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Append checkpoints that the file lacks, durably. Raises OSError."""
        lines = b"".join(_line(checkpoint) for checkpoint in checkpoints)
        with open(self._path, "ab") as file:
            before = file.tell()
            try:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.truncate(self._path, before)
                raise
        self.last = max((checkpoint.number for checkpoint in checkpoints), default=self.last)


def read_anchors(path: Path) -> Iterator[Checkpoint]:
    """Yield the checkpoints in the file; a last line without its end was torn by a crash and is left out.

    Raises:
        OSError: There is no such file.
        AnchorDamaged: A line is not what we wrote.
    """
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            yield _checkpoint(line, number)


def _line(checkpoint: Checkpoint) -> bytes:
    value = {
        "number": checkpoint.number,
        "stored": checkpoint.stored.decode("ascii"),
        "hash": checkpoint.hash,
        "signature": checkpoint.signature,
    }
    return canonical(value) + b"\n"


def _checkpoint(line: bytes, number: int) -> Checkpoint:
    try:
        value = json.loads(line)
        checkpoint = Checkpoint(
            value["number"], value["stored"].encode("ascii"), str(value["hash"]), str(value["signature"])
        )
        if _line(checkpoint) != line:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnchorDamaged(number) from error
    return checkpoint
