"""The two ends of a call: a family on its link, and a prisoner at a laptop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from broker.domain.codes import Step
from broker.protocol import client, server
from broker.synthetic.keys import HandshakeFailed
from broker.synthetic.line import Line, Tap
from broker.synthetic.peer import Pacer, Peer, Unreachable
from broker.synthetic.people import Person
from broker.synthetic.site import Browser, Denied, Site
from broker.synthetic.talk import Closed, Refused, Talk, TookTooLong, new_key, until
from broker.synthetic.tasks import Tasks, together

STEP_S = 10.0
REBUILD_S = (0.0, 0.5, 1.5, 3.0)  # before each new connection in a row, as the pages


class Caller:
    """One end of a call, with a socket and a peer. An async context: it leaves no socket behind."""

    chair = ""
    path = ""

    def __init__(self, site: Site, pacer: Pacer, token: str, person: Person) -> None:
        self.site, self.person = site, person
        self.browser = Browser(self.chair)
        self.visit: server.VisitMessage | None = None
        self.opened_at = 0.0  # monotonic, just before the link is redeemed
        self.talk: Talk | None = None
        self.peer: Peer | None = None
        self.warnings: list[server.WarningMessage] = []
        self.shows_warnings = True  # says at once that it presents them
        self.via: Callable[[str], str] = lambda answer: answer  # may send the media through something in between
        self.stays_away = False  # its owner lets it come back
        self.reoffered_at: float | None = None  # monotonic: when a new connection was last asked for
        self._pacer, self._token = pacer, token
        self._open = AsyncExitStack()
        self._tasks = Tasks()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.go()

    @property
    def screen(self) -> str:
        """What the page would show; empty before the first `visit`."""
        return self.visit.screen if self.visit is not None else ""

    @property
    def away(self) -> bool:
        """Whether there is no socket, or no longer."""
        return self.talk is None or self.talk.closed

    @property
    def lines(self) -> list[Line]:
        """What it receives."""
        return list(self.peer.lines.values()) if self.peer is not None else []

    def play(self, person: Person) -> None:
        """Be seen and heard as `person` from now on, on this connection and the next."""
        self.person = person
        if self.peer is not None and self.peer.loop is not None:
            self.peer.loop.play(person)

    async def second_device(self) -> str:
        """Open the link in another browser, and return the code of the refusal; empty where it was let in."""
        try:
            await self.site.post(Browser(self.chair), self.path, {"token": self._token})
        except Denied as denied:
            return denied.code
        return ""

    async def arrive(self) -> None:
        """Open the link, accept the notice, pass the check, connect, and enter the lobby."""
        self.opened_at = time.monotonic()
        await self.connect_socket()
        await self.walk_to_lobby()

    async def connect_socket(self) -> None:
        """Redeem the token (a cookie from then on) and open the socket."""
        answer = await self.site.post(self.browser, self.path, {"token": self._token})
        await self._start(str(answer["ticket"]))

    async def come_back(self) -> None:
        """Open a new socket and a new connection with the cookie, as a page does that was reloaded."""
        await self.go()
        self.visit = None
        answer = await self.site.post(self.browser, "/api/tickets", {})
        await self._start(str(answer["ticket"]))
        await self.walk_to_lobby()

    async def walk_to_lobby(self) -> None:
        """Do what each screen asks, until the leg waits in the lobby with media connected."""
        await self._screen({"notice", "check", "lobby", "call", "paused", "ended"})
        if self.screen == "notice":
            await self._consent()
        if self.screen == "check":
            await self._report()
        if self.screen == "ended":
            return
        await self.connect_media()
        await self.command(client.LobbyEnter(key=new_key()))

    async def connect_media(self) -> None:
        """Offer, connect, and send from now on."""
        if self.peer is not None:
            await self.peer.close()
        self.peer = Peer(self.person)
        self._open.push_async_callback(self.peer.close)
        await self.progress(Step.CONNECTING)
        answer = await self.command(client.MediaOffer(key=new_key(), sdp=self.peer.offer()))
        assert isinstance(answer, server.MediaAnswer)
        await self.peer.connect(self.via(answer.sdp))
        self._pacer.add(self.peer)
        await self.progress(Step.CONNECTED)

    def tap(self) -> dict[str, Tap]:
        """Keep what arrives from now on, by kind, for a promise to be checked."""
        taps = {line.kind: Tap() for line in self.lines}
        for line in self.lines:
            line.tap = taps[line.kind]
        return taps

    def mark(self) -> None:
        """From now on `decodable_at` is the next time that something decodable arrives."""
        for line in self.lines:
            line.mark()

    @property
    def decodable_at(self) -> float | None:
        """When picture and sound had both arrived since the last mark; None while they have not."""
        times = [line.decodable_at for line in self.lines]
        known = [at for at in times if at is not None]
        return max(known) if known and len(known) == len(times) else None

    async def command(self, message: client.ClientMessage) -> server.Ok | server.MediaAnswer:
        """Send a command on the socket. Raises as `Talk.command` does."""
        if self.talk is None:
            raise Closed("")
        return await self.talk.command(message)

    async def progress(self, step: Step) -> None:
        if self.talk is not None:
            await self.talk.say(client.LegProgress(step=step))

    async def go(self) -> None:
        """Close everything, as a page does that is closed."""
        await self._tasks.close()
        self._tasks = Tasks()
        await self._open.aclose()
        self._open = AsyncExitStack()
        self.talk = None

    async def _start(self, ticket: str) -> None:
        self.talk = await self._open.enter_async_context(Talk(self.site, self.browser, ticket, self._heard))

    async def _connect_again(self) -> None:
        """Connect as often as it takes, as a page does whose connection was lost."""
        for wait_s in REBUILD_S:
            await asyncio.sleep(wait_s)
            try:
                await self.connect_media()
                return
            except (Refused, TookTooLong, Unreachable, HandshakeFailed):
                continue
            except Closed:
                return

    async def _screen(self, wanted: set[str], within_s: float = STEP_S) -> None:
        talk = self.talk
        assert talk is not None
        await until(lambda: self.screen in wanted or talk.closed, within_s, f"one of the screens {sorted(wanted)}")
        if talk.closed:
            raise Closed(talk.bye)

    async def _consent(self) -> None:
        notice = self.visit.notice if self.visit is not None else None
        assert notice is not None
        await self.command(client.ConsentAccept(key=new_key(), notice_version=notice.version))
        await self._screen({"check", "lobby", "call", "paused", "ended"})

    async def _report(self) -> None:
        await self.command(client.CheckReport(key=new_key(), camera="ok", microphone="ok", browser="synthetic caller"))
        await self.progress(Step.MEDIA_CHOSEN)
        await self._screen({"lobby", "call", "paused", "ended"})

    def _heard(self, message: server.ServerMessage) -> None:
        match message:
            case server.VisitMessage():
                self.visit = message
            case server.WarningMessage():
                self.warnings.append(message)
                if self.shows_warnings and self.talk is not None:
                    self._tasks.start(self.talk.say(client.WarningShown(warning_id=message.warning_id)))
            case server.MediaReoffer():
                self.reoffered_at = time.monotonic()
                if self.peer is not None:
                    self._tasks.start(self._connect_again())
            case _:
                pass


class Family(Caller):
    """A family on its link."""

    chair = "family"
    path = "/api/family/redeem"


class Laptop(Caller):
    """A prisoner at an enrolled laptop; it waits for its seat's call to open."""

    chair = "laptop"
    path = "/api/laptop/redeem"
    wait_s = 60.0

    async def walk_to_lobby(self) -> None:
        await self._screen({"check", "lobby", "call", "paused", "ended"}, self.wait_s)
        await super().walk_to_lobby()


async def both(first: Caller, second: Caller) -> None:
    """Let two callers arrive at once."""
    await together(first.arrive(), second.arrive())
