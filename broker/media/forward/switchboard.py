"""Who carries what: the peers, gates and routes of a forwarder; everything but its packets."""

from __future__ import annotations

from collections.abc import Callable

from broker.media.drops import Drops
from broker.media.dtls import Keys
from broker.media.forward.api import (
    Address,
    KeyListener,
    PeerId,
    PeerSpec,
    PeerStats,
    SinkId,
    SinkStats,
    SourceId,
    SourceStats,
)
from broker.media.forward.egress import Egress
from broker.media.forward.frames import SENT_KEPT_S, Frames
from broker.media.forward.state import NEVER, Gate, Layer, Peer, Sink, Source, Tap
from broker.media.forward.tap import Found, KeyFrameTap

BLACK_WITHIN_S = 1.0  # after a deadline: a process that stood still for longer sends nothing more of its own


class Switchboard:
    """The plane's side of a Forwarder (see the methods there)."""

    def __init__(self, boottime: Callable[[], float], drops: Drops, egress: Egress, on_key_wanted: KeyListener) -> None:
        self._boottime = boottime
        self._drops = drops
        self._egress = egress
        self._on_key_wanted = on_key_wanted
        self._peers: dict[PeerId, Peer] = {}
        self._by_address: dict[Address, Peer] = {}
        self._gates: dict[str, Gate] = {}

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
            self._peers[peer].to = self._egress.destination(address)

    def accept(self, peer: PeerId, address: Address) -> None:
        if (found := self._peers.get(peer)) is not None:
            if self._by_address.get(address) is not found:
                self.refuse(address)  # it was another's
            found.addresses.add(address)
            self._by_address[address] = found

    def refuse(self, address: Address) -> None:
        if (holder := self._by_address.pop(address, None)) is not None:
            holder.addresses.discard(address)
            if holder.to is not None and holder.to.address == address:
                holder.to = None

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
        line.sent = Frames()  # what it showed of another source proves nothing of this one
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
        self._blacken(line, line.gate)
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
            for tap in self._taps():
                if tap.gate is held:
                    tap.drop()
            for sink in held.sinks:
                sink.since = now
                if sink.source is not None and sink.source.is_video and sink.target is not None:
                    self._on_key_wanted(sink.source.id, sink.target.index)

    def tap(self, source: SourceId, gate: str | None, found: Found) -> None:
        origin = self._source(source)
        if origin is None:
            return
        held = None if gate is None else self._gates.setdefault(gate, Gate())
        origin.tap = None if held is None else KeyFrameTap(origin.spec.codec, held, found)

    def lapse(self) -> None:
        now = self._boottime()
        for gate in self._gates.values():
            if not gate.is_shut and now >= gate.deadline:
                self._shut(gate)

    def _shut(self, gate: Gate) -> None:
        if gate.is_shut:
            return
        gate.is_shut = True
        for sink in gate.sinks:
            self._blacken(sink, gate)
            sink.shut()

    def _blacken(self, sink: Sink, gate: Gate) -> None:
        """Put a black frame in the place of the picture that was shown last (docs/decisions/0008)."""
        now = self._boottime()
        if now - gate.deadline <= BLACK_WITHIN_S:
            self._egress.blacken(sink, now)

    def deadline(self, gate: str) -> float:
        return self._gates[gate].deadline if gate in self._gates else NEVER

    def forget_gate(self, gate: str) -> None:
        """Drop a gate that no sink uses."""
        self._gates.pop(gate, None)

    def refill(self, elapsed: float) -> None:
        now = self._boottime()
        for peer in self._peers.values():
            peer.refill(elapsed)
            for sink in peer.sinks.values():
                sink.sent.forget(now)
            for source in peer.sources.values():
                self._aim_all(source, now)
                for layer in source.layers:
                    layer.expire(now)

    def _taps(self) -> list[Tap]:
        return [source.tap for peer in self._peers.values() for source in peer.sources.values() if source.tap]

    def _sink(self, sink: SinkId) -> Sink | None:
        peer = self._peers.get(sink[0])
        return peer.sinks.get((sink[1], sink[2])) if peer else None

    def _source(self, source: SourceId) -> Source | None:
        peer = self._peers.get(source[0])
        return peer.sources.get(source[1]) if peer else None

    def _layer(self, source: SourceId, layer: int) -> Layer | None:
        found = self._source(source)
        return found.layers[layer] if found and 0 <= layer < len(found.layers) else None

    # --- figures ----------------------------------------------------------

    def layers(self, source: SourceId) -> int:
        found = self._source(source)
        return len(found.layers) if found else 0

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
        at = None if line is None else line.sent.at(timestamp)
        return None if at is None or self._boottime() - at > SENT_KEPT_S else at

    def frames_since(self, sink: SinkId, since: float) -> int:
        line = self._sink(sink)
        return 0 if line is None else line.sent.since(since)

    def sinks_of(self, source: SourceId) -> list[SinkId]:
        found = self._source(source)
        return [] if found is None else [sink.id for sink in found.sinks]
