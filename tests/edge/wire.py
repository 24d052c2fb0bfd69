"""A broker in memory for tests of the wire: real sockets and a real engine over fakes, time turned by hand."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from aiohttp import ClientWebSocketResponse, DummyCookieJar, WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from broker.config import Config
from broker.domain.policy import DEFAULT
from broker.domain.records import NATIONAL_POOL, ConsoleDevice, Grade, Role, Scope, Visit
from broker.edge.app import make_app
from broker.edge.services import Services
from broker.edge.ws import HUB
from broker.engine.chairs import FamilyChair, LaptopChair
from broker.engine.engine import Engine
from broker.engine.exercises import Exercises
from broker.engine.figures import Figures
from broker.engine.inquiry import Inquiry
from broker.engine.tasks import Tasks
from tests.domain.support import ticks as all_ticks
from tests.edge.support import Browser, assets
from tests.fakes import FakePlane
from tests.fakes_storage import FakeRenewals
from tests.office import PASSWORD, ZONE, Desk, request

WITHIN_S = 5.0
Said = dict[str, Any]

REPORTS = count(1)
"""The numbers of reports: each rises, as a page's do."""


@dataclass
class Talk:
    """A page's end of one socket, with everything that was said to it."""

    ws: ClientWebSocketResponse
    heard: list[Said] = field(default_factory=list)
    keys: Any = field(default_factory=lambda: count(1))

    async def next(self) -> Said | None:
        """Return the next message; None where the broker closed."""
        async with asyncio.timeout(WITHIN_S):
            frame = await self.ws.receive()
        if frame.type is not WSMsgType.TEXT:
            return None
        message: Said = json.loads(frame.data)
        self.heard.append(message)
        return message

    async def until(self, wanted: Callable[[Said], bool]) -> Said:
        """Return the first message from now on that is `wanted`."""
        while (message := await self.next()) is not None:
            if wanted(message):
                return message
        raise AssertionError(f"closed with {self.ws.close_code} after {[m['type'] for m in self.heard]}")

    async def of_type(self, kind: str, **values: object) -> Said:
        """Return the next message of a type that holds these values."""
        return await self.until(lambda m: m["type"] == kind and all(m.get(k) == v for k, v in values.items()))

    async def now(self, kind: str, wanted: Callable[[Said], bool]) -> Said:
        """Return the newest message of a type that is `wanted`: one already heard, else the next."""
        for message in reversed(self.heard):
            if message["type"] == kind:
                if wanted(message):
                    return message
                break
        return await self.until(lambda m: m["type"] == kind and wanted(m))

    async def say(self, kind: str, **values: object) -> None:
        """Send a message that has no answer."""
        await self.ws.send_str(json.dumps({"type": kind, **values}))

    async def ask(self, kind: str, key: str | None = None, **values: object) -> Said:
        """Send a command and return its answer."""
        used = key or f"key-{id(self)}-{next(self.keys)}"
        await self.say(kind, key=used, **values)
        return await self.until(lambda m: m.get("key") == used)

    async def done(self, kind: str, **values: object) -> Said:
        """Send a command that is done."""
        answer = await self.ask(kind, **values)
        assert answer["type"] in {"ok", "media.answer"}, answer
        return answer

    async def refusal(self, kind: str, **values: object) -> str:
        """Send a command that is refused, and return its code."""
        answer = await self.ask(kind, **values)
        assert answer["type"] == "refused", answer
        return str(answer["code"])

    async def closed(self) -> int | None:
        """Read to the end and return the close code."""
        while await self.next() is not None:
            continue
        return self.ws.close_code

    def last(self, kind: str) -> Said:
        """Return the last message of a type that was heard."""
        return next(message for message in reversed(self.heard) if message["type"] == kind)


