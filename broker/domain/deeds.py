"""What the person at the monitoring post did, act by act, as the record tells it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from broker.domain.codes import AlertOutcome, Outcome, Post
from broker.domain.story import Recorded, staff_of

INTERVENTIONS: Final = frozenset({"warn", "pause", "end", "refuse", "attend"})
"""Acts that callers or the hall feel: without a cause each is a false alarm."""

VERBS: Final = (
    "admit",
    "refuse",
    "warn",
    "pause",
    "end",
    "attend",
    "ack",
    "clear",
    "dismiss",
    "focus",
    "say",
    "note",
    "bookmark",
    "breach",
)
"""Every verb; catalogue key `training.act.<verb>`. `clear`: an alert, as dealt with; `dismiss`: as a false alarm."""


@dataclass(frozen=True, slots=True)
class Deed:
    """An act at a call: its verb, what of (a code: which warning, why, which alert), and whose."""

    at: datetime
    call_id: str
    verb: str
    detail: str | None
    number: str | None

    @property
    def key(self) -> str:
        """The verb, with its detail where there is one."""
        return f"{self.verb}.{self.detail}" if self.detail else self.verb

    def is_one_of(self, keys: Iterable[str]) -> bool:
        """Say whether it is any of `keys`, each a verb or `verb.detail`."""
        return any(key in (self.verb, self.key) for key in keys)


def deeds(streams: Iterable[Sequence[Recorded]]) -> list[Deed]:
    """Return the acts of the monitoring post in these streams, by time. A pause that was undone is none."""
    found: list[Deed] = []
    for records in streams:
        if records and records[0].stream.startswith("call:"):
            found += _of_call(records[0].stream.removeprefix("call:"), records)
        else:
            found += _of_alerts(records)
    return sorted(found, key=lambda deed: (deed.at, deed.call_id, deed.verb))


def _of_call(call_id: str, records: Sequence[Recorded]) -> Iterable[Deed]:
    found: dict[str, Deed] = {}  # by the hold, or by the record's number
    for record in records:
        body: Mapping[str, Any] = record.body
        hold_id = str(body.get("hold_id", ""))
        if record.type == "hold.reasoned" and hold_id in found:
            found[hold_id] = replace(found[hold_id], detail=str(body["reason"]))
        elif record.type == "hold.cleared" and body.get("undone"):
            found.pop(hold_id, None)
        elif (told := _told(record)) is not None:
            verb, detail = told
            number = staff_of(record.actor) or body.get("number")
            found[hold_id or str(record.seq)] = Deed(record.at, call_id, verb, detail, number)
    return found.values()


def _told(record: Recorded) -> tuple[str, str | None] | None:
    """Return the verb and the detail of a record that is an act of the monitoring post."""
    body: Mapping[str, Any] = record.body
    monitors = Post.MONITOR in (body.get("post"), body.get("by_post"))
    match record.type:
        case "warning.given":
            return "warn", str(body["warning"])
        case "hold.placed" if monitors and body.get("by"):
            return "pause", None
        case "call.ended" if monitors:
            refused = body.get("outcome") == Outcome.VISITOR_FAILED_SECURITY_CHECKS
            return ("refuse", None) if refused else ("end", body.get("reason"))
        case "leg.verified" if monitors:
            return "admit", None
        case "attend.requested":
            return "attend", str(body["reason"])
        case "observation.started" if body.get("focus"):
            return "focus", None
        case "line.said" if monitors:
            return "say", None
        case "note.added":
            return "note", str(body["code"])
        case "bookmark.added":
            return "bookmark", None
        case "breach.recorded":
            return "breach", str(body["category"])
        case _:
            return None


def _of_alerts(records: Sequence[Recorded]) -> list[Deed]:
    """Return who took and who closed which alert about a call."""
    raised: dict[str, tuple[str, str]] = {}  # alert -> its call and its code
    found: list[Deed] = []
    for record in records:
        body: Mapping[str, Any] = record.body
        if record.type == "alert.raised" and body.get("call_id") and body.get("post") != Post.SUPERVISOR:
            raised[body["id"]] = (str(body["call_id"]), str(body["code"]))
        elif record.type == "alert.acknowledged" and body["id"] in raised:
            call_id, code = raised[body["id"]]
            found.append(Deed(record.at, call_id, "ack", code, body["number"]))
        elif record.type == "alert.cleared" and body.get("number") and body["id"] in raised:
            call_id, code = raised[body["id"]]
            verb = "dismiss" if body["outcome"] == AlertOutcome.NO_ISSUE else "clear"
            found.append(Deed(record.at, call_id, verb, code, body["number"]))
    return found
