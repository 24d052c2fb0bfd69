"""A call from the lobby to its end, as four sockets see it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.records import Role
from broker.engine.consoles import Lines
from tests.edge.wire import wire


@pytest.mark.feature("F34", "F44", "F52")
async def test_a_call_goes_live_by_itself_once_everybody_is_there_and_verified() -> None:
    async with wire() as w:
        live = await w.live_call()

        assert (await live.family.of_type("visit", screen="call"))["started"] is True
        assert (await live.laptop.of_type("visit", screen="call"))["started"] is True
        routes = w.plane.now_for(live.visit.id).routes
        paths = {(route.source, route.sink) for route in routes}
        assert {live.legs, live.legs[::-1]} <= paths
        assert {sink for _, sink in paths - {live.legs, live.legs[::-1]}} == {live.monitor_session}
        assert {source for source, sink in paths if sink == live.monitor_session} == set(live.legs)


@pytest.mark.feature("F45")
async def test_a_leg_without_a_line_is_seen_by_stills_while_its_picture_may_be_seen() -> None:
    async with wire() as w:
        live = await w.live_call()
        console = w.engine.console(live.monitor_session)
        assert console is not None
        family = live.legs[1]
        console.lines[0] = Lines(8, 1)
        console.release([family])
        await w.engine.focus(live.monitor_session, live.visit.id)  # shows the call again, on what lines there are
        assert w.plane.now_for(live.visit.id).stills == {family}

        w.plane.raise_still(family, b"picture")
        still = await live.monitor.of_type("still")
        assert (still["leg_id"], still["call_id"], still["jpeg"]) == (family, live.visit.id, "cGljdHVyZQ==")

        await live.monitor.done("call.pause", call_id=live.visit.id)
        w.plane.raise_still(family, b"made before the pause")
        await live.monitor.done("wall.focus", call_id=None)
        assert len([m for m in live.monitor.heard if m["type"] == "still"]) == 1


@pytest.mark.feature("F46", "F17")
async def test_a_pause_is_silent_at_once_and_says_why_afterwards() -> None:
    async with wire() as w:
        live = await w.live_call()

        answer = await live.monitor.done("call.pause", call_id=live.visit.id)
        assert w.plane.now_for(live.visit.id).routes == frozenset()
        paused = await live.family.of_type("visit", screen="paused")
        assert (paused["pause"], paused["pause_reason"]) == ("staff", None)

        hold = {"call_id": live.visit.id, "hold_id": answer["hold_id"]}
        await live.monitor.done("hold.reason", **hold, reason="dress")
        assert (await live.family.of_type("visit", pause_reason="dress"))["screen"] == "paused"


@pytest.mark.feature("F46")
async def test_only_the_monitoring_post_clears_a_security_pause() -> None:
    async with wire() as w:
        live = await w.live_call()
        answer = await live.supervisor.done("call.pause", call_id=live.visit.id)
        hold = {"call_id": live.visit.id, "hold_id": answer["hold_id"], "version": live.seq()}

        assert await live.supervisor.refusal("hold.clear", **hold) == "not_your_post"
        assert w.plane.now_for(live.visit.id).routes == frozenset()
        await live.monitor.done("hold.clear", **hold)
        assert w.plane.now_for(live.visit.id).routes != frozenset()
        assert "denied" in w.desk.types("establishment:HRD")


async def test_a_stale_clear_is_refused() -> None:
    async with wire() as w:
        live = await w.live_call()
        first = await live.monitor.done("call.pause", call_id=live.visit.id)
        seen = live.seq()
        await live.monitor.done("call.pause", call_id=live.visit.id)

        hold = {"call_id": live.visit.id, "hold_id": first["hold_id"]}
        assert await live.monitor.refusal("hold.clear", **hold, version=seen) == "stale_version"


@pytest.mark.feature("F54")
async def test_the_end_is_final_and_says_why() -> None:
    async with wire() as w:
        live = await w.live_call()

        await live.supervisor.done("call.end", call_id=live.visit.id, reason="hall_closing")
        ended = await live.family.of_type("visit", screen="ended")
        assert (ended["end"], ended["end_reason"]) == ("staff", "hall_closing")
        assert await live.family.refusal("lobby.enter") == "already_ended"
        assert await live.family.refusal("media.offer", sdp="audio=1 video=1") == "already_ended"
        assert await live.monitor.refusal("call.pause", call_id=live.visit.id) == "already_ended"
        assert not any(leg in w.plane.connected for leg in live.legs)


@pytest.mark.feature("F53")
async def test_a_warning_reaches_both_ends_and_the_monitor_reads_where_it_was_shown() -> None:
    async with wire() as w:
        live = await w.live_call()

        await live.monitor.done("call.warn", call_id=live.visit.id, warning="dress")
        warning = await live.family.of_type("warning", warning="dress")
        await live.laptop.of_type("warning", warning="dress")
        await live.family.say("warning.shown", warning_id=warning["warning_id"])
        shown = await live.monitor.of_type("warning.state", shown_by=[live.legs[1]])
        assert shown["warning_id"] == warning["warning_id"]


async def test_a_reloaded_page_reads_a_warning_that_it_has_not_shown() -> None:
    async with wire() as w:
        live = await w.live_call()
        await live.monitor.done("call.warn", call_id=live.visit.id, warning="final")
        await live.family.of_type("warning")

        again = await w.family(live.visit)
        assert (await again.of_type("warning"))["warning"] == "final"


@pytest.mark.feature("F20")
async def test_a_reloaded_page_is_back_in_the_call_with_consent_and_check_remembered() -> None:
    async with wire() as w:
        live = await w.live_call()

        again = await w.family(live.visit)
        assert (await again.of_type("visit"))["screen"] == "call"
        assert await live.family.closed() == 4409
        assert live.family.last("bye")["code"] == "replaced"


@pytest.mark.feature("F20")
async def test_whose_line_is_lost_reads_another_word_than_who_waits() -> None:
    async with wire() as w:
        live = await w.live_call()

        w.plane.raise_endpoint(live.legs[1], False)
        assert (await live.family.of_type("visit", screen="paused"))["pause"] == "you"
        assert (await live.laptop.of_type("visit", screen="paused"))["pause"] == "other_end"


async def test_an_answer_is_given_again_and_the_command_acts_once() -> None:
    async with wire() as w:
        live = await w.live_call()

        first = await live.monitor.ask("call.pause", key="same-key-1", call_id=live.visit.id)
        again = await live.monitor.ask("call.pause", key="same-key-1", call_id=live.visit.id)
        entry = w.engine.entry(live.visit.id)
        assert entry is not None
        assert (again, len(entry.actor.call.holds)) == (first, 1)


@pytest.mark.feature("F41")
async def test_help_is_asked_for_and_the_seat_says_so() -> None:
    async with wire() as w:
        live = await w.live_call()

        await live.laptop.done("leg.help")
        seat = await live.supervisor.now("seat", lambda m: m["seat"]["state"] == "help")
        assert seat["seat"]["call_id"] == live.visit.id


async def test_a_pause_counts_though_the_record_is_down_and_says_that_it_is_not_recorded() -> None:
    async with wire() as w:
        live = await w.live_call()
        w.desk.log.down = True

        answer = await live.monitor.done("call.pause", call_id=live.visit.id)
        assert answer["recorded"] is False
        assert w.plane.now_for(live.visit.id).routes == frozenset()
        hold = {"call_id": live.visit.id, "hold_id": answer["hold_id"], "version": live.seq()}
        assert await live.monitor.refusal("hold.clear", **hold) == "unavailable"


async def test_a_console_hears_the_call_in_focus_on_one_line_a_leg() -> None:
    async with wire() as w:
        live = await w.live_call()
        await live.monitor.done("media.offer", sdp="audio=8 video=40")

        await live.monitor.done("wall.focus", call_id=live.visit.id)
        lines = await live.monitor.now("media.lines", lambda m: any(line["kind"] == "audio" for line in m["lines"]))
        sound = {line["index"]: line["leg_id"] for line in lines["lines"] if line["kind"] == "audio"}
        assert sound == {0: live.legs[0], 1: live.legs[1]}
        assert sorted(line["leg_id"] for line in lines["lines"] if line["kind"] == "video") == sorted(live.legs)


async def test_in_the_lobby_a_console_has_no_line_for_a_prisoner_who_is_not_verified() -> None:
    async with wire() as w:
        visit = await w.visit()
        monitor = await w.on_post("mona", Role.MONITOR)
        await monitor.done("media.offer", sdp="audio=8 video=40")
        laptop, family = await w.laptop(), await w.family(visit)
        await w.to_lobby(laptop, f"{visit.id}.1", consents=False)
        await w.to_lobby(family, f"{visit.id}.2", consents=True)

        lines = await monitor.now("media.lines", lambda m: bool(m["lines"]))
        assert [line["leg_id"] for line in lines["lines"]] == [f"{visit.id}.2"]


async def test_a_supervisor_has_no_media_at_all() -> None:
    async with wire() as w:
        supervisor = await w.on_post("sam", Role.SUPERVISOR)

        assert await supervisor.refusal("media.offer", sdp="audio=8 video=40") == "not_your_post"
        assert w.plane.connected == {}


async def test_the_laptop_names_no_family_before_the_prisoner_is_verified() -> None:
    async with wire() as w:
        visit = await w.visit()
        laptop = await w.laptop()
        await w.to_lobby(laptop, f"{visit.id}.1", consents=False)
        supervisor = await w.on_post("sam", Role.SUPERVISOR)
        assert all("Mary" not in str(message) for message in laptop.heard)

        entry = w.engine.entry(visit.id)
        assert entry is not None
        leg, version = f"{visit.id}.1", entry.actor.call.seq
        await supervisor.done("leg.verify", call_id=visit.id, leg_id=leg, people=["A1234BC"], version=version)
        named = await laptop.now("visit", lambda m: bool(m["others"][0]["name"]))
        assert named["others"][0]["name"] == "MaryHRD, TimHRD"


@pytest.mark.feature("F103")
async def test_when_a_relay_is_replaced_each_end_is_asked_to_connect_anew_and_the_console_at_that_home_alone() -> None:
    async with wire() as w:
        live = await w.live_call()

        w.plane.change_home(0, False)
        await live.family.ask("media.offer", sdp="audio=1 video=1")
        assert live.family.last("refused")["code"] == "unavailable"
        w.plane.change_home(0, True, live.visit.id)
        for end in (live.family, live.laptop):
            assert (await end.of_type("media.reoffer"))["receive"] == {"audio": 1, "video": 1, "homes": 1}
        asked = await live.monitor.of_type("media.reoffer", home=0)
        assert asked["receive"] == {"audio": 8, "video": 40, "homes": 1}


async def test_a_home_that_is_not_there_is_a_bad_offer() -> None:
    async with wire() as w:
        monitor = await w.on_post("mona", Role.MONITOR)
        assert await monitor.refusal("media.offer", sdp="audio=8 video=40", home=1) == "bad_offer"
        assert await monitor.refusal("media.offer", sdp="audio=8 video=40", home=-1) == "bad_offer"


@pytest.mark.feature("F58")
async def test_the_limit_of_a_look_is_of_the_policy_under_which_the_call_began() -> None:
    async with wire() as w:
        live = await w.live_call()
        before = (await live.monitor.now("call", lambda m: bool(m["call"]["attention"])))["call"]["attention"]
        w.engine.policy = replace(w.engine.policy, attention_tier2_s=7.0, attention_tier3_s=7.0)
        await w.tick()

        news = await live.monitor.now("news", lambda m: bool(m["attention"]))
        assert news["attention"][live.visit.id]["limit_s"] == before["limit_s"]