@dataclass
class Wire:
    """The broker of the tests."""

    desk: Desk
    plane: FakePlane
    engine: Engine
    browser: Browser
    app: Any
    opened: list[Talk] = field(default_factory=list)
    consoles: dict[tuple[str, str], ConsoleDevice] = field(default_factory=dict)

    async def socket(self, chair: str, ticket: str, **headers: str) -> Talk:
        """Open a socket from a chair's own page and say hello."""
        talk = await self.bare(chair, **headers)
        await talk.say("hello", protocol=[1], ticket=ticket)
        return talk

    async def bare(self, chair: str, **headers: str) -> Talk:
        """Open a socket and say nothing."""
        config = self.browser.config
        sent = {"Host": config.chair_host(chair), "Origin": config.origin(chair), **headers}
        ws = await self.browser.client.ws_connect("/ws", headers=sent)
        talk = Talk(ws)
        self.opened.append(talk)
        return talk

    async def family(self, visit: Visit) -> Talk:
        """Seat a family by its link."""
        links = await self.desk.directory.links(Scope(frozenset({visit.establishment})), visit.id)
        link = replace(links[0], bound_hash=links[0].bound_hash or "browser-of-the-test")
        self.desk.directory.take([link])
        return await self.socket("family", self.desk.office.access.tickets.issue(FamilyChair(link)))

    async def laptop(self, code: str = "HRD") -> Talk:
        """Seat a laptop."""
        devices = await self.desk.directory.devices(Scope(frozenset({code})))
        device = replace(devices[0], key_hash="laptop-of-the-test")
        self.desk.directory.take([device])
        return await self.socket("laptop", self.desk.office.access.tickets.issue(LaptopChair(device)))

    async def staff(
        self, username: str, host: str = "monitor", profile: str = "", *, console: str | None = NATIONAL_POOL
    ) -> Talk:
        """Sign somebody in and open their socket; their browser is enrolled for `console`, where that is a place."""
        signed = await self.desk.office.accounts.sign_in(username, PASSWORD, profile or username)
        device = await self.enrolled(console, profile or username) if host == "monitor" and console else None
        talk = await self.socket(host, (await self.desk.office.access.staff_ticket(signed.token, device)).ticket)
        await talk.of_type("snapshot")
        return talk

    async def enrolled(self, place: str, browser: str) -> ConsoleDevice:
        """Return what a browser is enrolled as; it is enrolled once."""
        if (place, browser) not in self.consoles:
            self.consoles[place, browser] = await self.desk.console(place, f"WS-{len(self.consoles) + 1}")
        return self.consoles[place, browser]

    async def on_post(self, username: str, role: Role, code: str = "HRD") -> Talk:
        """Make an account, sign it in and on to its post."""
        number = f"{code}-{username.upper()}"
        if await self.desk.directory.staff(username) is None:
            await self.desk.person(username, number, role, code, Grade.PRISON_OFFICER)
        talk = await self.staff(username, "monitor" if role is Role.MONITOR else "hall")
        hall = f"h-{code}" if role is Role.SUPERVISOR else None
        await talk.done("post.sign_on", post=role.value, scope=[code], hall_id=hall, guidance=DEFAULT.version)
        if role is Role.MONITOR:
            await talk.ask("media.offer", sdp="audio=8 video=40")
        return talk

    async def visit(self, code: str = "HRD", letter: str = "A", seat: int = 1) -> Visit:
        """Book a visit with its link that begins now, and open its call."""
        scope = Scope(frozenset({code}))
        starts = self.desk.clock.now() + timedelta(minutes=1)
        asked = request(
            code, letter, starts_at=starts, ends_at=starts + timedelta(minutes=30), seat_id=f"t{seat}-{code}"
        )
        visit = await self.desk.office.visits.book(scope, asked, "staff:1")
        await self.desk.office.visits.issue_link(scope, visit.id, "staff:1")
        await self.engine.registry.sweep()
        self.desk.clock.turn(60)
        await self.engine.renew()
        return visit

    async def to_lobby(self, talk: Talk, leg_id: str, *, consents: bool) -> None:
        """Take a caller through every step up to the lobby, with media up."""
        if consents:
            shown = await talk.of_type("visit", screen="notice")
            await talk.done("consent.accept", notice_version=shown["notice"]["version"])
        if not any(m["type"] == "visit" and m["screen"] == "check" for m in talk.heard):
            await talk.of_type("visit", screen="check")
        await talk.done("check.report", camera="ok", microphone="ok", browser="test")
        await talk.done("media.offer", sdp="audio=1 video=1")
        self.plane.raise_endpoint(leg_id, True)
        await talk.done("lobby.enter")

    async def live_call(self, code: str = "HRD", letter: str = "A", people: tuple[str, ...] = ()) -> Live:
        """Bring a call to life by both posts and both ends. `people`: who of the family is there; all of them."""
        visit = await self.visit(code, letter)
        monitor = await self.on_post(f"mona-{code.lower()}", Role.MONITOR, code)
        supervisor = await self.on_post(f"sam-{code.lower()}", Role.SUPERVISOR, code)
        laptop, family = await self.laptop(code), await self.family(visit)
        await self.to_lobby(laptop, f"{visit.id}.1", consents=False)
        await self.to_lobby(family, f"{visit.id}.2", consents=True)
        live = Live(self, visit, monitor, supervisor, laptop, family)
        await live.verify(people)
        await live.prove()
        return live

    async def tick(self) -> None:
        """Let time act on every call, and the hub's second pass."""
        for entry in self.engine.registry:
            await entry.actor.tick()
        for session in tuple(self.app[HUB]._sessions.values()):
            session.second()
        await asyncio.sleep(0)


