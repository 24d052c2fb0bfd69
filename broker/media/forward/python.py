"""The forwarder in Python: the reference, and the one that runs in the broker's own process.

Per packet: decrypt in place, keep the plaintext in its layer's ring, and for each open sink copy, rewrite,
encrypt in place and send (mode `cx` of media.md). It never looks past the payload descriptor.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from broker.media import h264, rtp
from broker.media.drops import Drops
from broker.media.dtls import PacketBuffer, unprotect, unprotect_rtcp
from broker.media.forward.api import (
    Address,
    Codec,
    KeyListener,
    PeerId,
    RtcpListener,
    SinkId,
    SourceId,
)
from broker.media.forward.binding import bind
from broker.media.forward.egress import Egress
from broker.media.forward.state import (
    KEEP_S,
    LIVE_S,
    MAX_GAP,
    NEVER,
    REPORT_WEIGHT,
    RING,
    Layer,
    Peer,
    Source,
    Stored,
)
from broker.media.forward.switchboard import Switchboard

MAX_DROPOUT = 3000  # RFC 3550 A.1: a jump beyond it is no loss
MAX_PAYLOAD = 1800  # with header and SRTP trailer below the buffer
LEVEL_EVERY_S = 0.1
MAX_ARRIVALS = 2000  # not yet reported; the oldest are dropped
NACK_TRIES = 12


class PythonForwarder(Switchboard):
    """A Forwarder on one UDP socket."""

    def __init__(
        self,
        udp: socket.socket,
        boottime: Callable[[], float],
        drops: Drops,
        on_rtcp: RtcpListener,
        on_key_wanted: KeyListener,
    ) -> None:
        super().__init__(boottime, drops, Egress(udp, drops), on_key_wanted)
        self.buffer = PacketBuffer()
        self._counts = drops.counts
        self._on_rtcp = on_rtcp
        self._gaps: set[tuple[SourceId, int]] = set()

    def flush(self) -> None:
        self._egress.flush()

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
        buffer = self.buffer
        view = buffer.view
        is_report = 192 <= view[1] <= 223
        cost = size * REPORT_WEIGHT if is_report else size
        if peer.packet_tokens < 1 or peer.byte_tokens < cost:
            self._drops.add("flood")
            return
        peer.packet_tokens -= 1
        peer.byte_tokens -= cost
        buffer.size[0] = size
        if is_report:
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
        entry = peer.by_ssrc.get(header[4]) or bind(peer, view, header, now)
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

    def _read_extensions(self, peer: Peer, source: Source, header: rtp.Rtp, now: float) -> None:
        view, start, end = self.buffer.view, header[7], header[8]
        if peer.cc is not None:
            at = source.cc_places.get(end - start, 1) + start  # a sender's layout seldom changes
            if view[at - 1] != peer.cc_head:
                at = self._find_cc(peer, source, start, end)
            if at and len(peer.arrivals) < MAX_ARRIVALS:
                peer.arrivals.append((view[at] << 8 | view[at + 1], now))
        level = source.spec.level_extension
        if level is not None and now - source.level_at > LEVEL_EVERY_S:
            at, length = rtp.extensions(view, start, end).get(level, (0, 0))
            if length:
                source.level = rtp.loudness(view[at])
                source.level_at = now

    def _find_cc(self, peer: Peer, source: Source, start: int, end: int) -> int:
        """Return where the transport-wide number stands, 0 where it does not."""
        at, length = rtp.extensions(self.buffer.view, start, end).get(peer.cc or 0, (0, 0))
        if length != 2:
            return 0
        if self.buffer.view[at - 1] == peer.cc_head:
            source.cc_places[end - start] = at - start
        return at

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
        if source.tap is not None and layer is source.choose(0, now):
            source.tap.take(sequence, timestamp, marker, bytes(view[start:end]), now)
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
                vp8 = layer.read_vp8(payload)
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
                self._egress.send(run, stored, now)
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
                if sequence > highest + MAX_DROPOUT:  # begun anew: no sink's numbers may jump so far (RFC 3711 §3.3.1)
                    for run in layer.runs:
                        run.sink.shut()
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
                        self._egress.send(run, each, now)
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

    # --- feedback ---------------------------------------------------------

    def send_rtcp(self, peer: PeerId, packet: bytes) -> None:
        if (found := self._peers.get(peer)) is not None:
            self._egress.send_rtcp(found, packet)

    def resend(self, sink: SinkId, sequences: Sequence[int]) -> bool:
        line = self._sink(sink)
        if line is None or line.run is None:
            return True
        now, is_whole = self._boottime(), True
        for number in sequences:
            sequence = rtp.extend(line.highest, number)
            run = line.run_of(sequence)
            if line.resends < 1:
                break
            line.resends -= 1  # found or not: what is asked costs us time
            if run is None:
                continue
            if now >= run.gate.deadline:
                break
            wanted = sequence - run.sequence_offset
            if run.stream is not run.layer.stream or wanted < run.base:
                continue
            stored = run.layer.kept(wanted)
            if stored is not None and now - stored[5] <= KEEP_S:
                self._egress.resend(run, stored, sequence)
            elif run is line.run and wanted not in run.layer.missing:
                is_whole = False
        self._egress.flush()
        return is_whole

    def take_arrivals(self, peer: PeerId) -> list[tuple[int, float]]:
        found = self._peers.get(peer)
        if found is None:
            return []
        arrivals, found.arrivals = found.arrivals, []
        return arrivals

    def gaps(self) -> list[tuple[SourceId, int]]:
        return list(self._gaps)

    def take_missing(self, source: SourceId, layer: int, again_s: float) -> list[int]:
        found = self._layer(source, layer)
        if found is not None and not found.is_taken:
            found.missing.clear()
        if found is None or not found.missing:
            self._gaps.discard((source, layer))
            return []
        now = self._boottime()
        due = []
        for sequence, (first, last, tries) in list(found.missing.items()):
            if now - first > KEEP_S or tries >= NACK_TRIES or sequence <= found.highest - RING:
                del found.missing[sequence]
            elif now - last >= again_s:
                found.missing[sequence] = (first, now, tries + 1)
                due.append(sequence)
        return due

    def note_clock(self, source: SourceId, layer: int, ntp: int, timestamp: int) -> None:
        if (found := self._layer(source, layer)) is not None:
            found.clock = (ntp, timestamp)
