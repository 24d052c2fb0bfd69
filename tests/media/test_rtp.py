"""RTP headers, extensions and VP8 descriptors: read right, and never trusted."""

from __future__ import annotations

import struct

from hypothesis import example, given, settings
from hypothesis import strategies as st

from broker.media import rtp
from tests.media import header
from tests.media.support import vp8

numbers = st.integers(0, 0xFFFF)


@settings(max_examples=40)
@given(
    st.integers(0, 1),
    st.integers(0, 127),
    numbers,
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 15),
    st.none() | st.binary(max_size=40),
    st.binary(max_size=60),
    st.integers(0, 20),
)
def test_a_header_reads_as_it_was_written(
    marker: int,
    kind: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    sources: int,
    extension: bytes | None,
    payload: bytes,
    padding: int,
) -> None:
    first = 0x80 | (0x10 if extension is not None else 0) | (0x20 if padding else 0) | sources
    packet = struct.pack("!BBHII", first, marker << 7 | kind, sequence, timestamp, ssrc) + bytes(4 * sources)
    if extension is not None:
        extension += bytes(-len(extension) % 4)
        packet += struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
    start = len(packet)
    packet += payload + (bytes(padding - 1) + bytes([padding]) if padding else b"")
    head = header.parse(packet + b"beyond", len(packet))
    assert head is not None
    assert head[:7] == (marker, kind, sequence, timestamp, ssrc, start, start + len(payload))
    assert packet[head[7] : head[8]] == (extension or b"")


@given(st.binary(max_size=80))
@example(b"\x90\x60" + bytes(10) + b"\xbe\xde\xff\xff")
@example(b"\xa0\x60" + bytes(10) + b"\xff")
@example(b"\xbf\x60" + bytes(10))
def test_no_bytes_make_the_reader_raise_or_read_beyond_the_packet(packet: bytes) -> None:
    head = header.parse(packet, len(packet))
    if head is None:
        return
    start, end, extension_start, extension_end = head[5:]
    assert 12 <= start <= end <= len(packet)
    assert extension_start <= extension_end <= start
    for at, length in rtp.extensions(packet, extension_start, extension_end).values():
        assert extension_start < at
        assert at + length <= extension_end


@settings(max_examples=40)
@given(st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16), max_size=5))
def test_one_byte_extensions_are_found_by_their_number(elements: dict[int, bytes]) -> None:
    body = b"".join(bytes([number << 4 | len(value) - 1]) + value for number, value in elements.items())
    packet = struct.pack("!HH", 0xBEDE, 0) + body
    found = rtp.extensions(packet, 4, len(packet))
    assert {number: packet[at : at + length] for number, (at, length) in found.items()} == elements


@settings(max_examples=40)
@given(st.dictionaries(st.integers(1, 255), st.binary(max_size=40), max_size=5))
def test_two_byte_extensions_are_found_by_their_number(elements: dict[int, bytes]) -> None:
    body = b"".join(bytes([number, len(value)]) + value for number, value in elements.items())
    packet = struct.pack("!HH", 0x1000, 0) + body
    found = rtp.extensions(packet, 4, len(packet))
    assert {number: packet[at : at + length] for number, (at, length) in found.items()} == elements


@given(st.binary(max_size=20))
def test_no_payload_makes_the_descriptor_reader_raise_or_point_beyond_it(payload: bytes) -> None:
    found = rtp.parse_vp8(payload)
    if found is not None:
        assert found.size < len(payload)
        assert found.picture_at + found.picture_bits // 8 < found.size
        assert found.tl0_at < found.size


@given(st.integers(0, 0x7FFF), st.integers(0, 0x7FFF), st.integers(0, 255), st.booleans(), st.booleans())
def test_a_picture_number_is_rewritten_in_place(old: int, new: int, tl0: int, key: bool, start: bool) -> None:
    payload = bytearray(vp8(b"body", old, tl0, key, start))
    found = rtp.parse_vp8(payload)
    assert found is not None
    assert (found.picture, found.tl0, found.key) == (old, tl0, key and start)
    rtp.write_picture(payload, found.picture_at, found.picture_bits, new)
    assert rtp.parse_vp8(payload) == found._replace(picture=new)
    assert payload[found.size :] == vp8(b"body", old, tl0, key, start)[found.size :]


def test_a_seven_bit_picture_number_stays_seven_bits() -> None:
    payload = bytearray(b"\x90\x80\x7f\x00body")
    found = rtp.parse_vp8(payload)
    assert found is not None
    assert (found.picture_bits, found.picture, found.size) == (7, 127, 3)
    rtp.write_picture(payload, found.picture_at, 7, 128)
    assert payload == b"\x90\x80\x00\x00body"


@given(st.none() | st.integers(0, 0x7FFF), st.sampled_from([7, 15]), st.none() | st.integers(0, 255))
def test_a_written_descriptor_reads_as_what_it_was_made_of(picture: int | None, bits: int, tl0: int | None) -> None:
    written = rtp.vp8_descriptor(picture, bits, tl0)
    found = rtp.parse_vp8(written + b"\x00")
    assert found is not None
    assert (found.size, found.key) == (len(written), True)
    assert (found.picture_bits, found.picture) == ((0, 0) if picture is None else (bits, picture & (1 << bits) - 1))
    assert (bool(found.tl0_at), found.tl0) == (tl0 is not None, tl0 or 0)


def test_a_key_frame_begins_only_at_the_start_of_its_first_partition() -> None:
    assert [
        found.key
        for payload in (b"\x10\x00", b"\x10\x01", b"\x00\x00", b"\x11\x00", b"\x30\x00")
        if (found := rtp.parse_vp8(payload))
    ] == [True, False, False, False, True]


@given(st.integers(1 << 16, 1 << 40), st.integers(-0x7FFF, 0x7FFF))
def test_a_number_is_extended_to_the_nearest_whole_one(highest: int, step: int) -> None:
    assert rtp.extend(highest, highest + step & 0xFFFF) == highest + step


def test_loudness_runs_from_silence_to_full_scale() -> None:
    assert [rtp.loudness(level) for level in (0, 0x80, 127, 255)] == [1.0, 1.0, 0.0, 0.0]
    assert round(rtp.loudness(20), 6) == 0.1


@given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=60)), max_size=4), st.binary())
def test_the_newest_block_of_redundant_sound_is_found(redundant: list[tuple[int, bytes]], newest: bytes) -> None:
    heads = b"".join(b"\xef" + (offset << 10 | len(block)).to_bytes(3, "big") for offset, block in redundant)
    payload = heads + b"\x6f" + b"".join(block for _, block in redundant) + newest
    found = rtp.parse_red(payload, 111)
    reach = max((offset for offset, _ in redundant), default=0)
    assert found == ((len(payload) - len(newest), reach) if newest else None)
    assert rtp.parse_red(payload, 110) is None


@given(st.binary(max_size=30), st.integers(0, 127))
def test_no_bytes_make_the_reader_of_redundant_sound_raise_or_point_beyond_them(payload: bytes, kind: int) -> None:
    found = rtp.parse_red(payload, kind)
    assert found is None or 0 < found[0] < len(payload)
