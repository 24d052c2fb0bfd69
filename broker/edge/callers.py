"""What a caller's page is told of its call: plain words, first names, and nothing of staff (features F16, F17, F19)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from broker.domain.call import Call, Hold, Leg, LegRole, Phase
from broker.domain.codes import HoldKind, Outcome, PauseReason
from broker.domain.gate import effective_end
from broker.domain.kinds import KINDS
from broker.domain.policy import policy
from broker.domain.records import Contact, Restriction
from broker.edge.privileged import for_callers
from broker.engine.chairs import FamilyChair
from broker.engine.registry import Entry
from broker.protocol.callers import SuspensionPart
from broker.protocol.server import (
    AttendeePart,
    LinePart,
    LineWant,
    MediaLines,
    NoticePart,
    OtherPart,
    VisitMessage,
    WaitPart,
)

Screen = Literal["none", "notice", "check", "lobby", "call", "paused", "ended"]
Pause = Literal["staff", "fault", "you", "other_end", "no_officer"]
End = Literal["time", "staff", "you", "other_end", "fault", "not_started", "cancelled", "identity"]

STAFF_HOLDS = frozenset({HoldKind.SECURITY, HoldKind.INCIDENT, HoldKind.STOOD_DOWN})
NO_OFFICER = frozenset({HoldKind.UNMONITORED, HoldKind.UNSUPERVISED, HoldKind.UNWATCHED})
FAULTS = frozenset({HoldKind.TECHNICAL, HoldKind.RECOVERED})


def visit_message(entry: Entry, leg: Leg, missing: list[str], now: datetime) -> VisitMessage:
    """Return the call as the caller at `leg` may see it. `missing` is what its start waits for (settle.missing)."""
    call = entry.actor.call
    screen = screen_of(call, leg)
    hold = worst_hold(call, leg) if screen == "paused" else None
    end = end_word(call, leg) if screen == "ended" else None
    staff_ended = screen == "ended" and call.outcome is Outcome.TERMINATED_BY_STAFF
    return VisitMessage(
        now=now,
        call_id=call.id,
        leg_id=leg.id,
        screen=screen,
        kind=call.kind,
        privileged=for_callers(call),
        people=_people(entry, leg),
        others=_others(entry, leg),
        notice=notice_of(call),
        starts_at=call.starts_at,
        ends_at=effective_end(call, now),
        started=call.started_at is not None,
        waiting=waiting_for(call, leg, missing) if screen == "lobby" else [],
        late_min=_late_min(call, now),
        pause=pause_word(call, leg, hold) if hold else None,
        pause_reason=_reason(hold),
        clock_runs=call.clock_stopped_at is None,
        returned_s=call.credited_s,
        rebook_s=call.rebook_s,
        end=end,
        hand=leg.raised,
        end_reason=call.end_reason if staff_ended else None,
        identity=call.identity if end == "identity" else None,
        synthetic=call.synthetic,
    )


def nothing(now: datetime) -> VisitMessage:
    """Return what a laptop shows while no call of its seat is open."""
    return VisitMessage(now=now, call_id=None, screen="none")


def over(call_id: str, leg_id: str, now: datetime) -> VisitMessage:
    """Return what a page shows whose call is over for so long that the node holds it no more."""
    return VisitMessage(now=now, call_id=call_id, leg_id=leg_id, screen="ended", started=True, end="time")


def suspended(chair: FamilyChair, found: Sequence[tuple[Contact, Restriction]], now: datetime) -> VisitMessage:
    """Return what a family's page shows while somebody of the visit is suspended: why, to that person's page alone."""
    own = next((pair for pair in found if pair[0].id == chair.link.contact_id), None)
    person, row = own or found[0]
    part = SuspensionPart(name=person.first_name, until=row.ends_on or date.max)
    if own is not None:
        part = part.model_copy(update={"reason": row.reason, "appeal": row.appeal})
    ids = {"call_id": chair.call_id, "leg_id": chair.leg_id}
    return VisitMessage(now=now, **ids, screen="ended", end="suspended", suspension=part)


def notice_of(call: Call) -> NoticePart:
    """Return the notice to accept: its text follows from the kind, the version and whether it is recorded."""
    version = policy(call.policy_version).notice_version
    return NoticePart(version=version, kind=call.kind, recorded=KINDS[call.kind].recorded)


def screen_of(call: Call, leg: Leg) -> Screen:
    """Return what the page of this leg shows. Consent and check are remembered by the leg, so a reload skips them."""
    if call.phase is Phase.ENDED or leg.left or leg.revoked:
        return "ended"
    if leg.needs_consent and leg.consented is None:
        return "notice"
    if not leg.checked:
        return "check"
    if call.holds and (call.phase is Phase.LIVE or leg.waiting):
        return "paused"
    return "call" if call.phase is Phase.LIVE else "lobby"


def worst_hold(call: Call, leg: Leg) -> Hold | None:
    """Return the hold that the page speaks of: a decision of staff first, then what the caller can mend."""
    order = [STAFF_HOLDS, frozenset({HoldKind.INTERRUPTED}) if _lost(call, leg) else frozenset(), NO_OFFICER, FAULTS]
    for kinds in order:
        found = next((hold for hold in call.holds if hold.kind in kinds), None)
        if found is not None:
            return found
    return call.holds[0] if call.holds else None


def _lost(call: Call, leg: Leg) -> bool:
    return call.phase is Phase.LIVE and not leg.connected


def pause_word(call: Call, leg: Leg, hold: Hold) -> Pause:
    """Return why media is held, in the one word that a caller is told (README 11: a fault is never a sanction)."""
    if hold.kind in STAFF_HOLDS:
        return "staff"
    if hold.kind in NO_OFFICER:
        return "no_officer"
    if hold.kind in FAULTS:
        return "fault"
    return "you" if _lost(call, leg) else "other_end"


def _reason(hold: Hold | None) -> PauseReason | None:
    return hold.reason if hold is not None and hold.kind in STAFF_HOLDS else None


def end_word(call: Call, leg: Leg) -> End | None:
    """Return why the call ended for this caller, in one word; None where their link was withdrawn and it goes on."""
    if call.phase is not Phase.ENDED:
        return "you" if leg.left else None
    mine = call.ended_by_leg == leg.id
    match call.outcome:
        case None | Outcome.COMPLETED_NORMALLY:
            return "time"
        case Outcome.TERMINATED_BY_STAFF:
            return "staff"
        case Outcome.TECHNICAL_FAILURE:
            return "fault"
        case Outcome.VISITOR_FAILED_SECURITY_CHECKS | Outcome.PRISONER_REFUSED_TO_ATTEND:
            return "identity" if mine else "not_started"  # the other end learns nothing of it
        case Outcome.VISITOR_DID_NOT_ARRIVE:
            return "not_started"
        case Outcome.ESTABLISHMENT_CANCELLED:
            early = call.ended_at is not None and call.ended_at < call.ends_at
            return "cancelled" if early else "not_started"
        case _:
            return "you" if mine else "other_end"


def waiting_for(call: Call, leg: Leg, missing: list[str]) -> list[WaitPart]:
    """Return whom the lobby waits for, without names of staff: the caller, the other end, the officer, the hall."""
    here = leg.present and leg.connected
    rows = [WaitPart(who="you", ready=here, detail=None if here else "connecting")]
    full = "capacity" in missing
    if leg.role is LegRole.PRISONER:
        rows.append(WaitPart(who="family", ready=not {"family", "identity"} & set(missing), detail=None))
        seat = "seat" if "seat" in missing else None
        hall = WaitPart(who="hall", ready=not {"supervisor", "seat"} & set(missing), detail=seat)
        watched = "monitor" not in missing and not full
        rows += [WaitPart(who="officer", ready=watched, detail="capacity" if full else None), hall]
    else:
        rows.append(_prisoner_row(missing))
        checking = "identity" if "identity" in missing and "monitor" not in missing else None
        detail = "capacity" if full and checking is None else checking
        officer = WaitPart(who="officer", ready=not {"monitor", "identity", "capacity"} & set(missing), detail=detail)
        rows += [officer, WaitPart(who="hall", ready="supervisor" not in missing)]
    return rows


def _prisoner_row(missing: list[str]) -> WaitPart:
    if "prisoner" in missing:
        return WaitPart(who="prisoner", ready=False)
    return WaitPart(who="prisoner", ready="seat" not in missing, detail="seat" if "seat" in missing else None)


def lines_wanted(call: Call) -> LineWant:
    """Return how many receive lines a leg offers: one of each kind for every other leg."""
    others = max(1, len(call.legs) - 1)
    return LineWant(audio=others, video=others)


def lines_of(call: Call, leg: Leg) -> MediaLines:
    """Return what a leg's receive lines carry: line i the i-th other leg, in the order of the call (gate.plan_for)."""
    others = [other for other in call.legs if other.id != leg.id]
    return MediaLines(
        lines=[
            LinePart(kind=kind.value, index=index, call_id=call.id, leg_id=other.id)
            for index, other in enumerate(others)
            if not other.left
            for kind in sorted(other.sends)
        ]
    )


def _late_min(call: Call, now: datetime) -> int:
    if call.started_at is not None or now <= call.starts_at:
        return 0
    return int((now - call.starts_at) / timedelta(minutes=1))


def _people(entry: Entry, leg: Leg) -> list[AttendeePart]:
    return [
        AttendeePart(
            id=person,
            name=entry.facts.first_name(person),
            child=person in leg.children,
            main_caller=person == leg.main_caller,
            verified=person in leg.verified,
        )
        for person in leg.people
    ]


def _others(entry: Entry, leg: Leg) -> list[OtherPart]:
    """The other ends, by first names; a laptop shows none before the prisoner at it was verified."""
    named = leg.role is not LegRole.PRISONER or bool(leg.verified)
    return [
        OtherPart(
            leg_id=other.id,
            role=other.role.value,
            name=", ".join(entry.facts.first_name(person) for person in other.people) if named else "",
            connected=other.connected,
        )
        for other in entry.actor.call.legs
        if other.id != leg.id and not other.left
    ]
