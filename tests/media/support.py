"""A compact WebRTC endpoint for the relay's tests: own SDP, STUN, DTLS-SRTP and RTP over loopback.

`Endpoint` knows nothing of a browser. `fence()` makes the tests exact without sleeping: loopback keeps order and
the relay answers a check only after all that came before it, so when the reply is there, everything else is.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aioice import stun

from broker.domain.plan import Media, MediaPlan, Route
from broker.media import black, dtls, rtcp, rtp, sdp
from broker.media.forward.api import Codec
from broker.media.plane import RelayPlane
from broker.ports import Answer
from tests.media import header

AUDIO_TYPE, VIDEO_TYPE, RTX_TYPE = 111, 96, 97
RED_TYPE, H264_TYPE, H264_RTX_TYPE = 63, 102, 103
MID_ID, TRANSPORT_CC_ID, LEVEL_ID, SEND_TIME_ID, RID_ID, REPAIRED_ID = 4, 3, 1, 2, 5, 6
NAMED = 3  # first packets of an encoding that name their line and themselves
VIDEO_TYPES = {Codec.VP8: (VIDEO_TYPE, RTX_TYPE), Codec.H264: (H264_TYPE, H264_RTX_TYPE)}
BOTH = frozenset(Media)
WAIT_S = 5.0
CLIENT_HELLO = bytes.fromhex("16fefd0000000000000000002c010000200000000000000020fefd") + bytes(32)
REPLAYED = 9  # srtp_err_status_replay_fail


@dataclass
class HandClock:
    """A clock that a test turns by hand."""

    at: float = 1_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_800_000_000 + self.at, UTC)

    def boottime(self) -> float:
        return self.at


def offer(
    sends: Sequence[Media],
    receives: Sequence[Media],
    ufrag: str = "abcd",
    pwd: str = "p" * 22,
    fingerprint: str = "sha-256 " + ":".join(["AA"] * 32),
    rtx: bool = True,
    ssrcs: dict[Media, int] | None = None,
    rids: Sequence[str] = (),
    codecs: Sequence[Codec] = (Codec.VP8,),
    red: bool = False,
    stamps: bool = False,
    repairs_sound: bool = False,
) -> str:
    """Return an offer with one sendonly line for each of `sends` and one recvonly line for each of `receives`.

    `rids`: encodings of a picture that is sent; `stamps`: abs-send-time is offered; `repairs_sound`: `nack` for Opus.
    """
    lines = [(kind, "sendonly") for kind in sends] + [(kind, "recvonly") for kind in receives]
    out = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    out.append("a=group:BUNDLE " + " ".join(str(mid) for mid in range(len(lines))))
    for mid, (kind, direction) in enumerate(lines):
        is_layered = bool(rids) and kind is Media.VIDEO and direction == "sendonly"
        types = _types(kind, codecs, rtx, red)
        out += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, types))}",
            "c=IN IP4 0.0.0.0",
            f"a=ice-ufrag:{ufrag}",
            f"a=ice-pwd:{pwd}",
            f"a=fingerprint:{fingerprint}",
            "a=setup:actpass",
            f"a=mid:{mid}",
            f"a={direction}",
            "a=rtcp-mux",
            f"a=extmap:{MID_ID} urn:ietf:params:rtp-hdrext:sdes:mid",
            f"a=extmap:{TRANSPORT_CC_ID} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        ]
        out += [f"a=extmap:{SEND_TIME_ID} {sdp.ABS_SEND_TIME}"] if stamps else []
        if kind is Media.AUDIO:
            out += [f"a=rtpmap:{RED_TYPE} red/48000/2", f"a=fmtp:{RED_TYPE} {AUDIO_TYPE}/{AUDIO_TYPE}"] if red else []
            out += [f"a=rtpmap:{AUDIO_TYPE} opus/48000/2", f"a=fmtp:{AUDIO_TYPE} minptime=10;useinbandfec=1"]
            out += [f"a=rtcp-fb:{AUDIO_TYPE} nack"] if repairs_sound else []
            out.append(f"a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level")
        else:
            for codec in codecs:
                out += _codec(codec, rtx)
        if is_layered:
            out += [f"a=extmap:{RID_ID} {sdp.RID}", f"a=extmap:{REPAIRED_ID} {sdp.REPAIRED_RID}"]
            out += [f"a=rid:{rid} send" for rid in rids] + [f"a=simulcast:send {';'.join(rids)}"]
        elif ssrcs and direction == "sendonly":
            out.append(f"a=ssrc:{ssrcs[kind]} cname:test")
    return "\r\n".join(out) + "\r\n"


def _types(kind: Media, codecs: Sequence[Codec], rtx: bool, red: bool) -> list[int]:
    if kind is Media.AUDIO:
        return [AUDIO_TYPE, RED_TYPE] if red else [AUDIO_TYPE]
    return [pt for codec in codecs for pt in (VIDEO_TYPES[codec] if rtx else VIDEO_TYPES[codec][:1])]


def _codec(codec: Codec, rtx: bool) -> list[str]:
    media, repair = VIDEO_TYPES[codec]
    out = [f"a=rtpmap:{media} {codec.upper()}/90000"]
    out += [f"a=rtcp-fb:{media} {feedback}" for feedback in ("nack", "nack pli", "goog-remb")]
    if codec is Codec.H264:
        out.append(f"a=fmtp:{media} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")
    return [*out, f"a=rtpmap:{repair} rtx/90000", f"a=fmtp:{repair} apt={media}"] if rtx else out


def h264(body: bytes, key: bool = False) -> bytes:
    """Return an H264 payload of one unit: a sequence parameter set, where a key frame begins, or a slice."""
    return (b"\x67" if key else b"\x61") + body


def red(body: bytes, *before: tuple[int, bytes]) -> bytes:
    """Return a RED payload: `body` behind redundant blocks, each (how far back in timestamp units, its bytes)."""
    heads = b"".join(
        bytes([0x80 | AUDIO_TYPE]) + (back << 10 | len(block)).to_bytes(3, "big") for back, block in before
    )
    return heads + bytes([AUDIO_TYPE]) + b"".join(block for _, block in before) + body


def vp8(body: bytes, picture: int = 0, tl0: int = 0, key: bool = False, start: bool = True) -> bytes:
    """Return a VP8 payload with a 15-bit picture id and TL0PICIDX; `body` is what the test recognises."""
    head = bytes([0x90 if start else 0x80, 0xC0, 0x80 | picture >> 8 & 0x7F, picture & 0xFF, tl0 & 0xFF])
    return head + bytes([0x00 if key else 0x01]) + body


@dataclass(frozen=True)
class Heard:
    """An RTP packet as an endpoint received it. `line` is (kind, index)."""

    line: tuple[Media, int]
    is_repair: bool
    marker: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    payload_type: int = 0
    stamp: int | None = None  # abs-send-time

    @property
    def codec(self) -> Codec:
        return Codec.H264 if self.payload_type in VIDEO_TYPES[Codec.H264] else Codec.VP8

    @property
    def is_black(self) -> bool:
        """Whether this is the frame that takes a paused picture's place, byte for byte."""
        return self.line[0] is Media.VIDEO and black.is_black(self.codec, self.payload)

    @property
    def body(self) -> bytes:
        """What the test put in: the payload without its descriptor, its frame byte and a retransmission's number."""
        payload = self.payload[2:] if self.is_repair else self.payload
        if self.line[0] is Media.AUDIO:
            return payload
        if self.codec is Codec.H264:
            return payload[1:]
        descriptor = rtp.parse_vp8(payload)
        return payload[descriptor.size + 1 :] if descriptor else b""

    @property
    def descriptor(self) -> rtp.Vp8:
        found = rtp.parse_vp8(self.payload[2:] if self.is_repair else self.payload)
        assert found is not None
        return found


