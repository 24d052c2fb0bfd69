"""RTP, RTCP and VP8 payload bytes, as far as a synthetic caller needs them: pure functions."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from broker.synthetic.sdp import LEVEL_EXTENSION, MID_EXTENSION

CHUNK_BYTES = 1100
PT_SR, PT_RR, PT_RTPFB, PT_PSFB = 200, 201, 205, 206  # RFC 3550 §12.1, RFC 4585 §6.1
_NTP_EPOCH_S = 2_208_988_800  # 1900 to 1970


@dataclass(frozen=True, slots=True)
class Header:
    """What a receiver reads of a packet (RFC 3550 §5.1); `at` is where the payload starts."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    at: int
    end: int


def write(
    payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int, extensions: bytes, payload: bytes
) -> bytes:
    """Return a packet; `extensions` is a whole RFC 8285 block or empty."""
    first = 0x90 if extensions else 0x80
    head = struct.pack("!BBHII", first, payload_type | marker << 7, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return head + extensions + payload


def extension_block(mid: str, level_db: int | None = None) -> bytes:
    """Return the header extensions of a packet: its mid, and how loud it is (RFC 8285 §4.2, RFC 6464)."""
    name = mid.encode()
    body = bytes([MID_EXTENSION << 4 | len(name) - 1]) + name
    if level_db is not None:
        body += bytes([LEVEL_EXTENSION << 4, 0x80 | level_db])
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", 0xBEDE, len(body) // 4) + body


def read(packet: bytes) -> Header | None:
    """Return the header of an RTP packet, None where it is malformed."""
    if len(packet) < 12 or packet[0] >> 6 != 2:
        return None
    at = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if len(packet) < at + 4:
            return None
        at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4], "big")
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    if at > end:
        return None
    sequence, timestamp, ssrc = struct.unpack_from("!HII", packet, 2)
    return Header(packet[1] & 0x7F, bool(packet[1] & 0x80), sequence, timestamp, ssrc, at, end)


def is_rtcp(packet: bytes) -> bool:
    """Tell RTCP from RTP on one port (RFC 5761 §4)."""
    return len(packet) > 1 and 192 <= packet[1] <= 223


def split_frame(frame: bytes, picture_id: int) -> list[bytes]:
    """Return the payloads of a VP8 frame, each with its descriptor and a 15-bit picture id (RFC 7741 §4.2)."""
    tail = b"\x80" + struct.pack("!H", 0x8000 | picture_id & 0x7FFF)
    return [
        (b"\x90" if start == 0 else b"\x80") + tail + frame[start : start + CHUNK_BYTES]
        for start in range(0, len(frame), CHUNK_BYTES)
    ]


def vp8_payload(payload: bytes) -> tuple[bool, bytes] | None:
    """Return whether a frame starts here, and the bytes after the descriptor; None where it is malformed."""
    if not payload:
        return None
    at = 1
    if payload[0] & 0x80:
        if len(payload) < 2:
            return None
        flags, at = payload[1], 2
        if flags & 0x80:
            if len(payload) <= at:
                return None
            at += 2 if payload[at] & 0x80 else 1
        at += bool(flags & 0x40) + bool(flags & 0x30)
    if len(payload) <= at:
        return None
    return bool(payload[0] & 0x10 and not payload[0] & 0x07), payload[at:]


def is_keyframe(frame: bytes) -> bool:
    """Tell whether a VP8 frame is a keyframe (RFC 7741 §4.3: the P bit is 0)."""
    return bool(frame) and not frame[0] & 1


def rtcp_packets(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (packet type, count or format, body after the first word) of a compound; stops where it is malformed."""
    while len(compound) >= 4:
        first, packet_type, words = struct.unpack_from("!BBH", compound)
        size = 4 + 4 * words
        if first >> 6 != 2 or size > len(compound):
            return
        yield packet_type, first & 0x1F, compound[4:size]
        compound = compound[size:]


def sender_report(ssrc: int, now: float, timestamp: int, packets: int, octets: int) -> bytes:
    """Return a sender report without blocks (RFC 3550 §6.4.1); `now` is Unix time in seconds."""
    ntp = int((now + _NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
    return struct.pack(
        "!BBHIQIII", 0x80, PT_SR, 6, ssrc, ntp, timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
    )


def receiver_report(sender_ssrc: int, blocks: list[tuple[int, int, int, int]]) -> bytes:
    """Return a receiver report of up to 31 blocks (ssrc, fraction lost of 256, lost in all, highest sequence)."""
    body = b"".join(
        struct.pack("!IIIIII", ssrc, fraction << 24 | min(max(lost, 0), 0x7FFFFF), highest, 0, 0, 0)
        for ssrc, fraction, lost, highest in blocks[:31]
    )
    count = min(len(blocks), 31)
    return struct.pack("!BBHI", 0x80 | count, PT_RR, 1 + 6 * count, sender_ssrc) + body


def losses(packet_type: int, count: int, body: bytes) -> list[float]:
    """Return the fractions lost (0..1) of the blocks of a receiver report (RFC 3550 §6.4.2)."""
    return [block[4] / 256 for block in _blocks(packet_type, count, body)]


def round_trip(packet_type: int, count: int, body: bytes, now: float) -> float | None:
    """Return the seconds from our last sender report to this receiver report and back; `now` is Unix time."""
    middle = int((now + _NTP_EPOCH_S) * 65536) & 0xFFFFFFFF
    for block in _blocks(packet_type, count, body):
        last, delay = struct.unpack_from("!II", block, 16)
        passed = int(middle - last - delay & 0xFFFFFFFF)
        if last and passed < 10 * 65536:
            return passed / 65536
    return None


def _blocks(packet_type: int, count: int, body: bytes) -> list[bytes]:
    if packet_type != PT_RR:
        return []
    return [body[4 + 24 * at : 28 + 24 * at] for at in range(count) if len(body) >= 28 + 24 * at]


def limit(packet_type: int, form: int, body: bytes) -> int | None:
    """Return the bits per second of a REMB (draft-alvestrand-rmcat-remb-03 §2.2), None for anything else."""
    if packet_type != PT_PSFB or form != 15 or len(body) < 16 or body[8:12] != b"REMB":
        return None
    return (int.from_bytes(body[13:16], "big") & 0x3FFFF) << (body[13] >> 2)


def picture_loss(sender_ssrc: int, media_ssrc: int) -> bytes:
    """Return a picture loss indication (RFC 4585 §6.3.1)."""
    return struct.pack("!BBHII", 0x81, PT_PSFB, 2, sender_ssrc, media_ssrc)


def nacked(body: bytes) -> list[int]:
    """Return the sequence numbers that the body of a generic NACK asks for (RFC 4585 §6.2.1)."""
    numbers: list[int] = []
    for at in range(8, len(body) - 3, 4):
        first, mask = struct.unpack_from("!HH", body, at)
        numbers += [first, *((first + 1 + bit) & 0xFFFF for bit in range(16) if mask >> bit & 1)]
    return numbers


def nack(sender_ssrc: int, media_ssrc: int, numbers: list[int]) -> bytes:
    """Return a generic NACK that asks for `numbers` again."""
    body = b"".join(struct.pack("!HH", number, 0) for number in numbers[:16])
    return struct.pack("!BBHII", 0x81, PT_RTPFB, 2 + len(body) // 4, sender_ssrc, media_ssrc) + body
