"""Seeded mutations of captured datagrams and offers: the same seed and number give the same bytes on every machine."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
CRASHES = CORPUS / "crashes"
OFFERS = Path(__file__).parent / "offers"
KINDS = ("stun", "dtls", "rtp", "rtcp", "sdp")
MAX_BYTES = 1900
MAX_CHARS = 300_000  # above what an offer may have

EDGES = (0, 1, 2, 3, 4, 15, 16, 0x1F, 0x20, 0x3F, 0x40, 0x7F, 0x80, 0xBE, 0xC0, 0xC8, 0xCD, 0xCE, 0xDE, 0xFE, 0xFF)
LENGTHS = (0, 1, 2, 3, 4, 5, 20, 24, 0x7FFF, 0x8000, 0xFFFC, 0xFFFF)

WORDS: Mapping[str, tuple[bytes, ...]] = {
    "stun": (
        b"\x00\x06\x00\x00",
        b"\x00\x06\xff\xff",
        b"\x00\x08\x00\x14",
        b"\x00\x09\x00\x04\x00\x00\x04\x01",
        b"\x00\x20\x00\x08\x00\x01",
        b"\x00\x24\x00\x04",
        b"\x00\x25\x00\x00",
        b"\x80\x22\x00\x04\xff\xfe\xfd\xfc",
        b"\x80\x28\x00\x04",
        b"\x80\x29\x00\x08",
        b"\x21\x12\xa4\x42",
    ),
    "dtls": (
        b"\x16\xfe\xfd",
        b"\x15\xfe\xfd",
        b"\x14\xfe\xff",
        b"\x17\xfe\xfd",
        b"\x02\x28",
        b"\x01\x00",
        b"\xff\xff\xff",
    ),
    "rtp": (
        b"\xbe\xde\x00\x01",
        b"\xbe\xde\xff\xff",
        b"\x10\x00\x00\x02",
        b"\x40\x31",  # mid 1
        b"\x31\xff\xff",  # transport-wide 65535
        b"\xf0",
        b"\x90\xc0\x80",
        b"\x9d\x01\x2a",
        b"\x78\x00\x01",  # STAP-A
        b"\x7c\x85",  # FU-A
        b"\xef\x00\x00\x03",  # RED
    ),
    "rtcp": (
        b"\x80\xc8\x00\x06",
        b"\x81\xc9\x00\x07",
        b"\x81\xcd\x00\x03",
        b"\x8f\xcd\x00\x05",
        b"\x81\xce\x00\x02",
        b"\x84\xce\x00\x04",
        b"\x8f\xce\x00\x05",
        b"\xa0\xcb\x00\x00",
        b"\x9f\xcc\xff\xff",
        b"REMB",
        b"\xff\xff\xff\xff",
    ),
    "sdp": (
        b"m=audio 9 UDP/TLS/RTP/SAVPF 111",
        b"m=video 0 UDP/TLS/RTP/SAVPF 96 97",
        b"m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        b"a=group:BUNDLE 0 1 2",
        b"a=mid:0",
        b"a=mid:" + b"x" * 17,
        b"a=rtcp-mux",
        b"a=setup:passive",
        b"a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid",
        b"a=extmap:99999 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
        b"a=rid:l send",
        b"a=rid:l recv",
        b"a=rid:~h send pt=96;max-width=1",
        b"a=simulcast:send l;m;h",
        b"a=simulcast:send ;;,,~",
        b"a=simulcast:recv l send h",
        b"a=ssrc:4294967296 cname:x",
        b"a=ssrc-group:FID 1 1",
        b"a=ssrc-group:SIM 1 2 3",
        b"a=rtpmap:111 opus/48000/2",
        b"a=rtpmap:96 VP8/90000",
        b"a=rtpmap:127 H264/90000",
        b"a=rtpmap:63 red/48000/2",
        b"a=fmtp:63 111/111",
        b"a=fmtp:97 apt=97",
        b"a=fmtp:127 profile-level-id=ffffff;packetization-mode=9",
        b"a=sendonly",
        b"a=recvonly",
        b"a=inactive",
        b"a=\xc3\xa9\xe2\x80\xa8",
        b"a=candidate:1 1 udp 1 ::1 9 typ host",
        b"=",
        b"v=0",
    ),
}


def seeds(kind: str) -> list[bytes]:
    """Return what was captured of `kind`, in the order of the names."""
    found = [path.read_bytes() for path in sorted((CORPUS / kind).iterdir())]
    if kind == "sdp":
        found += [path.read_bytes().replace(b"\n", b"\r\n") for path in sorted(OFFERS.iterdir())]
    return found


def crashes(kind: str) -> list[Path]:
    """Return the files of what once broke something of `kind`."""
    folder = CRASHES / kind
    return sorted(folder.iterdir()) if folder.is_dir() else []


class Mutator:
    """Mutations of the seeds of one kind."""

    def __init__(self, kind: str, seed: int, material: Sequence[bytes] | None = None) -> None:
        self._kind, self._seed = kind, seed
        self._seeds = list(material or seeds(kind))
        self._chance = random.Random(seed)
        self._steps = _LINE_STEPS if kind == "sdp" else _BYTE_STEPS
        self._limit = MAX_CHARS if kind == "sdp" else MAX_BYTES

    def at(self, number: int) -> bytes:
        """Return mutation `number`: one of the seeds after one to four steps."""
        chance = self._chance
        chance.seed(self._seed << 40 | number)
        return self.mutated(chance.choice(self._seeds), chance)

    def mutated(self, data: bytes, chance: random.Random) -> bytes:
        """Return `data` after one to four steps."""
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
            step = chance.choice(self._steps)
            data = step(bytearray(data), chance, chance.choice(self._seeds), WORDS[self._kind])
        return data[: self._limit]


def _flip(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _edge(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    if data:
        data[_early(len(data), chance)] = chance.choice(EDGES)
    return bytes(data)


def _length(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    """Write over two bytes, as a length field may be: an edge, or near to what is left."""
    if len(data) >= 2:
        at = _early(len(data) - 1, chance)
        value = chance.choice((*LENGTHS, len(data) - at, len(data) - at - 4, (len(data) - at) // 4))
        data[at : at + 2] = (value & 0xFFFF).to_bytes(2, "big")
    return bytes(data)


def _cut(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    return bytes(data[: chance.randint(0, len(data))])


def _remove(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    del data[at : at + chance.choice((1, 2, 4, 8, 40))]
    return bytes(data)


def _repeat(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    data[at:at] = data[at : at + chance.choice((1, 4, 12, 200))] * chance.choice((1, 1, 2, 30))
    return bytes(data)


def _word(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    at, word = chance.randint(0, len(data)), chance.choice(words)
    data[at : at + (len(word) if chance.random() < 0.5 else 0)] = word
    return bytes(data)


def _splice(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    return bytes(data[: chance.randint(0, len(data))]) + other[chance.randint(0, len(other)) :]


def _noise(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    data[at:at] = chance.randbytes(chance.randint(1, 16))
    return bytes(data)


def _early(length: int, chance: random.Random) -> int:
    """Return a place, more often one near the beginning, where the headers are."""
    return chance.randrange(min(length, 40) if chance.random() < 0.7 else length)


def _line_step(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    """Remove, repeat, move, take over or put in whole lines."""
    lines, others = bytes(data).split(b"\r\n"), other.split(b"\r\n")
    at = chance.randrange(len(lines))
    match chance.randrange(6):
        case 0:
            del lines[at : at + chance.choice((1, 1, 5, 40))]
        case 1:
            lines[at:at] = [lines[at]] * chance.choice((1, 2, 130, 3000))
        case 2:
            lines.insert(chance.randrange(len(lines)), lines.pop(at))
        case 3:
            lines[at:at] = others[chance.randrange(len(others)) :][: chance.choice((1, 3, 60))]
        case 4:
            lines.insert(at, chance.choice(words))
        case _:
            lines[at] = chance.choice(words)
    return b"\r\n".join(lines)


def _token_step(data: bytearray, chance: random.Random, other: bytes, words: Sequence[bytes]) -> bytes:
    """Write over a number or a word within a line."""
    lines = bytes(data).split(b"\r\n")
    at = chance.randrange(len(lines))
    tokens = lines[at].split(b" ")
    tokens[chance.randrange(len(tokens))] = chance.choice(
        (b"", b"0", b"-1", b"65536", b"4294967296", b"9" * 40, b"x" * 5000, "٣".encode(), b"*", b"96", b"127", b"128")
    )
    lines[at] = b" ".join(tokens)
    return b"\r\n".join(lines)


_BYTE_STEPS = (_flip, _edge, _edge, _length, _length, _cut, _remove, _repeat, _word, _word, _splice, _noise)
_LINE_STEPS = (_line_step, _line_step, _line_step, _token_step, _token_step, _flip, _splice, _word)
