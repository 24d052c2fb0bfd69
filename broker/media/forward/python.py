"""The forwarder in Python: the reference, and the one that runs in the broker's own process.

Per packet: decrypt in place, keep the plaintext in the ring, and for each open sink copy, rewrite,
encrypt in place and send (mode `cx` of media.md). It never looks past the payload descriptor.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from broker.media import rtp
from broker.media.drops import Drops
from broker.media.dtls import Keys, PacketBuffer, protect, protect_rtcp, unprotect, unprotect_rtcp
from broker.media.forward.api import (
    Address,
    KeyListener,
    PeerId,
    PeerSpec,
    PeerStats,
    RtcpListener,
    SinkId,
    SinkStats,
    SourceId,
    SourceStats,
)
from broker.media.forward.state import KEEP_S, MAX_GAP, NEVER, RING, SENT_KEPT_S, Gate, Peer, Sink, Source, Stored

MAX_PAYLOAD = 1800  # with header and SRTP trailer below the buffer
REBIND_AFTER_S = 2.0  # a line whose SSRC has been silent so long may go on under another
LEVEL_EVERY_S = 0.1
MAX_ARRIVALS = 2000  # not yet reported; the oldest are dropped
NACK_AGAIN_S = 0.06
NACK_TRIES = 8


class PythonForwarder:
    """A Forwarder on one UDP socket."""

    def __init__(
        self,
        udp: socket.socket,
        boottime: Callable[[], float],
        drops: Drops,
        on_rtcp: RtcpListener,
        on_key_wanted: KeyListener,
    ) -> None:
        self.buffer = PacketBuffer()
        self._out = PacketBuffer()
        self._udp = udp
        self._boottime = boottime
        self._drops = drops
        self._counts = drops.counts
        self._on_rtcp = on_rtcp
        self._on_key_wanted = on_key_wanted
        self._peers: dict[PeerId, Peer] = {}
        self._by_address: dict[Address, Peer] = {}
        self._gates: dict[str, Gate] = {}
        self._gaps: set[SourceId] = set()

    # --- what the plane says ---------------------------------------------

    def open_peer(self, peer: PeerId, spec: PeerSpec, keys: Keys) -> None:
        self._peers[peer] = Peer(peer, spec, keys, self._boottime())

    def close_peer(self, peer: PeerId) -> None:
        gone = self._peers.get(peer)
        if gone is None:
            return
        for sink in gone.sinks.values():
            self.disconnect(sink.id)
        for source in gone.sources.values():
            for sink in list(source.sinks):
                self.disconnect(sink.id)
        del self._peers[peer]
        for address in list(gone.addresses):
            self.refuse(address)

    def place(self, peer: PeerId, address: Address) -> None:
        self.accept(peer, address)
        if peer in self._peers:
            self._peers[peer].address = address

    def accept(self, peer: PeerId, address: Address) -> None:
        if (found := self._peers.get(peer)) is not None:
            if self._by_address.get(address) is not found:
                self.refuse(address)  # it was another's
            found.addresses.add(address)
            self._by_address[address] = found

    def refuse(self, address: Address) -> None:
        if (holder := self._by_address.pop(address, None)) is not None:
            holder.addresses.discard(address)
            if holder.address == address:
                holder.address = None

    def connect(self, sink: SinkId, source: SourceId, gate: str) -> None:
        line, origin = self._sink(sink), self._source(source)
        if line is None or origin is None:
            return
        self.disconnect(sink)
        line.source, line.gate = origin, self._gates.setdefault(gate, Gate())
        origin.sinks.append(line)
        if origin.is_video:
            self._on_key_wanted(origin.id)

    def disconnect(self, sink: SinkId) -> None:
        line = self._sink(sink)
        if line is None or line.source is None:
            return
        line.source.sinks.remove(line)
        if not line.source.sinks:
            line.source.purge()
        line.source = line.gate = None
        line.shut()

    def set_deadline(self, gate: str, deadline: float) -> None:
        held = self._gates.setdefault(gate, Gate())
        if self._boottime() >= held.deadline:
            for sink in self._all_sinks():
                if sink.gate is held:
                    sink.shut()
                    if sink.source is not None and sink.source.is_video:
                        self._on_key_wanted(sink.source.id)
        held.deadline = deadline

    def deadline(self, gate: str) -> float:
        return self._gates[gate].deadline if gate in self._gates else NEVER

    def forget_gate(self, gate: str) -> None:
        """Drop a gate that no sink uses."""
        self._gates.pop(gate, None)

    def refill(self, elapsed: float) -> None:
        for peer in self._peers.values():
            peer.refill(elapsed)

    def _sink(self, sink: SinkId) -> Sink | None:
        peer = self._peers.get(sink[0])
        return peer.sinks.get((sink[1], sink[2])) if peer else None

    def _source(self, source: SourceId) -> Source | None:
        peer = self._peers.get(source[0])
        return peer.sources.get(source[1]) if peer else None

    def _all_sinks(self) -> list[Sink]:
        return [sink for peer in self._peers.values() for sink in peer.sinks.values()]

    # --- a packet ---------------------------------------------------------

    def receive(self, size: int, address: Address) -> None:
        peer = self._by_address.get(address)
        if peer is None:
            self._drops.add("stranger")
            return
        if size < rtp.HEADER_BYTES:
            if size:
                self._drops.add("srtp")
            return
        if peer.packet_tokens < 1 or peer.byte_tokens < size:
            self._drops.add("flood")
            return
        peer.packet_tokens -= 1
        peer.byte_tokens -= size
        buffer = self.buffer
        view = buffer.view
        buffer.size[0] = size
        if 192 <= view[1] <= 223:
            self._receive_rtcp(peer)
            return
        if peer.is_full and not peer.knows(int.from_bytes(view[8:12], "big")):
            self._drops.add("ssrc")
            return
        if unprotect(peer.rx, buffer.raw, buffer.size):
            self._drops.add("srtp")
            return
        now = self._boottime()
        peer.heard_at = now
        peer.octets_in += size
        header = rtp.parse(view, buffer.size[0])
        if header is None:
            peer.meet(int.from_bytes(view[8:12], "big"))
            self._drops.add("rtp")
            return
        entry = peer.by_ssrc.get(header[4]) or self._bind(peer, header, now)
        if entry is None:
            self._drops.add("ssrc")
            return
        source, is_repair = entry
        if header[7]:
            self._read_extensions(peer, source, header, now)
        self._take(source, header, is_repair, now)

    def _receive_rtcp(self, peer: Peer) -> None:
        buffer = self.buffer
        ssrc = int.from_bytes(buffer.view[4:8], "big")
        if peer.is_full and not peer.knows(ssrc):
            self._drops.add("ssrc")
            return
        if unprotect_rtcp(peer.rx, buffer.raw, buffer.size):
            self._drops.add("srtcp")
            return
        peer.meet(ssrc)
        peer.heard_at = self._boottime()
        self._counts["rtcp_in"] += 1
        self._on_rtcp(peer.id, bytes(buffer.view[: buffer.size[0]]))

    def _bind(self, peer: Peer, header: rtp.Rtp, now: float) -> tuple[Source, bool] | None:
        """Give an unknown SSRC to the line that its mid or its payload type names, on first authenticated use."""
        _, payload_type, _, _, ssrc, _, _, start, end = header
        peer.meet(ssrc)
        mid = None
        if start and peer.spec.mid_extension is not None:
            at, length = rtp.extensions(self.buffer.view, start, end).get(peer.spec.mid_extension, (0, 0))
            mid = bytes(self.buffer.view[at : at + length]).decode("ascii", "replace") if length else None
        for source in peer.sources.values():
            if mid is not None and mid != source.spec.mid:
                continue
            if payload_type == source.spec.rtx_payload_type:
                return self._bind_repair(peer, source, ssrc)
            if payload_type == source.spec.payload_type:
                if source.received and now - source.last_at < REBIND_AFTER_S:
                    return None
                peer.by_ssrc = {s: entry for s, entry in peer.by_ssrc.items() if entry != (source, False)}
                source.bind(ssrc, now)
                peer.by_ssrc[ssrc] = (source, False)
                return source, False
        return None

    @staticmethod
    def _bind_repair(peer: Peer, source: Source, ssrc: int) -> tuple[Source, bool] | None:
        if any(entry == (source, True) for entry in peer.by_ssrc.values()):
            return None
        peer.by_ssrc[ssrc] = (source, True)
        return source, True

    def _read_extensions(self, peer: Peer, source: Source, header: rtp.Rtp, now: float) -> None:
        view, start, end = self.buffer.view, header[7], header[8]
        if peer.cc is not None:
            place = source.cc_places.get(end - start)  # a sender's layout seldom changes
            if place is None or view[start + place - 1] != (peer.cc << 4 | 1):
                at, length = rtp.extensions(view, start, end).get(peer.cc, (0, 0))
                place = at - start if length == 2 else 0
                if place and view[at - 1] == (peer.cc << 4 | 1):
                    source.cc_places[end - start] = place
            if place and len(peer.arrivals) < MAX_ARRIVALS:
                at = start + place
                peer.arrivals.append((view[at] << 8 | view[at + 1], now))
        level = source.spec.level_extension
        if level is not None and now - source.level_at > LEVEL_EVERY_S:
            at, length = rtp.extensions(view, start, end).get(level, (0, 0))
            if length:
                source.level = rtp.loudness(view[at])
                source.level_at = now

    def _take(self, source: Source, header: rtp.Rtp, is_repair: bool, now: float) -> None:
        """Check, number and keep one packet of a source, then send it to its sinks."""
        marker, payload_type, number, timestamp, _, start, end, _, _ = header
        view = self.buffer.view
        if is_repair:  # RFC 4588 §4: the original number stands before the payload
            if end - start <= 2 or source.highest < 0 or payload_type != source.spec.rtx_payload_type:
                self._counts["padding_in"] += 1
                return
            number = view[start] << 8 | view[start + 1]
            start += 2
        elif payload_type != source.spec.payload_type:
            self._drops.add("payload_type")
            return
        if end - start > MAX_PAYLOAD:
            self._drops.add("too_long")
            return
        sequence = self._number(source, number, is_repair, now)
        if sequence < 0:
            self._counts["duplicate"] += 1
            return
        payload = bytes(view[start:end])
        vp8 = None
        if source.is_video and payload:
            vp8 = rtp.parse_vp8(payload)
            if vp8 is None:
                self._drops.add("vp8")
                return
        source.last_at = now
        source.last_timestamp = timestamp
        stored: Stored = (sequence, marker, timestamp, payload, vp8, now)
        source.ring[sequence % RING] = stored
        self._counts["packets_in"] += 1
        self._fan_out(source, stored, now)

    def _number(self, source: Source, number: int, is_repair: bool, now: float) -> int:
        """Return the whole number of a packet that was not taken before, else -1.

        No number is taken twice: two plaintexts under one number would break the sinks' encryption.
        """
        highest = source.highest
        if highest < 0:
            source.highest = source.first = sequence = number + (1 << 16)
        else:
            sequence = highest + ((number - highest + 0x8000) & 0xFFFF) - 0x8000
            if sequence > highest:
                if is_repair:
                    return -1
                if sequence > highest + 1 and source.is_video:
                    self._note_gap(source, highest + 1, sequence, now)
                source.highest = sequence
            elif sequence <= highest - RING or source.slots[sequence % RING] == sequence:
                return -1
            else:
                source.missing.pop(sequence, None)
        source.slots[sequence % RING] = sequence
        if not is_repair:
            source.received += 1
        return sequence

    def _note_gap(self, source: Source, first: int, end: int, now: float) -> None:
        if not source.sinks:
            return
        if end - first > MAX_GAP:
            self._on_key_wanted(source.id)
            return
        for sequence in range(first, end):
            source.missing[sequence] = (now, NEVER, 0)
        self._gaps.add(source.id)

    def _fan_out(self, source: Source, stored: Stored, now: float) -> None:
        vp8 = stored[4]
        for sink in source.sinks:
            gate = sink.gate
            if gate is None or now >= gate.deadline:
                sink.is_open = False
                self._counts["gated"] += 1
                continue
            if not sink.is_open:
                # The newest packet only: nothing that came before the gate opened has a higher number.
                if stored[0] != source.highest or (source.is_video and (vp8 is None or not vp8.key)):
                    self._counts["before_key"] += 1
                    if source.is_video:
                        self._on_key_wanted(source.id)
                    continue
                sink.begin(source, stored, now)
            elif stored[0] < sink.base:
                continue
            self._send(sink, stored, now)

    def _send(self, sink: Sink, stored: Stored, now: float) -> None:
        sequence, marker, timestamp, payload, vp8, _ = stored
        sequence += sink.sequence_offset
        timestamp = timestamp + sink.timestamp_offset & 0xFFFFFFFF
        view, end = self._out.view, 12 + len(payload)
        rtp.write_header(view, 0, 0x80, marker << 7 | sink.payload_type, sequence & 0xFFFF, timestamp, sink.ssrc)
        view[12:end] = payload
        if vp8 is not None and sink.rewrites:
            self._rewrite(sink, vp8, 12)
        if not self._transmit(sink.peer, end):
            return
        sink.packets += 1
        sink.octets += end - 12
        if sequence > sink.highest:
            sink.note(sequence, timestamp, vp8, now)
        sink.peer.sent_at = now
        self._counts["forwarded"] += 1

    def _rewrite(self, sink: Sink, vp8: rtp.Vp8, start: int) -> None:
        """Make picture numbers contiguous for this sink (RFC 7741 §4.2)."""
        view = self._out.view
        if vp8.picture_bits:
            rtp.write_picture(view, start + vp8.picture_at, vp8.picture_bits, vp8.picture + sink.picture_offset)
        if vp8.tl0_at:
            view[start + vp8.tl0_at] = vp8.tl0 + sink.tl0_offset & 0xFF

    def _transmit(self, peer: Peer, size: int) -> bool:
        """Protect and send what stands in the out buffer."""
        out = self._out
        out.size[0] = size
        if peer.address is None or protect(peer.tx, out.raw, out.size):
            self._drops.add("protect")
            return False
        size = out.size[0]
        try:
            self._udp.sendto(out.view[:size], peer.address)
        except OSError:  # buffer full or no route: a network's loss, repaired as one
            self._drops.add("send")
        peer.octets_out += size
        return True

    # --- feedback ---------------------------------------------------------

    def send_rtcp(self, peer: PeerId, packet: bytes) -> None:
        found = self._peers.get(peer)
        if found is None or found.address is None:
            return
        out = self._out
        out.view[: len(packet)] = packet
        out.size[0] = len(packet)
        if protect_rtcp(found.tx, out.raw, out.size):
            self._drops.add("protect")
            return
        try:
            self._udp.sendto(out.view[: out.size[0]], found.address)
        except OSError:
            self._drops.add("send")

    def resend(self, sink: SinkId, sequences: Sequence[int]) -> None:
        line = self._sink(sink)
        if line is None or line.source is None or line.gate is None or not line.is_open:
            return
        now = self._boottime()
        for number in sequences:
            sequence = rtp.extend(line.highest, number) - line.sequence_offset
            stored = line.source.ring[sequence % RING]
            if now >= line.gate.deadline or line.resends < 1:
                return
            line.resends -= 1  # found or not: what is asked costs us time
            if stored is None or stored[0] != sequence or sequence < line.base or now - stored[5] > KEEP_S:
                continue
            self._resend_one(line, stored)

    def _resend_one(self, sink: Sink, stored: Stored) -> None:
        sequence, marker, timestamp, payload, vp8, _ = stored
        view, number, spec = self._out.view, sequence + sink.sequence_offset & 0xFFFF, sink.spec
        timestamp = timestamp + sink.timestamp_offset & 0xFFFFFFFF
        start = 12
        if spec.rtx_payload_type is None:
            rtp.write_header(view, 0, 0x80, marker << 7 | sink.payload_type, number, timestamp, sink.ssrc)
        else:
            rtp.write_header(
                view, 0, 0x80, marker << 7 | spec.rtx_payload_type, sink.rtx_sequence, timestamp, spec.rtx_ssrc
            )
            sink.rtx_sequence = sink.rtx_sequence + 1 & 0xFFFF
            view[12], view[13] = number >> 8, number & 0xFF
            start = 14
        view[start : start + len(payload)] = payload
        if vp8 is not None and sink.rewrites:
            self._rewrite(sink, vp8, start)
        if self._transmit(sink.peer, start + len(payload)):
            self._counts["resent"] += 1

    def take_arrivals(self, peer: PeerId) -> list[tuple[int, float]]:
        found = self._peers.get(peer)
        if found is None:
            return []
        arrivals, found.arrivals = found.arrivals, []
        return arrivals

    def gaps(self) -> list[SourceId]:
        return list(self._gaps)

    def take_missing(self, source: SourceId) -> list[int]:
        found = self._source(source)
        if found is None or not found.missing:
            self._gaps.discard(source)
            return []
        now = self._boottime()
        due = []
        for sequence, (first, last, tries) in list(found.missing.items()):
            if now - first > KEEP_S or tries >= NACK_TRIES or sequence <= found.highest - RING:
                del found.missing[sequence]
            elif now - last >= NACK_AGAIN_S:
                found.missing[sequence] = (first, now, tries + 1)
                due.append(sequence)
        return due

    # --- figures ----------------------------------------------------------

    def peer_stats(self, peer: PeerId) -> PeerStats | None:
        p = self._peers.get(peer)
        return None if p is None else PeerStats(p.heard_at, p.sent_at, p.octets_in, p.octets_out)

    def source_stats(self, source: SourceId) -> SourceStats | None:
        s = self._source(source)
        if s is None or s.ssrc is None or s.highest < 0:
            return None
        expected = s.highest - s.first + 1
        return SourceStats(s.ssrc, s.received, expected, s.highest, s.last_at, s.last_timestamp, s.stream_at, s.level)

    def sink_stats(self, sink: SinkId) -> SinkStats | None:
        s = self._sink(sink)
        if s is None:
            return None
        source = s.source.id if s.source else None
        return SinkStats(s.packets, s.octets, s.last_at, s.timestamp_offset, source, s.is_open)

    def sent_at(self, sink: SinkId, timestamp: int) -> float | None:
        line = self._sink(sink)
        at = None if line is None else line.sent.get(timestamp)
        return None if at is None or self._boottime() - at > SENT_KEPT_S else at

    def sinks_of(self, source: SourceId) -> list[SinkId]:
        found = self._source(source)
        return [] if found is None else [sink.id for sink in found.sinks]
