"""A caller's packets: what is written is read again, and what is malformed is nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.media import black
from broker.media import rtp as relay_rtp
from broker.media.forward.api import Codec
from broker.synthetic import rtp
from broker.synthetic.line import BLACK, Line, Tap
from broker.synthetic.loop import Loop
from broker.synthetic.people import Person

KEY, DELTA = b"\x10" + bytes(2000), b"\x11" + bytes(200)
SOMEBODY = Person(7, (KEY, DELTA, DELTA, KEY, DELTA, DELTA), (0, 3), (b"one", b"two"), (20, 30))


def packets(loop: Loop, seconds: float, start: float = 100.0) -> list[bytes]:
    steps = int(seconds / 0.005)
    return [packet for step in range(steps) for _, packet in loop.due(start + step * 0.005)]


def receive(line: Line, arrived: list[bytes]) -> None:
    for at, packet in enumerate(arrived):
        header = rtp.read(packet)
        assert header is not None
        line.arrive(header, packet[header.at : header.end], float(at))


def video_only() -> Loop:
    return Loop(SOMEBODY, frozenset({"video"}))


def test_a_packet_is_read_as_it_was_written() -> None:
    written = rtp.write(96, True, 70_000, 5, 9, rtp.extension_block("v", 40), b"payload")
    header = rtp.read(written)
    assert header is not None
    assert (
        header.payload_type,
        header.marker,
        header.sequence,
        header.timestamp,
        header.ssrc,
    ) == (96, True, 70_000 & 0xFFFF, 5, 9)
    assert written[header.at : header.end] == b"payload"


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_nothing(data: bytes) -> None:
    header = rtp.read(data)
    assert header is None or 12 <= header.at <= header.end <= len(data)
    rtp.vp8_payload(data)
    list(rtp.rtcp_packets(data))


@given(st.binary(min_size=1, max_size=5000), st.integers(0, 70_000))
def test_a_frame_comes_together_from_its_payloads(frame: bytes, picture_id: int) -> None:
    read = [rtp.vp8_payload(payload) for payload in rtp.split_frame(frame, picture_id)]
    assert b"".join(part for one in read if one is not None for part in [one[1]]) == frame
    assert [one[0] for one in read if one is not None] == [True] + [False] * (len(read) - 1)


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=16, unique=True))
def test_what_a_nack_asks_for_is_what_is_read(numbers: list[int]) -> None:
    ((packet_type, form, body),) = rtp.rtcp_packets(rtp.nack(1, 2, numbers))
    assert (packet_type, form) == (rtp.PT_RTPFB, 1)
    assert rtp.nacked(body) == numbers


def test_a_loop_sends_fifty_sounds_and_fifteen_pictures_a_second() -> None:
    loop = Loop(SOMEBODY, frozenset({"audio", "video"}))
    sent = [rtp.read(packet) for packet in packets(loop, 10)]
    sounds = [one for one in sent if one is not None and one.payload_type == 111]
    pictures = [one for one in sent if one is not None and one.payload_type == 96 and one.marker]
    assert abs(len(sounds) - 500) <= 2
    assert abs(len(pictures) - 150) <= 2


def test_a_loop_answers_a_wanted_keyframe_with_its_next() -> None:
    loop, line = video_only(), Line("video", "v", 1)
    packets(loop, 0.1)
    loop.keyframe_wanted = True
    receive(line, packets(loop, 0.2, start=100.1))
    assert line.decodable_at is not None


def test_a_stopped_caller_does_not_send_what_it_missed() -> None:
    loop = video_only()
    packets(loop, 0.1)
    assert len(loop.due(160.0)) <= 3


def test_a_line_counts_frames_from_the_first_keyframe_on() -> None:
    line = Line("video", "v", 1)
    whole = packets(video_only(), 0.5)
    receive(line, whole[1:])  # the first part of the first keyframe is missing
    assert line.frames == 5  # of eight: the two after the broken keyframe are not decodable
    assert line.decodable_at is not None


def test_a_gap_is_lost_until_it_is_filled() -> None:
    line = Line("video", "v", 1)
    sent = packets(video_only(), 0.5)
    receive(line, [*sent[:2], *sent[4:6]])
    assert line.lost == 2
    receive(line, sent[2:4])
    assert line.lost == 0


def test_a_packet_that_comes_twice_is_no_second_frame() -> None:
    line = Line("video", "v", 1)
    sent = packets(video_only(), 0.3)
    receive(line, sent)
    frames = line.frames
    receive(line, sent)
    assert line.frames == frames


def test_sequence_numbers_run_over() -> None:
    line = Line("audio", "a", 1)
    for sequence in (65_534, 65_535, 0, 1, 3):
        line.arrive(rtp.Header(111, False, sequence, 0, 1, 12, 12), b"", 0.0)
    assert line.lost == 1


def test_a_tap_of_pictures_begins_with_a_keyframe() -> None:
    line, loop = Line("video", "v", 1), video_only()
    receive(line, packets(loop, 0.09))
    line.tap = Tap()
    receive(line, packets(loop, 0.3, start=100.09))
    assert rtp.is_keyframe(line.tap.frames[0][1])


def test_the_relays_black_frame_is_no_picture_and_nothing_else_passes_for_it() -> None:
    assert black.BLACK[Codec.VP8] == BLACK
    line = Line("video", "v", 1)
    for sequence, part in enumerate([KEY, BLACK, BLACK[:-1], DELTA]):
        for payload in relay_rtp.vp8_descriptor(sequence, 15, 0), b"\x10":
            line.arrive(rtp.Header(96, True, 2 * sequence + len(payload) % 2, 0, 1, 12, 12), payload + part, 0.0)
    assert (line.packets, line.blacks, line.frames, line.lost) == (6, 2, 6, 0)


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_after_a_mark_the_line_waits_for_something_decodable(kind: str) -> None:
    loop, line = Loop(SOMEBODY, frozenset({kind})), Line(kind, kind, 1)
    receive(line, packets(loop, 0.3))
    line.mark()
    assert line.decodable_at is None
    receive(line, packets(loop, 0.3, start=100.3))
    assert line.decodable_at is not None
