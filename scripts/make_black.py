"""Make the black key frames of broker/media/black.py: prints one hexadecimal line for each codec.

Run by hand when the frames shall change: `.venv/bin/python scripts/make_black.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import av

WIDTH, HEIGHT = 160, 90
BLACK_YUV = (16, 128, 128)  # limited range, ITU-R BT.601
START_CODE = b"\x00\x00\x01"
SEI = 6


def encode(encoder: str, options: Mapping[str, str]) -> bytes:
    """Return one black key frame as `encoder` writes it."""
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.time_base = Fraction(1, 15)
    context.thread_count = 1
    context.options = dict(options)
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane, value in zip(frame.planes, BLACK_YUV, strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def nal_units(stream: bytes) -> list[bytes]:
    """Return the NAL units of a byte stream (ITU-T H.264 annex B) but those that only comment."""
    units = [unit.rstrip(b"\x00") for unit in stream.split(START_CODE)[1:]]
    return [unit for unit in units if unit[0] & 0x1F != SEI]


def aggregate(units: list[bytes]) -> bytes:
    """Return the STAP-A of `units` (RFC 6184 §5.7.1), with the highest importance of any."""
    head = max(unit[0] & 0x60 for unit in units) | 24
    return bytes([head]) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def main() -> None:
    """Print the frames."""
    print("VP8", encode("libvpx", {"deadline": "good", "cpu-used": "0", "crf": "63", "qmin": "63", "qmax": "63"}).hex())
    h264 = encode("libx264", {"profile": "baseline", "crf": "51", "x264-params": "level=3.1:keyint=1:scenecut=0"})
    print("H264", aggregate(nal_units(h264)).hex())


if __name__ == "__main__":
    main()
