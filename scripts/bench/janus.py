"""Janus's videoroom as a server of the comparison: Debian's package, our configuration, its WebSocket interface."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from bench.compiled import Load
from bench.offers import Offer
from bench.peer import Peer
from bench.servers import ENDED_WITHIN_S, Absent, Call, cpu_s, hand_over, hang_up, spawn
from broker.domain.plan import Media

READY_WITHIN_S = 10.0
ANSWER_WITHIN_S = 10.0
LIBRARIES = (Path("/usr/lib/x86_64-linux-gnu/janus"), Path("/usr/lib/aarch64-linux-gnu/janus"), Path("/usr/lib/janus"))
PLUGIN, TRANSPORT = "libjanus_videoroom.so", "libjanus_websockets.so"


def configuration(folder: Path, libraries: Path, port: int) -> None:
    """Write what makes Janus the relay that ours is: one event loop, ICE-lite, one plugin and one interface."""
    others = {
        kind: ",".join(p.name for p in (libraries / kind).glob("*.so") if p.name not in (PLUGIN, TRANSPORT))
        for kind in ("plugins", "transports", "loggers")
    }
    (folder / "janus.jcfg").write_text(
        f"""general: {{
    configs_folder = "{folder}"
    plugins_folder = "{libraries}/plugins"
    transports_folder = "{libraries}/transports"
    loggers_folder = "{libraries}/loggers"
    events_folder = "{libraries}/events"
    debug_level = 2
    event_loops = 1
    hide_dependencies = true
}}
media: {{ rtp_port_range = "20000-29999" }}
nat: {{ ice_lite = true, nice_debug = false, full_trickle = false }}
plugins: {{ disable = "{others["plugins"]}" }}
transports: {{ disable = "{others["transports"]}" }}
loggers: {{ disable = "{others["loggers"]}" }}
"""
    )
    (folder / "janus.transport.websockets.jcfg").write_text(
        f'general: {{ json = "compact", ws = true, ws_port = {port}, ws_ip = "127.0.0.1", wss = false }}\n'
        "admin: { admin_ws = false }\n"
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")


class Janus:
    """A Janus of our own; each call is a room with two publishers, two subscribers and one who subscribes to both."""

    name = "janus"

    def __init__(self, load: Load, host: str, core: int | None) -> None:
        program, libraries = shutil.which("janus"), next((p for p in LIBRARIES if p.is_dir()), None)
        if program is None or libraries is None:
            raise Absent("not installed; an administrator must run: apt-get install -y --no-install-recommends janus")
        if host.startswith("127."):
            raise Absent("it gathers no loopback address, and this machine has no other")
        self.load, self.group, self.host = load, load.new_group(), host
        self.calls: list[Call] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._folder = tempfile.TemporaryDirectory(prefix="bench-janus-")
        folder = Path(self._folder.name)
        configuration(folder, libraries, self._port)
        self._log = folder / "log"
        with self._log.open("w") as log:
            words: list[str | Path] = [program, "-F", folder, "-C", folder / "janus.jcfg"]
            self._process = spawn(words, core, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self._process.pid
        self._numbers = count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._client: aiohttp.ClientSession | None = None

    # --- its interface ----------------------------------------------------

    async def _open(self) -> None:
        self._client = aiohttp.ClientSession()
        async with asyncio.timeout(READY_WITHIN_S):
            while True:
                try:
                    self._socket = await self._client.ws_connect(
                        f"ws://127.0.0.1:{self._port}", protocols=["janus-protocol"]
                    )
                    break
                except aiohttp.ClientError:
                    if self._process.poll() is not None:
                        raise Absent(f"it does not start: {self._log.read_text()[-300:]}") from None
                    await asyncio.sleep(0.1)
        self._reading = asyncio.create_task(self._read())
        self._session = (await self._ask(janus="create"))["data"]["id"]
        self._keeping = asyncio.create_task(self._keep_alive())

    async def _read(self) -> None:
        async for message in self._socket:
            found = message.json()
            future = self._waiting.get(found.get("transaction", ""))
            if future and not future.done() and found["janus"] != "ack":  # an event follows an ack
                future.set_result(found)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(20)
            await self._socket.send_json(
                {"janus": "keepalive", "session_id": self._session, "transaction": f"k{next(self._numbers)}"}
            )

    async def _ask(self, **message: Any) -> dict[str, Any]:
        transaction = f"t{next(self._numbers)}"
        future = self._waiting[transaction] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({**message, "transaction": transaction})
        found: dict[str, Any] = await asyncio.wait_for(future, ANSWER_WITHIN_S)
        del self._waiting[transaction]
        error = found.get("error") or found.get("plugindata", {}).get("data", {}).get("error")
        if error:
            raise RuntimeError(f"Janus says: {error}")
        return found

    async def _attach(self) -> int:
        made = await self._ask(janus="attach", session_id=self._session, plugin="janus.plugin.videoroom")
        number: int = made["data"]["id"]
        return number

    async def _message(self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None) -> dict[str, Any]:
        more = {"jsep": jsep} if jsep else {}
        return await self._ask(janus="message", session_id=self._session, handle_id=handle, body=body, **more)

    # --- calls ------------------------------------------------------------

    async def grow(self, calls: int) -> None:
        """Make rooms until there are so many calls."""
        if self._client is None:
            await self._open()
        first = len(self.calls)
        for number in range(first, calls):
            self.calls.append(await self._room(number + 1, str(number)))
        hand_over(self.load, self.group, self.calls[first:], calls)

    async def _room(self, room: int, name: str) -> Call:
        call, keeper = Call(name), await self._attach()
        how = {"publishers": 2, "bitrate": 0, "audiocodec": "opus", "videocodec": "vp8", "fir_freq": 0}
        await self._message(keeper, {"request": "create", "room": room, "transport_wide_cc_ext": True, **how})
        feeds = []
        for _ in range(2):
            feed, peer = await self._publisher(room)
            feeds.append(feed)
            call.publishers.append(peer)
        for wanted in ([feeds[1]], [feeds[0]], feeds):  # each sees the other, and the monitor both
            call.receivers.append(await self._subscriber(room, wanted))
        return call

    async def _publisher(self, room: int) -> tuple[int, Peer]:
        handle, peer = await self._attach(), Peer(self.host, Offer(list(Media), []), is_checked=True)
        joined = await self._message(handle, {"request": "join", "ptype": "publisher", "room": room})
        offer = {"type": "offer", "sdp": await peer.bind()}
        made = await self._message(handle, {"request": "publish"}, offer)
        await peer.connect(made["jsep"]["sdp"])
        feed: int = joined["plugindata"]["data"]["id"]
        return feed, peer

    async def _subscriber(self, room: int, feeds: list[int]) -> Peer:
        handle, peer = await self._attach(), Peer(self.host, Offer([], []), is_checked=True)
        body = {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": feed} for feed in feeds]}
        offered = (await self._message(handle, body))["jsep"]["sdp"]
        await peer.bind()
        answer = {"type": "answer", "sdp": peer.answer_to(offered)}
        await self._message(handle, {"request": "start"}, answer)
        await peer.connect(offered)
        return peer

    def cpu_s(self) -> float:
        """Return the CPU time of the whole process."""
        return cpu_s(self.pid)

    async def close(self) -> None:
        """End the process and its files."""
        hang_up(self.load, self.group, self.calls)
        if self._client is not None:
            self._keeping.cancel()
            self._reading.cancel()
            await self._client.close()
        self._process.terminate()
        try:
            self._process.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()
