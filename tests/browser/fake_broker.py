"""A broker that says what a test tells it to say: the pages' screens one by one, with real media or none."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiohttp import WSMsgType, web
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from broker.edge.assets import Assets
from broker.edge.headers import content_policy
from broker.text import as_json

ROOT = Path(__file__).resolve().parents[2]
Said = dict[str, Any]


class FakeBroker:
    """One page's broker. `say` pushes a message; `heard` holds what the page said, `await hear(type)` waits for it."""

    def __init__(self, *, demo: bool = False, language: str = "en", receive: int = 1) -> None:
        self.demo = demo
        self.language = language
        self.receive = receive
        self.assets = Assets(ROOT)
        self.you: Said = {"chair": "family", "leg_id": "v1.2", "call_id": "v1"}
        self.on_open: list[Said] = []  # said after every welcome
        self.refusals: dict[str, str] = {}  # command type -> code
        self.redeem: tuple[int, Said] = (200, {})
        self.heard: list[Said] = []
        self.colour = (200, 60, 40)
        self.peers: list[RTCPeerConnection] = []
        self._sockets: list[web.WebSocketResponse] = []
        self._news = asyncio.Condition()
        self.origin = ""

    # --- what a test does -------------------------------------------------------

    async def say(self, message: Said) -> None:
        """Push a message to the page, with the broker's time where it has one."""
        for socket in self._sockets:
            await socket.send_json(stamped(message))

    async def hear(self, kind: str, count: int = 1) -> Said:
        """Return the `count`-th message of that type as soon as the page has sent it."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    def of(self, kind: str) -> list[Said]:
        """Return the messages of that type that the page has sent."""
        return [message for message in self.heard if message["type"] == kind]

    async def drop(self) -> None:
        """Lose the sockets without a word, as a network does."""
        for socket in list(self._sockets):
            await socket.close(code=1011)

    async def lose_media(self) -> None:
        """Close the relay's ends."""
        peers, self.peers = self.peers, []
        for peer in peers:
            await peer.close()

    # --- what the page meets ----------------------------------------------------

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/visit", self._page("family")),
                web.get("/laptop", self._page("laptop")),
                web.post("/api/{chair}/redeem", self._redeem),
                web.post("/api/tickets", self._redeem),
                web.get("/ws", self._socket),
                self.assets.route(),
            ]
        )
        return app

    def _page(self, name: str) -> Any:
        async def page(_: web.Request) -> web.Response:
            nonce = secrets.token_urlsafe(16)
            body = shell(self.assets, name, nonce, self.language, demo=self.demo)
            return web.Response(
                text=body, content_type="text/html", headers={"Content-Security-Policy": content_policy(nonce)}
            )

        return page

    async def _redeem(self, _: web.Request) -> web.Response:
        status, body = self.redeem
        return web.json_response(body or {"ticket": secrets.token_urlsafe(32)}, status=status)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._answer(socket, json.loads(frame.data))
        finally:
            self._sockets.remove(socket)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, message: Said) -> None:
        async with self._news:
            self.heard.append(message)
            self._news.notify_all()
        if message["type"] == "hello":
            lines = {"audio": self.receive, "video": self.receive}
            welcome = {"type": "welcome", "protocol": 1, "you": self.you, "receive": lines, "demo": self.demo}
            for said in [welcome, *self.on_open]:
                await socket.send_json(stamped(said))
        elif message["type"] in self.refusals:
            code = self.refusals[message["type"]]
            await socket.send_json({"type": "refused", "key": message["key"], "code": code})
        elif message["type"] == "media.offer":
            await socket.send_json(await self._answer_offer(message))
        elif "key" in message:
            await socket.send_json({"type": "ok", "key": message["key"], "recorded": True, "hold_id": None})

    async def _answer_offer(self, message: Said) -> Said:
        """Answer as the relay would: take what is sent, send a picture and a sound on every receive line."""
        peer = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.peers.append(peer)
        await peer.setRemoteDescription(RTCSessionDescription(drop_mdns(message["sdp"]), "offer"))
        lines: list[Said] = []
        counts = {"audio": 0, "video": 0}
        for transceiver in peer.getTransceivers():
            if transceiver._offerDirection != "sendonly":  # aiortc keeps the offer's direction as seen from here
                continue
            track = Colour(self.colour) if transceiver.kind == "video" else AudioStreamTrack()
            transceiver.sender.replaceTrack(track)
            transceiver.direction = "sendonly"
            lines.append({"mid": transceiver.mid, "kind": transceiver.kind, "index": counts[transceiver.kind]})
            counts[transceiver.kind] += 1
        await peer.setLocalDescription(await peer.createAnswer())
        answer = {"type": "media.answer", "key": message["key"], "sdp": peer.localDescription.sdp, "lines": lines}
        return {**answer, "ice_servers": []}