@dataclass
class Sender:
    """What an endpoint sends of one kind: numbers that go up."""

    ssrc: int
    payload_type: int
    sequence: int = 100
    timestamp: int = 5_000
    picture: int = 10
    tl0: int = 20
    rid: str | None = None
    named: int = 0  # packets that said their rid


class Endpoint(asyncio.DatagramProtocol):
    """One endpoint: `connect`, then `say`, `show`, `fence` and the lists `heard` and `reports`."""

    def __init__(self, plane: RelayPlane, name: str, via: tuple[str, int] | None = None) -> None:
        self.plane, self.name = plane, name
        self._via = via  # a proxy in front of the relay
        self.transport: Any = None
        self.heard: list[Heard] = []
        self.reports: list[rtcp.Part] = []
        self.wire: list[bytes] = []  # every SRTP and SRTCP packet as it came
        self.answer: Answer | None = None
        self.keys: dtls.Keys | None = None
        self.senders: dict[str, Sender] = {}  # by kind, or by rid
        self.said_goodbye = asyncio.Event()
        self._replies: dict[bytes, asyncio.Future[None]] = {}
        self._lines: dict[int, tuple[tuple[Media, int], bool]] = {}
        self._buffer = dtls.PacketBuffer()

    async def connect(
        self,
        sends: Sequence[Media] = tuple(Media),
        receives: Sequence[Media] = tuple(Media),
        publishes: frozenset[Media] = BOTH,
        rtx: bool = True,
        shake: bool = True,
        rids: Sequence[str] = (),
        codecs: Sequence[Codec] = (Codec.VP8,),
        red: bool = False,
        stamps: bool = False,
        repairs_sound: bool = False,
    ) -> Endpoint:
        """Offer, check connectivity and shake hands."""
        self.transport = await self.open()
        certificate = dtls.new_certificate()
        self.handshake = dtls.Handshake(certificate, self.send_raw)
        self.handshake._transport._set_role("client")
        types = {Media.AUDIO: AUDIO_TYPE, Media.VIDEO: VIDEO_TYPES[codecs[0]][0]}
        self.senders = {kind: Sender(secrets.randbits(32), types[kind]) for kind in sends}
        ssrcs = {Media(kind): sender.ssrc for kind, sender in self.senders.items()}
        self.mids = {kind: str(place) for place, kind in enumerate(sends)}
        for rid in rids:
            self.senders[rid] = Sender(secrets.randbits(32), types[Media.VIDEO], rid=rid)
        text = offer(
            sends,
            receives,
            ufrag=secrets.token_hex(4),
            fingerprint=" ".join(dtls.fingerprint(certificate)),
            rtx=rtx,
            ssrcs=ssrcs,
            rids=rids,
            codecs=codecs,
            red=red,
            stamps=stamps,
            repairs_sound=repairs_sound,
        )
        self.answer = await self.plane.connect(self.name, publishes, text)
        self._read_answer(self.answer)
        if shake:
            await self.fence()
            await self.shake()
        return self

    async def open(self) -> Any:
        """Return a socket of our own, as a datagram transport."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        return transport

    async def shake(self) -> None:
        """Do DTLS and take the keys."""
        assert self.answer is not None
        _, _, value = _attribute(self.answer.sdp, "fingerprint").partition(" ")
        self.keys = await asyncio.wait_for(self.handshake.run([("sha-256", value)]), WAIT_S)
        assert self.keys is not None
        self._ending = asyncio.get_running_loop().create_task(self._await_end())
        await self.until(self.is_up)

    def is_up(self) -> bool:
        """Whether the relay has the keys too."""
        return self.plane._sessions[self.name].is_up

    async def _await_end(self) -> None:
        await self.handshake.ended()
        self.said_goodbye.set()

    def _read_answer(self, answer: Answer) -> None:
        self.ufrag, self.pwd = _attribute(answer.sdp, "ice-ufrag"), _attribute(answer.sdp, "ice-pwd")
        sections = answer.sdp.split("m=")[1:]
        by_mid = {_attribute(section, "mid"): section for section in sections}
        for line in answer.lines:
            ssrcs = [v.split(" ")[0] for v in _attributes(by_mid[line.mid], "ssrc")]
            for ssrc, is_repair in zip(ssrcs, (False, True), strict=False):
                self._lines[int(ssrc)] = ((line.kind, line.index), is_repair)

    # --- receiving --------------------------------------------------------

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data[0] < 4:
            message = stun.parse_message(data)
            assert message.check_message_integrity(self.pwd.encode())
            future = self._replies.pop(message.transaction_id, None)
            if future and not future.done():
                future.set_result(None)
        elif 20 <= data[0] < 64:
            self.handshake.pipe.feed(data)
        elif self.keys is not None:
            self._media(data)

    def _media(self, data: bytes) -> None:
        assert self.keys is not None
        buffer = self._buffer
        buffer.view[: len(data)] = data
        buffer.size[0] = len(data)
        undo = dtls.unprotect_rtcp if header.is_rtcp(data) else dtls.unprotect
        status = undo(self.keys.rx, buffer.raw, buffer.size)
        self.wire.append(data)
        if status == REPLAYED:
            return
        assert status == 0, "the relay sent what its keys do not open"
        packet = bytes(buffer.view[: buffer.size[0]])
        if header.is_rtcp(data):
            self.reports.extend(rtcp.split(packet))
            return
        head = header.parse(packet, len(packet))
        assert head is not None
        marker, kind, sequence, timestamp, ssrc, start, end, at, stop = head
        found = rtp.extensions(packet, at, stop) if at else {}
        assert not at or set(found) == {SEND_TIME_ID}, "header extensions of one session must not leak into another"
        stamp = int.from_bytes(packet[at + 1 : at + 4], "big") if at else None
        line, is_repair = self._lines[ssrc]
        self.heard.append(Heard(line, is_repair, marker, sequence, timestamp, ssrc, packet[start:end], kind, stamp))

    # --- sending ----------------------------------------------------------

    def send_raw(self, datagram: bytes) -> None:
        """Send a datagram as it is."""
        self.transport.sendto(datagram, self._via or ("127.0.0.1", self.plane.port))

    def check(self, pwd: str | None = None, nominate: bool = True) -> tuple[bytes, bytes]:
        """Return (transaction id, a binding request)."""
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self.ufrag}:abcd"
        message.attributes["PRIORITY"] = 1
        message.attributes["ICE-CONTROLLING"] = 1
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity((pwd or self.pwd).encode())
        return message.transaction_id, bytes(message)

    async def fence(self) -> None:
        """Return when the relay has handled all that was sent before, and all that it sent before is here."""
        transaction, datagram = self.check()
        future = self._replies[transaction] = asyncio.get_running_loop().create_future()
        self.send_raw(datagram)
        await asyncio.wait_for(future, WAIT_S)

    def protect(self, packet: bytes, is_rtcp: bool = False) -> bytes:
        """Return `packet` under this endpoint's keys."""
        assert self.keys is not None
        buffer = self._buffer
        buffer.view[: len(packet)] = packet
        buffer.size[0] = len(packet)
        status = (dtls.protect_rtcp if is_rtcp else dtls.protect)(self.keys.tx, buffer.raw, buffer.size)
        assert status == 0
        return bytes(buffer.view[: buffer.size[0]])

    def rtp(self, kind: str, payload: bytes, marker: int = 1, extension: bytes = b"", skip: int = 0) -> bytes:
        """Return the next packet of `kind`, not yet protected; `skip` leaves out numbers."""
        sender = self.senders[kind]
        sender.sequence = sender.sequence + 1 + skip & 0xFFFF
        if sender.rid is not None and sender.named < NAMED:
            sender.named += 1
            extension += self.naming(sender.rid)
        head = struct.pack(
            "!BBHII",
            0x90 if extension else 0x80,
            marker << 7 | sender.payload_type,
            sender.sequence,
            sender.timestamp & 0xFFFFFFFF,
            sender.ssrc,
        )
        if extension:
            padded = extension + bytes(-len(extension) % 4)
            head += struct.pack("!HH", rtp.ONE_BYTE_PROFILE, len(padded) // 4) + padded
        return head + payload

    def say(self, *bodies: bytes) -> None:
        """Send each of `bodies` as 20 ms of sound."""
        for body in bodies:
            self.senders[Media.AUDIO].timestamp += 960
            self.send_raw(self.protect(self.rtp(Media.AUDIO, body)))

    def show(self, *bodies: bytes, key: bool = False, rid: str | None = None) -> None:
        """Send each of `bodies` as a one-packet frame of a layer; the first is a key frame where `key`."""
        for body in bodies:
            self.send_raw(self.protect(self.frame(body, key, rid)))
            key = False

    def naming(self, rid: str, number: int = RID_ID) -> bytes:
        """Return the elements that say which line and which encoding a packet is of."""
        mid = self.mids[Media.VIDEO].encode()
        return b"".join(bytes([at << 4 | len(v) - 1]) + v for at, v in ((MID_ID, mid), (number, rid.encode())))

    def frame(self, body: bytes, key: bool = False, rid: str | None = None) -> bytes:
        """Return the next one-packet frame, not yet protected."""
        sender = self.senders[rid or Media.VIDEO]
        sender.timestamp += 6000
        sender.picture += 1
        sender.tl0 += 1
        if sender.payload_type == H264_TYPE:
            return self.rtp(rid or Media.VIDEO, h264(body, key))
        return self.rtp(rid or Media.VIDEO, vp8(body, sender.picture, sender.tl0, key))

    def report(self, packet: bytes) -> None:
        """Send an RTCP packet."""
        self.send_raw(self.protect(rtcp.write_rr(1) + packet, is_rtcp=True))

    # --- looking ----------------------------------------------------------

    def bodies(self, kind: Media, line: int = 0) -> list[bytes]:
        """Return what was heard or seen on a line, in order of arrival."""
        return [heard.body for heard in self.on(kind, line)]

    def on(self, kind: Media, line: int = 0) -> list[Heard]:
        """Return the packets of a line, but for black frames."""
        return [heard for heard in self.all_on(kind, line) if not heard.is_black]

    def all_on(self, kind: Media, line: int = 0) -> list[Heard]:
        """Return the packets of a line."""
        return [heard for heard in self.heard if heard.line == (kind, line)]

    def key_requests(self) -> list[int]:
        """Return the SSRCs that a key frame was asked of."""
        return [ssrc for part in self.reports for ssrc in rtcp.key_requests(part)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the relay does by its own timer; fails after `WAIT_S`."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Vanish without a word."""
        if hasattr(self, "_ending"):
            self._ending.cancel()
        if hasattr(self, "handshake"):
            self.handshake.pipe.close()
        self.transport.close()


class Stranger:
    """Somebody with a socket and no credentials."""

    def __init__(self, port: int) -> None:
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._udp.setblocking(False)
        self._to = ("127.0.0.1", port)

    def send(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self._udp.sendto(datagram, self._to)

    def answers(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self._udp.recv(2048))
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._udp.close()


@dataclass
class Stage:
    """A relay and its endpoints, closed together."""

    plane: RelayPlane
    clock: HandClock
    endpoints: list[Endpoint] = field(default_factory=list)

    async def enter(self, name: str, via: tuple[str, int] | None = None, **how: Any) -> Endpoint:
        """Return a connected endpoint; `via` is the address of a proxy that it shall use."""
        endpoint = await Endpoint(self.plane, name, via).connect(**how)
        self.endpoints.append(endpoint)
        return endpoint

    async def fences(self, *endpoints: Endpoint) -> None:
        """Fence the endpoints in order: first who sends, then who receives."""
        for endpoint in endpoints:
            await endpoint.fence()

    async def close(self) -> None:
        await self.plane.close()
        for endpoint in self.endpoints:
            await endpoint.close()


async def stage() -> Stage:
    """Return a relay on loopback with a clock turned by hand."""
    clock = HandClock()
    plane = RelayPlane(("127.0.0.1", 0), ["127.0.0.1"], clock)
    await plane.start()
    return Stage(plane, clock)


def both_ways(first: str, second: str, line: int = 0) -> set[Route]:
    """Return the routes of two legs who see and hear each other."""
    return {Route(a, kind, b, line) for a, b in ((first, second), (second, first)) for kind in Media}


def plan(routes: set[Route], call: str = "call", epoch: int = 1, valid_for_s: float = 5.0) -> MediaPlan:
    """Return a plan."""
    return MediaPlan(call, epoch, valid_for_s, frozenset(routes))


def _attributes(text: str, name: str) -> list[str]:
    return [line[len(name) + 3 :] for line in text.split("\r\n") if line.startswith(f"a={name}:")]


def _attribute(text: str, name: str) -> str:
    return _attributes(text, name)[0]
