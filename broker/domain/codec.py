"""Events to plain JSON and back. The type's name on the record is fixed here."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from broker.domain import events as e
from broker.domain import task_events

NAMES: dict[type[e.Event], str] = {
    e.CallScheduled: "call.scheduled",
    e.LegArrived: "leg.arrived",
    e.LegConsented: "leg.consented",
    e.LegChecked: "leg.checked",
    e.LegProgressed: "leg.progressed",
    e.LegWaiting: "leg.waiting",
    e.LegConnected: "leg.connected",
    e.LegLost: "leg.lost",
    e.LegLeft: "leg.left",
    e.LegVerified: "leg.verified",
    e.LegUnverified: "leg.unverified",
    e.LegRevoked: "leg.revoked",
    e.PeopleBarred: "people.barred",
    e.PeopleUnbarred: "people.unbarred",
    e.HelpAsked: "help.asked",
    e.HelpGiven: "help.given",
    e.CallReady: "call.ready",
    e.CallUnready: "call.unready",
    e.CallStarted: "call.started",
    e.CoverChanged: "cover.changed",
    e.AlarmRaised: "alarm.raised",
    e.AlarmCleared: "alarm.cleared",
    e.HoldPlaced: "hold.placed",
    e.HoldReasoned: "hold.reasoned",
    e.HoldRelabelled: "hold.relabelled",
    e.HoldCleared: "hold.cleared",
    e.ClockStopped: "clock.stopped",
    e.ClockRestarted: "clock.restarted",
    e.LimitChanged: "limit.changed",
    e.TierSet: "tier.set",
    e.KindChanged: "kind.changed",
    e.LookStarted: "look.started",
    e.LookEnded: "look.ended",
    e.LookRefused: "look.refused",
    e.PatrolBegan: "patrol.began",
    e.PatrolEnded: "patrol.ended",
    e.PatrolDue: "patrol.due",
    e.PatrolOverdue: "patrol.overdue",
    e.PatrolLogged: "patrol.logged",
    e.WarningGiven: "warning.given",
    e.WarningDisplayed: "warning.displayed",
    e.ObservationStarted: "observation.started",
    e.ObservationEnded: "observation.ended",
    e.ObservationRecorded: "observation.recorded",
    e.AttentionLooked: "attention.looked",
    e.AttentionOverdue: "attention.overdue",
    e.CallRecovered: "call.recovered",
    e.CallEnded: "call.ended",
    **task_events.NAMES,
}
TYPES = {name: kind for kind, name in NAMES.items()}


def name_of(event: e.Event) -> str:
    """Return the event's name on the record."""
    return NAMES[type(event)]


def body_of(event: e.Event) -> dict[str, Any]:
    """Return the event's own fields as plain JSON; `at` and `actor` are the record's."""
    names = [f.name for f in fields(event) if f.name not in ("at", "actor")]
    return {name.rstrip("_"): _plain(getattr(event, name)) for name in names}  # `from_` is `from` on record


def event_from(name: str, at: datetime, actor: str, body: Mapping[str, Any]) -> e.Event:
    """Return the event of a record.

    Raises:
        KeyError: The name is not one of ours.
    """
    kind = TYPES[name]
    hints = _hints(kind)
    known = {name: _typed(hint, body[key]) for name, hint in hints.items() if (key := name.rstrip("_")) in body}
    return kind(at, actor, **known)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value


_cached_hints = cache(typing.get_type_hints)


def _hints(kind: type) -> dict[str, Any]:
    return _cached_hints(kind)


def _typed(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return None if value is None else _typed(inner[0], value)
    if origin is tuple:
        args = typing.get_args(hint)
        if args[-1] is Ellipsis:
            return tuple(_typed(args[0], item) for item in value)
        return tuple(_typed(arg, item) for arg, item in zip(args, value, strict=True))
    if hint is datetime:
        return datetime.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(**{key: _typed(hints[key], item) for key, item in value.items() if key in hints})
    return value
