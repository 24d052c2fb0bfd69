"""CSV files by line: what is wrong is told by file, line and column, and every fault of a file at once."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Final

MAX_LINES: Final = 50_000
MAX_FIELD_CHARS: Final = 200

Days = tuple[date, date | None]
"""A first day and the last; None: there is no end yet."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line. `code` stands in the catalogue: `cli.import.fault.<code>`, or `refused.<code>`."""

    file: str
    line: int  # 1: the first line, which holds the columns' names
    code: str
    column: str = ""


class LineFault(Exception):
    """A line cannot be taken: `code`, and the column where there is one."""

    def __init__(self, code: str, column: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.column = column


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: its values by column, without spaces around them."""

    file: str
    number: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    def fault(self, code: str, column: str = "") -> Fault:
        """Return a fault of this line."""
        return Fault(self.file, self.number, code, column)

    def need(self, column: str) -> str:
        """Return a value that must be there. Raises LineFault."""
        if not self[column]:
            raise LineFault("missing", column)
        return self[column]

    def matching(self, column: str, pattern: re.Pattern[str]) -> str:
        """Return a value of a given form. Raises LineFault."""
        value = self.need(column)
        if not pattern.fullmatch(value):
            raise LineFault("malformed", column)
        return value

    def date(self, column: str) -> date:
        """Return a date, YYYY-MM-DD. Raises LineFault."""
        try:
            return date.fromisoformat(self.need(column))
        except ValueError:
            raise LineFault("not_a_date", column) from None

    def span(self) -> Days:
        """Return `starts_on` and `ends_on`, which may be empty. Raises LineFault."""
        starts_on = self.date("starts_on")
        ends_on = self.date("ends_on") if self["ends_on"] else None
        if ends_on is not None and ends_on < starts_on:
            raise LineFault("ends_before_start", "ends_on")
        return starts_on, ends_on

    def time(self, column: str) -> time:
        """Return a time of day, HH:MM. Raises LineFault."""
        try:
            return time.fromisoformat(self.matching(column, re.compile(r"\d{2}:\d{2}")))
        except (ValueError, LineFault):
            raise LineFault("not_a_time" if self[column] else "missing", column) from None


def read_lines(file: str, content: bytes, columns: Sequence[str]) -> tuple[list[Line], list[Fault]]:
    """Return the lines of a CSV file (UTF-8, columns named in the first line, in any order) and what is wrong.

    A line that is empty from end to end is skipped; one with a fault is left out of the lines.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [Fault(file, content[: error.start].count(b"\n") + 1, "not_utf8")]
    if "\0" in text:
        return [], [Fault(file, text[: text.index("\0")].count("\n") + 1, "not_text")]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[Line] = []
    faults: list[Fault] = []
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        faults += _header_faults(file, header, columns)
        if faults:
            return [], faults
        at = reader.line_num
        for values in reader:
            started, at = at + 1, reader.line_num
            found = _line(file, started, header, values)
            if isinstance(found, Line):
                lines.append(found)
            elif found is not None:
                faults.append(found)
            if len(lines) > MAX_LINES:
                return [], [Fault(file, started, "too_many_lines")]
    except csv.Error:
        faults.append(Fault(file, max(reader.line_num, 1), "not_csv"))
    return lines, faults


def _header_faults(file: str, header: Sequence[str], columns: Sequence[str]) -> list[Fault]:
    faults = [Fault(file, 1, "column_missing", column) for column in columns if column not in header]
    faults += [Fault(file, 1, "column_unknown", name[:40]) for name in header if name not in columns]
    faults += [Fault(file, 1, "column_twice", name) for name in sorted(set(header)) if header.count(name) > 1]
    return faults


def _line(file: str, number: int, header: Sequence[str], values: Sequence[str]) -> Line | Fault | None:
    stripped = [value.strip() for value in values]
    if not any(stripped):
        return None
    if len(stripped) != len(header):
        return Fault(file, number, "wrong_count")
    for column, value in zip(header, stripped, strict=True):
        if len(value) > MAX_FIELD_CHARS:
            return Fault(file, number, "too_long", column)
        if not value.isprintable():
            return Fault(file, number, "not_text", column)
    return Line(file, number, dict(zip(header, stripped, strict=True)))
