"""The cheap peer and the relay over loopback: real ICE, DTLS and SRTP, and a picture and a voice that arrive."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from broker.domain.plan import Media, MediaPlan, Route
from broker.media.plane import RelayPlane
from broker.synthetic.aiortc_peer import AiortcPeer
from broker.synthetic.line import Tap
from broker.synthetic.peer import Pacer, Peer
from broker.synthetic.people import person, who_is_heard, who_is_seen
from broker.synthetic.talk import until

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]  # a guard against hanging on a busy machine

CALL, PRISONER, FAMILY, CONSOLE = "v1", "v1.1", "v1.2", "c-1"
WITHIN_S = 10.0


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


@asynccontextmanager
async def relay() -> AsyncIterator[tuple[RelayPlane, Pacer]]:
    plane = RelayPlane(("127.0.0.1", 0), ["127.0.0.1"], Clock())
    await plane.start()
    async with Pacer() as pacer:
        try:
            yield plane, pacer
        finally:
            await plane.close()


async def join(plane: RelayPlane, pacer: Pacer, endpoint: str, peer: Peer) -> Peer:
    publishes = frozenset(Media) if peer.loop is not None else frozenset[Media]()
    answer = await plane.connect(endpoint, publishes, peer.offer())
    await peer.connect(answer.sdp)
    pacer.add(peer)
    return peer


def routes(*pairs: tuple[str, str, int]) -> frozenset[Route]:
    return frozenset(Route(source, kind, sink, line) for source, sink, line in pairs for kind in Media)


BOTH_WAYS = routes((PRISONER, FAMILY, 0), (FAMILY, PRISONER, 0), (PRISONER, CONSOLE, 0), (FAMILY, CONSOLE, 1))


def plan(allowed: frozenset[Route], epoch: int = 1) -> MediaPlan:
    return MediaPlan(CALL, epoch, 5.0 if allowed else 0.0, allowed)


async def test_each_end_and_the_console_see_and_hear_the_right_person() -> None:
    async with relay() as (plane, pacer):
        prisoner = await join(plane, pacer, PRISONER, Peer(person(1)))
        family = await join(plane, pacer, FAMILY, Peer(person(2)))
        console = await join(plane, pacer, CONSOLE, Peer(receive_audio=2, receive_video=4))
        expected = {(family, 0): 1, (prisoner, 0): 2, (console, 0): 1, (console, 1): 2}
        taps = {}
        for peer, index in expected:
            for kind in ("audio", "video"):
                peer.line(kind, index).tap = taps[peer, kind, index] = Tap()
        await plane.apply(plan(BOTH_WAYS))
        await until(lambda: all(len(tap.frames) >= 30 for tap in taps.values()), WITHIN_S, "media everywhere")
        for (peer, index), number in expected.items():
            pictures = [frame for _, frame in taps[peer, "video", index].frames[:30]]
            sounds = [frame for _, frame in taps[peer, "audio", index].frames[:30]]
            assert {number} == set(who_is_seen(pictures))
            assert number == who_is_heard(sounds)
        assert sum(peer.packets_lost for peer in (prisoner, family, console)) == 0
        for peer in (prisoner, family, console):
            await peer.close()


async def test_a_line_is_silent_until_a_plan_opens_it_and_begins_with_a_keyframe() -> None:
    async with relay() as (plane, pacer):
        await join(plane, pacer, PRISONER, Peer(person(1)))
        family = await join(plane, pacer, FAMILY, Peer(person(2)))
        prisoner_sends = plane.counters
        await until(lambda: sum(prisoner_sends().values()) > 20, WITHIN_S, "packets at the relay")
        assert [line for line in family.lines.values() if line.packets] == []
        await plane.apply(plan(BOTH_WAYS))
        video = family.line("video")
        await until(lambda: video.frames > 0, WITHIN_S, "a picture")
        assert video.decodable_at is not None
        assert video.lost == 0


async def test_a_peer_of_another_make_sees_and_hears_ours_and_is_seen_and_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    async with relay() as (plane, pacer):
        ours = await join(plane, pacer, PRISONER, Peer(person(1)))
        theirs = AiortcPeer(person(2))
        try:
            answer = await plane.connect(FAMILY, frozenset(Media), await theirs.offer())
            await theirs.connect(answer.sdp)
            taps = {kind: Tap() for kind in ("audio", "video")}
            for kind, tap in taps.items():
                ours.line(kind).tap = tap
            await plane.apply(plan(routes((PRISONER, FAMILY, 0), (FAMILY, PRISONER, 0))))
            await until(lambda: theirs.seen.count(1) > 10 and theirs.who_is_heard() == 1, 4, "ours at theirs", 0.2)
            await plane.apply(plan(routes((PRISONER, FAMILY, 0), (FAMILY, PRISONER, 0))))
            await until(lambda: all(len(tap.frames) >= 30 for tap in taps.values()), 4, "theirs at ours")
            assert set(theirs.seen) == {1}
            assert set(who_is_seen([frame for _, frame in taps["video"].frames])) == {2}
            assert who_is_heard([frame for _, frame in taps["audio"].frames]) == 2
        finally:
            await theirs.close()
