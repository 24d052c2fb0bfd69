"""What a caller is told: plain words by rule, and nothing that is not theirs to know."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain.call import Call, Hold, Leg, LegRole, Phase
from broker.domain.codes import HoldKind, Outcome, PauseReason, Post
from broker.edge import callers
from tests.fakes import START

PRISONER = Leg(
    "v1.1", LegRole.PRISONER, ("A1",), checked=True, waiting=True, connected=True, verified=frozenset({"A1"})
)
FAMILY = Leg(
    "v1.2",
    LegRole.FAMILY,
    ("c1",),
    main_caller="c1",
    consented="2026-11",
    checked=True,
    waiting=True,
    connected=True,
    verified=frozenset({"c1"}),
)


def call(phase: Phase = Phase.LIVE, *holds: HoldKind, **changes: object) -> Call:
    made = Call(
        "v1",
        "social",
        "HRD",
        "h1",
        "s1",
        START,
        1800,
        START + timedelta(minutes=30),
        START + timedelta(hours=1),
        "2026-11",
        (PRISONER, FAMILY),
        phase=phase,
        started_at=START if phase is Phase.LIVE else None,
        holds=tuple(Hold(f"h{n}", kind, Post.MONITOR, None, START) for n, kind in enumerate(holds)),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("leg", "phase", "screen"),
    [
        (replace(FAMILY, consented=None, checked=False), Phase.LOBBY, "notice"),
        (replace(FAMILY, checked=False), Phase.LOBBY, "check"),
        (FAMILY, Phase.LOBBY, "lobby"),
        (FAMILY, Phase.READY, "lobby"),
        (FAMILY, Phase.LIVE, "call"),
        (FAMILY, Phase.ENDED, "ended"),
        (replace(FAMILY, left=True), Phase.LIVE, "ended"),
        (replace(FAMILY, revoked=True), Phase.LIVE, "ended"),
        (replace(PRISONER, checked=False, consented=None), Phase.LOBBY, "check"),
    ],
)
def test_the_screen_follows_the_leg_and_the_call(leg: Leg, phase: Phase, screen: str) -> None:
    assert callers.screen_of(call(phase), leg) == screen


@pytest.mark.parametrize("kind", list(HoldKind))
def test_any_hold_on_a_live_call_pauses_the_page(kind: HoldKind) -> None:
    assert callers.screen_of(call(Phase.LIVE, kind), FAMILY) == "paused"


def test_a_pause_in_the_lobby_pauses_who_waits_there_and_nobody_before() -> None:
    held = call(Phase.LOBBY, HoldKind.SECURITY)

    assert callers.screen_of(held, FAMILY) == "paused"
    assert callers.screen_of(held, replace(FAMILY, waiting=False)) == "lobby"
    assert callers.screen_of(held, replace(FAMILY, consented=None)) == "notice"


@pytest.mark.feature("F17")
@pytest.mark.parametrize(
    ("kinds", "word"),
    [
        ([HoldKind.SECURITY], "staff"),
        ([HoldKind.INCIDENT], "staff"),
        ([HoldKind.STOOD_DOWN], "staff"),
        ([HoldKind.TECHNICAL], "fault"),
        ([HoldKind.RECOVERED], "fault"),
        ([HoldKind.UNMONITORED], "no_officer"),
        ([HoldKind.UNSUPERVISED], "no_officer"),
        ([HoldKind.INTERRUPTED], "other_end"),
        ([HoldKind.INTERRUPTED, HoldKind.UNMONITORED], "no_officer"),
        ([HoldKind.TECHNICAL, HoldKind.SECURITY], "staff"),
        ([HoldKind.UNMONITORED, HoldKind.SECURITY], "staff"),
    ],
)
def test_a_pause_is_told_in_one_word(kinds: list[HoldKind], word: str) -> None:
    held = call(Phase.LIVE, *kinds)
    hold = callers.worst_hold(held, FAMILY)

    assert hold is not None
    assert callers.pause_word(held, FAMILY, hold) == word


@pytest.mark.parametrize("kinds", [[HoldKind.INTERRUPTED], [HoldKind.UNMONITORED, HoldKind.INTERRUPTED]])
def test_whoever_lost_their_own_line_is_told_so(kinds: list[HoldKind]) -> None:
    lost = replace(FAMILY, connected=False)
    held = call(Phase.LIVE, *kinds)
    hold = callers.worst_hold(held, lost)

    assert hold is not None
    assert callers.pause_word(held, lost, hold) == "you"


@pytest.mark.feature("F105")
@pytest.mark.parametrize(
    ("outcome", "by_leg", "word"),
    [
        (Outcome.COMPLETED_NORMALLY, None, "time"),
        (Outcome.TERMINATED_BY_STAFF, None, "staff"),
        (Outcome.TECHNICAL_FAILURE, None, "fault"),
        (Outcome.VISITOR_COMPLETED_EARLY, "v1.2", "you"),
        (Outcome.PRISONER_COMPLETED_EARLY, "v1.1", "other_end"),
        (Outcome.VISITOR_DID_NOT_ARRIVE, None, "not_started"),
        (Outcome.VISITOR_FAILED_SECURITY_CHECKS, "v1.2", "identity"),
        (Outcome.PRISONER_REFUSED_TO_ATTEND, "v1.1", "not_started"),
    ],
)
def test_the_end_is_told_in_one_word(outcome: Outcome, by_leg: str | None, word: str) -> None:
    assert callers.end_word(call(Phase.ENDED, outcome=outcome, ended_by_leg=by_leg), FAMILY) == word


def test_a_cancelled_visit_is_told_apart_from_one_that_never_began() -> None:
    cancelled = {"outcome": Outcome.ESTABLISHMENT_CANCELLED}
    early = call(Phase.ENDED, ended_at=START, **cancelled)
    late = call(Phase.ENDED, ended_at=START + timedelta(minutes=30), **cancelled)

    assert callers.end_word(early, FAMILY) == "cancelled"
    assert callers.end_word(late, FAMILY) == "not_started"


@pytest.mark.feature("F16")
@pytest.mark.parametrize(
    ("missing", "ready"),
    [
        (["prisoner", "family", "monitor", "supervisor"], []),
        (["seat", "identity"], ["hall"]),
        (["identity"], ["prisoner", "hall"]),
        (["monitor"], ["prisoner", "hall"]),
        (["supervisor"], ["prisoner", "officer"]),
        ([], ["prisoner", "officer", "hall"]),
    ],
)
def test_the_lobby_says_whom_it_waits_for(missing: list[str], ready: list[str]) -> None:
    rows = callers.waiting_for(call(Phase.LOBBY), FAMILY, missing)

    assert [row.who for row in rows] == ["you", "prisoner", "officer", "hall"]
    assert [row.who for row in rows if row.ready and row.who != "you"] == ready


def test_a_staff_reason_is_told_for_a_decision_of_staff_alone() -> None:
    decided = Hold("h1", HoldKind.SECURITY, Post.MONITOR, "1", START, PauseReason.DRESS)
    fault = replace(decided, kind=HoldKind.TECHNICAL)

    assert callers._reason(decided) is PauseReason.DRESS
    assert callers._reason(fault) is None


def test_four_legs_have_a_line_for_each_other_leg() -> None:
    third, fourth = replace(FAMILY, id="v1.3"), replace(FAMILY, id="v1.4", left=True)
    many = call(legs=(PRISONER, FAMILY, third, fourth))

    want = callers.lines_wanted(many)
    assert (want.audio, want.video) == (3, 3)
    video = {line.index: line.leg_id for line in callers.lines_of(many, FAMILY).lines if line.kind == "video"}
    assert video == {0: "v1.1", 1: "v1.3"}


def test_a_call_that_goes_on_is_not_told_as_ended_to_who_left_or_lost_their_link() -> None:
    assert callers.end_word(call(Phase.LIVE), replace(FAMILY, left=True)) == "you"
    assert callers.end_word(call(Phase.LIVE), replace(FAMILY, revoked=True)) is None
