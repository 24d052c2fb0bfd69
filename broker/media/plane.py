"""The relay as the engine sees it: `MediaPlane` on one UDP port, in the broker's own process."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from broker.domain.plan import Media, MediaPlan, Quality
from broker.media import dtls, icelite, plans, rtcp, sdp
from broker.media.album import Album
from broker.media.drops import Drops
from broker.media.feedback import Feedback
from broker.media.forward.api import Address, Codec, PeerId, SinkId, SourceId
from broker.media.forward.python import PythonForwarder
from broker.media.health import Meter
from broker.media.pictures import Pictures
from broker.media.port import UdpPort
from broker.media.sent import line_sent
from broker.media.session import MAX_ADDRESSES, Session, settle
from broker.ports import Answer, Clock, EndpointHealth, EndpointListener, HomeChanged, LineSent, OfferRefused

log = logging.getLogger("broker.media")

TICK_S = 0.02
REFILL_EVERY_S, CONGESTION_EVERY_S, WATCH_EVERY_S, SHARE_EVERY_S, REPORT_EVERY_S = 0.1, 0.1, 0.2, 0.2, 1.0
LOST_AFTER_S = 3.0  # reliability.md A6
LOST_IDLE_AFTER_S = 8.0  # one that neither sends nor is sent anything speaks by STUN alone, each 2.5 s in Chromium
STALL_S = 0.5  # a tick this late means that the loop stood still
ROAM_AFTER_S = 2.0  # an address silent for so long gives way to any other that passed a check
CLOSE_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Link:
    """What a receive line carries: the call, whose media, both ends' connections, and which layer was asked for."""

    call: str
    publisher: str
    source: PeerId
    sink: PeerId
    quality: Quality


