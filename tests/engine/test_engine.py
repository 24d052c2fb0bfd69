"""The promises of the engine: what is closed before it is written, and opened only after."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import Actor
from broker.domain.call import Phase
from broker.domain.codes import AlertCode, Code, EndReason, HoldKind, Post, Refused
from broker.domain.permissions import HeldPost
from broker.domain.policy import DEFAULT
from broker.domain.records import Grade, Restriction, Role
from broker.engine.board import Alerted, LinesChanged
from broker.engine.recorder import new_event
from broker.engine.registry import replay
from broker.ports import LogConflict
from tests.engine.hall import PRISON, Table, chair, crosses, shown
from tests.fakes import START

AT_THE_WALL = HeldPost(Post.MONITOR, frozenset({PRISON}))
IN_THE_HALL = HeldPost(Post.SUPERVISOR, frozenset({PRISON}), "HRD-A")


@pytest.fixture
async def table() -> Table:
    made = Table()
    await made.open()
    return made


async def refused(work) -> Code:
    with pytest.raises(Refused) as refusal:
        await work
    return refusal.value.code


@pytest.mark.feature("F34")
async def test_a_call_goes_live_by_itself_once_both_ends_are_verified_and_both_posts_proven(table: Table):
    await table.live()
    assert table.call().phase is Phase.LIVE
    assert crosses(table)


@pytest.mark.feature("F52")
async def test_a_pause_is_silent_before_it_is_recorded(table: Table):
    monitor, _ = await table.live()
    silent_when_written = []
    append = table.log.append

    async def watching(stream, after_seq, events, rows=()):
        silent_when_written.append(not crosses(table))
        return await append(stream, after_seq, events, rows)

    table.log.append = watching  # type: ignore[method-assign]
    done = await table.engine.send("v1", c.Pause(monitor))

    assert silent_when_written == [True]
    assert done.recorded
    assert not crosses(table)


async def test_a_verification_opens_nothing_before_it_is_recorded(table: Table):
    monitor, _ = await table.live()
    await table.engine.send("v1", c.Pause(monitor))
    open_when_written = []
    append = table.log.append

    async def watching(stream, after_seq, events, rows=()):
        open_when_written.append(crosses(table))
        return await append(stream, after_seq, events, rows)

    table.log.append = watching  # type: ignore[method-assign]
    await table.engine.send("v1", c.Clear(monitor, table.call().holds[0].id, table.call().seq))
    assert open_when_written == [False]
    assert crosses(table)


async def test_a_pause_is_silent_at_once_and_recorded_when_the_log_returns(table: Table):
    monitor, _ = await table.live()
    table.log.down = True
    done = await table.engine.send("v1", c.Pause(monitor))
    assert not done.recorded
    assert not crosses(table)
    assert len(table.journal.entries) == 1

    refusal = await refused(table.engine.send("v1", c.Clear(monitor, table.call().holds[0].id, table.call().seq)))
    assert refusal is Code.UNAVAILABLE

    table.log.down = False
    assert await table.engine.recorder.flush()
    assert replay(await table.log.read("call:v1")) == table.call()


async def test_a_pause_stands_even_where_neither_the_log_nor_the_journal_takes_it(table: Table):
    monitor, _ = await table.live()
    table.log.down = table.journal.broken = True
    await table.engine.send("v1", c.Pause(monitor))
    await table.engine.send("v1", c.Pause(monitor))
    assert not crosses(table)
    table.log.down = False
    assert await table.engine.recorder.flush()
    assert replay(await table.log.read("call:v1")) == table.call()


async def test_a_pause_does_not_wait_for_a_slow_record(table: Table):
    monitor, supervisor = await table.live()
    gate = asyncio.Event()
    append = table.log.append

    async def slow(stream, after_seq, events, rows=()):
        await gate.wait()
        return await append(stream, after_seq, events, rows)

    table.log.append = slow  # type: ignore[method-assign]
    stuck = asyncio.ensure_future(table.engine.send("v1", c.Warn(monitor, "dress")))  # type: ignore[arg-type]
    await table.turns()
    pause = asyncio.ensure_future(table.engine.send("v1", c.Pause(supervisor)))
    await table.turns()
    assert not crosses(table)
    await table.tick()
    assert not crosses(table)
    gate.set()
    await asyncio.gather(stuck, pause, return_exceptions=True)
    assert not crosses(table)


@pytest.mark.feature("F40")
async def test_the_last_plan_lapses_by_itself_when_the_loop_stands_still(table: Table):
    await table.live()
    plan = table.plane.now_for("v1")
    assert 0 < plan.valid_for_s <= 5


@pytest.mark.feature("F40")
async def test_a_console_that_shows_another_line_or_an_old_frame_proves_nothing(table: Table):
    await table.live()
    console = table.engine.console("c-m")
    assert console is not None
    lines = {leg: console.held[leg][1] for leg in ("v1.1", "v1.2")}
    for line in lines.values():
        table.plane.flowing["c-m", line] = 0.1
        table.plane.frames["c-m", line, 777] = 0.2

    async def proof(timestamp: int, swap: bool = False) -> float:
        table.clock.turn(1)
        one, other = ("v1.2", "v1.1") if swap else ("v1.1", "v1.2")
        await table.engine.prove_wall(
            "c-m",
            True,
            {
                "v1": [
                    shown("v1.1", line=lines[one], timestamp=timestamp),
                    shown("v1.2", line=lines[other], timestamp=timestamp),
                ]
            },
        )
        return table.engine.presence.proof_age_s("c-m", "v1", table.clock.now()) or 0.0

    assert await proof(777) == 0
    assert await proof(778) == 1, "a timestamp that was never sent"
    assert await proof(777, swap=True) == 2, "a picture under another name"
    await table.show()
    assert table.engine.presence.proof_age_s("c-m", "v1", table.clock.now()) == 2, "a placeholder while frames flow"


@pytest.mark.feature("F44")
async def test_a_console_without_media_proves_nothing_by_its_placeholders(table: Table):
    await table.live()
    assert crosses(table)
    table.engine.endpoint_changed("c-m", False)
    for _ in range(16):
        await table.show()
        table.engine.prove_presence("s-t", True)
        await table.pass_time(1)
    assert table.call().held_by(HoldKind.UNMONITORED) is not None
    assert not crosses(table)
    table.engine.endpoint_changed("c-m", True)
    for _ in range(5):
        await table.show()
        table.engine.prove_presence("s-t", True)
        await table.pass_time(1)
    assert crosses(table)


@pytest.mark.feature("F44")
async def test_a_call_with_no_line_on_the_console_is_not_displayed(table: Table):
    await table.live()
    console = table.engine.console("c-m")
    assert console is not None
    table.clock.turn(3)
    await table.show()
    assert table.engine.presence.proof_age_s("c-m", "v1", table.clock.now()) == 0
    del console.held["v1.2"]
    table.clock.turn(1)
    await table.show()
    assert table.engine.presence.proof_age_s("c-m", "v1", table.clock.now()) == 1


@pytest.mark.feature("F40")
async def test_a_proof_that_waited_in_a_socket_is_as_old_as_it_is(table: Table):
    await table.live()
    before = table.clock.now()
    table.clock.turn(20)  # the process stood still; what was said meanwhile is read only now
    await table.engine.renew()
    await table.engine.prove_wall("c-m", True, {"v1": [shown("v1.1"), shown("v1.2")]}, before)
    table.engine.prove_presence("s-t", True, before)
    await table.tick()
    assert table.call().held_by(HoldKind.UNMONITORED) is not None
    assert not crosses(table)


@pytest.mark.feature("F40")
async def test_a_console_whose_socket_dies_is_alarmed_then_held_within_fifteen_seconds(table: Table):
    await table.live()
    table.engine.lost("c-m")
    for _ in range(14):
        table.engine.prove_presence("s-t", True)
        await table.pass_time(1)
    assert Post.MONITOR in table.call().alarms
    assert [c.alert.code for c in table.changes if isinstance(c, Alerted)] == ["unmonitored"]
    for _ in range(2):
        table.engine.prove_presence("s-t", True)
        await table.pass_time(1)
    assert table.call().held_by(HoldKind.UNMONITORED) is not None
    assert not crosses(table)


@pytest.mark.feature("F35")
async def test_the_same_person_is_refused_the_other_post_and_so_is_the_same_browser(table: Table):
    await table.post("M1", Post.MONITOR, "c-m")
    sign_on = table.engine.sign_on
    assert await refused(sign_on(chair("M1"), "s-2", IN_THE_HALL, DEFAULT.version)) is Code.OTHER_POST_HELD
    same_browser = chair("T9", Grade.PRISON_OFFICER, "p-M1")
    refusal = await refused(sign_on(same_browser, "s-3", IN_THE_HALL, DEFAULT.version))
    assert refusal is Code.PROFILE_HOLDS_OTHER_POST


@pytest.mark.feature("F35")
async def test_nobody_holds_the_one_post_in_the_morning_and_the_other_in_the_afternoon(table: Table):
    await table.post("M1", Post.MONITOR, "c-m")
    await table.engine.sign_off("c-m")
    assert await refused(table.post("M1", Post.SUPERVISOR, "s-2")) is Code.OTHER_POST_HELD
    restarted = table.new_engine()
    work = restarted.sign_on(chair("M1"), "s-2", IN_THE_HALL, DEFAULT.version)
    assert await refused(work) is Code.OTHER_POST_HELD, "a restart forgets nothing"
    table.clock.turn(24 * 3600)
    await table.post("M1", Post.SUPERVISOR, "s-2")


@pytest.mark.feature("F36")
async def test_an_osg_monitors_and_does_not_supervise(table: Table):
    await table.post("M1", Post.MONITOR, "c-m", Grade.OSG)
    assert await refused(table.post("T1", Post.SUPERVISOR, "s-t", Grade.OSG)) is Code.GRADE_TOO_LOW


@pytest.mark.feature("F101")
async def test_one_account_on_a_post_in_two_browsers_is_refused_as_shared(table: Table):
    await table.post("M1", Post.MONITOR, "c-m")
    twice = chair("M1", Grade.OSG, "another-browser")
    refusal = await refused(table.engine.sign_on(twice, "c-2", AT_THE_WALL, DEFAULT.version))
    assert refusal is Code.SHARED_ACCOUNT


async def test_a_post_without_its_grant_is_refused(table: Table):
    clerk = chair("B1", Grade.CIVILIAN, "", Role.BOOKING)
    assert await refused(table.engine.sign_on(clerk, "c-9", AT_THE_WALL, DEFAULT.version)) is Code.NOT_GRANTED


@pytest.mark.feature("F39")
async def test_a_refused_attempt_is_on_the_record_and_the_other_post_sees_it(table: Table):
    monitor, supervisor = await table.live()
    await table.engine.send("v1", c.Pause(monitor))
    hold = table.call().holds[0]
    work = table.engine.send("v1", c.Clear(supervisor, hold.id, table.call().seq))
    assert await refused(work) is Code.NOT_YOUR_POST
    (denial,) = [r for r in await table.log.read(f"establishment:{PRISON}") if r.type == "denied"]
    assert (denial.actor, denial.body["code"]) == ("staff:T1", "not_your_post")
    (alert,) = [change for change in table.changes if isinstance(change, Alerted)]
    assert (alert.alert.code, alert.alert.post) == (AlertCode.DENIED_ATTEMPT, Post.MONITOR)


async def test_a_prisoner_who_asks_for_help_is_an_alert_in_the_hall_once(table: Table):
    await table.arrive()
    for _ in range(2):
        await table.engine.registry.send("v1", c.AskHelp(Actor("leg:v1.1"), "v1.1"))
    (alert,) = [change for change in table.changes if isinstance(change, Alerted)]
    told = alert.alert
    assert (told.code, told.post, told.hall_id) == (AlertCode.HELP, Post.SUPERVISOR, "HRD-A")


@pytest.mark.feature("F103")
async def test_a_restart_brings_every_live_call_back_held_until_its_people_are_back(table: Table):
    await table.live()
    table.clock.turn(8)
    table.engine = table.new_engine()
    await table.open()
    call = table.call()
    assert call.phase is Phase.LIVE
    assert {hold.kind for hold in call.holds} >= {HoldKind.RECOVERED, HoldKind.INTERRUPTED}
    assert call.epoch == 2
    assert not crosses(table)


@pytest.mark.feature("F44")
async def test_a_console_gets_a_line_for_every_end_of_every_call_and_keeps_it(table: Table):
    await table.live(1)
    await table.arrive(2)
    await table.turns()
    console = table.engine.console("c-m")
    assert console is not None
    assert set(console.held) == {"v1.1", "v1.2", "v2.1", "v2.2"}
    assert len(set(console.held.values())) == 4
    before = dict(console.held)
    await table.engine.send("v2", c.End(table.engine.actor(chair("M1"), "c-m"), EndReason.IDENTITY))
    assert {leg: console.held[leg] for leg in ("v1.1", "v1.2")} == {leg: before[leg] for leg in ("v1.1", "v1.2")}
    assert LinesChanged("c-m") in table.changes


@pytest.mark.feature("F46")
async def test_focus_moves_the_sound_from_one_call_to_the_other(table: Table):
    await table.live(1)
    await table.engine.focus("c-m", "v1")
    heard = {r.source for r in table.plane.now_for("v1").routes if r.sink == "c-m" and r.kind == "audio"}
    assert heard == {"v1.1", "v1.2"}
    await table.engine.focus("c-m", None)
    assert not [r for r in table.plane.now_for("v1").routes if r.sink == "c-m" and r.kind == "audio"]
    await table.engine.focus("c-m", "v1", sound=False)
    assert not [r for r in table.plane.now_for("v1").routes if r.sink == "c-m" and r.kind == "audio"]


@pytest.mark.feature("F108")
async def test_a_restriction_made_during_a_call_holds_it(table: Table):
    await table.live()
    await table.directory.save(
        await table.directory.all_establishments(),
        [Restriction("r1", PRISON, "c1", "A1231BC", "NONCON", date(2026, 1, 1))],
    )
    await table.engine.registry.sweep()
    assert table.call().barred == {"c1"}
    assert not crosses(table)


@pytest.mark.feature("F4")
async def test_a_link_revoked_by_another_process_silences_its_call_at_the_next_sweep(table: Table):
    await table.live()
    scope = await table.directory.all_establishments()
    (link,) = await table.directory.links(scope, "v1")
    await table.directory.save(scope, [replace(link, revoked_at=START)])
    await table.engine.registry.sweep()
    assert table.call().legs[1].revoked
    assert not crosses(table)


async def test_without_a_record_a_sweep_still_shuts_what_must_be_shut_at_every_visit(table: Table):
    monitor, supervisor = await table.live()
    await table.join(monitor, supervisor, 2)
    scope = await table.directory.all_establishments()
    for n in (1, 2):
        (link,) = await table.directory.links(scope, f"v{n}")
        visit = await table.directory.visit(scope, f"v{n}")
        assert visit is not None
        later = replace(visit, id=f"v{n}9", starts_at=START + timedelta(hours=1), ends_at=START + timedelta(hours=2))
        await table.directory.save(scope, [replace(link, revoked_at=START), later])
    limits = [table.call(n).latest_end for n in (1, 2)]
    table.log.down = True
    await table.engine.registry.sweep()

    assert [crosses(table, n) for n in (1, 2)] == [False, False]
    assert [table.call(n).latest_end for n in (1, 2)] == limits  # what frees a call is refused, and asked again
    table.log.down = False
    await table.engine.registry.sweep()
    assert [table.call(n).latest_end for n in (1, 2)] == [START + timedelta(hours=1)] * 2


async def test_a_sweep_takes_the_word_of_another_writer_and_goes_on(table: Table):
    await table.live()
    revoked = new_event(e.LegRevoked(table.clock.now(), "system", "v1.1"))
    await table.log.append("call:v1", await table.log.head("call:v1"), [revoked])
    scope = await table.directory.all_establishments()
    await table.directory.save(scope, [Restriction("r1", PRISON, "c1", "A1231BC", "NONCON", date(2026, 1, 1))])
    await table.engine.registry.sweep()

    assert table.call().legs[0].revoked
    assert table.call().barred == {"c1"}


async def test_a_cancelled_visit_ends_its_call(table: Table):
    await table.live()
    scope = await table.directory.all_establishments()
    visit = await table.directory.visit(scope, "v1")
    assert visit is not None
    await table.directory.save(scope, [replace(visit, cancelled_at=START)])
    await table.engine.registry.sweep()
    assert table.call().phase is Phase.ENDED


async def test_a_visit_booked_later_at_the_seat_moves_the_limit_of_the_call_before_it(table: Table):
    scope = await table.directory.all_establishments()
    first = await table.directory.visit(scope, "v1")
    assert first is not None
    later = replace(first, id="v9", starts_at=START + timedelta(hours=1), ends_at=START + timedelta(hours=2))
    await table.directory.save(scope, [later])
    await table.engine.registry.sweep()
    assert table.call().latest_end == START + timedelta(hours=1)


async def test_nothing_flows_when_the_nodes_own_lease_cannot_be_renewed(table: Table):
    await table.live()
    table.renewals.down = True
    for _ in range(6):
        await table.show()
        table.engine.prove_presence("s-t", True)
        await table.pass_time(1)
    assert not crosses(table)


async def test_the_relays_word_that_a_leg_is_gone_holds_the_call(table: Table):
    await table.live()
    table.plane.raise_endpoint("v1.2", False)
    await table.turns()
    assert table.call().held_by(HoldKind.INTERRUPTED) is not None


async def test_an_unknown_call_is_refused_and_so_is_anothers(table: Table):
    monitor, _ = await table.live()
    assert await refused(table.engine.send("v999", c.Pause(monitor))) is Code.UNKNOWN_CALL
    assert await refused(table.engine.focus("c-m", "v999")) is Code.UNKNOWN_CALL
    assert await refused(table.engine.registry.send("v1", c.Pause(Actor("leg:v1.2")))) is Code.NOT_PERMITTED


@pytest.mark.feature("F52")
async def test_the_record_of_a_persons_pause_says_how_soon_it_was_silent(table: Table):
    monitor, _ = await table.live()
    apply = table.plane.apply

    async def slow(plan):
        table.clock.turn(0.05)
        await apply(plan)

    table.plane.apply = slow  # type: ignore[method-assign]
    await table.engine.send("v1", c.Pause(monitor))
    [placed] = [record for record in await table.log.read("call:v1") if record.type == "hold.placed"]

    assert placed.body["silent_after_ms"] == pytest.approx(50)


async def test_what_fails_in_a_second_stops_neither_the_rest_nor_the_renewals(table: Table, monkeypatch):
    done: list[str] = []

    async def broken() -> None:
        done.append("handovers")
        raise LogConflict("establishment:HRD")

    async def look() -> None:
        done.append("transfers")

    async def renew(node: str, at: datetime) -> None:
        done.append("renewal")

    monkeypatch.setattr("broker.engine.engine.RENEW_EVERY_S", 0)
    monkeypatch.setattr("broker.engine.engine.LOOK_EVERY_S", 0)
    await table.engine.start()
    monkeypatch.setattr(table.engine.handovers, "expire", broken)
    monkeypatch.setattr(table.engine.transfers, "look", look)
    monkeypatch.setattr(table.renewals, "renew", renew)
    await table.turns()
    await table.engine.stop()

    assert done.count("handovers") > 1
    assert done.count("transfers") > 1
    assert done.count("renewal") > 1
