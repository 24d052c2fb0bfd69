"""The draft of an incident: a call's facts and the last minute of its record, in words, to be copied (features F84)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from broker.domain.call import LegRole
from broker.domain.call_record import Breach, Note
from broker.domain.codec import event_from
from broker.domain.codes import (
    AttendOutcome,
    AttendReason,
    BreachCategory,
    BreachOutcome,
    EndReason,
    IdentityReason,
    Outcome,
    PauseReason,
    Warning,
)
from broker.domain.policy import policy
from broker.domain.tasks import clock_s
from broker.engine.registry import Entry
from broker.ports import Record
from broker.text import Catalogue

Named = Callable[[str | None], str | None]
"""Gives the name of a member of staff by number."""

WORDS: Final[Mapping[type[StrEnum], str]] = {  # the area of the catalogue that has a code's words
    Warning: "warning",
    PauseReason: "pause",
    EndReason: "end",
    IdentityReason: "identity",
    Outcome: "outcome",
    BreachCategory: "breach",
    BreachOutcome: "breach_outcome",
    AttendReason: "attend",
    AttendOutcome: "attend_outcome",
}


def moment(entry: Entry, now: datetime) -> datetime:
    """Return what the draft is about: the newest breach that stands, else the call's end, else now."""
    call = entry.actor.call
    breaches = [one.at for one in call.record.entries if isinstance(one, Breach) and not one.withdrawn]
    return max(breaches, default=call.ended_at or now)


def draft(
    entry: Entry, records: Sequence[Record], named: Named, words: Catalogue, zone: ZoneInfo, now: datetime
) -> str:
    """Return the draft as plain text, one fact a line. `records` is the call's whole stream."""
    at = moment(entry, now)
    since = at - timedelta(seconds=policy(entry.actor.call.policy_version).incident_looks_back_s)
    told = [record for record in records if since <= record.at <= at and _key(record) in words]
    lines = [words("incident.marking"), words("incident.title"), "", *_facts(entry, named, words, zone, at)]
    lines += ["", words("incident.record"), *_written(entry, named, words, zone)]
    lines += ["", words("incident.events", since=_time(since, zone), until=_time(at, zone))]
    lines += [_event(record, named, words, zone) for record in told] or [words("incident.nothing")]
    return "\n".join([*lines, "", words("incident.yours"), ""])


def _facts(entry: Entry, named: Named, words: Catalogue, zone: ZoneInfo, at: datetime) -> Iterable[str]:
    call, facts = entry.actor.call, entry.facts
    outside = [person for leg in call.legs if leg.role is not LegRole.PRISONER for person in leg.people]
    values = {
        "call": call.id,
        "when": f"{at.astimezone(zone):%d/%m/%Y %H:%M:%S}",
        "place": f"{facts.establishment.name}, {facts.hall.name}, {words('monitor.seat', seat=facts.seat.number)}",
        "prisoner": f"{facts.prisoner.number} {facts.name(facts.prisoner.number)}",
        "family": ", ".join(facts.name(person) for person in outside),
        "kind": words(f"kind.{call.kind}"),
        "clock": str(clock_s(call, at)) if call.started_at else "-",
        "monitor": named(call.monitor) or "-",
        "supervisor": named(call.supervisor) or "-",
        "outcome": words(f"outcome.{call.outcome.value}") if call.outcome else "-",
    }
    return [f"{words(f'incident.fact.{name}')}: {value}" for name, value in values.items()]


def _written(entry: Entry, named: Named, words: Catalogue, zone: ZoneInfo) -> list[str]:
    found = []
    for one in entry.actor.call.record.entries:
        who = f"{_time(one.at, zone)} {_who(one.by, named)}"
        if isinstance(one, Breach) and not one.withdrawn:
            what = f"{words(f'breach.{one.category.value}')}. {words(f'breach_outcome.{one.outcome.value}')}"
            found.append(f"{who}: {what} {one.text}".rstrip())
        elif isinstance(one, Note):
            found.append(f"{who}: {words(f'note.{one.code.value}')}: {one.text}")
    return found or [words("incident.nothing")]


def _key(record: Record) -> str:
    """Return the key of an event's words; an event that has none says nothing to a reader of the draft."""
    return f"incident.event.{record.type}"


def _event(record: Record, named: Named, words: Catalogue, zone: ZoneInfo) -> str:
    return f"{_time(record.at, zone)} {_who(record.actor, named)}: {words(_key(record))}{_detail(record, words)}"


def _detail(record: Record, words: Catalogue) -> str:
    """Return the closed codes of an event, worded: a reason, a category, an outcome, a warning."""
    event = event_from(record.type, record.at, record.actor, record.body)
    codes = [getattr(event, name, None) for name in ("warning", "reason", "category", "identity", "outcome")]
    said = [words(f"{WORDS[type(code)]}.{code}") for code in codes if isinstance(code, StrEnum)]
    return f" ({', '.join(said)})" if said else ""


def _who(actor: str, named: Named) -> str:
    return named(actor.removeprefix("staff:")) or actor if actor.startswith("staff:") else actor


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M:%S}"
