"""The draft of an incident: a call's facts and the last minute of its record, in words, to be copied (features F84)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from broker.domain.call import LegRole
from broker.domain.call_record import Breach, Note
from broker.domain.codec import TYPES, event_from
from broker.domain.policy import policy
from broker.domain.tasks import clock_s
from broker.engine.registry import Entry
from broker.ports import Record
from broker.text import Catalogue

Named = Callable[[str | None], str | None]
"""Gives the name of a member of staff by number."""

_HIDDEN = frozenset({"observation.started", "observation.ended", "leg.progressed", "tier.set"})
_WORDS = {
    "reason": ("pause", "end", "attend"),
    "category": ("breach",),
    "outcome": ("breach_outcome", "attend_outcome"),
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
    told = [record for record in records if since <= record.at <= at and record.type not in _HIDDEN]
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


def _event(record: Record, named: Named, words: Catalogue, zone: ZoneInfo) -> str:
    key = f"incident.event.{record.type}"
    what = words(key) if key in words else record.type
    return f"{_time(record.at, zone)} {_who(record.actor, named)}: {what}{_detail(record, words)}"


def _detail(record: Record, words: Catalogue) -> str:
    """Return the closed codes of an event, worded: a reason, a category, an outcome, a warning."""
    if record.type not in TYPES:
        return ""
    event = event_from(record.type, record.at, record.actor, record.body)
    codes = [
        (name, value) for name in ("warning", "reason", "category", "outcome") if (value := getattr(event, name, None))
    ]
    said = [_word(name, value, words) for name, value in codes if isinstance(value, StrEnum)]
    return f" ({', '.join(said)})" if said else ""


def _word(name: str, value: StrEnum, words: Catalogue) -> str:
    key = next((f"{area}.{value.value}" for area in _WORDS[name] if f"{area}.{value.value}" in words), None)
    return words(key) if key else value.value


def _who(actor: str, named: Named) -> str:
    return named(actor.removeprefix("staff:")) or actor if actor.startswith("staff:") else actor


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M:%S}"
