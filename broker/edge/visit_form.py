"""The form of a new visit: what the clerk wrote, read with every fault at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from broker.domain.bookings import is_adult
from broker.domain.codes import Code
from broker.domain.kinds import offered
from broker.domain.records import Contact, Hall, Seat
from broker.edge.forms import FieldFault, Form, known_day
from broker.engine.visits import Request

LENGTHS = (30, 60)
"""The lengths that the form offers, in minutes (domain.md 7.11); an import may hold others."""

FIELD_OF: dict[Code, str] = {
    Code.KIND_NOT_OFFERED: "kind",
    Code.BAD_TIMES: "date",
    Code.HALL_CLOSED: "start",
    Code.UNKNOWN_PRISONER: "prisoner",
    Code.PRISONER_BOOKED: "start",
    Code.UNKNOWN_SEAT: "seat",
    Code.SEAT_OUT_OF_USE: "seat",
    Code.SEAT_BOOKED: "seat",
}
"""Where a rule's refusal is shown; what stands here not is about the visitors."""


@dataclass(frozen=True, slots=True)
class SeatChoice:
    """A seat that may be booked, with its hall."""

    seat: Seat
    hall: Hall


@dataclass(slots=True)
class VisitForm:
    """The fields as text, and what they mean where they mean something."""

    prisoner: str = ""
    seat: str = ""
    date: str = ""
    start: str = ""
    length: str = str(LENGTHS[0])
    kind: str = "social"
    main: str = ""
    others: tuple[str, ...] = ()
    people: list[Contact] = field(default_factory=list)  # the prisoner's list, once it was asked for
    faults: list[FieldFault] = field(default_factory=list)

    @classmethod
    def of(cls, form: Form) -> VisitForm:
        """Return what was posted."""
        return cls(
            form["prisoner"].upper().replace(" ", ""),
            form["seat"],
            form["date"],
            form["start"],
            form["length"],
            form["kind"],
            form["main"],
            tuple(filter(None, form.all("others"))),
        )

    def fault(self, name: str, key: str) -> None:
        """Note a fault of a field."""
        self.faults.append(FieldFault(name, key))

    def adults(self) -> list[Contact]:
        """Return who of the list may be the main caller on that day; everybody while the day is not known."""
        day = known_day(self.date)
        return [contact for contact in self.people if day is None or is_adult(contact, day)]

    def request(self, seats: Sequence[SeatChoice], zone: ZoneInfo) -> Request | None:
        """Return the booking that is asked for, or None after noting every fault."""
        choice = next((found for found in seats if found.seat.id == self.seat), None)
        if not self.prisoner:
            self.fault("prisoner", "staff.new.prisoner_missing")
        if choice is None:
            self.fault("seat", "staff.new.seat_missing")
        day, start = known_day(self.date), _time(self.start)
        if day is None:
            self.fault("date", "staff.new.date_wrong")
        if start is None:
            self.fault("start", "staff.new.start_wrong")
        if self.length not in map(str, LENGTHS):
            self.fault("length", "staff.new.length_missing")
        if self.kind not in {kind.code for kind in offered()}:
            self.fault("kind", "refused.kind_not_offered")
        if self.people and not self.main:
            self.fault("main", "staff.new.main_missing")
        if self.faults or choice is None or day is None or start is None:
            return None
        starts_at = datetime.combine(day, start, zone)
        people = tuple(dict.fromkeys((self.main, *self.others)))
        return Request(
            choice.seat.establishment,
            self.kind,
            self.prisoner,
            people,
            choice.hall.id,
            choice.seat.id,
            starts_at,
            starts_at + timedelta(minutes=int(self.length)),
        )


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if len(text) == 5 else None
    except ValueError:
        return None
