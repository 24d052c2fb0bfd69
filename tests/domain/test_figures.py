"""The figures: what the records of calls come to, and that no second is counted twice or left out."""

from __future__ import annotations

import random
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain import commands as c
from broker.domain.actors import SYSTEM
from broker.domain.codes import EndReason, HoldKind, Post, Warning
from broker.domain.cuts import Cut, Frame
from broker.domain.figures import Tally, derive, percentile, stories, total
from broker.domain.records import Establishment
from broker.domain.report import Asked, Report, report
from broker.domain.spans import length, meet
from broker.domain.story import Story, tell
from broker.domain.uses import Use
from tests.domain.stories import Rec, added, named, stream_of
from tests.domain.support import HOUR, MONITOR, NOON, PRISON, SUPERVISOR, Scene, booked, live

ZONE = ZoneInfo("Europe/London")
S = timedelta(seconds=1)
PLACES = {PRISON: Establishment(PRISON, "HMP Harrowdene", estate="open", operator="private")}


def told(scene: Scene, *more, first=None) -> Story:
    found = tell(added(stream_of(scene, first or booked()), *more), scene.now)
    assert found is not None
    return found


def of(*found: Story, places=PLACES, start=NOON - HOUR, end=NOON + 9 * HOUR, **only: str) -> Report:
    asked = Asked(start, end, frozenset(places), {Cut(cut): key for cut, key in only.items()})
    return report(found, asked, places, Frame(ZONE), end)


@pytest.mark.feature("F82")
def test_a_call_that_both_posts_watched_from_end_to_end_is_delivered_and_covered_whole():
    scene = live()
    scene.wait(30 * 60)
    figures = of(told(scene)).figures

    assert (figures["calls"], figures["completed"], figures["live_s"]) == (1, 1, 1800)
    assert {figures[f"{name}_pct"] for name in ("monitored", "two_post", "observed", "delivered")} == {100}
    assert (figures["lost_s"], figures["unwatched_beyond_policy_s"], figures["listened_pct"]) == (0, 0, 0)


def test_a_call_that_runs_counts_up_to_now():
    scene = live()
    scene.wait(600)
    figures = of(told(scene)).figures

    assert (figures["calls"], figures["completed"], figures["live_s"], figures["booked_s"]) == (1, 0, 600, 600)


@pytest.mark.feature("F43")
def test_a_lost_monitor_is_a_gap_by_name_from_the_last_proof_to_the_next_and_is_held_within_the_limit():
    scene = live()
    scene.wait(60)
    scene.wait(40, proven=[Post.SUPERVISOR])
    scene.wait(60)
    found = of(told(scene))
    [gap] = found.gaps

    assert (gap.post, gap.number, gap.start - NOON, gap.seconds) == (Post.MONITOR, "M1", 60 * S, 41)
    assert gap.held_at is not None
    assert (gap.held_at - gap.start).total_seconds() == pytest.approx(15, abs=1)
    # From the last proof to the hold media could cross: that is what the posts' time lacks, and no more.
    live_s, two_post_s = found.sums.live.total_seconds(), found.sums.two_post.total_seconds()
    assert live_s - two_post_s == gap.flowed.total_seconds()
    assert found.figures["unwatched_beyond_policy_s"] == 0
    assert found.figures["lost_staff_gap_s"] == pytest.approx(41 - 16 + 3, abs=2)


def test_what_flows_beyond_the_limit_of_the_proof_is_told():
    scene = live()
    scene.wait(10)
    records = stream_of(scene, booked())
    lost = {"post": "monitor", "number": None, "proven_at": (NOON + 10 * S).isoformat()}
    records = added(records, ("cover.changed", NOON + 15 * S, "system", lost))
    found = tell(records, NOON + 60 * S)
    assert found is not None

    assert of(found).figures["unwatched_beyond_policy_s"] == 35


@pytest.mark.feature("F43")
def test_calls_that_lose_their_post_together_are_one_gap():
    scenes = [live(named(booked(), "v1")), live(named(booked(), "v2"))]
    found = []
    for name, scene in zip(("v1", "v2"), scenes, strict=True):
        scene.wait(60)
        scene.wait(50, proven=[Post.MONITOR])
        scene.wait(5)
        found.append(told(scene, first=named(booked(), name)))
    [gap] = of(*found).gaps

    assert (gap.post, gap.calls, gap.hall_id) == (Post.SUPERVISOR, ("v1", "v2"), "HRD-A")


