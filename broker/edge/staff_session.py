"""A staff socket: the board of its post, kept up to date, and the commands of both posts."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from datetime import datetime

from broker.domain import events as e
from broker.domain.actors import Actor
from broker.domain.call import Call, Phase
from broker.domain.codes import AlertCode, Code, Post, Refused
from broker.domain.permissions import ANYTHING, HeldPost
from broker.domain.records import Device, Scope, Seat
from broker.domain.task_events import WarningMissed
from broker.edge.alerts import alert_part, alerts_of, is_shown
from broker.edge.presenter import Presenter, check_message
from broker.edge.record_board import RecordBoard, warning_state
from broker.edge.relief import ReliefDesk
from broker.edge.session import Session, Shared
from broker.edge.socket import Socket
from broker.edge.staff_commands import StaffCommands, shown_tiles
from broker.edge.stations import StationBoard
from broker.engine.board import (
    Alerted,
    CallChanged,
    Change,
    CheckChanged,
    HandoverEnded,
    LinesChanged,
    PostLeft,
    PostsChanged,
    ScopeChanged,
    SeatsChanged,
    StillMade,
)
from broker.engine.chairs import StaffChair
from broker.engine.consoles import AUDIO_LINES, MOST_LINES, video_pool
from broker.engine.registry import Entry
from broker.ports import HomeChanged, OfferRefused
from broker.protocol import VERSION, client
from broker.protocol.attention import AttentionPart
from broker.protocol.posts import ConsolePart, PostLeftMessage, PostPart, StationPart, Stations
from broker.protocol.server import (
    AnswerLine,
    CallMessage,
    LineWant,
    MediaAnswer,
    MediaLines,
    MediaReoffer,
    News,
    Ok,
    PostMessage,
    SeatMessage,
    SeatPart,
    Snapshot,
    StillMessage,
    Welcome,
    YouStaff,
)

_LINE_STEP = 8  # more video lines are asked for in steps, so that one more call is not one more offer


class StaffSession(Session):
    """A member of staff at one page. Off post it sees no call; on post, those of the post and no other."""

    chair: StaffChair

    def __init__(self, shared: Shared, socket: Socket, chair: StaffChair, presenter: Presenter) -> None:
        super().__init__(shared, socket, chair)
        self._presenter = presenter
        self._commands = StaffCommands(self)
        self.relief = ReliefDesk(self)
        self._stations = StationBoard(self.engine, self.services.directory, presenter, chair)
        self._told_stations: list[StationPart] = []
        self._console: ConsolePart | None = None
        self._seats: list[Seat] = []
        self._devices: list[Device] = []
        self._halls: tuple[tuple[str, str], ...] = ()  # establishment and hall
        self._told_posts: dict[tuple[str, Post, str | None], PostPart] = {}
        self._told_seats: dict[str, SeatPart] = {}
        self._records = RecordBoard(presenter)
        self._asked_lines: dict[int, int] = {}  # by home, where it is more than the pool

    @property
    def who(self) -> str:
        return f"staff:{self.chair.number}:{self.chair.session.id}"

    @property
    def held(self) -> HeldPost | None:
        """The post that this socket holds."""
        return self.actor().asker.held

    def actor(self) -> Actor:
        """Return who acts here, with the post that this socket holds."""
        return self.engine.actor(self.chair, self.id)

    def sees(self, call: Call) -> bool:
        """Say whether the post reaches this call."""
        held = self.held
        return held is not None and held.covers(call.establishment, call.hall_id)

    # --- what the page is told ---------------------------------------------------

    async def begin(self) -> None:
        you = YouStaff(
            name=self.chair.staff.name,
            number=self.chair.number,
            grade=self.chair.staff.grade.value,
            may=await self._stations.may(),
            guidance=await self._stations.guidance(),
        )
        now, demo = self.services.clock.now(), self.services.config.demo
        homes = self.engine.media.homes
        lines = LineWant(audio=AUDIO_LINES, video=video_pool(homes), homes=homes)
        self.socket.send(Welcome(protocol=VERSION, now=now, you=you, receive=lines, demo=demo))
        await self.show_all()

    async def show_all(self) -> None:
        """Send everything that the post may see now."""
        held = self.held
        await self._load_places(held)
        now = self.services.clock.now()
        posts = self._posts_now()
        seats = self._seats_now()
        self._told_posts = {_place_of(part): part for part in posts}
        self._told_seats = {part.id: part for part in seats}
        mine = self._presenter.pool(self.id) or next((part for part in posts if part.you), None)
        calls = [self._presenter.call(entry, now) for entry in self.entries()]
        alerts = alerts_of(self, self._presenter)
        self.socket.send(Snapshot(now=now, you_hold=mine, calls=calls, posts=posts, seats=seats, alerts=alerts))
        self._records.forget()
        for entry in self.entries():
            self._show_warnings(entry.actor.call, {given.id for given in entry.actor.call.warnings[-1:]})
            self._show_record(entry)
        self._told_stations = []
        self._show_stations()

    def _show_stations(self) -> None:
        """Off post: how the places stand where this person may sign on."""
        now = self.services.clock.now()
        stations = [] if self.held is not None else self._stations.stations(now)
        if stations and stations != self._told_stations:
            self._told_stations = stations
            self.socket.send(Stations(now=now, stations=stations, console=self._console), "stations")

    async def _load_places(self, held: HeldPost | None) -> None:
        if held is None:
            self._seats, self._devices, self._halls = [], [], ()
            self._console = await self._stations.console(self.services.clock.now())
            return
        scope = Scope(held.scope)
        halls = [hall for hall in await self.services.directory.halls(scope) if held.hall_id in (None, hall.id)]
        self._halls = tuple((hall.establishment, hall.id) for hall in halls)
        ids = {hall.id for hall in halls}
        self._seats = [seat for seat in await self.services.directory.seats(scope) if seat.hall_id in ids]
        self._devices = [row for row in await self.services.directory.devices(scope) if row.hall_id in ids]

    def entries(self) -> list[Entry]:
        """Return the calls that the post reaches."""
        return self.engine.within(self.held)

    def _posts_now(self) -> list[PostPart]:
        held = self.held
        if held is None:
            return []
        return self._presenter.posts(held.scope, self._halls, self.id, self.services.clock.now())

    def _seats_now(self) -> list[SeatPart]:
        online = self.laptops_online()
        return [self._presenter.seat(seat, self._devices, online) for seat in self._seats]

    def laptops_online(self) -> frozenset[str]:
        """Return the laptops that have a socket now."""
        return frozenset(place.removeprefix("device:") for place in self.shared.sockets if place.startswith("device:"))

    def _show_posts(self) -> None:
        now = self.services.clock.now()
        for part in self._posts_now():
            key = _place_of(part)
            if self._told_posts.get(key) != part:
                self._told_posts[key] = part
                self.socket.send(PostMessage(now=now, post=part), f"post {' '.join(map(str, key))}")

    def _show_seats(self) -> None:
        now = self.services.clock.now()
        for part in self._seats_now():
            if self._told_seats.get(part.id) != part:
                self._told_seats[part.id] = part
                self.socket.send(SeatMessage(now=now, seat=part), f"seat {part.id}")

    async def _reload_seats(self) -> None:
        """A laptop came or went, perhaps one that was enrolled after this post was taken."""
        await self._load_places(self.held)
        self._show_seats()

    def show_lines(self) -> None:
        """Send what the console's lines carry."""
        console = self.engine.console(self.id)
        if console is not None and console.connected:
            self.socket.send(MediaLines(lines=self._presenter.lines(console)), "lines")

    def _show_record(self, entry: Entry) -> None:
        """Send what is new in a call's record."""
        held = self.held
        if held is not None:
            for news in self._records.news(entry, held.post):
                self.socket.send(news)

    def _show_warnings(self, call: Call, ids: set[str]) -> None:
        for given in call.warnings:
            if given.id in ids:
                self.socket.send(warning_state(call, given), f"warning {given.id}")

    # --- the board ------------------------------------------------------------------

    def heard(self, change: Change) -> None:
        if isinstance(change, HandoverEnded) and change.offer.concerns(self.id):
            self.relief.over(change)
        if isinstance(change, ScopeChanged | PostLeft) and change.session == self.id:
            self.shared.tasks.start(self._rescoped(change), "scope changed")
        held = self.held
        if held is None:
            return
        match change:
            case CallChanged(call=call, events=events):
                if self.sees(call):
                    self._call_changed(call, events)
            case PostsChanged(establishment=place):
                if held.covers(place):
                    self._show_posts()
                    if held.post is Post.MONITOR:
                        self.relief.show(self.services.clock.now())
            case SeatsChanged(establishment=place):
                if held.covers(place):
                    self.shared.tasks.start(self._reload_seats(), "seats changed")
            case LinesChanged(endpoint=endpoint):
                if endpoint == self.id:
                    self.show_lines()
            case HomeChanged(home=home, up=True):
                if self.engine.console(self.id) is not None:
                    self._reoffer(home)
            case CheckChanged(endpoint=endpoint, check=check, stage=stage):
                if endpoint == self.id:
                    self.socket.send(check_message(check, stage), "attention check")
            case StillMade(endpoint=endpoint):
                if endpoint == self.id:
                    self._show_still(change)
            case Alerted(alert=alert):
                if is_shown(self, alert):
                    self.socket.send(alert_part(alert, self._presenter), f"alert {alert.id}")
            case _:
                return

    async def _rescoped(self, change: ScopeChanged | PostLeft) -> None:
        if isinstance(change, PostLeft):
            told = {"now": self.services.clock.now(), "why": change.why}
            self.socket.send(PostLeftMessage.model_validate(told))
        await self.show_all()

    def _show_still(self, made: StillMade) -> None:
        jpeg = b64encode(made.jpeg).decode()
        self.socket.send(
            StillMessage(call_id=made.call_id, leg_id=made.leg_id, n=made.n, jpeg=jpeg), f"still {made.leg_id}"
        )

    def _call_changed(self, call: Call, events: tuple[e.Event, ...]) -> None:
        entry = self.engine.entry(call.id)
        if entry is None:
            return
        now = self.services.clock.now()
        self.socket.send(CallMessage(now=now, call=self._presenter.call(entry, now)), f"call {call.id}")
        warned = (e.WarningGiven, e.WarningDisplayed, WarningMissed)
        self._show_warnings(call, {event.warning_id for event in events if isinstance(event, warned)})
        self._show_record(entry)
        self._show_seats()
        self.show_lines()
        self._want_lines()

    def _want_lines(self) -> None:
        """Ask for a new offer at each home whose calls have more pictures than the console has lines (wall.md 3)."""
        console = self.engine.console(self.id)
        if console is None or not console.connected:
            return
        wanted: Counter[int] = Counter()
        for entry in self.entries():
            if entry.actor.call.phase is not Phase.ENDED:
                wanted[self.engine.media.home(entry.actor.call.id)] += len(entry.actor.call.legs)
        for home, count in wanted.items():
            asked = min(MOST_LINES, -(-count // _LINE_STEP) * _LINE_STEP)
            if home in console.lines and min(count, asked) > max(self._pool(home), console.lines[home].video):
                self._asked_lines[home] = asked
                self._reoffer(home)

    def _pool(self, home: int) -> int:
        return self._asked_lines.get(home, video_pool(self.engine.media.homes))

    def _reoffer(self, home: int) -> None:
        want = LineWant(audio=AUDIO_LINES, video=self._pool(home), homes=self.engine.media.homes)
        self.socket.send(MediaReoffer(receive=want, home=home), f"reoffer {home}")

    def second(self) -> None:
        now = self.services.clock.now()
        held = self.held
        if held is None:
            self.socket.send(News(now=now), "news")
            self._show_stations()
            return
        entries = [entry for entry in self.entries() if entry.actor.call.phase is not Phase.ENDED]
        legs = [part for entry in entries for part in self._presenter.health(entry)]
        ages = {}
        for entry in entries:
            age = self.engine.presence.proof_age_s(self.id, entry.actor.call.id, now)
            if age is not None:
                ages[entry.actor.call.id] = round(age, 3)
        self.socket.send(News(now=now, legs=legs, proof_age_s=ages, attention=self._attention(entries)), "news")
        self._show_posts()
        if held.post is Post.MONITOR:
            self.relief.show(now)

    def _attention(self, entries: list[Entry]) -> dict[str, AttentionPart]:
        held, now = self.held, self.services.clock.now()
        if held is None or held.post is not Post.MONITOR:
            return {}
        parts = ((entry.actor.call.id, self._presenter.attention(entry.actor.call, now)) for entry in entries)
        return {call_id: part for call_id, part in parts if part is not None}

    # --- what the page says -----------------------------------------------------------

    async def command(self, message: client.ClientMessage) -> Ok:
        return await self._commands.do(message)

    async def offer(self, message: client.MediaOffer) -> MediaAnswer:
        actor = self.actor()
        await self.permit(actor, "call.watch", ANYTHING)
        if self.engine.console(self.id) is None:
            raise Refused(Code.NOT_ON_POST)
        answer = await self.engine.offer(self.id, frozenset(), message.sdp, message.home)
        if answer.publishes:
            await self.engine.closed(self.id)
            raise OfferRefused("publishes")
        lines = [AnswerLine(mid=line.mid, kind=line.kind.value, index=line.index) for line in answer.lines]
        servers = self.ice_servers()
        return MediaAnswer(key=message.key, sdp=answer.sdp, lines=lines, ice_servers=servers, home=message.home)

    async def told(self, message: client.ClientMessage) -> None:
        actor = self.actor()
        await self.permit(actor, getattr(message, "type", ""), ANYTHING)
        match message:
            case client.Advice(call_id=call_id, leg_id=leg_id, code=code, since=since):
                self._advised(call_id, leg_id, AlertCode(code), since)
            case client.WallProof(visible=visible, tiles=tiles, heard=heard, n=n, busy=busy):
                self.engine.mark_busy(self.id, busy)
                await self.engine.prove_wall(self.id, visible, shown_tiles(tiles), heard, n)
            case client.Presence(visible=visible, heard=heard):
                self.engine.prove_presence(self.id, visible, heard)
            case _:
                return

    def _advised(self, call_id: str, leg_id: str | None, code: AlertCode, since: datetime | None) -> None:
        entry = self.engine.entry(call_id)
        if entry is not None and self.sees(entry.actor.call):
            self.engine.causes.advise(self.id, call_id, leg_id, code, since)

    async def gone(self) -> None:
        if self.socket.bye in ("revoked", "signed_out"):
            await self.engine.sign_off(self.id)  # a person whose sign-in is over has no grace
        else:
            self.engine.lost(self.id)


def _place_of(part: PostPart) -> tuple[str, Post, str | None]:
    return part.establishment, part.post, part.hall_id
