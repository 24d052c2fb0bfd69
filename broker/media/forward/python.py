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
    Run,
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
        self._taken = 0  # packets since the last flush
        self._counts = drops.counts
        self._on_rtcp = on_rtcp
        self._gaps: set[tuple[SourceId, int]] = set()

    def flush(self) -> None:
        self._egress.flush()
        self._counts["packets_in"] += self._taken
        self._taken = 0

    # --- a packet ---------------------------------------------------------

    def receive(self, slot: PacketBuffer, size: int, address: Address) -> None:
        peer = self._by_address.get(address)
        if peer is None:
            self._drops.add("stranger")
            return
        if size < rtp.HEADER_BYTES:
            if size:
                self._drops.add("srtp")
            return
        flags, second, number, timestamp, ssrc = rtp.read_header(slot.view)
        is_report = 192 <= second <= 223
        cost = size * REPORT_WEIGHT if is_report else size
        if peer.packet_tokens < 1 or peer.byte_tokens < cost:
            self._drops.add("flood")
            return
        peer.packet_tokens -= 1
        peer.byte_tokens -= cost
        if is_report:
            self._receive_rtcp(peer, slot)
            return
        if peer.is_full and not peer.knows(ssrc):
            self._drops.add("ssrc")
            return
        if unprotect(peer.rx, slot.raw, slot.size):
            self._drops.add("srtp")
            return
        now = self._boottime()
        peer.heard_at = now
        peer.octets_in += size
        bounds = rtp.bounds(slot.view, slot.size[0], flags)
        if bounds is None:
            peer.meet(ssrc)
            self._drops.add("rtp")
            return
        start, end, at, stop = bounds
        entry = peer.by_ssrc.get(ssrc) or bind(peer, slot.view, second & 0x7F, ssrc, (at, stop), now)
        if entry is None:
            self._drops.add("ssrc")
            return
        layer, is_repair = entry
        if at:
            self._read_extensions(peer, layer.source, slot.view, at, stop, now)
        self._take(layer, slot, (number, second, timestamp, start, end), is_repair, now)

    def _receive_rtcp(self, peer: Peer, slot: PacketBuffer) -> None:
        ssrc = int.from_bytes(slot.view[4:8], "big")
        if peer.is_full and not peer.knows(ssrc):
            self._drops.add("ssrc")
            return
        if unprotect_rtcp(peer.rx, slot.raw, slot.size):
            self._drops.add("srtcp")
            return
        peer.meet(ssrc)
        peer.heard_at = self._boottime()
        self._counts["rtcp_in"] += 1
        self._on_rtcp(peer.id, slot.bytes[: slot.size[0]])

    def _read_extensions(self, peer: Peer, source: Source, view: memoryview, start: int, end: int, now: float) -> None:
        if peer.cc is not None:
            at = source.cc_places.get(end - start, 1) + start  # a sender's layout seldom changes
            if view[at - 1] != peer.cc_head:
                at = self._find_cc(peer, source, view, start, end)
            if at and len(peer.arrivals) < MAX_ARRIVALS:
                peer.arrivals.append((view[at] << 8 | view[at + 1], now))
        level = source.level_extension
        if level is not None and now - source.level_at > LEVEL_EVERY_S:
            at, length = rtp.extensions(view, start, end).get(level, (0, 0))
            if length:
                source.level = rtp.loudness(view[at])
                source.level_at = now

    @staticmethod
    def _find_cc(peer: Peer, source: Source, view: memoryview, start: int, end: int) -> int:
        """Return where the transport-wide number stands, 0 where it does not."""
        at, length = rtp.extensions(view, start, end).get(peer.cc or 0, (0, 0))
        if length != 2:
            return 0
        if view[at - 1] == peer.cc_head:
            source.cc_places[end - start] = at - start
        return at

    def _take(
        self, layer: Layer, slot: PacketBuffer, head: tuple[int, int, int, int, int], is_repair: bool, now: float
    ) -> None:
        """Check, number and keep one packet of a layer, then send it to its sinks."""
        number, second, timestamp, start, end = head
        source, is_red = layer.source, False
        if is_repair:  # RFC 4588 §4: the original number stands before the payload
            if end - start <= 2 or layer.highest < 0 or second & 0x7F != source.spec.rtx_payload_type:
                self._counts["padding_in"] += 1
                return
            number = slot.view[start] << 8 | slot.view[start + 1]
            start += 2
        elif second & 0x7F != source.payload_type:
            if second & 0x7F != source.spec.red_payload_type:
                self._drops.add("payload_type")
                return
            is_red = True
        if end - start > MAX_PAYLOAD:
            self._drops.add("too_long")
            return
        highest = layer.highest
        if number == highest + 1 & 0xFFFF and highest >= 0 and not is_repair:  # the next, as nearly all are
            layer.highest = sequence = highest + 1
            layer.slots[sequence % RING] = sequence
            layer.received += 1
        elif (sequence := self._number(layer, number, is_repair, now)) < 0:
            self._counts["duplicate"] += 1
            return
        was_live, layer.last_at = now - layer.last_at < LIVE_S, now
        if not was_live:
            self._aim_all(source, now)
        layer.last_timestamp = timestamp
        layer.octets += end - start
        self._taken += 1
        if source.tap is not None and layer is source.choose(0, now):
            source.tap.take(sequence, timestamp, second >> 7, slot.bytes[start:end], now)
        if layer.runs or layer.waiting:
            self._keep(layer, sequence, second >> 7, timestamp, slot.bytes[start:end], is_red, now)

    def _keep(
        self, layer: Layer, sequence: int, marker: int, timestamp: int, payload: bytes, is_red: bool, now: float
    ) -> None:
        """Keep a packet that somebody takes, and send it."""
        source, vp8, red, is_key = layer.source, None, None, True
        if source.is_vp8:
            if payload:
                vp8 = layer.read_vp8(payload)
                if vp8 is None:
                    self._drops.add("vp8")
                    return
            is_key = vp8 is not None and vp8.key
        elif source.is_video:
            is_key = h264.key_start(payload)
        elif is_red:
            red = rtp.parse_red(payload, source.payload_type)
            if red is None:
                self._drops.add("red")
                return
        stored: Stored = (sequence, marker, timestamp, payload, vp8, now, red)
        layer.ring[sequence % RING] = stored
        if layer.runs and self._egress.fan_out(layer.runs, stored, now):
            self._lapsed(layer.runs, now)
        if layer.waiting:
            self._wake(layer, stored, is_key, now)

    def _lapsed(self, runs: Sequence[Run], now: float) -> None:
        """Shut the gates of those runs that a packet came too late for."""
        for run in runs:
            if now >= run.gate.deadline:
                self._counts["gated"] += 1
                self._shut(run.gate)

    def _number(self, layer: Layer, number: int, is_repair: bool, now: float) -> int:
        """Return the whole number of a packet that was not taken before, else -1.

        No number is taken twice: two plaintexts under one number would break the sinks' encryption.
        """
        highest = layer.highest
        ahead = (number - highest + 0x8000 & 0xFFFF) - 0x8000
        if highest < 0:
            layer.highest = layer.first = layer.oldest = sequence = number + (1 << 16)
        else:
            sequence = highest + ahead
            if ahead > 0:
                if is_repair:
                    return -1
                if ahead > 1:
                    self._leap(layer, sequence, now)
                layer.highest = sequence
            elif sequence <= highest - RING or layer.slots[sequence % RING] == sequence:
                return -1
            else:
                layer.missing.pop(sequence, None)
        layer.slots[sequence % RING] = sequence
        if not is_repair:
            layer.received += 1
        return sequence

    def _leap(self, layer: Layer, sequence: int, now: float) -> None:
        """Note that the numbers before `sequence` did not come."""
        if sequence > layer.highest + MAX_DROPOUT:  # begun anew: no sink's numbers may jump so far (RFC 3711 §3.3.1)
            for run in layer.runs:
                run.sink.shut()
        self._note_gap(layer, layer.highest + 1, sequence, now)

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
                        self._egress.fan_out((run,), each, now)
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