class Colour(VideoStreamTrack):
    """A plain picture with a band that moves, so that frames differ."""

    def __init__(self, colour: tuple[int, int, int]) -> None:
        super().__init__()
        self._picture = np.full((240, 320, 3), colour, np.uint8)
        self._at = 0

    async def recv(self) -> av.VideoFrame:
        """Return the next picture, 15 a second."""
        await asyncio.sleep(1 / 15)
        picture = self._picture.copy()
        picture[:, self._at % 320 : self._at % 320 + 12] = 255
        self._at += 8
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = self._at * 750, Fraction(1, 90000)
        return frame


def drop_mdns(sdp: str) -> str:
    """Leave out `.local` candidates: looking them up takes a second (ecosystem.md 2)."""
    return "\r\n".join(line for line in sdp.splitlines() if not ("candidate:" in line and ".local" in line)) + "\r\n"


def stamped(message: Said) -> Said:
    """Return the message with the broker's time, where messages of its kind have one."""
    if message["type"] in {"welcome", "visit"} and "now" not in message:
        return {**message, "now": datetime.now(UTC).isoformat()}
    return message


def shell(assets: Assets, name: str, nonce: str, language: str, *, demo: bool) -> str:
    """Return a page's shell, as the edge renders it."""
    config = json.dumps({"page": name, "lang": language, "demo": demo, "text": json.loads(as_json(language))})
    return f"""<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>…</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="{assets.url("web/styles/base.css")}">
<link rel="stylesheet" href="{assets.url(f"web/styles/{name}.css")}">
<script type="importmap" nonce="{nonce}">{assets.import_map()}</script></head>
<body><div id="app" data-page="{name}"></div>
<script type="application/json" id="config" nonce="{nonce}">{config.replace("<", chr(92) + "u003c")}</script>
<script type="module" nonce="{nonce}" src="{assets.url(f"web/{name}/main.js")}"></script></body></html>"""


def visit(screen: str, **more: Any) -> Said:
    """Return a `visit` message as the broker would send it."""
    now = datetime.now(UTC)
    return {
        "type": "visit",
        "call_id": "v1",
        "leg_id": "v1.2",
        "screen": screen,
        "kind": "social",
        "people": [],
        "others": [{"leg_id": "v1.1", "role": "prisoner", "name": "Daniel", "connected": True}],
        "notice": {"version": "2026-11", "kind": "social", "recorded": False},
        "starts_at": (now - timedelta(minutes=2)).isoformat(),
        "ends_at": (now + timedelta(minutes=28, seconds=-10)).isoformat(),
        "started": screen in {"call", "paused"},
        "waiting": [],
        "late_min": 0,
        "pause": None,
        "pause_reason": None,
        "clock_runs": True,
        "returned_s": 0,
        "rebook_s": 0,
        "end": None,
        "end_reason": None,
        "synthetic": False,
        **more,
    }


@asynccontextmanager
async def served(broker: FakeBroker) -> AsyncIterator[FakeBroker]:
    """Run the fake on a free port of loopback."""
    runner = web.AppRunner(broker.app(), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    broker.origin = f"http://localhost:{runner.addresses[0][1]}"
    try:
        yield broker
    finally:
        await broker.drop()
        await broker.lose_media()
        await runner.cleanup()
