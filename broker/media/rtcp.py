"""RTCP as the relay speaks it: parsing what endpoints send and writing what they need, as pure functions.

RFC 3550 §6 (SR, RR, SDES, BYE), RFC 4585 (NACK, PLI), RFC 5104 (FIR),
draft-alvestrand-rmcat-remb-03, draft-holmer-rmcat-transport-wide-cc-extensions-01.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from broker.media.rtp import Octets

SR, RR, SDES, BYE, FEEDBACK, PAYLOAD_FEEDBACK = 200, 201, 202, 203, 205, 206
NACK, TRANSPORT_CC = 1, 15  # formats of FEEDBACK
PLI, FIR, APPLICATION = 1, 4, 15  # formats of PAYLOAD_FEEDBACK

MAX_PARTS = 32  # of one compound that are read: those of browsers have fewer than ten
MAX_ASKED = 256  # numbers of one NACK that are read: nobody keeps more packets
NTP_EPOCH_S = 2_208_988_800  # from 1900 to 1970
_BLOCK = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class Part:
    """One packet of a compound: its type, its count or format, and what follows its first four bytes."""

    type: int
    count: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """A report block about `ssrc`. `fraction` is in 1/256; `last_sr` and `delay` in 1/65536 s."""

    ssrc: int
    fraction: int = 0
    lost: int = 0
    highest: int = 0
    jitter: int = 0
    last_sr: int = 0
    delay: int = 0


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a sender report says: NTP time in 1/2**32 s, and the RTP timestamp of the same instant."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int = 0
    octets: int = 0


def split(packet: Octets) -> Iterator[Part]:
    """Yield the packets of a compound, `MAX_PARTS` at most; stop at the first that is malformed."""
    at, size, left = 0, len(packet), MAX_PARTS
    while at + 4 <= size and left:
        left -= 1
        first = packet[at]
        end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
        if first >> 6 != 2 or end > size:
            return
        stop = end
        if first & 0x20:
            stop -= packet[end - 1]
            if stop < at + 4:
                return
        yield Part(packet[at + 1], first & 0x1F, bytes(packet[at + 4 : stop]))
        at = end


def is_sound(packet: Octets) -> bool:
    """Tell whether the whole of `packet` is a well-formed compound."""
    at, size = 0, len(packet)
    while at + 4 <= size:
        if packet[at] >> 6 != 2:
            return False
        at += 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
    return at == size and size > 0


def sender_info(part: Part) -> SenderInfo | None:
    """Return the sender's part of an SR."""
    if part.type != SR or len(part.body) < 24:
        return None
    return SenderInfo(*struct.unpack_from("!IQIII", part.body))


def reports(part: Part) -> list[Report]:
    """Return the report blocks of an SR or RR that are wholly there."""
    if part.type not in (SR, RR):
        return []
    at = 24 if part.type == SR else 4
    found = []
    for _ in range(part.count):
        if at + 24 > len(part.body):
            break
        ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(part.body, at)
        lost = loss & 0xFFFFFF
        found.append(Report(ssrc, loss >> 24, lost - (lost >> 23 << 24), highest, jitter, last_sr, delay))
        at += 24
    return found


def nacks(part: Part) -> tuple[int, list[int]] | None:
    """Return (ssrc, sequence numbers asked for again) of a generic NACK, the first `MAX_ASKED`."""
    if part.type != FEEDBACK or part.count != NACK or len(part.body) < 12:
        return None
    (ssrc,) = struct.unpack_from("!I", part.body, 4)
    asked = []
    for at in range(8, len(part.body) - 3, 4):
        first, mask = struct.unpack_from("!HH", part.body, at)
        asked.append(first)
        asked.extend(first + bit + 1 & 0xFFFF for bit in range(16) if mask >> bit & 1)
        if len(asked) >= MAX_ASKED:
            break
    return ssrc, asked[:MAX_ASKED]


def key_requests(part: Part) -> list[int]:
    """Return the SSRCs that a PLI or FIR asks a key frame of."""
    if part.type != PAYLOAD_FEEDBACK or len(part.body) < 8:
        return []
    if part.count == PLI:
        return [int.from_bytes(part.body[4:8], "big")]
    if part.count == FIR:
        return [int.from_bytes(part.body[at : at + 4], "big") for at in range(8, len(part.body) - 7, 8)]
    return []


def remb(part: Part) -> tuple[int, list[int]] | None:
    """Return (a receiver's estimate in bits per second, the SSRCs that it is about) of a REMB."""
    body = part.body
    if part.type != PAYLOAD_FEEDBACK or part.count != APPLICATION or len(body) < 16 or body[8:12] != b"REMB":
        return None
    ssrcs = [int.from_bytes(body[at : at + 4], "big") for at in range(16, len(body) - 3, 4)][: body[12]]
    return ((body[13] & 3) << 16 | body[14] << 8 | body[15]) << (body[13] >> 2), ssrcs


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def write_blocks(blocks: Sequence[Report]) -> bytes:
    """Return report blocks as bytes; `lost` is clamped to its 24 bits."""
    return b"".join(
        _BLOCK.pack(
            b.ssrc,
            b.fraction << 24 | max(-0x800000, min(0x7FFFFF, b.lost)) & 0xFFFFFF,
            b.highest & 0xFFFFFFFF,
            b.jitter,
            b.last_sr,
            b.delay,
        )
        for b in blocks
    )


