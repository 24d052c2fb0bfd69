"""A synthetic caller sends less where its line loses, keyframes alone where it must, and all again once it can."""

from __future__ import annotations

import struct

from broker.synthetic import rtp
from broker.synthetic.budget import LEAST_BPS, START_BPS, Budget
from broker.synthetic.loop import VIDEO_S, Loop
from broker.synthetic.people import person

BOTH = frozenset({"audio", "video"})


def frames(loop: Loop, first: float, seconds: float) -> int:
    """Return how many packets of video a loop sends in that time, turn by turn."""
    turns = int(seconds / VIDEO_S)
    return sum(len([1 for number, _ in loop.due(first + at * VIDEO_S) if number is not None]) for at in range(turns))


def test_loss_takes_from_the_budget_and_quiet_gives_back_slowly():
    budget = Budget()
    budget.reported(0.4)
    assert budget.bps == START_BPS * 0.8
    budget.reported(0.05)
    assert budget.bps == START_BPS * 0.8
    budget.reported(0.0)
    assert START_BPS * 0.8 < budget.bps < START_BPS
    for _ in range(100):
        budget.reported(1.0)
    assert budget.bps == LEAST_BPS


def test_a_queue_that_fills_takes_from_the_budget_before_anything_is_lost():
    budget = Budget()
    budget.reported(0.0, 0.05)
    before = budget.bps
    budget.reported(0.0, 0.25)
    assert budget.bps < before
    budget.reported(0.0, 0.12)
    assert budget.bps < before
    budget.reported(0.0, 0.06)
    assert budget.bps > before * 0.85


def test_the_round_trip_is_what_the_report_tells():
    sent_at = 1_800_000_000.0
    (last,) = struct.unpack_from("!I", rtp.sender_report(7, sent_at, 0, 1, 1), 10)
    block = struct.pack("!IIIIII", 7, 0x40000000, 0, 0, last, 65536 // 2)
    packet = struct.pack("!BBHI", 0x81, rtp.PT_RR, 7, 9) + block
    ((packet_type, count, body),) = rtp.rtcp_packets(packet)
    assert rtp.losses(packet_type, count, body) == [0.25]
    found = rtp.round_trip(packet_type, count, body, sent_at + 0.75)
    assert found is not None
    assert abs(found - 0.25) < 0.001


def test_the_relays_limit_is_never_exceeded():
    budget = Budget()
    budget.limited(50_000)
    for _ in range(100):
        budget.reported(0.0)
    assert budget.bps == 50_000


def test_a_narrow_line_gets_whole_pictures_now_and_then_and_a_wide_one_all():
    loop = Loop(person(0), BOTH)
    all_of_them = frames(loop, 0.0, 10)
    loop.budget.limited(LEAST_BPS)
    few = frames(loop, 10.0, 10)
    loop.budget.limited(1_000_000)
    assert 0 < few < all_of_them / 4
    assert frames(loop, 20.0, 10) > all_of_them * 0.8
