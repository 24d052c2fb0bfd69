"""H264 payloads: a decoder's beginning is found in every form that RFC 6184 gives it, and in nothing else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.media import h264

SLICE, IDR, SEI, SPS, PPS, DELIMITER = 1, 5, 6, 7, 8, 9
STAP_A, FU_A = 24, 28
others = st.sampled_from([SLICE, IDR, SEI, PPS, DELIMITER])
bodies = st.binary(min_size=1, max_size=20)


def nal(kind: int, body: bytes = b"body") -> bytes:
    """Return a NAL unit of the highest importance."""
    return bytes([0x60 | kind]) + body


def stap(*units: bytes) -> bytes:
    """Return the units in one payload."""
    return nal(STAP_A, b"".join(len(unit).to_bytes(2, "big") + unit for unit in units))


def fragment(kind: int, first: bool = False, last: bool = False) -> bytes:
    """Return a piece of a NAL unit."""
    return nal(FU_A, bytes([first << 7 | last << 6 | kind]) + b"piece")


@given(st.sampled_from([kind for kind in range(32) if kind not in (STAP_A, FU_A)]), bodies)
def test_alone_only_a_parameter_set_begins(kind: int, body: bytes) -> None:
    assert h264.key_start(nal(kind, body)) == (kind == SPS)


@given(st.lists(st.tuples(others, bodies), max_size=4), st.booleans(), st.data())
def test_among_others_a_parameter_set_is_found_wherever_it_stands(
    units: list[tuple[int, bytes]], with_sps: bool, data: st.DataObject
) -> None:
    kinds = [nal(kind, body) for kind, body in units]
    if with_sps:
        kinds.insert(data.draw(st.integers(0, len(kinds))), nal(SPS))
    assert h264.key_start(stap(*kinds)) == with_sps


@given(st.integers(0, 31), st.booleans(), st.booleans())
def test_of_a_fragmented_unit_only_the_first_piece_begins(kind: int, first: bool, last: bool) -> None:
    assert h264.key_start(fragment(kind, first, last)) == (first and kind == SPS)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x67",  # a head without a unit
        nal(SPS | 0x80),  # the forbidden bit
        nal(STAP_A, b"\x00"),
        nal(STAP_A, b"\x00\x05\x67"),  # says 5, has 1
        nal(STAP_A, b"\x00\x02\x67\x42\x00"),  # half a size behind it
        nal(STAP_A, b"\x00\x00\x00\x02\x67\x42"),  # an empty unit
        nal(FU_A, b""),
    ],
)
def test_what_is_malformed_begins_nothing(payload: bytes) -> None:
    assert not h264.key_start(payload)


@given(st.binary(max_size=64))
@example(nal(STAP_A, b"\xff\xff"))
def test_no_bytes_make_the_reader_raise_and_a_view_reads_as_bytes_do(payload: bytes) -> None:
    assert h264.key_start(payload) == h264.key_start(memoryview(payload)) == h264.key_start(bytearray(payload))
