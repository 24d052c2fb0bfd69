"""RTP as the relay reads it: header, header extensions and the VP8 descriptor, as pure functions."""

from __future__ import annotations

import struct
from typing import NamedTuple

Octets = bytes | bytearray | memoryview

HEADER_BYTES = 12

read_header = struct.Struct("!BBHII").unpack_from
"""`read_header(packet)`: flags, marker and payload type, sequence, timestamp, SSRC; of at least twelve bytes."""

ONE_BYTE_PROFILE = 0xBEDE  # RFC 8285 §4.2
TWO_BYTE_PROFILE = 0x1000  # RFC 8285 §4.3, the low four bits are free


def bounds(packet: Octets, size: int, flags: int) -> tuple[int, int, int, int] | None:
    """Return payload start and end, extension start and end (RFC 3550 §5.1), or None where the header is malformed.

    `size` counts the bytes of `packet` that are the packet, twelve at least; `flags` is its first byte. Padding and
    header extension are left out of the payload; both extension offsets are 0 where there is none, and the profile
    stands in the four bytes before the start.
    """
    if flags == 0x90:  # an extension and nothing else, as nearly all have
        start = 16 + 4 * (packet[14] << 8 | packet[15]) if size >= 16 else size + 1
        return (start, size, 16, start) if start <= size else None
    start = HEADER_BYTES + 4 * (flags & 0x0F)
    extension_start = extension_end = 0
    if flags & 0x10:
        extension_start = start + 4
        if extension_start > size:
            return None
        start = extension_end = extension_start + 4 * (packet[start + 2] << 8 | packet[start + 3])
    end = size
    if flags & 0x20:
        padding = packet[size - 1]
        if padding == 0:
            return None
        end -= padding
    if start > end:
        return None
    return start, end, extension_start, extension_end


write_stamped_header = struct.Struct("!BBHIIII").pack_into
"""`write_stamped_header(packet, 0, flags, marker and payload type, sequence, timestamp, ssrc, profile, word)`.

The twelve fixed bytes and a header extension of one word: its profile and length, and the word.
"""


def extensions(packet: Octets, start: int, end: int) -> dict[int, tuple[int, int]]:
    """Return id → (offset, length) of the header extension between `start` and `end` (RFC 8285).

    What follows a malformed element is left out.
    """
    found: dict[int, tuple[int, int]] = {}
    if start < 4:
        return found
    profile = packet[start - 4] << 8 | packet[start - 3]
    if profile == ONE_BYTE_PROFILE:
        return _one_byte(packet, start, end)
    if profile & 0xFFF0 == TWO_BYTE_PROFILE:
        return _two_byte(packet, start, end)
    return found


def _one_byte(packet: Octets, start: int, end: int) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    while start < end:
        head = packet[start]
        start += 1
        if head == 0:  # padding
            continue
        number, length = head >> 4, (head & 0x0F) + 1
        if number == 15 or start + length > end:
            break
        found[number] = (start, length)
        start += length
    return found


def _two_byte(packet: Octets, start: int, end: int) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    while start < end:
        number = packet[start]
        start += 1
        if number == 0:
            continue
        if start >= end:
            break
        length = packet[start]
        start += 1
        if start + length > end:
            break
        found[number] = (start, length)
        start += length
    return found


class Vp8(NamedTuple):
    """A VP8 payload descriptor (RFC 7741 §4.2). Offsets count from the start of the payload; 0 = absent."""

    size: int
    key: bool  # this packet begins a key frame
    picture_at: int
    picture_bits: int  # 7 or 15, 0 where there is no picture id
    picture: int
    tl0_at: int
    tl0: int


def parse_vp8(payload: Octets) -> Vp8 | None:
    """Return the descriptor in front of a VP8 payload, or None where it is malformed or nothing follows it."""
    length = len(payload)
    if length < 2:
        return None
    first = payload[0]
    at = 1
    picture_at = picture_bits = picture = tl0_at = tl0 = 0
    if first & 0x80:
        flags = payload[1]
        at = 2
        if flags & 0x80:
            if at + 1 >= length:
                return None
            picture_at = at
            picture = payload[at]
            if picture & 0x80:
                picture_bits, picture = 15, (picture & 0x7F) << 8 | payload[at + 1]
                at += 2
            else:
                picture_bits = 7
                at += 1
        if flags & 0x40:
            if at >= length:
                return None
            tl0_at, tl0 = at, payload[at]
            at += 1
        if flags & 0x30:
            at += 1
    if at >= length:
        return None
    key = first & 0x17 == 0x10 and not payload[at] & 1
    return Vp8(at, key, picture_at, picture_bits, picture, tl0_at, tl0)


def vp8_descriptor(picture: int | None, bits: int, tl0: int | None) -> bytes:
    """Return the descriptor of a frame's first packet (RFC 7741 §4.2), with what its stream carries.

    `picture` is written in 7 or 15 `bits`; a `tl0` comes with temporal layer 0, as §4.2 asks.
    """
    flags = (0x80 if picture is not None else 0) | (0x60 if tl0 is not None else 0)
    if not flags:
        return b"\x10"
    out = bytearray([0x90, flags])
    if picture is not None:
        out += bytes([0x80 | picture >> 8 & 0x7F, picture & 0xFF] if bits == 15 else [picture & 0x7F])
    if tl0 is not None:
        out += bytes([tl0 & 0xFF, 0])
    return bytes(out)


def write_picture(payload: bytearray | memoryview, at: int, bits: int, picture: int) -> None:
    """Write a picture id of 7 or 15 bits in place of the one at `at`."""
    if bits == 15:
        payload[at] = 0x80 | picture >> 8 & 0x7F
        payload[at + 1] = picture & 0xFF
    elif bits == 7:
        payload[at] = picture & 0x7F


def extend(highest: int, value: int, bits: int = 16) -> int:
    """Return `value`, known modulo 2**bits, as the whole number nearest to `highest`."""
    half = 1 << bits - 1
    return highest + ((value - highest + half) & (2 * half - 1)) - half


def loudness(level: int) -> float:
    """Return a client-to-mixer level byte (RFC 6464: -dBov in its low seven bits) as 0..1."""
    below = level & 0x7F
    return 0.0 if below == 127 else float(10.0 ** (-below / 20))


def parse_red(payload: Octets, payload_type: int) -> tuple[int, int] | None:
    """Return (start of the primary block, how far back the oldest block reaches) of a RED payload (RFC 2198 §3).

    The reach is in timestamp units. None where it is malformed, or a block is of another payload type.
    """
    at, redundant, reach, size = 0, 0, 0, len(payload)
    while at < size and payload[at] & 0x80:
        if at + 4 > size or payload[at] & 0x7F != payload_type:
            return None
        reach = max(reach, payload[at + 1] << 6 | payload[at + 2] >> 2)
        redundant += (payload[at + 2] & 0x03) << 8 | payload[at + 3]
        at += 4
    if at >= size or payload[at] != payload_type or at + 1 + redundant >= size:
        return None
    return at + 1 + redundant, reach
