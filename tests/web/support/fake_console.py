"""A broker that is none: it serves the two consoles' pages and plays a few calls, so that a page can be seen by itself.

    .venv/bin/python -m tests.web.support.fake_console --calls 6 --port 8091

Every message it sends is one of broker/protocol, and every message it takes is decoded by it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import WSMsgType, web

from broker.demo.portraits import portrait
from broker.domain.codes import Code, HoldKind, Outcome, PauseReason, Post, Step
from broker.domain.policy import DEFAULT
from broker.edge.assets import Assets, find_root
from broker.edge.headers import content_policy
from broker.edge.live_pages import SHELLS
from broker.protocol import client, posts, server
from broker.protocol.attention import AttentionPart
from broker.text import as_json, catalogue

PRISON = "HDN"
HALL = "hall-a"
NAMES = ["Kerry Bell", "Grace Osei", "Paul Thorne", "Lucia Duarte", "Amrit Kaur", "Samira Hussain", "Beth Ward"]
NUMBERS = ["A3318EL", "A7032DF", "A5520EJ", "A7791BA", "A1983BW", "A8846DV", "A2205CP", "A4059EK", "A3096GT"]
DATA = [
    *NAMES,
    *NUMBERS,
    "Thomas Bell",
    "Mia Bell",
    "K. Adeyemi",
    "T. Okafor",
    "HMP Harrowdene",
    "Hall A",
    "S100",
    "TB",
]
CSP = (
    "default-src 'none'; script-src 'self' 'nonce-fake'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)


class World:
    """A hall's calls, posts and seats; tests change them and say so to the page."""

    def __init__(self, calls: int, lobby: int = 1) -> None:
        self.calls: dict[str, dict[str, Any]] = {}
        self.refuse_sign_on: Code | None = None
        self.refused_checks: list[posts.CheckPart] = []
        self.refuse_next: Code | None = None
        self.held: Post | None = None
        self.other: str = "on"
        self.said: list[client.ClientMessage] = []
        self.proof_age: dict[str, float] = {}
        self.attention: dict[str, AttentionPart] = {}
        self.health: dict[str, str] = {}
        self.sound_only: set[str] = set()  # legs
        self.sockets: list[web.WebSocketResponse] = []
        self.silent = False
        self.holds_made = 0
        self.focus: str | None = None
        self.without_line: set[str] = set()
        self.photos: set[str] = set()  # people
        self.not_served: set[str] = set()  # static files, by the end of their name
        for number in range(calls):
            self.add(number, "lobby" if number >= calls - lobby else "live")

    def add(self, number: int, phase: str = "live") -> dict[str, Any]:
        """Put one more call on the wall."""
        now = datetime.now(UTC)
        lobby = phase == "lobby"
        call = {
            "id": f"v{number:04}",
            "seq": 1,
            "kind": "social",
            "establishment": PRISON,
            "hall_id": HALL,
            "hall": "Hall A",
            "seat_id": f"seat-{number + 1}",
            "seat": number + 1,
            "prisoner_number": NUMBERS[number % len(NUMBERS)],
            "prisoner_initials": "TB",
            "prisoner_name": "Thomas Bell",
            "tier": 1 + number % 3,
            "synthetic": number % 4 == 3,
            "recorded": False,
            "phase": phase,
            "holds": [],
            "legs": self._legs(number, lobby),
            "starts_at": now + timedelta(minutes=5 if lobby else -10),
            "ends_at": now + timedelta(minutes=35 if lobby else 18, seconds=number * 41),
            "started_at": None if lobby else now - timedelta(minutes=10),
            "looked_at": None if lobby else now - timedelta(seconds=7 * number),
            "missing": ["window", "identity", "seat"] if lobby else [],
        }
        self.calls[str(call["id"])] = call
        return call

    @staticmethod
    def _legs(number: int, lobby: bool) -> list[dict[str, Any]]:
        family = [{"id": f"c{number}", "name": NAMES[number % len(NAMES)], "main_caller": True, "verified": not lobby}]
        if number % 3 == 0:
            family.append({"id": f"k{number}", "name": "Mia Bell", "child": True, "verified": not lobby})
        step = Step.LOBBY if lobby else Step.CONNECTED
        both = {"step": step, "consented": True, "verified": not lobby, "connected": True, "sends": ["audio", "video"]}
        prisoner = [{"id": NUMBERS[number % len(NUMBERS)], "name": "Thomas Bell", "verified": not lobby}]
        return [
            {"id": f"v{number:04}.1", "role": "prisoner", "people": prisoner, **both},
            {"id": f"v{number:04}.2", "role": "family", "people": family, **both},
        ]

    # --- what it says ------------------------------------------------------------

    def call(self, call_id: str) -> server.CallMessage:
        """Return the call as it stands, with a new seq."""
        self.calls[call_id]["seq"] += 1
        return server.CallMessage(now=datetime.now(UTC), call=server.CallPart.model_validate(self.calls[call_id]))

    def snapshot(self) -> server.Snapshot:
        """Return everything, once on a post."""
        on = self.held is not None
        posts = self.posts()
        return server.Snapshot(
            now=datetime.now(UTC),
            you_hold=next((post for post in posts if post.you), None),
            calls=[server.CallPart.model_validate(call) for call in self.calls.values()] if on else [],
            posts=posts,
            seats=self.seats() if on else [],
        )

    def posts(self) -> list[posts.PostPart]:
        """Return both posts: the page's own, and the other as `other` says."""
        parts = []
        for post, hall, name in ((Post.MONITOR, None, "K. Adeyemi"), (Post.SUPERVISOR, HALL, "T. Okafor")):
            mine = self.held is post
            state = "on" if mine else self.other
            parts.append(
                posts.PostPart.model_validate(
                    {
                        "establishment": PRISON,
                        "hall_id": hall,
                        "post": post,
                        "state": state,
                        "name": None if state == "off" else name,
                        "since": datetime.now(UTC) - timedelta(minutes=42),
                        "you": mine,
                        "scope": [PRISON],
                    }
                )
            )
        return parts

    def seats(self) -> list[server.SeatPart]:
        """Return thirty seats, those with calls first."""
        seats = []
        for number in range(1, 31):
            call = next((c for c in self.calls.values() if c["seat"] == number and c["phase"] != "ended"), None)
            state = "free" if number % 7 else "offline"
            if call is not None:
                state = self._seat_state(call)
            seats.append(
                server.SeatPart.model_validate(
                    {
                        "id": f"seat-{number}",
                        "hall_id": HALL,
                        "number": number,
                        "state": state,
                        "asset_tag": f"LT-{number:03}",
                        "call_id": call["id"] if call else None,
                    }
                )
            )
        return seats

    @staticmethod
    def _seat_state(call: dict[str, Any]) -> str:
        if call.get("help_asked"):
            return "help"
        if call["holds"]:
            return "paused"
        if call["phase"] == "lobby":
            return "ready" if call["legs"][0]["verified"] else "verify"
        return str(call["phase"])

    def news(self) -> server.News:
        """Return what comes each second."""
        legs = []
        for call in self.calls.values():
            for leg in call["legs"]:
                health = self.health.get(leg["id"], "good")
                part = {"leg_id": leg["id"], "call_id": call["id"], "health": health, "level": 0.4}
                part["picture"] = "none" if leg["id"] in self.sound_only else "best"
                legs.append(server.LegHealth.model_validate(part))
        return server.News(
            now=datetime.now(UTC),
            legs=legs,
            proof_age_s={**dict.fromkeys(self.calls, 0.4), **self.proof_age},
            attention=self.attention,
        )

    def lines(self) -> server.MediaLines:
        """Return a line for every picture that may be shown, and the sound of the call in focus."""
        lines = []
        for at, call in enumerate(self.calls.values()):
            for side, leg in enumerate(call["legs"]):
                if leg["id"] in self.without_line or (call["phase"] == "lobby" and leg["role"] == "prisoner"):
                    continue
                lines.append(server.LinePart(kind="video", index=at * 2 + side, call_id=call["id"], leg_id=leg["id"]))
        if self.focus:
            for side, leg in enumerate(self.calls[self.focus]["legs"]):
                lines.append(server.LinePart(kind="audio", index=side, call_id=self.focus, leg_id=leg["id"]))
        return server.MediaLines(lines=lines)

    # --- what it does --------------------------------------------------------------

    def hold(self, call_id: str, kind: HoldKind, post: Post | None) -> str:
        """Place a hold and return its id."""
        self.holds_made += 1
        now = datetime.now(UTC)
        person = post is not None
        self.calls[call_id]["holds"].append(
            {
                "id": f"h{self.holds_made}",
                "kind": kind,
                "post": post,
                "by": "K. Adeyemi" if person else None,
                "reason": None,
                "placed_at": now,
                "undo_until": now + timedelta(seconds=5) if person else None,
                "relabel_until": now + timedelta(seconds=60) if person else None,
            }
        )
        return f"h{self.holds_made}"

    def stations(self) -> posts.Stations:
        """Return how the prison stands, to whoever is on no post."""
        live = sum(call["phase"] == "live" for call in self.calls.values())
        station = posts.StationPart(
            establishment=PRISON, posts=self.posts(), monitors=[], live=live, lobby=len(self.calls) - live
        )
        return posts.Stations(now=datetime.now(UTC), stations=[station])

    def answer(self, message: Any) -> Iterator[server.ServerPart]:
        """Yield the answer to a command, and what follows from it."""
        if self.refuse_next is not None and not isinstance(message, client.MediaOffer):
            yield server.RefusedMessage(key=message.key, code=self.refuse_next)
            self.refuse_next = None
            return
        match message:
            case client.PostSignOn():
                if self.refuse_sign_on is not None:
                    yield server.RefusedMessage(key=message.key, code=self.refuse_sign_on, checks=self.refused_checks)
                    return
                self.held = message.post
                yield server.Ok(key=message.key)
                yield self.snapshot()
                yield self.lines()
            case client.PostSignOff():
                self.held = None
                yield server.Ok(key=message.key)
                yield self.snapshot()
            case client.CallPause():
                yield server.Ok(key=message.key, hold_id=self.hold(message.call_id, HoldKind.SECURITY, self.held))
                yield self.call(message.call_id)
            case client.HoldReason() | client.HoldRelabel() | client.HoldUndo() | client.HoldClear():
                self._change(message)
                yield server.Ok(key=message.key)
                yield self.call(message.call_id)
            case client.CallEnd():
                outcome = Outcome.TERMINATED_BY_STAFF
                self.calls[message.call_id].update(phase="ended", holds=[], outcome=outcome, ended_by="K. Adeyemi")
                yield server.Ok(key=message.key)
                yield self.call(message.call_id)
            case client.LegVerify():
                leg = next(one for one in self.calls[message.call_id]["legs"] if one["id"] == message.leg_id)
                leg["verified"] = True
                yield server.Ok(key=message.key)
                yield self.call(message.call_id)
                yield self.lines()
            case client.WallFocus():
                self.focus = message.call_id
                yield server.Ok(key=message.key)
                yield self.lines()
            case _:
                yield server.Ok(key=message.key)
        for seat in self.seats() if self.held else []:
            yield server.SeatMessage(now=datetime.now(UTC), seat=seat)

    def _change(self, message: Any) -> None:
        holds = self.calls[message.call_id]["holds"]
        hold = next(one for one in holds if one["id"] == message.hold_id)
        match message:
            case client.HoldReason():
                hold["reason"] = PauseReason(message.reason)
            case client.HoldRelabel():
                hold["kind"] = HoldKind.TECHNICAL
            case client.HoldUndo() | client.HoldClear():
                holds.remove(hold)

    async def tell(self, *messages: server.ServerPart) -> None:
        """Send messages to the page."""
        for socket in self.sockets:
            for message in messages:
                await socket.send_str(message.model_dump_json())

    async def changed(self, call_id: str) -> None:
        """Tell the page that a call changed."""
        await self.tell(
            self.call(call_id), *(server.SeatMessage(now=datetime.now(UTC), seat=seat) for seat in self.seats())
        )


