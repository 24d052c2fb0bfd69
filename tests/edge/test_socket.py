"""One socket: who may open it, how it is bounded, and how it ends."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import WSServerHandshakeError

from broker.domain.records import Role, Scope
from broker.edge import socket as socket_module
from broker.edge.outbox import Outbox, TooSlow
from broker.edge.ws import HUB
from broker.engine.chairs import FamilyChair
from broker.protocol.base import MAX_MESSAGE_BYTES
from broker.protocol.server import Bye, News
from tests.edge.wire import wire
from tests.fakes import START


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.test",
        "http://monitor.broker.test",
        "https://family.broker.test",
        "http://family.broker.test.evil",
    ],
)
async def test_a_socket_opens_from_the_chairs_own_pages_alone(origin: str | None) -> None:
    async with wire() as w:
        headers = {"Host": "family.broker.test"} | ({"Origin": origin} if origin is not None else {})

        with pytest.raises(WSServerHandshakeError) as refusal:
            await w.browser.client.ws_connect("/ws", headers=headers)
        assert refusal.value.status == 403


async def test_an_unknown_host_gets_no_socket() -> None:
    async with wire() as w:
        headers = {"Host": "rebound.test", "Origin": "http://rebound.test"}

        with pytest.raises(WSServerHandshakeError) as refusal:
            await w.browser.client.ws_connect("/ws", headers=headers)
        assert refusal.value.status == 421


@pytest.mark.parametrize(
    "first",
    [
        "",
        "{}",
        "[]",
        "null",
        "\x00",
        '{"type":"hello"}',
        '{"type":"presence","n":1,"heard":"2026-11-24T12:00:00Z","visible":true}',
        '{"type":"hello","protocol":[1],"ticket":"' + "t" * 500 + '"}',
        '{"type":"hello","protocol":[1],"ticket":"aaaaaaaaaaaaaaaaaaaa","more":1}',
        "[" * 50_000,
        '{"type":"__proto__"}',
    ],
)
async def test_what_is_no_hello_of_ours_ends_the_socket(first: str) -> None:
    async with wire() as w:
        talk = await w.bare("family")
        await talk.ws.send_str(first)

        assert await talk.closed() == 4400
        assert talk.last("bye")["code"] == "violation"


async def test_another_version_is_told_so() -> None:
    async with wire() as w:
        talk = await w.bare("family")
        await talk.say("hello", protocol=[7], ticket="t" * 32)

        assert await talk.closed() == 4400
        assert talk.last("bye")["code"] == "version"


async def test_a_page_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_module, "HELLO_S", 0.01)
    async with wire() as w:
        talk = await w.bare("family")

        assert await talk.closed() is not None
        assert talk.heard == []


async def test_a_ticket_opens_one_socket() -> None:
    async with wire() as w:
        visit = await w.visit()
        links = await w.desk.directory.links(Scope(frozenset({"HRD"})), visit.id)
        ticket = w.desk.office.access.tickets.issue(FamilyChair(replace(links[0], bound_hash="b")))
        first = await w.socket("family", ticket)
        await first.of_type("welcome")

        second = await w.socket("family", ticket)
        assert await second.closed() == 4401
        assert second.last("bye")["code"] == "ticket"


async def test_a_ticket_brought_to_another_chairs_host_opens_nothing() -> None:
    async with wire() as w:
        visit = await w.visit()
        links = await w.desk.directory.links(Scope(frozenset({"HRD"})), visit.id)
        ticket = w.desk.office.access.tickets.issue(FamilyChair(replace(links[0], bound_hash="b")))

        talk = await w.socket("monitor", ticket)
        assert await talk.closed() == 4401
        assert [m["type"] for m in talk.heard] == ["bye"]


async def test_a_message_that_is_too_large_ends_the_socket() -> None:
    async with wire() as w:
        await w.visit()
        laptop = await w.laptop()
        await laptop.of_type("visit")
        await laptop.ws.send_str(json.dumps({"type": "media.offer", "key": "k" * 8, "sdp": "x" * MAX_MESSAGE_BYTES}))

        assert await laptop.closed() in {1009, 4400}


async def test_a_flood_ends_its_own_socket_and_no_other() -> None:
    async with wire() as w:
        await w.visit()
        other = await w.on_post("sam", Role.SUPERVISOR)
        laptop = await w.laptop()
        await laptop.of_type("visit")
        for _ in range(200):
            await laptop.say("leg.progress", step="connecting")

        assert await laptop.closed() == 4400
        await other.done("post.sign_off")


@pytest.mark.feature("F101")
async def test_a_person_who_is_disabled_is_gone_at_once() -> None:
    async with wire() as w:
        talk = await w.on_post("mona", Role.MONITOR)
        await w.desk.office.accounts.disable("mona", "operator")

        assert await talk.closed() == 4403
        assert talk.last("bye")["code"] == "revoked"
        assert w.engine.presence.holders == ()


@pytest.mark.feature("F2")
async def test_a_revoked_link_silences_its_leg_and_closes_its_page() -> None:
    async with wire() as w:
        live = await w.live_call()
        links = await w.desk.directory.links(Scope(frozenset({"HRD"})), live.visit.id)
        await w.desk.office.visits.revoke_link(Scope(frozenset({"HRD"})), live.visit.id, links[0].id, "staff:1")

        assert await live.family.closed() == 4403
        await live.laptop.of_type("visit", screen="paused")
        assert w.plane.now_for(live.visit.id).routes == frozenset()
        assert live.legs[1] not in w.plane.connected


async def test_a_chair_that_has_run_out_is_gone_without_anybodys_word() -> None:
    async with wire() as w:
        visit = await w.visit()
        family = await w.family(visit)
        await family.of_type("visit")
        w.desk.clock.turn(timedelta(days=1).total_seconds())
        await w.desk.office.revocations.poll()

        assert await family.closed() == 4403


async def test_a_node_that_stops_says_goodbye() -> None:
    async with wire() as w:
        talk = await w.on_post("sam", Role.SUPERVISOR)
        w.app[HUB].close()

        assert await talk.closed() == 1001
        assert talk.last("bye")["code"] == "shutdown"
        assert len(w.app[HUB]) == 0


async def test_a_check_of_the_link_is_answered_in_every_state() -> None:
    async with wire() as w:
        visit = await w.visit()
        for talk in (await w.family(visit), await w.laptop(), await w.on_post("mona", Role.MONITOR)):
            answer = await talk.ask("link.check")
            assert (answer["type"], answer["recorded"]) == ("ok", True)


async def test_every_answer_brings_turn_servers_with_a_credential_of_its_own() -> None:
    async with wire(turn_urls=("turn:turn.example.org",), turn_secret="s" * 32, turn_lifetime_s=60) as w:
        live = await w.live_call()
        expires = int(w.desk.clock.now().timestamp()) + 60
        servers = [
            server
            for talk, lines in ((live.family, "audio=1 video=1"), (live.laptop, "audio=1 video=1"))
            for server in (await talk.ask("media.offer", sdp=lines))["ice_servers"]
        ]
        servers += (await live.monitor.ask("media.offer", sdp="audio=8 video=40"))["ice_servers"]

        assert [server["urls"] for server in servers] == [["turn:turn.example.org"]] * 3
        names = [server["username"].split(":") for server in servers]
        assert [int(ends) for ends, _ in names] == [expires] * 3
        assert len({word for _, word in names}) == 3


@pytest.mark.feature("F35")
async def test_a_lost_staff_socket_keeps_its_post_for_the_grace_and_shows_it() -> None:
    async with wire() as w:
        monitor = await w.on_post("mona", Role.MONITOR)
        supervisor = await w.on_post("sam", Role.SUPERVISOR)
        await monitor.ws.close()

        told = await supervisor.now("post", lambda m: m["post"]["post"] == "monitor" and m["post"]["state"] == "lost")
        assert told["post"]["name"] == "Mona Moss"


# --- the outbox ----------------------------------------------------------------


async def test_only_the_newest_state_of_a_thing_waits() -> None:
    outbox = Outbox()
    outbox.put(News(now=START), "news")
    outbox.put(Bye(code="slow"))
    later = News(now=START + timedelta(seconds=1))
    outbox.put(later, "news")

    assert [await outbox.take(), await outbox.take()] == [later, Bye(code="slow")]


async def test_a_page_that_does_not_read_is_given_up() -> None:
    outbox = Outbox(most=2)
    for _ in range(3):
        outbox.put(Bye(code="slow"))

    with pytest.raises(TooSlow):
        await outbox.take()


async def test_states_never_fill_the_outbox() -> None:
    outbox = Outbox(most=2)
    for second in range(500):
        outbox.put(News(now=START + timedelta(seconds=second)), "news")

    assert len(outbox) == 1
    assert not outbox.overflowed


async def test_whoever_waits_for_a_message_gets_it() -> None:
    outbox = Outbox()
    waiting = asyncio.ensure_future(outbox.take())
    await asyncio.sleep(0)
    outbox.put(Bye(code="slow"))

    assert await waiting == Bye(code="slow")
