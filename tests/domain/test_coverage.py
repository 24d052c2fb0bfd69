"""What counts as displayed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.coverage import SentFact, ShownFact, leg_shown
from broker.domain.policy import DEFAULT

pytestmark = pytest.mark.feature("F44")

PICTURE = ShownFact("leg", 3, 15, True, 1.0, True, 320, 180, frames_2s=15)
PLACEHOLDER = ShownFact("leg", None, 0, False, 1.0, True, 320, 180)
STILL = replace(PLACEHOLDER, still=7)
FLOWS = SentFact(3, True, 0.1, frames=30, report_age_s=1.0)
NO_LINE = SentFact(None, False, None, able=False)
PERMITS = replace(DEFAULT, stills_prove=True)


@pytest.mark.parametrize(
    ("shown", "sent", "counts"),
    [
        (PICTURE, FLOWS, True),
        (PLACEHOLDER, FLOWS, False),
        (replace(PICTURE, line=4), FLOWS, False),
        (PICTURE, replace(FLOWS, frame_age_s=2.1), False),
        (PICTURE, replace(FLOWS, frame_age_s=None), False),
        (replace(PICTURE, ratio=0.9), FLOWS, False),
        (replace(PICTURE, frames_2s=14), FLOWS, False),  # less than half of what was sent
        (PICTURE, replace(FLOWS, report_age_s=3.1), False),
        (PICTURE, replace(FLOWS, report_age_s=None), False),  # frames claimed, and nothing ever reported as received
        (replace(PICTURE, unobscured=False), FLOWS, False),
        (replace(PICTURE, width=95), FLOWS, False),
        (PLACEHOLDER, SentFact(3, False, None), True),  # the relay sends nothing: absence is not the monitor's loss
        (PLACEHOLDER, SentFact(None, False, None), True),  # the leg sends no picture
        (PLACEHOLDER, NO_LINE, False),
        (PLACEHOLDER, SentFact(3, False, None, able=False), False),
    ],
)
def test_a_picture_counts_when_what_was_sent_stands_on_the_page(shown, sent, counts):
    assert leg_shown(shown, sent, DEFAULT) is counts


@pytest.mark.parametrize(
    ("age", "policy", "counts"),
    [(1.0, DEFAULT, False), (1.0, PERMITS, True), (5.1, PERMITS, False), (None, PERMITS, False)],
)
def test_a_still_counts_only_where_policy_says_so_and_while_it_is_fresh(age, policy, counts):
    assert leg_shown(STILL, replace(NO_LINE, still_age_s=age), policy) is counts


def test_a_still_off_the_screen_never_counts():
    assert not leg_shown(replace(STILL, unobscured=False), replace(NO_LINE, still_age_s=1.0), PERMITS)