class RelayPlane:
    """A MediaPlane. `advertise` are the host addresses that answers name, all with the bound port.

    `only_from`, where given, are the only source addresses that are heard: everything else is dropped unread.
    """

    def __init__(
        self,
        bind: tuple[str, int],
        advertise: Sequence[str],
        clock: Clock,
        only_from: frozenset[str] | None = None,
    ) -> None:
        self._only_from = only_from
        self._bind = bind
        self._advertise = tuple(advertise) or (bind[0],)
        self._clock = clock
        self._boottime = clock.boottime
        self._drops = Drops(clock.boottime)
        self._certificate = dtls.new_certificate()
        self._numbers = count(1)
        self._sessions: dict[str, Session] = {}
        self._by_ufrag: dict[str, Session] = {}
        self._by_address: dict[Address, Session] = {}
        self._tasks: dict[PeerId, asyncio.Task[None]] = {}
        self._plans = plans.PlanBook()
        self._linked: dict[plans.KeptLine, Link] = {}
        self._listeners: list[EndpointListener] = []
        self._still_listeners: list[Callable[[str, bytes], None]] = []
        self._album = Album(partial(self._call, self._still_listeners))
        self._meters: dict[PeerId, Meter] = {}
        self._ticked_at = 0.0
        self._due: dict[Callable[[], None], tuple[float, float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Bind the port and begin. Raises OSError where the port is taken, RuntimeError by `dtls.self_test`."""
        dtls.self_test()
        began = self._clock.now().timestamp() + rtcp.NTP_EPOCH_S - self._boottime()
        self._port = UdpPort(self._bind)
        listeners = (self._on_rtcp, self._on_key_wanted)
        self._forwarder = PythonForwarder(self._port.socket, self._boottime, self._drops, *listeners)
        self._feedback = Feedback(self._forwarder, self._boottime, lambda at: began + at)
        self._pictures = Pictures(self._forwarder, self._feedback, self._boottime)
        self._port.start(self._datagram, self._forwarder.flush)
        self._ticked_at = now = self._boottime()
        self._refilled_at = now
        self._due = {
            self._refill: (REFILL_EVERY_S, now + REFILL_EVERY_S),
            self._feedback.congestion: (CONGESTION_EVERY_S, now + CONGESTION_EVERY_S),
            self._watch_all: (WATCH_EVERY_S, now + WATCH_EVERY_S),
            self._share: (SHARE_EVERY_S, now + SHARE_EVERY_S),
            self._report: (REPORT_EVERY_S, now + REPORT_EVERY_S),
        }
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    @property
    def port(self) -> int:
        """The UDP port that is bound."""
        return self._port.number

    # --- MediaPlane -------------------------------------------------------

    @property
    def homes(self) -> int:
        return 1

    @property
    def homes_up(self) -> int:
        return 1

    def home(self, call_id: str) -> int:
        return 0

    def release(self, call_id: str) -> None:
        """Do nothing: one home has every call."""

    async def connect(self, endpoint: str, publishes: frozenset[Media], offer: str, home: int = 0) -> Answer:
        if home != 0:
            raise OfferRefused("no_such_home")
        parsed = sdp.parse_offer(offer)
        settled = settle(parsed, publishes)
        ufrag, pwd = icelite.new_credentials()
        candidates = tuple((host, self.port) for host in self._advertise)
        transport = sdp.Transport(secrets.randbits(62), ufrag, pwd, dtls.fingerprint(self._certificate), candidates)
        text = sdp.write_answer(parsed, transport, settled.receiving, settled.sending)
        while endpoint in self._sessions:
            await self.disconnect(endpoint)
        number = next(self._numbers)
        session = Session(
            endpoint,
            number,
            ufrag,
            pwd,
            settled.spec,
            dtls.Handshake(self._certificate, lambda datagram: self._send_dtls(session, datagram)),
            self._boottime(),
            settled.publishes,
        )
        self._sessions[endpoint] = self._by_ufrag[ufrag] = session
        self._tasks[number] = asyncio.get_running_loop().create_task(self._live(session, parsed.fingerprints))
        return Answer(text, settled.lines, settled.publishes)

    async def disconnect(self, endpoint: str) -> None:
        session = self._sessions.pop(endpoint, None)
        if session is None:
            return
        was_up, session.is_up = session.is_up, False
        for line in self._plans.lines_of(endpoint):  # routes first
            self._link(line)
        if session.has_keys:
            self._feedback.goodbye(session.peer)
        self._forwarder.flush()
        self._by_ufrag.pop(session.ufrag, None)
        task = self._tasks.pop(session.peer)
        if not session.has_keys:
            session.handshake.pipe.close()
        task.cancel()
        await asyncio.wait([task], timeout=CLOSE_WITHIN_S)
        self._forget(session)
        if was_up:
            self._tell(endpoint, False)

    async def apply(self, plan: MediaPlan) -> None:
        now = self._boottime()
        known = self._plans.routes(plan.call_id)
        lapsed = now >= self._forwarder.deadline(plan.call_id)
        if not plan.is_silent and (lapsed or not plan.routes <= known):
            self._port.drain()  # what came while the gate was shut is read while it is still shut
        changed = self._plans.take(plan)
        if changed is None:
            self._drops.counts["plan_ignored"] += 1
            return
        gone, new = changed
        for line in plans.lines(gone):
            self._link(line)
        self._forwarder.set_deadline(plan.call_id, now + plan.valid_for_s)
        for line in plans.lines(new):
            self._link(line)
        self._take_stills(plan)
        if plan.is_silent:
            self._forwarder.forget_gate(plan.call_id)
        self._forwarder.flush()

    def _take_stills(self, plan: MediaPlan) -> None:
        gone, new = self._album.want(plan.call_id, plan.stills)
        for leg in gone | new:
            self._tap(leg)

    def _tap(self, leg: str) -> None:
        """Tap a leg's pictures where some plan wants stills of it, else not."""
        session = self._sessions.get(leg)
        if session is None or not session.has_keys:
            return

        def found(codec: Codec, parts: list[bytes]) -> None:
            self._album.found(leg, codec, parts, self._boottime())

        self._forwarder.tap((session.peer, Media.VIDEO), self._album.call_of(leg), found)

    def watch_stills(self, listener: Callable[[str, bytes], None]) -> None:
        self._still_listeners.append(listener)

    async def sent_on(
        self, endpoint: str, asked: Sequence[tuple[int, int | None]], home: int = 0
    ) -> Sequence[LineSent]:
        session, now = self._sessions.get(endpoint), self._boottime()
        return [line_sent(self._forwarder, self._feedback, session, line, at, now) for line, at in asked]

    def health(self, endpoint: str) -> EndpointHealth | None:
        session = self._sessions.get(endpoint)
        meter = self._meters.get(session.peer) if session else None
        if session is None:
            return None
        if meter is None:
            return EndpointHealth()
        picture, dropped = self._pictures.of(session.peer)
        health = meter.health(self._forwarder, self._feedback, self._boottime())
        return replace(health, picture=picture, dropped=dropped)

    def watch(self, listener: EndpointListener) -> None:
        self._listeners.append(listener)

    def watch_homes(self, listener: Callable[[HomeChanged], None]) -> None:
        """Do nothing: this home stands and falls with the broker."""

    def counters(self) -> Mapping[str, int]:
        return dict(self._drops.counts)

    async def close(self) -> None:
        for endpoint in list(self._sessions):
            await self.disconnect(endpoint)
        await self._album.close()
        if self._timer is not None:
            self._timer.cancel()
        self._port.close()

    # --- a connection's life ----------------------------------------------

    async def _live(self, session: Session, fingerprints: Sequence[tuple[str, str]]) -> None:
        """Shake hands, carry media until the peer says goodbye or the connection is dropped."""
        try:
            keys = await session.handshake.run(fingerprints)
            if keys is None:
                self._drops.add("dtls_failed")
                return
            self._forwarder.open_peer(session.peer, session.spec, keys)
            self._feedback.open(session)
            self._meters[session.peer] = Meter(session)
            session.has_keys = True
            for address in session.addresses:
                self._forwarder.accept(session.peer, address)
            if session.address is not None:
                self._forwarder.place(session.peer, session.address)
            self._up(session)
            await session.handshake.ended()
            self._down(session)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the relay carries every call: one fault ends none
            self._drops.fault("connection", error)
        finally:
            await session.handshake.close()

    def _up(self, session: Session) -> None:
        session.is_up = True
        for line in self._plans.lines_of(session.endpoint):
            self._link(line)
        self._tap(session.endpoint)
        self._forwarder.flush()
        self._tell(session.endpoint, True)

    def _down(self, session: Session) -> None:
        if session.is_up:
            session.is_up = False
            self._tell(session.endpoint, False)

    def _forget(self, session: Session) -> None:
        self._meters.pop(session.peer, None)
        self._pictures.forget(session.peer)
        self._feedback.close(session.peer)
        self._forwarder.close_peer(session.peer)
        for address in session.addresses:
            if self._by_address.get(address) is session:
                del self._by_address[address]

    def _tell(self, endpoint: str, up: bool) -> None:
        log.info("media %s: endpoint=%s", "up" if up else "lost", endpoint)
        self._call(self._listeners, endpoint, up)

    def _call(self, listeners: Sequence[Callable[..., None]], *what: object) -> None:
        for listener in listeners:
            try:
                listener(*what)
            except Exception as error:  # noqa: BLE001 - the relay carries every call: one fault ends none
                self._drops.fault("listener", error)

    # --- routes -----------------------------------------------------------

    def _link(self, line: plans.KeptLine) -> None:
        """Make the forwarder carry on `line` what the plans say, if both ends are there."""
        endpoint, kind, index = line
        sink, held = self._sessions.get(endpoint), self._plans.holder(line)
        source = self._sessions.get(held[1].source) if held else None
        linked = self._linked.pop(line, None)
        if held is None or sink is None or source is None or not (sink.has_keys and source.has_keys):
            if linked is not None:
                self._forwarder.disconnect((linked.sink, kind, index))
            return
        call, route = held
        wanted = Link(call, route.source, source.peer, sink.peer, route.quality)
        self._linked[line] = wanted
        if linked == wanted:
            return
        layer = self._first_layer((sink.peer, kind, index), route.quality)
        if linked is not None and replace(linked, quality=route.quality) == wanted:
            self._forwarder.want((sink.peer, kind, index), layer)
            return
        if linked is not None:
            self._forwarder.disconnect((linked.sink, kind, index))
        self._forwarder.connect((sink.peer, kind, index), (source.peer, kind), call, layer)

    def _first_layer(self, sink: SinkId, quality: Quality) -> int | None:
        """Return the layer for a line that is new or asks for another quality."""
        return 0 if quality is Quality.LOW or sink[1] is Media.AUDIO else self._pictures.layer(sink)

    # --- datagrams --------------------------------------------------------

    def _datagram(self, slot: dtls.PacketBuffer, size: int, address: Address) -> None:
        """Handle one datagram; the boundary that nothing can raise through."""
        try:
            first = slot.view[0] if size else 255
            if self._only_from is not None and address[0] not in self._only_from:
                self._drops.add("elsewhere")
            elif 128 <= first < 192:
                self._forwarder.receive(slot, size, address)
            elif first < 4:
                self._check(slot.bytes[:size], address)
            elif 20 <= first < 64:
                self._handshake(slot.bytes[:size], address)
            else:
                self._drops.add("unknown" if size else "empty")
        except Exception as error:  # noqa: BLE001 - the relay carries every call: one fault ends none
            self._drops.fault("datagram", error)

    def _handshake(self, datagram: bytes, address: Address) -> None:
        session = self._by_address.get(address)
        if session is None:  # only who passed an authenticated check may speak DTLS (reliability.md A2)
            self._drops.add("dtls_stranger")
        elif session.records < 1 or not session.handshake.pipe.feed(datagram):
            self._drops.add("dtls_flood")
        else:
            session.records -= 1

    def _check(self, datagram: bytes, address: Address) -> None:
        ufrag = icelite.local_ufrag(datagram)
        session = self._by_ufrag.get(ufrag) if ufrag else None
        if session is None:
            self._drops.add("stun_stranger")
            return
        if session.is_copy(datagram[8:20], address):
            self._drops.add("stun_copy")
            return
        if not session.take_check(address):
            self._drops.add("stun_flood")
            return
        check = icelite.authenticate(datagram, session.pwd)
        if check is None or not self._admit(session, address):
            self._drops.add("stun_refused")
            return
        now = self._boottime()
        silent = self._silent_s(session, now) > ROAM_AFTER_S
        session.note_check(check.transaction_id, address, now)
        if session.address is None or (address != session.address and (check.nominated or silent)):
            session.address = address
            if session.has_keys:
                self._forwarder.place(session.peer, address)
        self._forwarder.flush()  # what came before is sent before
        self._port.send(icelite.reply(check, address[:2], session.pwd), address)

    def _admit(self, session: Session, address: Address) -> bool:
        """Take `address` for `session`, unless it is another's who is alive, or the session has too many."""
        holder = self._by_address.get(address)
        if holder is session:
            return True
        if holder is not None and self._silent_s(holder, self._boottime()) < LOST_AFTER_S:
            return False
        if len(session.addresses) >= MAX_ADDRESSES:
            oldest = next(a for a in session.addresses if a != session.address)
            self._release(session, oldest)
        if holder is not None:
            self._release(holder, address)
        session.addresses[address] = None
        self._by_address[address] = session
        if session.has_keys:
            self._forwarder.accept(session.peer, address)
        return True

    def _release(self, session: Session, address: Address) -> None:
        session.addresses.pop(address, None)
        if session.address == address:
            session.address = None
        self._by_address.pop(address, None)
        self._forwarder.refuse(address)

    def _send_dtls(self, session: Session, datagram: bytes) -> None:
        if session.address is not None:
            self._port.send(datagram, session.address)

    def _on_rtcp(self, peer: PeerId, packet: bytes) -> None:
        self._feedback.heard(peer, packet)

    def _on_key_wanted(self, source: SourceId, layer: int) -> None:
        self._feedback.want_key(source, layer)

    # --- time -------------------------------------------------------------

    def _tick(self) -> None:
        now = self._boottime()
        late = now - self._ticked_at
        self._ticked_at = now
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        try:
            if late > STALL_S:  # we stood still, they did not: hear them before judging who is silent
                self._port.drain()
            self._forwarder.lapse()
            self._feedback.often()
            for job, (every_s, at) in self._due.items():
                if now >= at:
                    self._due[job] = (every_s, now + every_s)
                    job()
            self._forwarder.flush()
        except Exception as error:  # noqa: BLE001 - the relay carries every call: one fault ends none
            self._drops.fault("tick", error)

    def _refill(self) -> None:
        now = self._boottime()
        elapsed, self._refilled_at = now - self._refilled_at, now
        self._forwarder.refill(elapsed)
        for session in self._sessions.values():
            session.refill(elapsed)

    def _share(self) -> None:
        """Give each peer the best layers that its link carries, over the pictures that ask for the best."""
        lines: dict[PeerId, list[SinkId]] = {}
        for (_, kind, index), link in self._linked.items():
            if kind is Media.VIDEO and link.quality is Quality.BEST:
                lines.setdefault(link.sink, []).append((link.sink, kind, index))
        self._pictures.share(lines)

    def _report(self) -> None:
        self._feedback.reports()
        for meter in self._meters.values():
            meter.sample(self._forwarder, self._boottime())
        for leg in self._album.due(self._boottime()):
            if (session := self._sessions.get(leg)) is not None:
                self._feedback.want_key((session.peer, Media.VIDEO), 0)

    def _watch_all(self) -> None:
        now = self._boottime()
        for session in list(self._sessions.values()):
            if not session.has_keys or session.handshake.is_over:
                continue
            stats = self._forwarder.peer_stats(session.peer)
            is_idle = not session.publishes and stats is not None and now - stats.sent_at > LOST_AFTER_S
            silent = self._silent_s(session, now)
            if session.is_up and silent > (LOST_IDLE_AFTER_S if is_idle else LOST_AFTER_S):
                self._down(session)
            elif not session.is_up and silent < LOST_AFTER_S:
                self._up(session)

    def _silent_s(self, session: Session, now: float) -> float:
        """Return for how long nothing authenticated came."""
        stats = self._forwarder.peer_stats(session.peer)
        return now - max(session.checked_at, stats.heard_at if stats else session.checked_at)