@dataclass
class Live:
    """A live call with its four sockets."""

    wire: Wire
    visit: Visit
    monitor: Talk
    supervisor: Talk
    laptop: Talk
    family: Talk

    @property
    def legs(self) -> tuple[str, str]:
        """The prisoner's leg and the family's."""
        return f"{self.visit.id}.1", f"{self.visit.id}.2"

    @property
    def monitor_session(self) -> str:
        """The one console that watches the call."""
        entry = self.wire.engine.entry(self.visit.id)
        assert entry is not None
        (observer,) = entry.actor.call.observers
        return observer.session

    def seq(self) -> int:
        """Return the call's version."""
        entry = self.wire.engine.entry(self.visit.id)
        assert entry is not None
        return entry.actor.call.seq

    async def verify(self, there: tuple[str, ...] = ()) -> None:
        """Both posts verify their end: of the family those who are `there`, or everybody."""
        for talk, leg in ((self.supervisor, self.legs[0]), (self.monitor, self.legs[1])):
            entry = self.wire.engine.entry(self.visit.id)
            assert entry is not None
            found = entry.actor.call.leg(leg)
            assert found is not None
            people = sorted(set(there) & set(found.people) or found.people)
            ticks = [dataclasses.asdict(tick) for tick in all_ticks(found) if tick.id in people]
            await talk.done(
                "leg.verify", call_id=self.visit.id, leg_id=leg, people=people, version=self.seq(), checks=ticks
            )

    async def prove(self) -> None:
        """Both posts prove that they are there."""
        shown = {"ratio": 1.0, "unobscured": True, "width": 320, "height": 180}
        tiles = [{"call_id": self.visit.id, "legs": [{"leg_id": leg, **shown} for leg in self.legs]}]
        heard = self.wire.desk.clock.now().isoformat()
        await self.monitor.say("wall.proof", n=next(REPORTS), heard=heard, visible=True, tiles=tiles)
        await self.supervisor.say("presence", n=1, heard=heard, visible=True)
        for talk in (self.monitor, self.supervisor):
            await talk.ask("media.offer", sdp="nothing=1")  # refused: its answer says that the proof was taken
        await self.wire.tick()


@asynccontextmanager
async def wire(**config: Any) -> AsyncIterator[Wire]:
    """Serve a whole broker over fakes: two prisons (tests/office.py), no visit yet."""
    desk, plane, tasks = Desk(), FakePlane(), Tasks()
    office = desk.office
    engine = Engine(
        desk.log,
        desk.journal,
        FakeRenewals(),
        desk.directory,
        plane,
        desk.clock,
        DEFAULT,
        "node-1",
        ZONE,
        office.streams,
        office.denials,
        office.revocations,
    )
    await engine.renew()
    plane.watch(engine.endpoint_changed)
    plane.watch_homes(engine.home_changed)
    plane.watch_stills(engine.still_made)
    engine.board.listen(engine.follow)
    figures = Figures(desk.log, desk.directory, desk.clock, ZONE)
    found = Services(
        config=Config(**{"base_url": "http://broker.test", **config}),
        clock=desk.clock,
        directory=desk.directory,
        engine=engine,
        access=office.access,
        accounts=office.accounts,
        console_devices=office.console_devices,
        visits=office.visits,
        suspensions=office.suspensions,
        secrets=office.secrets,
        synthetics=office.synthetics,
        assets=assets(),
        figures=figures,
        inquiry=Inquiry(figures, office.streams, desk.directory, desk.clock),
        exercises=Exercises(desk.log, desk.clock),
    )
    app = make_app(found, tasks)
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
        made = Wire(desk, plane, engine, Browser(client, found.config), app)
        try:
            yield made
        finally:
            for talk in made.opened:
                await talk.ws.close()
    await tasks.close()
    await engine.stop()
