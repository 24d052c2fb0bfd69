"""Black frames: real decoders show black, they fit one packet, and nothing else passes for one."""

from __future__ import annotations

import av
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.media import h264, rtp
from broker.media.black import BLACK, is_black
from broker.media.forward.api import Codec
from tests.media.support import vp8

VIDEO = (Codec.VP8, Codec.H264)
LIMITED_RANGE_BLACK = (16, 128, 128)


def stream(codec: Codec) -> bytes:
    """Return the frame as its decoder wants it: a STAP-A as a byte stream with start codes."""
    payload = BLACK[codec]
    if codec is Codec.VP8:
        return payload
    out, at = b"", 1
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        out += b"\x00\x00\x00\x01" + payload[at + 2 : at + 2 + size]
        at += 2 + size
    return out


def sent(codec: Codec) -> bytes:
    """Return the frame as a payload on the wire."""
    descriptor = rtp.vp8_descriptor(7, 15, 9) if codec is Codec.VP8 else b""
    return descriptor + BLACK[codec]


@pytest.mark.parametrize("codec", VIDEO)
def test_a_decoder_that_has_seen_nothing_shows_black(codec: Codec) -> None:
    decoder = av.CodecContext.create(codec.value, "r")
    packet = av.Packet(stream(codec))
    frames = [*decoder.decode(packet), *decoder.decode(None)]
    assert [(frame.width, frame.height) for frame in frames] == [(160, 90)]
    for plane, value in zip(frames[0].planes, LIMITED_RANGE_BLACK, strict=True):
        rows = [bytes(plane)[y * plane.line_size :][: plane.width] for y in range(plane.height)]
        assert all(abs(sample - value) <= 1 for row in rows for sample in row)


@pytest.mark.parametrize("codec", VIDEO)
def test_it_fits_one_small_packet_and_begins_a_key_frame(codec: Codec) -> None:
    payload = sent(codec)
    assert len(payload) <= 200
    found = rtp.parse_vp8(payload)
    assert h264.key_start(payload) if codec is Codec.H264 else found is not None and found.key


@pytest.mark.parametrize("codec", VIDEO)
@given(data=st.data())
def test_no_other_payload_passes_for_it(codec: Codec, data: st.DataObject) -> None:
    payload = bytearray(sent(codec))
    assert is_black(codec, payload)
    assert is_black(codec, memoryview(payload))
    body = len(payload) - len(BLACK[codec])
    payload[data.draw(st.integers(body, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    assert not is_black(codec, payload)
    assert not is_black(codec, sent(codec) + b"\x00")
    assert not is_black(codec, sent(codec)[:-1])


def test_one_codec_s_black_is_not_the_other_s() -> None:
    assert not is_black(Codec.VP8, sent(Codec.H264))
    assert not is_black(Codec.H264, sent(Codec.VP8))
    assert not is_black(Codec.OPUS, b"")


def test_a_picture_is_never_black() -> None:
    assert not is_black(Codec.VP8, vp8(b"body", key=True))
    assert not is_black(Codec.VP8, b"\x00" + BLACK[Codec.VP8])  # its first packet it is not


@given(st.sampled_from(VIDEO), st.binary(max_size=200))
@example(Codec.VP8, b"")
@example(Codec.H264, b"")
def test_no_bytes_make_the_test_raise(codec: Codec, payload: bytes) -> None:
    assert not is_black(codec, payload)
