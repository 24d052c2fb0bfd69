"""The two posts: a monitor with a wall that receives and is proven, and a supervisor who is present in the hall."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from broker.domain.codes import (
    AttendOutcome,
    AttendReason,
    BreachCategory,
    BreachOutcome,
    Document,
    EndReason,
    Post,
    Step,
    Warning,
)
from broker.protocol import client, server, tasks
from broker.protocol.alerts import Alert
from broker.protocol.posts import PostLeftMessage, Relief
from broker.synthetic.attending import Attending
from broker.synthetic.keys import HandshakeFailed
from broker.synthetic.line import Line, Tap
from broker.synthetic.peer import Pacer, Peer, Unreachable
from broker.synthetic.site import Browser, Site
from broker.synthetic.talk import Closed, Refused, Talk, TookTooLong, new_key, until
from broker.synthetic.tasks import Tasks, together

CONSOLE_COOKIE = "__Host-console"
EVERY_S = 1.0
EARLY_S = 0.1
_RETRY_S = 0.3
_WATCHED = ("lobby", "ready", "live")
HERE = (Step.LOBBY, Step.CONNECTING, Step.CONNECTED)


def _ticks(person: server.AttendeePart) -> tasks.PersonTicks:
    document = Document.WITH_ADULT if person.child else Document.PASSPORT
    return tasks.PersonTicks(id=person.id, name=True, photo=True, document=document)


class StaffMember:
    """A signed-in person: a socket, a post, and the calls as the broker tells them."""

    chair = ""
    post = Post.MONITOR

    def __init__(self, site: Site, username: str, password: str) -> None:
        self.site = site
        self.browser = Browser(self.chair)
        self.calls: dict[str, server.CallPart] = {}
        self.holds_post = False
        self.verifies: Callable[[server.CallPart], bool] = lambda call: True
        self.alerts: list[Alert] = []
        self.records: dict[tuple[str, str], tasks.RecordPart] = {}  # by call and entry
        self.warnings: dict[str, tasks.WarningState] = {}
        self.talk: Talk | None = None
        self._account = {"username": username, "password": password}
        self._changed = asyncio.Event()
        self._open = AsyncExitStack()
        self._tasks = Tasks()
        self._n = 0
        self.heard = datetime.now(UTC)  # the broker's own time, as it was last told

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.go()

    async def go(self) -> None:
        """Be gone, without signing off: what a browser does that dies."""
        self.holds_post = False
        await self._open.aclose()
        await self._tasks.close()

    async def sign_in(self) -> server.Welcome:
        """Sign in with the account and open the socket."""
        answer = await self.site.post(self.browser, "/api/sign-in", self._account)
        talk = Talk(self.site, self.browser, str(answer["ticket"]), self._heard)
        self.talk = await self._open.enter_async_context(talk)
        assert talk.welcome is not None
        return talk.welcome

    async def take_post(self, establishment: str, hall_id: str | None = None, also: Sequence[str] = ()) -> None:
        """Sign on, and do the post's work from now on; `also`: more establishments to monitor. Raises Refused."""
        await self.command(self.sign_on_to(self.post, establishment, hall_id, also))
        self.holds_post = True
        for work in self._works():
            self._tasks.start(work())

    def sign_on_to(
        self, post: Post, establishment: str, hall_id: str | None = None, also: Sequence[str] = ()
    ) -> client.PostSignOn:
        """Return the message that asks for a post, with the guidance that the broker names."""
        return client.PostSignOn(
            key=new_key(), post=post, scope=[establishment, *also], hall_id=hall_id, guidance=self.guidance
        )

    @property
    def guidance(self) -> str:
        """The version of the guidance in force when the socket was opened."""
        you = self.talk.welcome.you if self.talk is not None and self.talk.welcome is not None else None
        return you.guidance.version if isinstance(you, server.YouStaff) else ""

    async def leave_post(self) -> None:
        """Sign off; the work stops."""
        self.holds_post = False
        await self._tasks.close()
        await self.command(client.PostSignOff(key=new_key()))

    async def command(self, message: client.ClientMessage) -> server.Ok | server.MediaAnswer:
        """Send a command on the socket. Raises as `Talk.command` does."""
        if self.talk is None:
            raise Closed("")
        return await self.talk.command(message)

    async def log_patrol(self, call_id: str) -> None:
        """Say that somebody walked past a privileged call."""
        await self.command(client.PatrolLog(key=new_key(), call_id=call_id))

    async def pause(self, call_id: str) -> tuple[str, float]:
        """Pause, and return the hold and when the command was sent (monotonic seconds)."""
        sent_at = time.monotonic()
        answer = await self.command(client.CallPause(key=new_key(), call_id=call_id))
        assert isinstance(answer, server.Ok)
        return answer.hold_id or "", sent_at

    async def clear(self, call_id: str, hold_id: str) -> float:
        """Clear a hold with the version last seen, and return when the command was sent."""
        sent_at = time.monotonic()
        version = self.calls[call_id].seq if call_id in self.calls else 0
        await self.command(client.HoldClear(key=new_key(), call_id=call_id, hold_id=hold_id, version=version))
        return sent_at

    async def end(self, call_id: str, reason: EndReason = EndReason.FINISHED_EARLY) -> float:
        """End a call for good, and return when the command was sent."""
        sent_at = time.monotonic()
        await self.command(client.CallEnd(key=new_key(), call_id=call_id, reason=reason))
        return sent_at

    async def verify(self, call_id: str, leg_id: str) -> None:
        """Tick everybody of a leg."""
        call = self.calls[call_id]
        leg = next(one for one in call.legs if one.id == leg_id)
        people = [person.id for person in leg.people]
        checks = [] if leg.role == "prisoner" else [_ticks(person) for person in leg.people]
        await self.command(
            client.LegVerify(
                key=new_key(), call_id=call_id, leg_id=leg_id, people=people, version=call.seq, checks=checks
            )
        )

    async def say(self, call_id: str, text: str) -> None:
        """Write to the other post about a call."""
        await self.command(tasks.CallSay(key=new_key(), call_id=call_id, text=text))

    def entries(self, call_id: str, kind: str) -> list[tasks.RecordPart]:
        """Return the entries of a kind in a call's record, as this post was told, oldest first."""
        return [entry for (where, _), entry in self.records.items() if where == call_id and entry.kind == kind]

    @property
    def on_post(self) -> bool:
        """Whether the post is held and its socket stands."""
        return self.holds_post and self.talk is not None and not self.talk.closed

    def phase(self, call_id: str) -> str:
        """Return a call's phase as last told; empty for an unknown one."""
        return self.calls[call_id].phase if call_id in self.calls else ""

    def holds(self, call_id: str) -> list[str]:
        """Return the ids of the holds that stand on a call."""
        return [hold.id for hold in self.calls[call_id].holds] if call_id in self.calls else []

    async def call_is(self, call_id: str, phase: str, within_s: float = 10.0) -> None:
        """Wait until a call is in `phase`. Raises TookTooLong."""
        await until(lambda: self.phase(call_id) == phase, within_s, f"call {phase}")

    def to_verify(self) -> list[tuple[str, str]]:
        """Return the legs (call, leg) that wait for this post to verify them."""
        seat = self.post is Post.SUPERVISOR
        return [
            (call.id, leg.id)
            for call in self.calls.values()
            if call.phase in ("lobby", "ready") and self.verifies(call)
            for leg in call.legs
            if (leg.role == "prisoner") is seat
            and leg.connected
            and not leg.verified
            and leg.step in ("lobby", "connecting", "connected")
        ]

    def waits(self, call_id: str, leg_id: str) -> bool:
        """Tell whether a leg is connected and waits to be verified, as this post knows it."""
        call = self.calls.get(call_id)
        return call is not None and any(leg.id == leg_id and leg.connected and leg.step in HERE for leg in call.legs)

    def _works(self) -> list[Callable[[], Coroutine[None, None, None]]]:
        return [self._every_second, self._duties]

    async def _duties(self) -> None:
        """Verify whoever waits, at once; what is refused as stale is tried again."""
        while self.holds_post:
            self._changed.clear()
            for call_id, leg_id in self.to_verify():
                try:
                    await self.verify(call_id, leg_id)
                except Refused:
                    self._changed.set()
                    await asyncio.sleep(_RETRY_S / 10)
                except (Closed, TookTooLong):
                    return
            try:
                async with asyncio.timeout(_RETRY_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _every_second(self) -> None:
        """Prove each second, and sooner (never within EARLY_S) where a call waits for nothing but this."""
        while self.on_post:
            began = time.monotonic()
            try:
                await self._prove()
            except Closed:
                return
            await asyncio.sleep(EARLY_S)
            with suppress(TookTooLong):
                await until(self._wanted, began + EVERY_S - time.monotonic(), "the next second", EARLY_S / 4)

    def _wanted(self) -> bool:
        """Tell whether a call waits for this post's proof and for nobody on the way."""
        there = {self.post.value, "identity", "seat"}
        return any(
            self.post.value in call.missing and there.issuperset(call.missing)
            for call in self.calls.values()
            if call.phase in ("lobby", "ready")
        )

    async def _prove(self) -> None:
        raise NotImplementedError

    def _heard(self, message: server.ServerMessage) -> None:
        if isinstance(now := getattr(message, "now", None), datetime):
            self.heard = now
        match message:
            case server.Snapshot():
                self.calls = {call.id: call for call in message.calls}
            case server.CallMessage():
                held = self.calls.get(message.call.id)
                if held is None or message.call.seq >= held.seq:
                    self.calls[message.call.id] = message.call
            case Alert():
                self.alerts.append(message)
            case tasks.RecordMessage(call_id=call_id, entries=entries):
                self.records |= {(call_id, entry.id): entry for entry in entries}
            case tasks.WarningState():
                self.warnings[message.warning_id] = message
            case _:
                return
        self._changed.set()


class Supervisor(StaffMember):
    """The technical supervisor of one hall: present, and sees and hears nobody."""

    chair = "hall"
    post = Post.SUPERVISOR
    present = True

    async def acknowledge(self, call_id: str, attend_id: str) -> None:
        """Say that the hall is on its way."""
        await self.command(tasks.AttendAcknowledge(key=new_key(), call_id=call_id, attend_id=attend_id))

    async def close(self, call_id: str, attend_id: str, outcome: AttendOutcome = AttendOutcome.SETTLED) -> None:
        """Say how the attendance ended."""
        await self.command(tasks.AttendClose(key=new_key(), call_id=call_id, attend_id=attend_id, outcome=outcome))

    async def _prove(self) -> None:
        if self.present and self.talk is not None:
            self._n += 1
            await self.talk.say(client.Presence(n=self._n, heard=self.heard, visible=True, touched=True))


class Monitor(StaffMember):
    """The monitoring post: a wall of receive-only lines, and a proof of what it shows each second."""

    chair = "monitor"
    post = Post.MONITOR
    watching = True
    attends = True  # looks at every call within its limit, as a person does

    def __init__(
        self, site: Site, pacer: Pacer, username: str, password: str, console: str = "", browser: Browser | None = None
    ) -> None:
        """`console` is the one-time code that enrols the browser; `browser` one that may be enrolled already."""
        super().__init__(site, username, password)
        self.browser = browser or self.browser
        self._console = console
        self.peers: dict[int, Peer] = {}  # by home of the relay
        self.carried: list[server.LinePart] = []
        self.relief: Relief | None = None
        self._pacer = pacer
        self._frames: dict[int, int] = {}  # by SSRC
        self.attending = Attending()

    async def sign_in(self) -> server.Welcome:
        if self._console and CONSOLE_COOKIE not in self.browser.cookies:
            await self.site.post(self.browser, "/api/console/redeem", {"token": self._console})
        return await super().sign_in()

    def _works(self) -> list[Callable[[], Coroutine[None, None, None]]]:
        return [*super()._works(), lambda: self.attending.run(self)]

    async def connect_wall(self) -> None:
        """Offer at each home as many lines as the broker wants, all receive-only, and receive from now on."""
        assert self.talk is not None
        assert self.talk.welcome is not None
        want = self.talk.welcome.receive
        await together(*(self._connect(home, want) for home in range(want.homes)))

    async def _connect(self, home: int, want: server.LineWant) -> None:
        if home in self.peers:
            await self.peers[home].close()
        peer = self.peers[home] = Peer(receive_audio=want.audio, receive_video=want.video)
        self._open.push_async_callback(peer.close)
        answer = await self.command(client.MediaOffer(key=new_key(), sdp=peer.offer(), home=home))
        assert isinstance(answer, server.MediaAnswer)
        await peer.connect(answer.sdp)
        self._pacer.add(peer)

    async def _connect_again(self, home: int, want: server.LineWant) -> None:
        """Connect anew at a home; what stops it is told by the next `media.reoffer`, or by the socket."""
        with suppress(Refused, TookTooLong, Unreachable, HandshakeFailed, Closed):
            await self._connect(home, want)

    async def hand_over_to(self, number: str) -> None:
        """Offer the post to a colleague. Raises Refused."""
        await self.command(client.HandoverOffer(key=new_key(), number=number))

    async def take_over(self) -> None:
        """Accept the post that is offered. Raises Refused."""
        offer = self.relief.handover if self.relief is not None else None
        await self.command(client.HandoverAccept(key=new_key(), handover_id=offer.id if offer else "none"))

    def may_relieve(self, number: str) -> bool:
        """Tell whether the broker says that this colleague could take the post now."""
        colleagues = self.relief.colleagues if self.relief is not None else []
        return any(one.number == number and one.code is None for one in colleagues)

    async def warn(self, call_id: str, warning: Warning, *legs: str) -> None:
        """Show a warning at both ends, or at these legs."""
        await self.command(client.CallWarn(key=new_key(), call_id=call_id, warning=warning, legs=list(legs)))

    async def ask_to_attend(self, call_id: str, reason: AttendReason) -> None:
        """Ask the hall to attend the seat."""
        await self.command(tasks.AttendRequest(key=new_key(), call_id=call_id, reason=reason))

    async def record_breach(self, call_id: str, category: BreachCategory, outcome: BreachOutcome) -> None:
        """Record a breach."""
        await self.command(tasks.CallBreach(key=new_key(), call_id=call_id, category=category, outcome=outcome))

    async def focus(self, call_id: str | None) -> None:
        """Hear this call alone."""
        self.attending.chosen = call_id
        await self.command(client.WallFocus(key=new_key(), call_id=call_id))

    async def look(self, call_id: str) -> None:
        """Look at a privileged call."""
        await self.command(client.LookStart(key=new_key(), call_id=call_id))

    def _line(self, part: server.LinePart) -> Line | None:
        peer = self.peers.get(part.home)
        return peer.lines.get((part.kind, part.index)) if peer is not None else None

    def line_of(self, kind: str, leg_id: str) -> Line | None:
        """Return the line that carries a leg now."""
        return next((self._line(part) for part in self.carried if (part.kind, part.leg_id) == (kind, leg_id)), None)

    def lines_of(self, call_id: str) -> list[Line]:
        """Return the lines that carry a call now."""
        found = (self._line(part) for part in self.carried if part.call_id == call_id)
        return [line for line in found if line is not None]

    def tap(self, kind: str, leg_id: str) -> Tap | None:
        """Keep what the line of a leg carries from now on; None where no line does."""
        line = self.line_of(kind, leg_id)
        if line is None:
            return None
        line.tap = Tap()
        return line.tap

    async def _prove(self) -> None:
        if not self.watching or self.talk is None:
            return
        self._n += 1
        tiles = [self._tile(call) for call in self.calls.values() if call.phase in _WATCHED]
        await self.talk.say(client.WallProof(n=self._n, heard=self.heard, visible=True, tiles=tiles))

    def _tile(self, call: server.CallPart) -> client.ShownTile:
        return client.ShownTile(call_id=call.id, legs=[self._leg(leg.id) for leg in call.legs])

    def _leg(self, leg_id: str) -> client.ShownLeg:
        shown = {"leg_id": leg_id, "ratio": 1.0, "unobscured": True, "width": 320, "height": 180}
        part = next((one for one in self.carried if (one.kind, one.leg_id) == ("video", leg_id)), None)
        line = self._line(part) if part is not None else None
        if part is None or line is None:
            return client.ShownLeg.model_validate(shown)
        frames = line.frames - self._frames.get(line.ssrc, 0)
        self._frames[line.ssrc] = line.frames
        return client.ShownLeg.model_validate(
            {
                **shown,
                "line": part.index,
                "home": part.home,
                "frames": frames,
                "rtp_timestamp": line.shown_timestamp if frames else None,
                "advanced": frames > 0,
            }
        )

    def _heard(self, message: server.ServerMessage) -> None:
        match message:
            case server.MediaLines():
                self.carried = [part for part in message.lines if part.leg_id is not None]
            case Relief():
                self.relief = message
            case PostLeftMessage():
                self.holds_post = False
            case server.News():
                self.attending.known = message.attention
            case server.MediaReoffer():
                self._tasks.start(self._connect_again(message.home, message.receive))
            case _:
                pass
        super()._heard(message)
