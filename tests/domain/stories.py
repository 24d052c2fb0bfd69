"""Made streams: records as the log would give them, from a call that is driven by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from broker.domain.codec import body_of, name_of
from broker.domain.events import CallScheduled, Event
from tests.domain.support import Scene


@dataclass(frozen=True)
class Rec:
    """A record."""

    stream: str
    seq: int
    type: str
    at: datetime
    actor: str
    body: dict[str, Any]


def stream_of(scene: Scene, first: CallScheduled) -> list[Rec]:
    """Return the records of a scene."""
    events: list[Event] = [first, *scene.history]
    return [
        Rec(f"call:{first.call_id}", n, name_of(event), event.at, event.actor, body_of(event))
        for n, event in enumerate(events, 1)
    ]


def added(records: list[Rec], *more: tuple[str, datetime, str, dict[str, Any]]) -> list[Rec]:
    """Return the stream with more records, put in by their time."""
    stream = records[0].stream
    extra = [Rec(stream, 0, kind, at, actor, body) for kind, at, actor, body in more]
    rows = sorted([*records, *extra], key=lambda rec: rec.at)
    return [replace(rec, seq=n) for n, rec in enumerate(rows, 1)]


def named(first: CallScheduled, call_id: str, **changes: Any) -> CallScheduled:
    """Return a booking under another id."""
    return replace(first, call_id=call_id, **changes)
