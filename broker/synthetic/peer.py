"""A cheap WebRTC peer: own SDP, STUN and packets over one socket, so that one core carries dozens of callers."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
import time
from types import TracebackType
from typing import Self

from aioice import stun

from broker.synthetic import rtp, sdp
from broker.synthetic.keys import Keys, fingerprint
from broker.synthetic.line import Line
from broker.synthetic.loop import Loop, Sending
from broker.synthetic.people import Person
from broker.synthetic.tasks import Tasks

CHECK_EVERY_S = 0.05
CHECKS_S = 5.0
CONSENT_EVERY_S = 2.5  # RFC 7675 §5.1 asks for 4 to 6 s at most
REPORT_EVERY_S = 1.0
NACK_EVERY_S = 0.05
RESEND_AFTER_S = 0.15
_RESENT_KEPT = 512
_BATCH = 64
_SO_TIMESTAMPNS = 35  # Linux: the kernel's own time of arrival, so that a busy caller measures honestly


class Unreachable(ConnectionError):
    """The relay did not answer our checks."""


class Peer:
    """One peer connection that publishes a person's loop, or only receives."""

    def __init__(
        self,
        person: Person | None = None,
        *,
        publish: frozenset[str] = frozenset({"audio", "video"}),
        receive_audio: int = 1,
        receive_video: int = 1,
    ) -> None:
        self.loop = Loop(person, publish) if person is not None else None
        self.lines: dict[tuple[str, int], Line] = {}
        self.muted = False
        self.closed = False
        self._receive = [("audio", f"ra{at}") for at in range(receive_audio)]
        self._receive += [("video", f"rv{at}") for at in range(receive_video)]
        self._local = sdp.Transport(secrets.token_hex(4), secrets.token_hex(12), fingerprint())
        self._remote: sdp.Answer | None = None
        self._socket: socket.socket | None = None
        self._keys = Keys(self._send)
        self._checked = asyncio.Event()
        self._by_ssrc: dict[int, Line] = {}
        self._own_ssrc = secrets.randbits(31) | 1
        self._resent: dict[int, float] = {}  # when each was last sent again
        self._consent_at = self._report_at = self._nack_at = 0.0

    @property
    def connected(self) -> bool:
        """Whether media can flow."""
        return self._keys.ready and not self.closed

    @property
    def relay_port(self) -> int:
        """The UDP port of the relay that it is connected to; 0 before `connect`."""
        return self._remote.address[1] if self._remote is not None else 0

    @property
    def packets_lost(self) -> int:
        """Packets missing on all lines."""
        return sum(line.lost for line in self.lines.values())

    def line(self, kind: str, index: int = 0) -> Line:
        """Return a receive line; only after `connect`."""
        return self.lines[kind, index]

    def offer(self) -> str:
        """Return our offer."""
        sending = [(one, kind) for one, kind in self._sendings()]
        publish = tuple(sdp.Publication(kind, one.mid, one.ssrc) for one, kind in sending)
        return sdp.offer(self._local, publish, tuple(self._receive))

    async def connect(self, answer: str) -> None:
        """
        Reach the relay of `answer`, and shake hands.

        Raises:
            BadAnswer: The answer lacks something.
            Unreachable: No check was answered within CHECKS_S.
            HandshakeFailed: DTLS did not come about.
        """
        self._remote = sdp.read_answer(answer)
        self._take_lines(self._remote)
        self._socket = self._open(self._remote.address)
        asyncio.get_running_loop().add_reader(self._socket, self._readable)
        try:
            await self._check_until_answered()
            await self._keys.shake(self._remote.fingerprints)
        except BaseException:
            await self.close()
            raise

    def tick(self, now: float) -> None:
        """Send what is due; called by the pacer every few milliseconds."""
        if not self.connected:
            return
        if self.loop is not None and not self.muted:
            for sequence, packet in self.loop.due(now):
                datagram = self._keys.protect(packet)
                self._send(datagram)
                if sequence is not None:
                    self.loop.remember(sequence, datagram)
        if now >= self._consent_at:
            self._consent_at = now + CONSENT_EVERY_S
            self._check()
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY_S
            self._report()
        if now >= self._nack_at:
            self._nack_at = now + NACK_EVERY_S
            self._ask_again(now)

    def ask_for_keyframes(self) -> None:
        """Send a picture loss indication for every video line that has carried something."""
        for line in self.lines.values():
            if line.kind == "video" and line.packets:
                self._send_rtcp(rtp.picture_loss(self._own_ssrc, line.ssrc))

    async def close(self) -> None:
        """Say goodbye and free the socket."""
        if self.closed:
            return
        self.closed = True
        await self._keys.close()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    # --- sending ---

    def _sendings(self) -> list[tuple[Sending, str]]:
        if self.loop is None:
            return []
        pairs = ((self.loop.audio, "audio"), (self.loop.video, "video"))
        return [(one, kind) for one, kind in pairs if one is not None]

    def _send(self, datagram: bytes) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(datagram)
        except (BlockingIOError, ConnectionRefusedError):
            pass  # as lost as any datagram

    def _send_rtcp(self, packet: bytes) -> None:
        if self.connected:
            self._send(self._keys.protect_rtcp(packet))

    def _check(self) -> None:
        """Send an ICE check that nominates (RFC 8445 §7.2): the relay is lite, so we are controlling."""
        assert self._remote is not None
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self._remote.ufrag}:{self._local.ufrag}"
        message.attributes["PRIORITY"] = 2_130_706_431
        message.attributes["ICE-CONTROLLING"] = 1
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(self._remote.password.encode())
        self._send(bytes(message))

    async def _check_until_answered(self) -> None:
        for _ in range(int(CHECKS_S / CHECK_EVERY_S)):
            self._check()
            try:
                async with asyncio.timeout(CHECK_EVERY_S):
                    await self._checked.wait()
                return
            except TimeoutError:
                continue
        raise Unreachable("the relay does not answer")

    def _report(self) -> None:
        now = time.time()
        for sending, _ in self._sendings():
            if sending.packets:
                report = rtp.sender_report(sending.ssrc, now, sending.timestamp, sending.packets, sending.octets)
                self._send_rtcp(report)
        heard = [line for line in self.lines.values() if line.highest is not None]
        blocks = [(line.ssrc, line.fraction_lost(), line.lost, (line.highest or 0) & 0xFFFFFFFF) for line in heard]
        for start in range(0, len(blocks), 31):
            self._send_rtcp(rtp.receiver_report(self._own_ssrc, blocks[start : start + 31]))

    def _send_again(self, sequences: list[int]) -> None:
        """Answer a NACK, but none twice within RESEND_AFTER_S: the first answer may be on its way."""
        now = time.monotonic()
        for sequence in sequences:
            datagram = self.loop.history.get(sequence) if self.loop is not None else None
            if datagram is not None and now - self._resent.get(sequence, 0.0) >= RESEND_AFTER_S:
                self._resent[sequence] = now
                self._send(datagram)
        if len(self._resent) > _RESENT_KEPT:
            self._resent = {one: at for one, at in self._resent.items() if now - at < RESEND_AFTER_S}

    def _ask_again(self, now: float) -> None:
        for line in self.lines.values():
            if line.kind == "video" and (wanted := line.to_ask(now)):
                self._send_rtcp(rtp.nack(self._own_ssrc, line.ssrc, wanted))

    # --- receiving ---

    def _take_lines(self, answer: sdp.Answer) -> None:
        wanted = {mid for _, mid in self._receive}
        counts = {"audio": 0, "video": 0}
        for one in answer.lines:
            if one.mid in wanted and one.ssrc is not None:
                line = Line(one.kind, one.mid, one.ssrc)
                self.lines[one.kind, counts[one.kind]] = self._by_ssrc[one.ssrc] = line
                counts[one.kind] += 1

    def _open(self, address: tuple[str, int]) -> socket.socket:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        opened.connect(address)
        return opened

    def _readable(self) -> None:
        offset = time.monotonic() - time.time()
        for _ in range(_BATCH):
            if self._socket is None:
                return
            try:
                datagram, extra, _, _ = self._socket.recvmsg(2048, 64)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if datagram:
                self._datagram(datagram, _arrival(extra, offset))

    def _datagram(self, datagram: bytes, now: float) -> None:
        """Tell STUN, DTLS and SRTP apart by the first byte (RFC 7983)."""
        first = datagram[0]
        if first < 4:
            self._stun(datagram)
        elif 20 <= first < 64:
            self._keys.feed(datagram)
        elif 128 <= first < 192 and self._keys.ready:
            if rtp.is_rtcp(datagram):
                self._rtcp(self._keys.unprotect_rtcp(datagram))
            else:
                self._rtp(self._keys.unprotect(datagram), now)

    def _stun(self, datagram: bytes) -> None:
        assert self._remote is not None
        try:
            message = stun.parse_message(datagram)
        except ValueError:
            return
        if message.message_class is stun.Class.RESPONSE and message.check_message_integrity(
            self._remote.password.encode()
        ):
            self._checked.set()

    def _rtp(self, packet: bytes | None, now: float) -> None:
        header = rtp.read(packet) if packet is not None else None
        if packet is None or header is None:
            return
        line = self._by_ssrc.get(header.ssrc)
        if line is not None:
            line.arrive(header, packet[header.at : header.end], now)

    def _rtcp(self, compound: bytes | None) -> None:
        if compound is None or self.loop is None:
            return
        for packet_type, form, body in rtp.rtcp_packets(compound):
            if packet_type == rtp.PT_PSFB and form in (1, 4):  # PLI, FIR (RFC 5104 §4.3.1)
                self.loop.keyframe_wanted = True
            elif packet_type == rtp.PT_RTPFB and form == 1:
                self._send_again(rtp.nacked(body))
            elif losses := rtp.losses(packet_type, form, body):
                self.loop.budget.reported(max(losses), rtp.round_trip(packet_type, form, body, time.time()))
            elif (bps := rtp.limit(packet_type, form, body)) is not None:
                self.loop.budget.limited(bps)


def _arrival(extra: list[tuple[int, int, bytes]], offset: float) -> float:
    """Return when the kernel took the datagram, in monotonic seconds."""
    for level, kind, value in extra:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(value) >= 16:
            seconds, nanoseconds = struct.unpack_from("@qq", value)
            return float(seconds + nanoseconds / 1e9 + offset)
    return time.monotonic()


class Pacer:
    """The one clock of a process's peers: every peer's turn comes each 20 ms, in four groups 5 ms apart."""

    GROUPS = 4
    TURN_S = 0.02

    def __init__(self) -> None:
        self._groups: list[set[Peer]] = [set() for _ in range(self.GROUPS)]
        self._tasks = Tasks()

    async def __aenter__(self) -> Self:
        self._tasks.start(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.close()

    def add(self, peer: Peer) -> None:
        """Give `peer` its turns, until it is closed."""
        min(self._groups, key=len).add(peer)

    async def _run(self) -> None:
        at = time.monotonic()
        while True:
            for group in self._groups:
                at = max(at + self.TURN_S / self.GROUPS, time.monotonic() - self.TURN_S)
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                now = time.monotonic()
                for peer in list(group):
                    if peer.closed:
                        group.discard(peer)
                    else:
                        peer.tick(now)
