"""aiortc, as an independent WebRTC implementation, at both ends of a call through the relay."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import aioice.ice
import pytest
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack

from broker.domain.plan import Media
from broker.media.plane import RelayPlane
from tests.media.support import both_ways, plan

pytestmark = pytest.mark.flow

WAIT_S = 15.0


class Clock:
    """The real one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


async def call(plane: RelayPlane, endpoint: str) -> tuple[RTCPeerConnection, dict[str, MediaStreamTrack]]:
    """Connect an aiortc peer that sends and receives both kinds."""
    # Balanced, its default, leaves the second line of a kind on a transport that was given up.
    peer = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    tracks: dict[str, MediaStreamTrack] = {}
    peer.on("track", lambda track: tracks.setdefault(track.kind, track))
    for track in (AudioStreamTrack(), VideoStreamTrack()):
        peer.addTransceiver(track, direction="sendonly")
    for kind in ("audio", "video"):
        peer.addTransceiver(kind, direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    answer = await plane.connect(endpoint, frozenset(Media), peer.localDescription.sdp)
    await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
    return peer, tracks


async def test_two_aiortc_peers_see_and_hear_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    plane = RelayPlane(("127.0.0.1", 0), ["127.0.0.1"], Clock())
    await plane.start()
    family, seen_by_family = await call(plane, "family")
    prisoner, seen_by_prisoner = await call(plane, "prisoner")
    try:
        await plane.apply(plan(both_ways("family", "prisoner"), valid_for_s=60))
        for tracks in (seen_by_family, seen_by_prisoner):
            for track in tracks.values():
                for _ in range(10):
                    await asyncio.wait_for(track.recv(), WAIT_S)
        assert {*seen_by_family, *seen_by_prisoner} == {"audio", "video"}
        await plane.disconnect("family")
        assert plane.health("family") is None
    finally:
        await family.close()
        await prisoner.close()
        await plane.close()