@pytest.mark.feature("F54", "F82")
def test_interventions_are_counted_by_verb_per_thousand_completed_calls():
    scene = live()
    scene.wait(10)
    scene.do(c.Warn(MONITOR, Warning.DRESS))
    scene.do(c.Pause(MONITOR))
    scene.do(c.Undo(MONITOR, scene.call.holds[0].id))
    scene.do(c.Pause(SUPERVISOR))
    scene.do(c.Relabel(SUPERVISOR, scene.call.holds[0].id))
    scene.wait(10)
    scene.do(c.End(MONITOR, EndReason.CONDUCT))
    found = told(scene)
    figures = of(found).figures

    assert [figures[f"{verb}_per_1000"] for verb in ("warn", "pause", "pause_technical", "end")] == [
        1000,
        0,
        1000,
        1000,
    ]
    assert figures["undone"] == 1
    assert [(act.verb, act.number, act.reason) for act in found.acts if act.verb == "end"] == [("end", "M1", "conduct")]


@pytest.mark.feature("F83")
def test_a_call_with_two_breaches_is_one_call_and_one_that_is_withdrawn_is_none():
    scene = live()
    scene.wait(100)
    body = {"category": "dress", "outcome": "warned", "clock_s": 1}
    told_of = [("breach.recorded", NOON + n * S, "staff:M1", {"breach_id": f"b{n}", **body}) for n in (10, 20, 30)]
    scene.do(c.End(MONITOR, EndReason.CONDUCT))
    figures = of(told(scene, *told_of, ("breach.withdrawn", NOON + 40 * S, "staff:M1", {"breach_id": "b30"}))).figures
    none = of(told(scene, told_of[0], ("breach.withdrawn", NOON + 40 * S, "staff:M1", {"breach_id": "b10"}))).figures

    assert (figures["breaches"], figures["breached_calls"], figures["breached_per_1000"]) == (2, 1, 1000)
    assert (none["breaches"], none["breached_per_1000"]) == (0, 0)


def test_a_person_s_pause_is_lost_to_security_and_a_technical_one_is_credited():
    scene = live()
    scene.wait(60)
    scene.do(c.Pause(MONITOR))
    scene.wait(30)
    scene.do(c.Clear(MONITOR, scene.call.holds[0].id, scene.call.seq))
    scene.do(c.Pause(SUPERVISOR))
    scene.do(c.Relabel(SUPERVISOR, scene.call.holds[0].id))
    scene.wait(20)
    scene.do(c.Clear(SUPERVISOR, scene.call.holds[0].id, scene.call.seq))
    scene.wait(10)
    figures = of(told(scene)).figures

    assert (figures["lost_security_pause_s"], figures["lost_technical_s"], figures["credited_s"]) == (30, 20, 20)


def test_a_lost_link_is_lost_to_its_own_side():
    for leg, cause in (("v1.1", "network_prison"), ("v1.2", "network_family")):
        scene = live()
        scene.wait(60)
        scene.do(c.LoseMedia(SYSTEM, leg))
        scene.wait(20)
        scene.do(c.ConnectMedia(SYSTEM, leg))
        scene.wait(5)

        assert of(told(scene)).figures[f"lost_{cause}_s"] == 20


def test_a_family_that_never_comes_has_lost_its_own_slot():
    scene = Scene()
    scene.wait(30 * 60 + 1)
    figures = of(told(scene)).figures

    assert (figures["calls"], figures["lost_late_family_s"], figures["booked_s"]) == (0, 1800, 1800)


def test_the_time_of_a_broker_that_was_away_is_nobodys_but_ours():
    scene = live()
    scene.wait(60)
    scene.now += 30 * S
    scene.monitor = scene.supervisor = None
    scene.do(c.Recover(SYSTEM, 30.0))
    found = told(scene)
    figures = of(found).figures

    assert (figures["live_s"], figures["lost_service_s"], figures["unwatched_beyond_policy_s"]) == (60, 30, 0)
    assert HoldKind.RECOVERED in {held.kind for held in found.held}


