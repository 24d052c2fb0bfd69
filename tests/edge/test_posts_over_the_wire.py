"""Signing on as sockets see it: scope, guidance, what is told before, and every condition of a refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain.policy import DEFAULT
from broker.domain.records import NATIONAL_POOL, Grade, Role
from broker.engine.accounts import NewAccount
from tests.edge.wire import Wire, wire
from tests.office import PASSWORD

BOTH = ["HRD", "SKB"]


async def person(w: Wire, username: str, *places: str, grade: Grade = Grade.OSG, role: Role = Role.MONITOR) -> None:
    await w.desk.person(username, f"N-{username}", role, places[0], grade)
    await w.desk.office.accounts.grant(username, [(place, role) for place in places[1:]], "operator")


@pytest.mark.feature("F44", "F60")
async def test_one_monitor_of_two_establishments_sees_the_calls_of_both_and_is_on_the_record_of_both() -> None:
    async with wire() as w:
        first, second = await w.visit("HRD", "A"), await w.visit("SKB", "B")
        await person(w, "mona", *BOTH)
        mona = await w.staff("mona")
        await mona.done("post.sign_on", post="monitor", scope=BOTH, guidance=DEFAULT.version)

        shown = await mona.now("snapshot", lambda m: bool(m["calls"]))
        assert {call["id"] for call in shown["calls"]} == {first.id, second.id}
        assert shown["you_hold"]["scope"] == BOTH
        for place in BOTH:
            (taken,) = [e for e in await w.desk.log.read(f"establishment:{place}") if e.type == "post.signed_on"]
            assert (taken.body["scope"], taken.body["guidance"]) == (BOTH, DEFAULT.version)


@pytest.mark.feature("F100")
async def test_only_the_guidance_in_force_may_be_agreed_to_and_what_was_agreed_is_remembered() -> None:
    async with wire() as w:
        await person(w, "mona", "HRD")
        mona = await w.staff("mona")
        taken = {"post": "monitor", "scope": ["HRD"]}
        assert mona.heard[0]["you"]["guidance"]["agreed"] is None
        await mona.done("post.sign_on", **taken, guidance=DEFAULT.version)
        await mona.done("post.sign_off")

        newer = replace(DEFAULT, version="2026-12", effective_from=w.desk.clock.now() + timedelta(seconds=30))
        w.engine.posts.published = [DEFAULT, newer]
        await mona.done("post.sign_on", **taken, guidance=DEFAULT.version)
        await mona.done("post.sign_off")
        w.desk.clock.turn(60)
        assert await mona.refusal("post.sign_on", **taken, guidance=DEFAULT.version) == "guidance_changed"
        again = await w.staff("mona", profile="another")
        offered = again.heard[0]["you"]["guidance"]
        assert (offered["version"], offered["agreed"]) == ("2026-12", DEFAULT.version)
        await again.done("post.sign_on", **taken, guidance="2026-12")


@pytest.mark.feature("F36")
async def test_a_refusal_tells_what_is_needed_and_what_is_held() -> None:
    async with wire() as w:
        await person(w, "olga", "HRD", role=Role.SUPERVISOR)
        olga = await w.staff("olga", "hall")

        refused = await olga.ask(
            "post.sign_on", post="supervisor", scope=["HRD"], hall_id="h-HRD", guidance=DEFAULT.version
        )
        assert refused["code"] == "grade_too_low"
        (unmet,) = [check for check in refused["checks"] if not check["met"]]
        assert unmet == {"name": "grade", "met": False, "needed": "prison_officer", "held": "osg"}
        assert "denied" in w.desk.types("establishment:HRD")


@pytest.mark.feature("F35")
async def test_the_other_post_held_at_another_establishment_refuses_this_one() -> None:
    async with wire() as w:
        await person(w, "sam", "SKB", grade=Grade.PRISON_OFFICER, role=Role.SUPERVISOR)
        await w.desk.office.accounts.grant("sam", [("HRD", Role.MONITOR)], "operator")
        sam = await w.staff("sam", "hall")
        await sam.done("post.sign_on", post="supervisor", scope=["SKB"], hall_id="h-SKB", guidance=DEFAULT.version)

        elsewhere = await w.staff("sam", profile="another")
        wanted = {"post": "monitor", "scope": ["HRD"], "guidance": DEFAULT.version}
        assert await elsewhere.refusal("post.sign_on", **wanted) == "other_post_held"


async def test_before_signing_on_the_load_is_told_and_no_call() -> None:
    async with wire() as w:
        live = await w.live_call()
        await person(w, "rita", "HRD")
        rita = await w.staff("rita")

        told = await rita.now("stations", lambda m: m["stations"][0]["live"] == 1)
        (station,) = told["stations"]
        assert (station["monitors"], station["lobby"]) == (["Mona-Hrd Moss"], 0)
        assert rita.last("snapshot")["calls"] == []
        assert live.visit.id not in str(rita.heard)


@pytest.mark.feature("F60")
async def test_the_national_pool_takes_over_a_live_establishment_and_only_then_sees_its_calls() -> None:
    async with wire() as w:
        live = await w.live_call()
        await w.desk.office.accounts.add(
            NewAccount("nina", "N-nina", "Nina Moss", Grade.OSG, PASSWORD, ((NATIONAL_POOL, Role.NATIONAL_MONITOR),)),
            "operator",
        )
        nina = await w.staff("nina")
        taken = {"post": "monitor", "scope": [NATIONAL_POOL], "guidance": DEFAULT.version}
        await nina.done("post.sign_on", **taken)
        await nina.done("media.offer", sdp="audio=8 video=40")
        assert nina.last("snapshot")["calls"] == []
        assert nina.last("snapshot")["you_hold"]["pool"] is True
        pause = {"call_id": live.visit.id}
        assert await nina.refusal("call.pause", **pause) == "unknown_call"

        place = {"establishment": "HRD"}
        await nina.done("monitoring.propose", **place, to="pool", reason="short_of_staff")
        told = await live.monitor.now("relief", lambda m: bool(m["watch"][0]["transfer"]))
        assert told["watch"][0]["transfer"]["yours"] is False
        await live.monitor.done("monitoring.accept", **place)
        seen = await nina.now("snapshot", lambda m: bool(m["calls"]))
        assert [call["id"] for call in seen["calls"]] == [live.visit.id]
        assert "monitoring.transferred" not in w.desk.types("establishment:HRD")

        shown = {"ratio": 1.0, "unobscured": True, "width": 320, "height": 180}
        tiles = [{"call_id": live.visit.id, "legs": [{"leg_id": leg, **shown} for leg in live.legs]}]
        await nina.say("wall.proof", n=1, heard=w.desk.clock.now().isoformat(), visible=True, tiles=tiles)
        await nina.ask("media.offer", sdp="nothing=1")
        await w.engine.transfers.look()
        assert "monitoring.transferred" in w.desk.types("establishment:HRD")
        await live.monitor.now("snapshot", lambda m: m["you_hold"] is None)
        assert await live.monitor.refusal("call.pause", **pause) == "not_on_post"
        await nina.done("call.pause", **pause)
        w.desk.clock.turn(2)
        await nina.done("post.sign_off")

        await w.browser.sign_in("base", "nina")
        listed = await w.browser.get("base", "/shifts")
        session = listed.text.partition('href="/shifts/')[2].partition('"')[0]
        rows = (await w.browser.get("base", f"/shifts/{session}.csv")).text.splitlines()
        assert {"establishments,HRD", "calls,1"} <= set(rows), "one's own shift reaches what it was for"
