"""What a staff page is told of its calls' records and warnings: each entry once, and again when it has changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from broker.domain.call import Call
from broker.domain.call_record import Attend, Bookmark, Breach, Check, Entry, Line, Note
from broker.domain.codes import Post
from broker.domain.given import Given
from broker.domain.policy import Policy, policy
from broker.domain.receipts import is_for
from broker.edge.presenter import Presenter
from broker.engine.registry import Entry as OpenCall
from broker.protocol.tasks import MOST_ENTRIES, CheckedPart, ReceiptPart, RecordMessage, RecordPart, WarningState

_OF_THE_HALL = (Attend, Line)  # what the monitoring post observes is its own


class RecordBoard:
    """Of one socket. Times that say until when something may be done come from the call's own policy."""

    def __init__(self, presenter: Presenter) -> None:
        self._presenter = presenter
        self._told: dict[tuple[str, str], Entry] = {}

    def forget(self) -> None:
        """The page is told everything anew."""
        self._told.clear()

    def news(self, open_call: OpenCall, post: Post) -> Iterator[RecordMessage]:
        """Yield what this page has not been told as it stands, many entries to a message: a wall has many calls."""
        call = open_call.actor.call
        fresh: list[RecordPart] = []
        for entry in call.record.entries:
            if post is not Post.MONITOR and not isinstance(entry, _OF_THE_HALL):
                continue
            if self._told.get((call.id, entry.id)) != entry:
                self._told[call.id, entry.id] = entry
                fresh.append(self._part(open_call, entry))
        for first in range(0, len(fresh), MOST_ENTRIES):
            yield RecordMessage(call_id=call.id, entries=fresh[first : first + MOST_ENTRIES])

    def _part(self, open_call: OpenCall, entry: Entry) -> RecordPart:
        rules = policy(open_call.actor.call.policy_version)
        by = self._name(entry.by) or ""
        match entry:
            case Note(code=code, text=text):
                return RecordPart(
                    id=entry.id, kind="note", at=entry.at, by=by, clock_s=entry.clock_s, code=code.value, text=text
                )
            case Bookmark():
                return RecordPart(id=entry.id, kind="bookmark", at=entry.at, by=by, clock_s=entry.clock_s)
            case Breach():
                return _breach(entry, by, rules)
            case Check():
                return self._check(open_call, entry, by)
            case Attend():
                return self._attend(entry, by, rules)
            case Line(post=post, text=text):
                return RecordPart(id=entry.id, kind="line", at=entry.at, by=by, post=post, text=text)

    def _check(self, open_call: OpenCall, check: Check, by: str) -> RecordPart:
        name = open_call.facts.name
        people = [CheckedPart(name=name(one.id), document=one.document) for one in check.people if one.document]
        absent = [name(person) for person in check.absent]
        return RecordPart(id=check.id, kind="identity", at=check.at, by=by, people=people, absent=absent)

    def _attend(self, attend: Attend, by: str, rules: Policy) -> RecordPart:
        return RecordPart(
            id=attend.id,
            kind="attend",
            at=attend.at,
            by=by,
            code=attend.reason.value,
            text=attend.text,
            until=attend.at + timedelta(seconds=rules.attend_ack_s),
            acknowledged_at=attend.acknowledged_at,
            acknowledged_by=self._name(attend.acknowledged_by),
            escalated_at=attend.escalated_at,
            closed_at=attend.closed_at,
            closed_by=self._name(attend.closed_by),
            outcome=attend.outcome.value if attend.outcome else None,
        )

    def _name(self, actor: str | None) -> str | None:
        return self._presenter.name_of(actor.removeprefix("staff:")) if actor else None


def _breach(breach: Breach, by: str, rules: Policy) -> RecordPart:
    return RecordPart(
        id=breach.id,
        kind="breach",
        at=breach.at,
        by=by,
        clock_s=breach.clock_s,
        code=breach.category.value,
        outcome=breach.outcome.value,
        text=breach.text,
        withdrawn=breach.withdrawn,
        until=breach.at + timedelta(seconds=rules.breach_withdraw_s),
    )


def warning_state(call: Call, given: Given) -> WarningState:
    """Return how far a warning has come at each leg that it is for."""
    told = {"call_id": call.id, "warning_id": given.id, "warning": given.warning, "at": given.at}
    legs = [_receipt(given, leg.id) for leg in call.legs if is_for(given, leg)]
    return WarningState.model_validate({**told, "shown_by": given.shown_by, "legs": legs})


def _receipt(given: Given, leg_id: str) -> ReceiptPart:
    shown: datetime | None = dict(given.shown).get(leg_id)
    after_s = (shown - given.at).total_seconds() if shown else None
    missed = leg_id in given.missed_by
    state: Literal["waiting", "shown", "late", "missed"] = "missed" if missed else "waiting"
    if shown is not None:
        state = "late" if missed else "shown"
    return ReceiptPart(leg_id=leg_id, state=state, after_s=after_s)
