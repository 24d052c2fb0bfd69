"""Capture the seeds of the fuzzers: `python -m tests.media.capture_corpus` writes tests/media/corpus/KIND/WHO-NN.

Three kinds of endpoints make a call of two through a relay on loopback: ours, aiortc and Chromium. Of what each
sends, a few datagrams of every shape are kept: STUN and DTLS as they came, RTP and RTCP decrypted, and the offers.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aioice.ice
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from playwright.async_api import Page, async_playwright

from broker.domain.plan import Media
from broker.media import rtcp
from broker.media.dtls import PacketBuffer, ffi
from broker.media.forward import python as forwarder
from broker.media.plane import RelayPlane
from tests.media import header
from tests.media.support import Endpoint, both_ways, plan

CORPUS = Path(__file__).parent / "corpus"
OF_A_SHAPE = 2
OF_A_KIND = 12  # of one endpoint
MAX_BYTES = 1500
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
]
CALL_S = 4.0

PAGE = """
async ({sends, receives, simulcast, cheap}) => {
  const pc = window.pc = new RTCPeerConnection({bundlePolicy: "max-bundle", rtcpMuxPolicy: "require"});
  if (sends) {
    const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 480}});
    pc.addTransceiver(stream.getAudioTracks()[0], {direction: "sendonly", streams: [stream]});
    const sendEncodings = simulcast
      ? [{rid: "l", scaleResolutionDownBy: 4}, {rid: "m", scaleResolutionDownBy: 2}, {rid: "h"}] : [{}];
    pc.addTransceiver(stream.getVideoTracks()[0], {direction: "sendonly", streams: [stream], sendEncodings});
  }
  for (const kind of ["audio", "video"]) {
    for (let n = 0; n < receives[kind]; n++) {
      const line = pc.addTransceiver(kind, {direction: "recvonly"});
      if (cheap) {
        const able = RTCRtpReceiver.getCapabilities(kind).codecs;
        line.setCodecPreferences(able.filter(c => ["audio/opus", "video/VP8", "video/rtx"].includes(c.mimeType)));
      }
    }
  }
  const offer = await pc.createOffer();
  await pc.setLocalDescription(offer);
  return offer.sdp;
}
"""


class Clock:
    """The real one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class Keeper:
    """Writes a few of every shape. `who` is whose datagrams come now."""

    def __init__(self) -> None:
        self.who = ""
        self._shapes: Counter[object] = Counter()
        self._kept: Counter[tuple[str, str]] = Counter()

    def keep(self, kind: str, shape: object, data: bytes, ending: str = "bin") -> None:
        """Write `data` unless there are enough like it."""
        key = (kind, self.who)
        if len(data) > MAX_BYTES and kind != "sdp":
            return
        if self._shapes[(key, shape)] >= OF_A_SHAPE or self._kept[key] >= OF_A_KIND:
            return
        self._shapes[(key, shape)] += 1
        self._kept[key] += 1
        folder = CORPUS / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.who}-{self._kept[key]:02}.{ending}").write_bytes(data)

    def raw(self, data: bytes) -> None:
        """Keep STUN and DTLS."""
        if data and data[0] < 4:
            self.keep("stun", (data[1], len(data)), data)
        elif data and 20 <= data[0] < 64:
            self.keep("dtls", (data[0], data[13:14], len(data) // 100), data)

    def media(self, data: bytes) -> None:
        """Keep RTP in the clear."""
        head = header.parse(data, len(data))
        if head is not None:
            shape = (head[1], head[8] - head[7], head[5] == head[6], data[head[5] : head[5] + 1])
            self.keep("rtp", shape, data)

    def report(self, data: bytes) -> None:
        """Keep RTCP in the clear."""
        self.keep("rtcp", tuple((part.type, part.count) for part in rtcp.split(data)), data)


class ListeningPlane(RelayPlane):
    """A relay that shows a keeper what it hears."""

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(("127.0.0.1", 0), ["127.0.0.1"], Clock())
        self._keeper = keeper

    def _datagram(self, slot: PacketBuffer, size: int, address: tuple[str, int]) -> None:
        self._keeper.raw(slot.bytes[:size])
        super()._datagram(slot, size, address)

    def _on_rtcp(self, peer: int, packet: bytes) -> None:
        self._keeper.report(packet)
        super()._on_rtcp(peer, packet)


async def ours(plane: RelayPlane) -> list[Any]:
    """Connect two of our endpoints."""
    ends = [await Endpoint(plane, name).connect() for name in ("family", "prisoner")]
    for end in ends:
        end.say(b"sound" * 10)
        end.show(b"picture" * 20, b"picture" * 20, key=True)
    return ends


async def aiortcs(plane: RelayPlane, keeper: Keeper) -> list[Any]:
    """Connect two aiortc peers."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # type: ignore[assignment]
    peers = []
    for name in ("family", "prisoner"):
        peer = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        for track in (AudioStreamTrack(), VideoStreamTrack()):
            peer.addTransceiver(track, direction="sendonly")
        for kind in ("audio", "video"):
            peer.addTransceiver(kind, direction="recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        offer = peer.localDescription.sdp
        keeper.keep("sdp", name, offer.encode(), "sdp")
        answer = await plane.connect(name, frozenset(Media), offer)
        await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        peers.append(peer)
    return peers


async def chromiums(plane: RelayPlane, keeper: Keeper, pages: list[Page]) -> None:
    """Connect two pages, the first with three layers, and make the offer of a console with forty lines."""
    for page, name in zip(pages, ("family", "prisoner"), strict=True):
        how = {"sends": True, "receives": {"audio": 1, "video": 1}, "simulcast": name == "family", "cheap": False}
        offer = await page.evaluate(PAGE, how)
        keeper.keep("sdp", name, offer.encode(), "sdp")
        answer = await plane.connect(name, frozenset(Media), offer)
        await page.evaluate("sdp => pc.setRemoteDescription({type: 'answer', sdp})", answer.sdp)
    console = {"sends": False, "receives": {"audio": 8, "video": 32}, "simulcast": False, "cheap": True}
    forty = await pages[0].context.new_page()
    await forty.goto("http://localhost/")
    keeper.keep("sdp", "console", (await forty.evaluate(PAGE, console)).encode(), "sdp")


async def capture() -> None:
    """Make the three calls."""
    keeper = Keeper()
    opened = forwarder.unprotect

    def unprotect(session: Any, raw: Any, size: Any) -> int:
        status = opened(session, raw, size)
        if not status:
            keeper.media(bytes(ffi.buffer(raw, size[0])))
        return status

    forwarder.unprotect = unprotect
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(permissions=["camera", "microphone"])
        await context.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        pages = [await context.new_page() for _ in range(2)]
        for page in pages:
            await page.goto("http://localhost/")
        for who in ("ours", "aiortc", "chromium"):
            keeper.who = who
            plane = ListeningPlane(keeper)
            await plane.start()
            ends: list[Any] = []
            if who == "ours":
                ends = await ours(plane)
            elif who == "aiortc":
                ends = await aiortcs(plane, keeper)
            else:
                await chromiums(plane, keeper, pages)
            await plane.apply(plan(both_ways("family", "prisoner"), valid_for_s=60))
            await asyncio.sleep(CALL_S)
            print(who, dict(plane.counters()))
            for end in ends:
                await end.close()
            await plane.close()
        await browser.close()


if __name__ == "__main__":
    asyncio.run(capture())