@pytest.mark.feature("F48")
def test_observation_records_tell_more_than_that_a_console_was_attached():
    scene = live()
    scene.wait(100)
    span = {"number": "M1", "session": "s-M1", "mode": "focus", "sound": True}
    body = {**span, "from": (NOON + 10 * S).isoformat(), "to": (NOON + 60 * S).isoformat()}
    figures = of(told(scene, ("observation.recorded", NOON + 60 * S, "system", body))).figures

    assert (figures["observed_pct"], figures["listened_pct"]) == (50, 50)


@pytest.mark.feature("F58")
def test_a_look_that_is_overdue_is_missed_once_however_often_it_was_told():
    def looked(at, within):
        return (
            "attention.looked",
            NOON + at * S,
            "system",
            {"number": "M1", "after_s": 1, "limit_s": 30, "within": within, "since": (NOON + at * S).isoformat()},
        )

    def overdue(at):
        return "attention.overdue", NOON + at * S, "system", {"tier": 2, "limit_s": 30, "number": None}

    scene = live()
    scene.wait(300)
    found = told(scene, looked(10, True), overdue(40), overdue(70), looked(80, False), looked(100, True), overdue(200))
    figures = of(found).figures

    assert (figures["looks_in_time"], figures["looks_due"], figures["looks_in_time_pct"]) == (2, 4, 50)


@pytest.mark.feature("F78")
def test_a_false_alarm_is_a_detectors_alert_that_was_cleared_as_no_issue():
    scene = live()
    scene.wait(100)
    call = stream_of(scene, booked())
    place = f"establishment:{PRISON}"

    def raised(n: int, code: str) -> Rec:
        return Rec(place, n, "alert.raised", NOON + n * S, "system", {"id": f"a{n}", "code": code, "call_id": "v1"})

    alerts = [
        raised(1, "covered"), raised(2, "faces_more"), raised(3, "hand"),
        Rec(place, 4, "alert.cleared", NOON + 9 * S, "staff:M1", {"id": "a1", "number": "M1", "outcome": "no_issue"}),
        Rec(place, 5, "alert.cleared", NOON + 9 * S, "staff:M1", {"id": "a3", "number": "M1", "outcome": "no_issue"}),
    ]  # fmt: skip
    figures = of(*stories([alerts, call], scene.now)).figures

    assert (figures["detector_alerts"], figures["false_alarm_pct"]) == (2, 50)


def test_attend_requests_are_timed_to_their_acknowledgement():
    scene = live()
    scene.wait(100)
    asked = [
        ("attend.requested", NOON + n * S, "staff:M1", {"attend_id": f"t{n}", "reason": "welfare", "number": "M1"})
        for n in (10, 20)
    ]
    seen = ("attend.acknowledged", NOON + 24 * S, "staff:T1", {"attend_id": "t20", "number": "T1"})
    figures = of(told(scene, *asked, seen)).figures

    assert (figures["attend_p50_s"], figures["attend_p95_s"]) == (4, 4)


@pytest.mark.parametrize(("values", "expected"), [((), None), ((3,), 3), ((1, 2, 3, 4), 2), (tuple(range(1, 101)), 50)])
def test_percentiles_are_nearest_rank(values, expected):
    assert percentile(values, 50) == expected


def test_synthetic_establishments_count_in_no_figure():
    first = booked(synthetic=True)
    scene = live(first)
    scene.wait(100)
    real = live()
    real.wait(100)

    assert [s.id for s in stories([stream_of(scene, first)], scene.now)] == []
    marked = {PRISON: Establishment(PRISON, "Training", synthetic=True)}
    assert of(told(real), places=marked).sums == Tally()


def test_nothing_divided_by_nothing_is_said_not_to_be_known():
    figures = derive(Tally())

    assert {figures[name] for name in ("two_post_pct", "delivered_pct", "breached_per_1000", "join_pct")} == {None}


# --- properties: no second twice, none left out --------------------------------------

STEPS = st.lists(
    st.sampled_from(["wait", "lose", "pause", "clear", "blind", "alone", "away", "tier", "breach", "end"]),
    min_size=1, max_size=10,
)  # fmt: skip


