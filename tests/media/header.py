"""A whole RTP header, read by the relay's own steps: its hot path takes them apart."""

from __future__ import annotations

from broker.media import rtp

Header = tuple[int, int, int, int, int, int, int, int, int]
"""marker, payload type, sequence, timestamp, ssrc, payload start, payload end, extension start, extension end."""


def is_rtcp(packet: rtp.Octets) -> bool:
    """Tell RTCP from RTP on one port (RFC 5761 §4). `packet` has at least two bytes."""
    return 192 <= packet[1] <= 223


def parse(packet: rtp.Octets, size: int) -> Header | None:
    """Return what the header says (RFC 3550 §5.1), or None where it is malformed.

    `size` counts the bytes of `packet` that are the packet.
    """
    if size < rtp.HEADER_BYTES:
        return None
    flags, second, sequence, timestamp, ssrc = rtp.read_header(packet)
    found = rtp.bounds(packet, size, flags) if flags & 0xC0 == 0x80 else None
    return None if found is None else (second >> 7, second & 0x7F, sequence, timestamp, ssrc, *found)
