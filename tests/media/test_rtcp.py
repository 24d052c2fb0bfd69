"""RTCP: what we write reads back, and what others write is never trusted."""

from __future__ import annotations

import struct

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSrPacket, unpack_remb_fci
from hypothesis import example, given, settings
from hypothesis import strategies as st

from broker.media import rtcp

words = st.integers(0, 0xFFFFFFFF)


def parts(packet: bytes) -> list[rtcp.Part]:
    """Return the packets of a compound."""
    return list(rtcp.split(packet))


@given(st.binary(max_size=120))
@example(struct.pack("!BBHI", 0xAF, 206, 1, 0xFFFFFFFF))
@example(struct.pack("!BBH", 0x9F, 201, 0))
def test_no_bytes_make_a_reader_raise(packet: bytes) -> None:
    for part in rtcp.split(packet):
        rtcp.sender_info(part)
        rtcp.reports(part)
        rtcp.nacks(part)
        rtcp.key_requests(part)
        rtcp.remb(part)


@settings(max_examples=40)
@given(st.lists(st.sampled_from([200, 201, 205, 206]), max_size=4), st.binary(max_size=60), st.integers(0, 31))
def test_no_body_makes_a_reader_raise(kinds: list[int], body: bytes, count: int) -> None:
    body += bytes(-len(body) % 4)
    packet = b"".join(struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body for kind in kinds)
    assert [part.type for part in parts(packet)] == kinds
    test_no_bytes_make_a_reader_raise.hypothesis.inner_test(packet)  # type: ignore[attr-defined]


@settings(max_examples=40)
@given(words, st.integers(0, (1 << 64) - 1), words, words, words)
def test_a_sender_report_reads_back(ssrc: int, ntp: int, timestamp: int, packets: int, octets: int) -> None:
    info = rtcp.SenderInfo(ssrc, ntp, timestamp, packets, octets)
    assert [rtcp.sender_info(part) for part in parts(rtcp.write_sr(info))] == [info]


@settings(max_examples=40)
@given(words, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), words, words, words, words)
def test_a_receiver_report_reads_back(
    ssrc: int, fraction: int, lost: int, highest: int, jitter: int, last_sr: int, delay: int
) -> None:
    report = rtcp.Report(ssrc, fraction, lost, highest, jitter, last_sr, delay)
    [part] = parts(rtcp.write_rr(7, [report, report]))
    assert rtcp.reports(part) == [report, report]


@settings(max_examples=40)
@given(st.sets(st.integers(1 << 16, (1 << 16) + 300), min_size=1))
def test_a_nack_asks_for_exactly_what_is_missing(missing: set[int]) -> None:
    [part] = parts(rtcp.write_nack(1, 2, sorted(missing)))
    assert rtcp.nacks(part) == (2, [number & 0xFFFF for number in sorted(missing)])


@given(st.integers(0, (1 << 40) - 1))
def test_an_estimate_reads_back_rounded_down(bps: int) -> None:
    [part] = parts(rtcp.write_remb(1, bps, [2, 3]))
    read = rtcp.remb(part)
    assert read is not None
    assert read[0] <= bps
    assert bps - read[0] <= bps / (1 << 17)
    assert read[1] == [2, 3]


def test_another_implementation_reads_what_we_write() -> None:
    compound = (
        rtcp.write_sr(rtcp.SenderInfo(1, 2, 3, 4, 5))
        + rtcp.write_sdes(1, "relay")
        + rtcp.write_rr(1, [rtcp.Report(9, 1, -2, 3, 4, 5, 6)])
        + rtcp.write_nack(1, 2, [70_000, 70_003])
        + rtcp.write_pli(1, 2)
        + rtcp.write_remb(1, 500_000, [2])
        + rtcp.write_bye([1, 2])
    )
    report, _, received, nack, pli, estimate, _ = RtcpPacket.parse(compound)
    assert isinstance(report, RtcpSrPacket)
    assert isinstance(received, RtcpRrPacket)
    assert received.reports[0].packets_lost == -2
    assert isinstance(nack, RtcpRtpfbPacket)
    assert nack.lost == [70_000 & 0xFFFF, 70_003 & 0xFFFF]
    assert isinstance(pli, RtcpPsfbPacket)
    assert isinstance(estimate, RtcpPsfbPacket)
    bps, ssrcs = unpack_remb_fci(estimate.fci)
    assert ssrcs == [2]
    assert 499_990 <= bps <= 500_000


@settings(max_examples=40)
@given(
    st.integers(1 << 16, 1 << 20),
    st.integers(64_000, 1 << 40),
    st.lists(st.tuples(st.integers(1, 20), st.integers(-60_000, 200_000)), max_size=60),
)
def test_transport_wide_feedback_says_what_came_and_when(first: int, began: int, steps: list[tuple[int, int]]) -> None:
    arrivals = [(first, began)]
    for step, micros in steps:
        arrivals.append((arrivals[-1][0] + step, max(0, arrivals[-1][1] + micros)))
    base = first - 3
    [part] = parts(rtcp.write_transport_cc(1, 2, 300, base, arrivals))
    read = _read_transport_cc(part.body)
    assert [number for number, _ in read] == [number & 0xFFFF for number, _ in arrivals]
    reference = part.body[12:15]
    offset = int.from_bytes(reference, "big") * 64_000
    for (_, micros), (_, arrival) in zip(read, arrivals, strict=True):
        assert 0 <= (arrival - micros - offset) % (64_000 << 24) < 250


def _read_transport_cc(body: bytes) -> list[tuple[int, int]]:
    """Return (number, µs after the reference) of two-bit vector chunks, written apart from the writer."""
    base, count = struct.unpack_from("!HH", body, 8)
    chunks = (count + 6) // 7
    symbols = [body[16 + 2 * (n // 7)] << 8 & 0xFF00 | body[17 + 2 * (n // 7)] for n in range(count)]
    at, clock, found = 16 + 2 * chunks, 0, []
    for n, chunk in enumerate(symbols):
        symbol = chunk >> 12 - 2 * (n % 7) & 3
        if symbol == 1:
            clock, at = clock + body[at] * 250, at + 1
        elif symbol == 2:
            clock, at = clock + struct.unpack_from("!h", body, at)[0] * 250, at + 2
        if symbol:
            found.append((base + n & 0xFFFF, clock))
    return found


def test_of_a_compound_and_of_a_nack_no_more_is_read_than_anybody_honest_sends() -> None:
    assert len(parts(rtcp.write_pli(1, 2) * 100)) == rtcp.MAX_PARTS
    [part] = parts(rtcp.write_nack(1, 2, list(range(5000))))
    assert rtcp.nacks(part) == (2, list(range(rtcp.MAX_ASKED)))
