"""Which layer an SSRC is: learnt from the first packets that name their line and their encoding, then remembered."""

from __future__ import annotations

from broker.media import rtp
from broker.media.forward.api import PeerSpec
from broker.media.forward.state import Layer, Peer, Source

REBIND_AFTER_S = 2.0  # a layer whose SSRC has been silent so long may go on under another


def bind(
    peer: Peer, packet: rtp.Octets, payload_type: int, ssrc: int, extension: tuple[int, int], now: float
) -> tuple[Layer, bool] | None:
    """Give an unknown SSRC to the layer that its mid and rid or its payload type name, on first authenticated use.

    `extension` is where the header extension starts and ends. A sender stops sending those that name once it knows
    that they were seen (RFC 8852 §3): they are remembered.
    """
    peer.meet(ssrc)
    mid, rid, repaired = _names(peer.spec, packet, *extension)
    for source in peer.sources.values():
        spec = source.spec
        if mid is not None and mid != spec.mid:
            continue
        if payload_type == spec.rtx_payload_type:
            layer = _named(source, repaired)
            return None if layer is None else _bind_repair(peer, layer, ssrc)
        if payload_type in (spec.payload_type, spec.red_payload_type):
            layer = _named(source, rid)
            return None if layer is None else _bind_media(peer, layer, ssrc, now)
    return None


def _names(spec: PeerSpec, packet: rtp.Octets, start: int, end: int) -> list[str | None]:
    """Return mid, rid and repaired rid of a packet's header extension."""
    found = rtp.extensions(packet, start, end) if start else {}
    names: list[str | None] = []
    for number in (spec.mid_extension, spec.rid_extension, spec.repaired_rid_extension):
        at, length = found.get(number, (0, 0)) if number is not None else (0, 0)
        names.append(bytes(packet[at : at + length]).decode("ascii", "replace") if length else None)
    return names


def _named(source: Source, rid: str | None) -> Layer | None:
    if len(source.layers) == 1 and source.layers[0].spec.rid is None:
        return source.layers[0]
    return next((layer for layer in source.layers if rid is not None and layer.spec.rid == rid), None)


def _bind_media(peer: Peer, layer: Layer, ssrc: int, now: float) -> tuple[Layer, bool] | None:
    if layer.received and now - layer.last_at < REBIND_AFTER_S:
        return None
    peer.by_ssrc = {s: entry for s, entry in peer.by_ssrc.items() if entry[0] is not layer}
    layer.bind(ssrc, now)
    peer.by_ssrc[ssrc] = (layer, False)
    return layer, False


def _bind_repair(peer: Peer, layer: Layer, ssrc: int) -> tuple[Layer, bool] | None:
    if any(entry == (layer, True) for entry in peer.by_ssrc.values()):
        return None
    peer.by_ssrc[ssrc] = (layer, True)
    return layer, True