def played(name: str, steps: list[str]) -> tuple[list[Rec], Scene]:
    """Play a call of these steps and return its records."""
    first = named(booked(), name)
    scene = live(first)
    more = []
    for n, step in enumerate(steps):
        if scene.call.outcome is not None:
            break
        match step:
            case "lose":
                scene.do(c.LoseMedia(SYSTEM, "v1.2"))
                scene.wait(7)
                scene.do(c.ConnectMedia(SYSTEM, "v1.2"))
            case "pause":
                scene.do(c.Pause(MONITOR))
            case "clear" if scene.call.held_by(HoldKind.SECURITY):
                hold = scene.call.held_by(HoldKind.SECURITY)
                assert hold is not None
                scene.do(c.Clear(MONITOR, hold.id, scene.call.seq))
            case "blind":
                scene.wait(25, proven=[Post.SUPERVISOR])
            case "alone":
                scene.wait(60, proven=[Post.MONITOR])
            case "away":
                scene.now += 20 * S
                scene.monitor = scene.supervisor = None
                scene.do(c.Recover(SYSTEM, 20.0))
                for leg in scene.call.active:
                    scene.do(c.ConnectMedia(SYSTEM, leg.id))
            case "tier":
                more.append(("tier.set", scene.now, "system", {"tier": 1 + n % 3, "reasons": [], "by": None}))
            case "breach":
                body = {"breach_id": f"b{n}", "category": "dress", "outcome": "warned", "clock_s": 1}
                more.append(("breach.recorded", scene.now, "staff:M1", body))
            case "end":
                scene.do(c.End(MONITOR, EndReason.CONDUCT))
            case _:
                scene.wait(600)
    return added(stream_of(scene, first), *more), scene


def answer(streams: list[list[Rec]]) -> Report:
    now = max(rec.at for records in streams for rec in records) + 5 * S
    return of(*stories(streams, now), end=now + HOUR)


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=3))
def test_the_parts_of_every_cut_add_up_to_the_whole(plays):
    found = answer([played(f"v{n}", steps)[0] for n, steps in enumerate(plays)])

    for cut, parts in found.cuts.items():
        assert (cut, _sorted(total(parts.values()))) == (cut, _sorted(found.sums))


def _sorted(sums: Tally) -> list[object]:
    """Return a tally whose lists have no order."""
    values = [getattr(sums, name) for name in Tally.__slots__]
    return [
        sorted(value) if isinstance(value, tuple) else +value if hasattr(value, "elements") else value
        for value in values
    ]


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_every_booked_or_live_second_is_delivered_or_lost_once(steps):
    records, _ = played("v1", steps)
    story = tell(records, records[-1].at + S)
    assert story is not None
    whole = [span for use, spans in story.uses.keys().items() if use is not Use.OUTSIDE for span in spans]
    end = max(story.until, story.call.starts_at + timedelta(seconds=story.call.booked_s if story.call.ended_at else 0))

    assert length(whole) == end - story.call.starts_at
    assert meet(story.uses.where(Use.DELIVERED), story.live) == story.uses.where(Use.DELIVERED)


@settings(max_examples=20, deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_the_order_of_streams_does_not_matter(plays, shuffler: random.Random):
    streams = [played(f"v{n}", steps)[0] for n, steps in enumerate(plays)]
    once = answer(streams)
    shuffled = list(streams)
    shuffler.shuffle(shuffled)

    assert answer(shuffled) == once


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_the_gaps_are_what_the_time_of_both_posts_lacks(steps):
    found = answer([played("v1", steps)[0]])
    flowed = {post: sum(gap.flowed.total_seconds() for gap in found.gaps if gap.post is post) for post in Post}

    assert flowed[Post.MONITOR] == pytest.approx((found.sums.live - found.sums.monitored).total_seconds())
    assert flowed[Post.SUPERVISOR] == pytest.approx((found.sums.live - found.sums.supervised).total_seconds())


def test_a_privileged_call_that_the_hall_patrols_is_no_time_beyond_policy_and_its_gap_is_listed():
    scene = live(booked(kind="legal"))
    scene.wait(60, proven=[Post.SUPERVISOR])
    found = of(told(scene, first=booked(kind="legal")))

    assert found.figures["unwatched_beyond_policy_s"] == 0
    assert found.sums.live - found.sums.monitored > 40 * S, "it flowed without the monitoring post"
    assert Post.MONITOR in {gap.post for gap in found.gaps}