class FakeBroker:
    """The web side of a `World`."""

    def __init__(self, world: World, language: str = "en") -> None:
        self.world = world
        self.language = language
        self.assets = Assets(find_root())
        self.app = web.Application()
        self.app.add_routes(
            [
                web.get("/monitor", self.page),
                web.get("/hall", self.page),
                web.get("/sign-in", self.sign_in),
                web.post("/api/tickets", self.ticket),
                web.get("/calls/{call_id}/photos/{person}", self.photo),
                web.get("/ws", self.socket),
                web.get("/static/{version:[0-9a-f]{16}}/{name:.+}", self.static),
            ]
        )

    async def page(self, request: web.Request) -> web.Response:
        """Serve a page's shell, as the contract says it is."""
        shell = SHELLS[request.path.removeprefix("/")]
        which = shell.page
        sheets = "\n".join(f'<link rel="stylesheet" href="{self.assets.url(name)}">' for name in shell.styles)
        text = as_json(self.language).decode()
        config = json.dumps({"page": which, "lang": self.language, "demo": True, "text": json.loads(text)})
        config = config.replace("<", "\\u003c")
        title = catalogue(self.language)("console.official")
        module = self.assets.url(f"supervisor_console/{which}/main.js")
        body = f"""<!doctype html><html lang="{self.language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{sheets}
<script type="importmap" nonce="fake">{self.assets.import_map()}</script></head>
<body><div id="app" data-page="{which}"></div>
<script type="application/json" id="config">{config}</script>
<script type="module" nonce="fake" src="{module}"></script></body></html>"""
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": CSP})

    async def sign_in(self, request: web.Request) -> web.Response:
        """Stand for the page of signing in."""
        return web.Response(text="<!doctype html><title>sign in</title>", content_type="text/html")

    async def photo(self, request: web.Request) -> web.Response:
        """Serve a drawn photo of everybody whom the world has one of."""
        person = request.match_info["person"]
        if person not in self.world.photos:
            raise web.HTTPNotFound
        return web.Response(body=portrait(person, child=person.startswith("k")), content_type="image/png")

    async def ticket(self, request: web.Request) -> web.Response:
        """Give a ticket to anybody."""
        return web.json_response({"ticket": "t" * 32})

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Serve the real files, but for the peer: its pictures are drawn in the page."""
        if request.match_info["name"] == "web/lib/peer.js":
            root = find_root() / "tests" / "web" / "support" / "fake_peer.js"
            return web.Response(text=root.read_text(encoding="utf-8"), content_type="text/javascript")
        if request.match_info["name"].endswith(tuple(self.world.not_served)):
            raise web.HTTPNotFound
        answer = await self.assets.handler(request)
        answer.headers["Content-Security-Policy"] = content_policy("fake", request.path)
        return answer

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Play the broker's end of the wire."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        world = self.world
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                break
            message = client.decode(frame.data)
            if isinstance(message, client.Hello):
                world.held = None
                await self._welcome(socket, request)
                continue
            world.said.append(message)
            if hasattr(message, "key") and not world.silent:
                for part in world.answer(message):
                    await socket.send_str(part.model_dump_json())
        if socket in world.sockets:
            world.sockets.remove(socket)
        return socket

    async def _welcome(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        may = posts.MayPart(
            establishment=PRISON,
            name="HMP Harrowdene",
            posts=[Post.MONITOR, Post.SUPERVISOR],
            halls=[posts.HallPart(id=HALL, name="Hall A")],
        )
        guidance = posts.GuidancePart(
            version=DEFAULT.version, effective_from=DEFAULT.effective_from, changes=list(DEFAULT.changes)
        )
        you = server.YouStaff(name="K. Adeyemi", number="S100", grade="prison_officer", may=[may], guidance=guidance)
        receive = server.LineWant(audio=8, video=40)
        welcome = server.Welcome(protocol=1, now=datetime.now(UTC), you=you, receive=receive, demo=True)
        await socket.send_str(welcome.model_dump_json())
        await socket.send_str(self.world.snapshot().model_dump_json())
        await socket.send_str(self.world.stations().model_dump_json())
        self.world.sockets.append(socket)

    async def tick(self) -> None:
        """Send news each second, unless the world is silent."""
        while True:
            await asyncio.sleep(1)
            if not self.world.silent:
                with contextlib.suppress(ConnectionError):
                    await self.world.tell(self.world.news())


@contextlib.asynccontextmanager
async def served(world: World, language: str = "en", port: int = 0) -> AsyncIterator[str]:
    """Serve the consoles of `world`, on a free port unless one is named, and yield their origin."""
    broker = FakeBroker(world, language)
    runner = web.AppRunner(broker.app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    origin = f"http://localhost:{runner.addresses[0][1]}"
    ticking = asyncio.create_task(broker.tick())
    try:
        yield origin
    finally:
        ticking.cancel()
        await site.stop()  # before its sockets go, so that the page does not come back
        await asyncio.gather(*(socket.close() for socket in [*world.sockets]))
        await runner.cleanup()


async def forever(world: World, port: int, language: str) -> None:
    """Serve until interrupted."""
    async with served(world, language, port) as origin:
        print(f"{origin}/monitor and /hall")
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=4)
    parser.add_argument("--lobby", type=int, default=1)
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--language", default="en")
    arguments = parser.parse_args()
    asyncio.run(forever(World(arguments.calls, arguments.lobby), arguments.port, arguments.language))


if __name__ == "__main__":
    main()
