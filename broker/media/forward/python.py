"""The forwarder in Python: the reference, and the one that runs in the broker's own process.

Per packet: decrypt in place, keep the plaintext in its layer's ring, and for each open sink copy, rewrite,
encrypt in place and send (mode `cx` of media.md). It never looks past the payload descriptor.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from broker.media import h264, rtp
from broker.media.drops import Drops
from broker.media.dtls import Keys, PacketBuffer, protect, protect_rtcp, unprotect, unprotect_rtcp
from broker.media.forward.api import (
    Address,
    Codec,
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
from broker.media.forward.state import (
    KEEP_S,
    LIVE_S,
    MAX_GAP,
    NEVER,
    RING,
    SENT_KEPT_S,
    Gate,
    Layer,
    Peer,
    Run,
    Sink,
    Source,
    Stored,
)

MAX_PAYLOAD = 1800  # with header and SRTP trailer below the buffer
REBIND_AFTER_S = 2.0  # a layer whose SSRC has been silent so long may go on under another
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
        self._gaps: set[tuple[SourceId, int]] = set()

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

    def connect(self, sink: SinkId, source: SourceId, gate: str, layer: int | None = 0) -> None:
        line, origin = self._sink(sink), self._source(source)
        if line is None or origin is None:
            return
        self.disconnect(sink)
        if origin.spec.codec not in line.spec.types:
            self._drops.add("codec")
            return
        now = self._boottime()
        line.source, line.gate = origin, self._gates.setdefault(gate, Gate())
        line.since, line.wanted = now, layer
        line.gate.sinks.append(line)
        origin.sinks.append(line)
        self._aim(line, now)

    def want(self, sink: SinkId, layer: int | None) -> None:
        line = self._sink(sink)
        if line is None or line.source is None or line.wanted == layer:
            return
        now = self._boottime()
        if line.wanted is None:
            line.since = now
        line.wanted = layer
        self._aim(line, now)

    def _aim(self, sink: Sink, now: float) -> None:
        """Choose the layer that `sink` takes, and ask for its key frame."""
        source = sink.source
        if source is None:
            return
        if sink.wanted is None:
            sink.leave()
            sink.past.clear()
            sink.aim(None)
            return
        target = (
            source.choose(sink.wanted, now) or sink.target or source.layers[min(sink.wanted, len(source.layers) - 1)]
        )
        if target is sink.target:
            return
        sink.aim(target)
        if source.is_video and (sink.run is None or sink.run.layer is not target):
            self._on_key_wanted(source.id, target.index)

    def _aim_all(self, source: Source, now: float) -> None:
        if len(source.layers) > 1:
            for sink in source.sinks:
                self._aim(sink, now)

    def disconnect(self, sink: SinkId) -> None:
        line = self._sink(sink)
        if line is None or line.source is None or line.gate is None:
            return
        line.leave()
        line.past.clear()
        line.aim(None)
        line.source.sinks.remove(line)
        line.gate.sinks.remove(line)
        line.source = line.gate = line.wanted = None

    def set_deadline(self, gate: str, deadline: float) -> None:
        held, now = self._gates.setdefault(gate, Gate()), self._boottime()
        if now >= held.deadline:
            self._shut(held)
        held.deadline = deadline
        if deadline <= now:
            self._shut(held)
        elif held.is_shut:
            held.is_shut = False
            for sink in held.sinks:
                sink.since = now
                if sink.source is not None and sink.source.is_video and sink.target is not None:
                    self._on_key_wanted(sink.source.id, sink.target.index)

    def lapse(self) -> None:
        now = self._boottime()
        for gate in self._gates.values():
            if not gate.is_shut and now >= gate.deadline:
                self._shut(gate)

    @staticmethod
    def _shut(gate: Gate) -> None:
        if gate.is_shut:
            return
        gate.is_shut = True
        for sink in gate.sinks:
            sink.shut()

    def deadline(self, gate: str) -> float:
        return self._gates[gate].deadline if gate in self._gates else NEVER

    def forget_gate(self, gate: str) -> None:
        """Drop a gate that no sink uses."""
        self._gates.pop(gate, None)

    def refill(self, elapsed: float) -> None:
        now = self._boottime()
        for peer in self._peers.values():
            peer.refill(elapsed)
            for source in peer.sources.values():
                self._aim_all(source, now)
                for layer in source.layers:
                    layer.expire(now)

    def _sink(self, sink: SinkId) -> Sink | None:
        peer = self._peers.get(sink[0])
        return peer.sinks.get((sink[1], sink[2])) if peer else None

    def _source(self, source: SourceId) -> Source | None:
        peer = self._peers.get(source[0])
        return peer.sources.get(source[1]) if peer else None

    def _layer(self, source: SourceId, layer: int) -> Layer | None:
        found = self._source(source)
        return found.layers[layer] if found and 0 <= layer < len(found.layers) else None

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
        layer, is_repair = entry
        if header[7]:
            self._read_extensions(peer, layer.source, header, now)
        self._take(layer, header, is_repair, now)

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

    def _bind(self, peer: Peer, header: rtp.Rtp, now: float) -> tuple[Layer, bool] | None:
        """Give an unknown SSRC to the layer that its mid and rid or its payload type name, on first authenticated use.

        A sender stops sending these extensions once it knows that they were seen (RFC 8852 §3): they are remembered.
        """
        payload_type, ssrc = header[1], header[4]
        peer.meet(ssrc)
        mid, rid, repaired = self._names(peer.spec, header)
        for source in peer.sources.values():
            spec = source.spec
            if mid is not None and mid != spec.mid:
                continue
            if payload_type == spec.rtx_payload_type:
                layer = self._named(source, repaired)
                return None if layer is None else self._bind_repair(peer, layer, ssrc)
            if payload_type in (spec.payload_type, spec.red_payload_type):
                layer = self._named(source, rid)
                return None if layer is None else self._bind_media(peer, layer, ssrc, now)
        return None

    def _names(self, spec: PeerSpec, header: rtp.Rtp) -> list[str | None]:
        """Return mid, rid and repaired rid of a packet's header extension."""
        view, start, end = self.buffer.view, header[7], header[8]
        found = rtp.extensions(view, start, end) if start else {}
        names: list[str | None] = []
        for number in (spec.mid_extension, spec.rid_extension, spec.repaired_rid_extension):
            at, length = found.get(number, (0, 0)) if number is not None else (0, 0)
            names.append(bytes(view[at : at + length]).decode("ascii", "replace") if length else None)
        return names

    @staticmethod
    def _named(source: Source, rid: str | None) -> Layer | None:
        if len(source.layers) == 1 and source.layers[0].spec.rid is None:
            return source.layers[0]
        return next((layer for layer in source.layers if rid is not None and layer.spec.rid == rid), None)

    def _bind_media(self, peer: Peer, layer: Layer, ssrc: int, now: float) -> tuple[Layer, bool] | None:
        if layer.received and now - layer.last_at < REBIND_AFTER_S:
            return None
        peer.by_ssrc = {s: entry for s, entry in peer.by_ssrc.items() if entry != (layer, False)}
        layer.bind(ssrc, now)
        peer.by_ssrc[ssrc] = (layer, False)
        return layer, False

    @staticmethod
    def _bind_repair(peer: Peer, layer: Layer, ssrc: int) -> tuple[Layer, bool] | None:
        if any(entry == (layer, True) for entry in peer.by_ssrc.values()):
            return None
        peer.by_ssrc[ssrc] = (layer, True)
        return layer, True

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

    def _take(self, layer: Layer, header: rtp.Rtp, is_repair: bool, now: float) -> None:
        """Check, number and keep one packet of a layer, then send it to its sinks."""
        marker, payload_type, number, timestamp, _, start, end, _, _ = header
        view, source = self.buffer.view, layer.source
        spec, is_red = source.spec, False
        if is_repair:  # RFC 4588 §4: the original number stands before the payload
            if end - start <= 2 or layer.highest < 0 or payload_type != spec.rtx_payload_type:
                self._counts["padding_in"] += 1
                return
            number = view[start] << 8 | view[start + 1]
            start += 2
        elif payload_type != spec.payload_type:
            is_red = payload_type == spec.red_payload_type
            if not is_red:
                self._drops.add("payload_type")
                return
        if end - start > MAX_PAYLOAD:
            self._drops.add("too_long")
            return
        sequence = self._number(layer, number, is_repair, now)
        if sequence < 0:
            self._counts["duplicate"] += 1
            return
        was_live = now - layer.last_at < LIVE_S
        layer.last_at = now
        layer.last_timestamp = timestamp
        layer.octets += end - start
        self._counts["packets_in"] += 1
        if not was_live:
            self._aim_all(source, now)
        if layer.runs or layer.waiting:
            self._keep(layer, (sequence, marker, timestamp), bytes(view[start:end]), is_red, now)

    def _keep(self, layer: Layer, head: tuple[int, int, int], payload: bytes, is_red: bool, now: float) -> None:
        """Keep a packet that somebody takes, and send it."""
        source, vp8, red, is_key = layer.source, None, None, True
        if source.is_video:
            is_key = False
            if source.spec.codec is Codec.H264:
                is_key = h264.key_start(payload)
            elif payload:
                vp8 = rtp.parse_vp8(payload)
                if vp8 is None:
                    self._drops.add("vp8")
                    return
                is_key = vp8.key
        elif is_red:
            red = rtp.parse_red(payload, source.spec.payload_type)
            if red is None:
                self._drops.add("red")
                return
        stored: Stored = (*head, payload, vp8, now, red)
        layer.ring[head[0] % RING] = stored
        for run in layer.runs:
            if now >= run.gate.deadline:
                self._counts["gated"] += 1
                self._shut(run.gate)
            elif head[0] >= run.base:
                self._send(run, stored, now)
        if layer.waiting:
            self._wake(layer, stored, is_key, now)

    def _number(self, layer: Layer, number: int, is_repair: bool, now: float) -> int:
        """Return the whole number of a packet that was not taken before, else -1.

        No number is taken twice: two plaintexts under one number would break the sinks' encryption.
        """
        highest = layer.highest
        if highest < 0:
            layer.highest = layer.first = layer.oldest = sequence = number + (1 << 16)
        else:
            sequence = highest + ((number - highest + 0x8000) & 0xFFFF) - 0x8000
            if sequence > highest:
                if is_repair:
                    return -1
                if sequence > highest + 1:
                    self._note_gap(layer, highest + 1, sequence, now)
                layer.highest = sequence
            elif sequence <= highest - RING or layer.slots[sequence % RING] == sequence:
                return -1
            else:
                layer.missing.pop(sequence, None)
        layer.slots[sequence % RING] = sequence
        if not is_repair:
            layer.received += 1
        return sequence

    def _note_gap(self, layer: Layer, first: int, end: int, now: float) -> None:
        source = layer.source
        if not layer.is_taken or not source.spec.repairs:
            return
        if end - first > MAX_GAP:
            if source.is_video:
                self._on_key_wanted(source.id, layer.index)
            return
        for sequence in range(first, end):
            layer.missing[sequence] = (now, NEVER, 0)
        self._gaps.add((source.id, layer.index))

    def _wake(self, layer: Layer, stored: Stored, is_key: bool, now: float) -> None:
        """Open the sinks that wait for this layer where the packet allows it."""
        for sink in layer.waiting:
            gate = sink.gate
            if gate is None or now >= gate.deadline:
                self._counts["gated"] += 1
            elif is_key and (later := self._later(layer, stored, sink.since)) is not None:
                sink.begin(layer, gate, stored, now)
                run = sink.run
                if run is not None:
                    for each in (stored, *later):
                        self._send(run, each, now)
            else:
                self._counts["before_key"] += 1
                if layer.source.is_video:
                    self._on_key_wanted(layer.source.id, layer.index)

    @staticmethod
    def _later(layer: Layer, stored: Stored, since: float) -> list[Stored] | None:
        """Return what overtook `stored`; None where some of that came before `since`, and must not be sent."""
        found: list[Stored] = []
        for sequence in range(stored[0] + 1, layer.highest + 1):
            if layer.slots[sequence % RING] != sequence:
                continue
            kept = layer.kept(sequence)
            if kept is None or kept[5] < since or not layer.source.is_video:
                return None
            found.append(kept)
        return found

    def _send(self, run: Run, stored: Stored, now: float) -> None:
        sink, vp8 = run.sink, stored[4]
        sequence = stored[0] + run.sequence_offset
        payload_type, payload = run.payload_type, stored[3]
        if stored[6] is not None:
            payload_type, payload = self._unwrap(run, stored, stored[6])
        end = self._compose(run, stored, payload_type, sequence, sink.ssrc, payload, b"")
        if not self._transmit(sink.peer, end):
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
        """Write one packet into the out buffer; return its size. The same arguments give the same bytes."""
        view, sink, vp8 = self._out.view, run.sink, stored[4]
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
            self._rewrite(run, vp8, start)
        return end

    def _rewrite(self, run: Run, vp8: rtp.Vp8, start: int) -> None:
        """Make picture numbers contiguous for this run's sink (RFC 7741 §4.2)."""
        view = self._out.view
        if vp8.picture_bits:
            rtp.write_picture(view, start + vp8.picture_at, vp8.picture_bits, vp8.picture + run.picture_offset)
        if vp8.tl0_at:
            view[start + vp8.tl0_at] = vp8.tl0 + run.tl0_offset & 0xFF

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
        if line is None or line.run is None:
            return
        now = self._boottime()
        for number in sequences:
            sequence = rtp.extend(line.highest, number)
            run = line.run_of(sequence)
            if line.resends < 1:
                return
            line.resends -= 1  # found or not: what is asked costs us time
            if run is None:
                continue
            if now >= run.gate.deadline:
                return
            stored = run.layer.kept(sequence - run.sequence_offset) if run.stream is run.layer.stream else None
            if stored is not None and stored[0] >= run.base and now - stored[5] <= KEEP_S:
                self._resend_one(run, stored, sequence)

    def _resend_one(self, run: Run, stored: Stored, sequence: int) -> None:
        sink, payload_type, payload = run.sink, run.payload_type, stored[3]
        if stored[6] is not None:
            payload_type, payload = self._unwrap(run, stored, stored[6])
        if run.rtx_type is None:
            end = self._compose(run, stored, payload_type, sequence, sink.ssrc, payload, b"")
        else:
            prefix = (sequence & 0xFFFF).to_bytes(2, "big")
            end = self._compose(run, stored, run.rtx_type, sink.rtx_sequence, sink.spec.rtx_ssrc, payload, prefix)
            sink.rtx_sequence = sink.rtx_sequence + 1 & 0xFFFF
        if self._transmit(sink.peer, end):
            self._counts["resent"] += 1

    def take_arrivals(self, peer: PeerId) -> list[tuple[int, float]]:
        found = self._peers.get(peer)
        if found is None:
            return []
        arrivals, found.arrivals = found.arrivals, []
        return arrivals

    def gaps(self) -> list[tuple[SourceId, int]]:
        return list(self._gaps)

    def take_missing(self, source: SourceId, layer: int) -> list[int]:
        found = self._layer(source, layer)
        if found is None or not found.missing:
            self._gaps.discard((source, layer))
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

    def note_clock(self, source: SourceId, layer: int, ntp: int, timestamp: int) -> None:
        if (found := self._layer(source, layer)) is not None:
            found.clock = (ntp, timestamp)

    def layers(self, source: SourceId) -> int:
        found = self._source(source)
        return len(found.layers) if found else 0

    # --- figures ----------------------------------------------------------

    def peer_stats(self, peer: PeerId) -> PeerStats | None:
        p = self._peers.get(peer)
        return None if p is None else PeerStats(p.heard_at, p.sent_at, p.octets_in, p.octets_out)

    def source_stats(self, source: SourceId, layer: int = 0) -> SourceStats | None:
        s = self._layer(source, layer)
        if s is None or s.ssrc is None or s.highest < 0:
            return None
        expected, level = s.highest - s.first + 1, s.source.level
        return SourceStats(
            s.ssrc, s.received, s.octets, expected, s.highest, s.last_at, s.last_timestamp, s.stream_at, level
        )

    def sink_stats(self, sink: SinkId) -> SinkStats | None:
        s = self._sink(sink)
        if s is None:
            return None
        source = s.source.id if s.source else None
        offset = s.last_run.timestamp_offset if s.last_run else 0
        layer = s.run.layer.index if s.run else None
        return SinkStats(s.packets, s.octets, s.last_at, offset, source, s.run is not None, layer, s.wanted)

    def sent_at(self, sink: SinkId, timestamp: int) -> float | None:
        line = self._sink(sink)
        at = None if line is None else line.sent.get(timestamp)
        return None if at is None or self._boottime() - at > SENT_KEPT_S else at

    def sinks_of(self, source: SourceId) -> list[SinkId]:
        found = self._source(source)
        return [] if found is None else [sink.id for sink in found.sinks]
