"""The process that makes stills, and the only file that loads a decoder. Nothing of the broker imports it."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import av
from av.error import FFmpegError

from broker.media.forward.api import Codec
from broker.media.stills import ANSWER, CODECS, HEAD, LENGTH

WIDTH: Final = 320
MEMORY_BYTES: Final = 1 << 30


def main() -> int:
    """Answer requests until the input ends: whoever asks ends this process by closing it, not a terminal."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(HEAD.size)) == HEAD.size:
        number, codec, count = HEAD.unpack(head)
        parts = [source.read(LENGTH.unpack(source.read(LENGTH.size))[0]) for _ in range(count)]
        jpeg = _jpeg(CODECS[codec], parts)
        sink.write(ANSWER.pack(number, len(jpeg)) + jpeg)
        sink.flush()
    return 0


def _jpeg(codec: Codec, parts: Sequence[bytes]) -> bytes:
    """Decode one key frame and return it as a JPEG of `WIDTH` pixels; nothing where it is not one."""
    data = b"".join(parts) if codec is Codec.VP8 else b"".join(b"\x00\x00\x00\x01" + unit for unit in nal_units(parts))
    try:
        decoder = av.CodecContext.create("vp8" if codec is Codec.VP8 else "h264", "r")
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
        if not frames:
            return b""
        frame = frames[0]
        height = max(2, round(frame.height * WIDTH / frame.width / 2) * 2)
        small = frame.reformat(WIDTH, height, format="yuvj420p")
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt = WIDTH, height, "yuvj420p"
        encoder.time_base = Fraction(1)
        small.pts = 0
        return b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])
    except (FFmpegError, ValueError):
        return b""


def nal_units(payloads: Sequence[bytes]) -> list[bytes]:
    """Return the NAL units in an access unit's payloads: single, STAP-A, FU-A (RFC 6184 §5.4); others are left out."""
    units: list[bytes] = []
    open_unit = bytearray()
    for payload in payloads:
        kind = payload[0] & 0x1F if payload else 0
        if 1 <= kind <= 23:
            units.append(payload)
        elif kind == 24:
            at = 1
            while at + 2 < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                units.append(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == 28 and len(payload) > 2:
            if payload[1] & 0x80:
                open_unit = bytearray([payload[0] & 0xE0 | payload[1] & 0x1F])
            open_unit += payload[2:]
            if payload[1] & 0x40:
                units.append(bytes(open_unit))
                open_unit = bytearray()
    return units


if __name__ == "__main__":
    sys.exit(main())
