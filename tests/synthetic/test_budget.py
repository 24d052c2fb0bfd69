"""A synthetic caller sends less where its line loses, keyframes alone where it must, and all again once it can."""

from __future__ import annotations

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
