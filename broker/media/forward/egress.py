"""What leaves: packets composed for a sink, encrypted in place and sent."""

from __future__ import annotations

import socket

from broker.media import rtp
from broker.media.batch import Outbox
from broker.media.black import BLACK
from broker.media.drops import Drops
from broker.media.dtls import protect, protect_rtcp
from broker.media.forward.api import Codec
from broker.media.forward.state import Peer, Run, Sink, Stored


class Egress:
    """The sending side of a forwarder, on one UDP socket.

    Media waits for `flush`, at the latest until the wake-up that brought it ends.
    """

    def __init__(self, udp: socket.socket, drops: Drops) -> None:
        self._outbox = Outbox(udp, lambda count: drops.add("send", count))
        self.flush = self._outbox.flush
        self._drops = drops
        self._counts = drops.counts

    def send(self, run: Run, stored: Stored, now: float) -> None:
        """Send a packet as the next of its run, or as one that was late."""
        sink, vp8 = run.sink, stored[4]
        sequence = stored[0] + run.sequence_offset
        payload_type, payload = run.payload_type, stored[3]
        if stored[6] is not None:
            payload_type, payload = self._unwrap(run, stored, stored[6])
        end = self._compose(run, stored, payload_type, sequence, sink.ssrc, payload, b"")
        if not self._post(sink.peer, end):
            return
        sink.packets += 1
        sink.octets += len(payload)
        if sequence > sink.highest:
            sink.note(run, sequence, stored[2] + run.timestamp_offset & 0xFFFFFFFF, vp8, now)
        sink.peer.sent_at = now
        self._counts["forwarded"] += 1

    @staticmethod
    def _unwrap(run: Run, stored: Stored, red: tuple[int, int]) -> tuple[int, bytes]:
        """Return payload type and payload of a RED packet for this run: whole, or its primary block alone.

        What it repeats may be from before the run began, so the first ones are unwrapped for everybody.
        """
        primary, reach = red
        if run.red_type is not None and stored[2] - run.first_timestamp & 0xFFFFFFFF >= reach:
            return run.red_type, stored[3]
        return run.payload_type, stored[3][primary:]

    def _compose(
        self, run: Run, stored: Stored, payload_type: int, sequence: int, ssrc: int, payload: bytes, prefix: bytes
    ) -> int:
        """Write one packet into the next slot; return its size. The same arguments give the same bytes."""
        view, sink, vp8 = self._outbox.slot.view, run.sink, stored[4]
        second, number = stored[1] << 7 | payload_type, sequence & 0xFFFF
        timestamp = stored[2] + run.timestamp_offset & 0xFFFFFFFF
        if sink.send_time:  # abs-send-time: of the arrival, so that the same packet again has the same
            stamp = sink.send_time | int(stored[5] * 262144) & 0xFFFFFF
            rtp.write_stamped_header(view, 0, 0x90, second, number, timestamp, ssrc, 0xBEDE0001, stamp)
            start = 20
        else:
            rtp.write_header(view, 0, 0x80, second, number, timestamp, ssrc)
            start = 12
        if prefix:
            view[start : start + len(prefix)] = prefix
            start += len(prefix)
        end = start + len(payload)
        view[start:end] = payload
        if run.rewrites and vp8 is not None:
            _rewrite(view, run, vp8, start)
        return end

    def _post(self, peer: Peer, size: int) -> bool:
        """Protect the packet that stands in the next slot, and let it wait to be sent."""
        out = self._outbox.slot
        out.size[0] = size
        if peer.address is None or protect(peer.tx, out.raw, out.size):
            self._drops.add("protect")
            return False
        size = out.size[0]
        self._outbox.put(size, peer.address)
        peer.octets_out += size
        return True

    def blacken(self, sink: Sink, now: float) -> None:
        """Send a black key frame, once, as the next of a line that showed a picture.

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
        timestamp = sink.timestamp - run.timestamp_offset
        stored: Stored = (sink.highest - run.sequence_offset, 1, timestamp, head + BLACK[codec], None, now, None)
        end = self._compose(run, stored, run.payload_type, sink.highest, sink.ssrc, stored[3], b"")
        if self._post(sink.peer, end):
            sink.packets += 1
            sink.octets += len(stored[3])
            self._counts["black"] += 1
        self.flush()

    def send_rtcp(self, peer: Peer, packet: bytes) -> None:
        """Protect and send an RTCP compound."""
        if peer.address is None:
            return
        out = self._outbox.slot
        out.view[: len(packet)] = packet
        out.size[0] = len(packet)
        if protect_rtcp(peer.tx, out.raw, out.size):
            self._drops.add("protect")
        else:
            self._outbox.put(out.size[0], peer.address)
            self.flush()

    def resend(self, run: Run, stored: Stored, sequence: int) -> None:
        """Send a packet again, that left under number `sequence`."""
        sink, payload_type, payload = run.sink, run.payload_type, stored[3]
        if stored[6] is not None:
            payload_type, payload = self._unwrap(run, stored, stored[6])
        if run.rtx_type is None:
            end = self._compose(run, stored, payload_type, sequence, sink.ssrc, payload, b"")
        else:
            prefix = (sequence & 0xFFFF).to_bytes(2, "big")
            end = self._compose(run, stored, run.rtx_type, sink.rtx_sequence, sink.spec.rtx_ssrc, payload, prefix)
            sink.rtx_sequence = sink.rtx_sequence + 1 & 0xFFFF
        if self._post(sink.peer, end):
            self._counts["resent"] += 1


def _rewrite(view: memoryview, run: Run, vp8: rtp.Vp8, start: int) -> None:
    """Make picture numbers contiguous for a run's sink (RFC 7741 §4.2)."""
    if vp8.picture_bits:
        rtp.write_picture(view, start + vp8.picture_at, vp8.picture_bits, vp8.picture + run.picture_offset)
    if vp8.tl0_at:
        view[start + vp8.tl0_at] = vp8.tl0 + run.tl0_offset & 0xFF