def write_sr(info: SenderInfo) -> bytes:
    """Return a sender report without blocks."""
    return _packet(
        SR,
        0,
        struct.pack("!IQIII", info.ssrc, info.ntp, info.timestamp, info.packets & 0xFFFFFFFF, info.octets & 0xFFFFFFFF),
    )


def write_rr(sender: int, blocks: Sequence[Report] = ()) -> bytes:
    """Return a receiver report; at most 31 blocks (RFC 3550 §6.4.1)."""
    return _packet(RR, len(blocks), struct.pack("!I", sender) + write_blocks(blocks))


def write_sdes(ssrc: int, cname: str) -> bytes:
    """Return a source description with a CNAME alone."""
    item = struct.pack("!IBB", ssrc, 1, len(cname)) + cname.encode("ascii")
    return _packet(SDES, 1, item + bytes(4 - len(item) % 4))


def write_bye(ssrcs: Sequence[int]) -> bytes:
    """Return a goodbye for up to 31 sources."""
    return _packet(BYE, len(ssrcs), struct.pack(f"!{len(ssrcs)}I", *ssrcs))


def write_pli(sender: int, ssrc: int) -> bytes:
    """Return a picture loss indication."""
    return _packet(PAYLOAD_FEEDBACK, PLI, struct.pack("!II", sender, ssrc))


def write_nack(sender: int, ssrc: int, missing: Sequence[int]) -> bytes:
    """Return a generic NACK; `missing` in ascending order (whole numbers, not modulo 2**16)."""
    pairs: list[tuple[int, int]] = []
    for number in missing:
        if pairs and 0 < number - pairs[-1][0] <= 16:
            first, mask = pairs[-1]
            pairs[-1] = (first, mask | 1 << number - first - 1)
        else:
            pairs.append((number, 0))
    body = b"".join(struct.pack("!HH", first & 0xFFFF, mask) for first, mask in pairs)
    return _packet(FEEDBACK, NACK, struct.pack("!II", sender, ssrc) + body)


def write_remb(sender: int, bps: int, ssrcs: Sequence[int]) -> bytes:
    """Return a receiver's estimate for `ssrcs`; the mantissa has 18 bits, so the figure is rounded down."""
    exponent = max(0, bps.bit_length() - 18)
    head = struct.pack("!II4sBB", sender, 0, b"REMB", len(ssrcs), exponent << 2 | bps >> exponent >> 16)
    return _packet(
        PAYLOAD_FEEDBACK,
        APPLICATION,
        head + struct.pack(f"!H{len(ssrcs)}I", bps >> exponent & 0xFFFF, *ssrcs),
    )


def write_transport_cc(sender: int, ssrc: int, number: int, base: int, arrivals: Sequence[tuple[int, int]]) -> bytes:
    """Return transport-wide feedback that begins at sequence `base`.

    Args:
        number: Counts feedback packets, modulo 256.
        arrivals: (sequence as a whole number, arrival in µs), ascending by sequence, none below `base`.
    """
    reference, count = arrivals[0][1] // 64_000, arrivals[-1][0] - base + 1
    ticks = [micros // 250 for _, micros in arrivals]
    deltas = [tick - before for tick, before in zip(ticks, [reference * 256, *ticks], strict=False)]
    chunks, packed = _all_arrived(count, deltas) if count == len(arrivals) else ([], b"")
    if not chunks:
        chunks, packed = _arrived([sequence - base for sequence, _ in arrivals], deltas)
    body = struct.pack("!IIHHI", sender, ssrc, base & 0xFFFF, count, (reference & 0xFFFFFF) << 8 | number & 0xFF)
    body += struct.pack(f"!{len(chunks)}H", *chunks) + packed
    return _packet(FEEDBACK, TRANSPORT_CC, body + bytes(-len(body) % 4))


def _all_arrived(count: int, deltas: Sequence[int]) -> tuple[list[int], bytes]:
    """Return chunks and deltas where nothing is missing, as nearly always; nothing where a delta is not small."""
    try:
        packed = bytes(deltas)
    except ValueError:
        return [], b""
    whole, rest = divmod(count, 7)
    return [0xD555] * whole + [0xC000 | 0x1555 >> 14 - 2 * rest << 14 - 2 * rest] * (rest > 0), packed


def _arrived(places: Sequence[int], deltas: Sequence[int]) -> tuple[list[int], bytes]:
    """Return the two-bit status vector chunks, of seven each, and the deltas of what arrived at `places`."""
    chunks, packed = [0xC000] * (places[-1] // 7 + 1), bytearray()
    for place, delta in zip(places, deltas, strict=True):
        chunk, at = divmod(place, 7)
        if 0 <= delta <= 255:
            chunks[chunk] |= 0x1000 >> 2 * at
            packed.append(delta)
        else:
            chunks[chunk] |= 0x2000 >> 2 * at
            packed += struct.pack("!h", max(-0x8000, min(0x7FFF, delta)))
    return chunks, bytes(packed)


def middle(ntp: int) -> int:
    """Return the middle 32 of the 64 bits of an NTP time, as LSR has it."""
    return ntp >> 16 & 0xFFFFFFFF
