"""What leaves: packets composed for a sink, encrypted in place and sent."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from broker.media import rtp
from broker.media.batch import outbox
from broker.media.black import BLACK
from broker.media.drops import Drops
from broker.media.dtls import protect, protect_rtcp
from broker.media.forward.api import Codec
from broker.media.forward.state import Peer, Run, Sink, Stored

ONE_WORD = 0xBEDE0001  # a header extension of one-byte elements (RFC 8285 §4.2), one word of them
write_head = rtp.write_stamped_header


class Egress:
    """The sending side of a forwarder, on one UDP socket.

    Media waits for `flush`, at the latest until the reading that brought it ends.
    """

    def __init__(self, udp: socket.socket, drops: Drops) -> None:
        self._outbox = outbox(udp, lambda count: drops.add("send", count))
        self.destination = self._outbox.destination
        self._begin, self._put = self._outbox.begin, self._outbox.put
        self._drops = drops
        self._counts = drops.counts
        self._forwarded = 0  # packets since the last flush

    def flush(self) -> None:
        """Send what waits."""
        self._outbox.flush()
        self._counts["forwarded"] += self._forwarded
        self._forwarded = 0

    def fan_out(self, runs: Sequence[Run], stored: Stored, now: float) -> bool:
        """Send a packet as the next of each run that has begun, or as one that was late.

        Return whether the deadline of some run's gate has passed: there it is not sent.
        """
        sequence, marker, timestamp, payload, vp8, at, red = stored
        stamp, has_lapsed = _send_time(at), False
        for run in runs:
            if now >= run.gate.deadline:
                has_lapsed = True
                continue
            if sequence < run.base:
                continue
            sink, number, payload_type, body = run.sink, sequence + run.sequence_offset, run.payload_type, payload
            if red is not None:
                payload_type, body = self._unwrap(run, stored, red)
            if not self._post(run, marker << 7 | payload_type, number, timestamp, sink.ssrc, stamp, body, vp8):
                continue
            sink.packets += 1
            sink.octets += len(body)
            if number > sink.highest:
                sink.highest = number
                if timestamp != sink.frame or vp8 is not sink.vp8:  # a frame's later packets bring nothing new
                    sink.note(run, stored, now)
                sink.last_at = sink.moved_at = now
            run.peer.sent_at = now
            self._forwarded += 1
        return has_lapsed

    @staticmethod
    def _unwrap(run: Run, stored: Stored, red: tuple[int, int]) -> tuple[int, bytes]:
        """Return payload type and payload of a RED packet for this run: whole, or its primary block alone.

        What it repeats may be from before the run began, so the first ones are unwrapped for everybody.
        """
        primary, reach = red
        if run.red_type is not None and stored[2] - run.first_timestamp & 0xFFFFFFFF >= reach:
            return run.red_type, stored[3]
        return run.payload_type, stored[3][primary:]

    def _post(
        self,
        run: Run,
        second: int,
        number: int,
        timestamp: int,
        ssrc: int,
        stamp: int,
        payload: bytes,
        vp8: rtp.Vp8 | None,
        skipped: int = 0,
    ) -> bool:
        """Write, protect and let wait one packet of a run. The same arguments give the same plaintext.

        `second`: marker and payload type; `timestamp` and `vp8` as they came; `skipped`: bytes before the descriptor.
        """
        peer = run.peer
        to = peer.to
        if to is None:
            self._drops.add("protect")
            return False
        lane = to.lane or self._begin(to)
        slot, start = lane.free[-1], run.start
        view, size, end = slot.view, slot.size, start + len(payload)
        own_timestamp = timestamp + run.timestamp_offset & 0xFFFFFFFF
        stamped = run.send_time | stamp
        write_head(view, 0, run.flags, second, number & 0xFFFF, own_timestamp, ssrc, ONE_WORD, stamped)
        view[start:end] = payload
        if run.rewrites and vp8 is not None:
            _rewrite(view, run, vp8, start + skipped)
        size[0] = end
        if protect(peer.tx, slot.raw, size):
            self._drops.add("protect")
            return False
        peer.octets_out += self._put(lane)
        return True

    def blacken(self, sink: Sink, now: float) -> None:
        """Let a black key frame wait, once, as the next of a line that showed a picture.

        It goes under fresh numbers, and is no content: neither `last_at` nor the frames sent know of it.
        """
        run = sink.last_run
        if run is None or not run.layer.source.is_video or sink.highest == sink.black_at:
            return
        codec = run.layer.source.spec.codec
        sink.picture = None if sink.picture is None else sink.picture + 1
        sink.tl0 = None if sink.tl0 is None else sink.tl0 + 1
        head = rtp.vp8_descriptor(sink.picture, run.picture_bits, sink.tl0) if codec is Codec.VP8 else b""
        sink.move(now, run.layer.source.rate)
        sink.black_at = sink.highest
        timestamp, frame = sink.timestamp - run.timestamp_offset, head + BLACK[codec]
        second = 0x80 | run.payload_type
        if self._post(run, second, sink.highest, timestamp, sink.ssrc, _send_time(now), frame, None):
            sink.packets += 1
            sink.octets += len(frame)
            self._counts["black"] += 1

    def send_rtcp(self, peer: Peer, packet: bytes) -> None:
        """Protect an RTCP compound, and let it wait as media does."""
        if peer.to is None:
            return
        lane = peer.to.lane or self._begin(peer.to)
        slot = lane.free[-1]
        slot.view[: len(packet)] = packet
        slot.size[0] = len(packet)
        if protect_rtcp(peer.tx, slot.raw, slot.size):
            self._drops.add("protect")
        else:
            self._put(lane)

    def resend(self, run: Run, stored: Stored, sequence: int) -> None:
        """Send a packet again, that left under number `sequence`."""
        _, marker, timestamp, payload, vp8, at, red = stored
        sink, payload_type = run.sink, run.payload_type
        if red is not None:
            payload_type, payload = self._unwrap(run, stored, red)
        if run.rtx_type is None:
            head = (marker << 7 | payload_type, sequence, timestamp, sink.ssrc, _send_time(at))
            is_sent = self._post(run, *head, payload, vp8)
        else:
            head = (marker << 7 | run.rtx_type, sink.rtx_sequence, timestamp, sink.spec.rtx_ssrc, _send_time(at))
            is_sent = self._post(run, *head, (sequence & 0xFFFF).to_bytes(2, "big") + payload, vp8, 2)
            sink.rtx_sequence = sink.rtx_sequence + 1 & 0xFFFF
        if is_sent:
            self._counts["resent"] += 1


def _send_time(at: float) -> int:
    """Return abs-send-time of an arrival: so the same packet sent again has the same."""
    return int(at * 262144) & 0xFFFFFF


def _rewrite(view: memoryview, run: Run, vp8: rtp.Vp8, start: int) -> None:
    """Make picture numbers contiguous for a run's sink (RFC 7741 §4.2)."""
    if vp8.picture_bits:
        rtp.write_picture(view, start + vp8.picture_at, vp8.picture_bits, vp8.picture + run.picture_offset)
    if vp8.tl0_at:
        view[start + vp8.tl0_at] = vp8.tl0 + run.tl0_offset & 0xFF
