"""The model of a bad network keeps its own promises: what it does is what its numbers say, and the same for a seed."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.network.impairment import HEADER_BYTES, Conditions, Link, Loss, Path

shares = st.floats(0, 0.4)
conditions = st.builds(
    Conditions,
    loss=st.builds(Loss.bursts, shares, st.floats(1, 8)),
    delay_s=st.floats(0, 0.4),
    jitter_s=st.floats(0, 0.1),
    reorder=shares,
    reorder_s=st.floats(0.001, 0.1),
    duplicate=shares,
    rate_bps=st.none() | st.floats(50_000, 5_000_000),
    queue_s=st.floats(0.02, 1),
)
blackouts = st.lists(st.tuples(st.floats(0, 2), st.floats(2, 4)), max_size=2).map(tuple)
paths = st.builds(
    lambda first, second, black: Path(((0.0, first), (1.5, second)), black), conditions, conditions, blackouts
)
packets = st.lists(st.tuples(st.integers(40, 1200), st.floats(0, 0.05)), max_size=150)
seeds = st.integers(0, 2**32)


def sent(sizes_and_pauses: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return (size, when) of packets that follow each other after pauses."""
    at, found = 0.0, []
    for size, pause in sizes_and_pauses:
        at += pause
        found.append((size, at))
    return found


def fates(path: Path, seed: int, sending: list[tuple[int, float]]) -> list[list[float]]:
    link = Link(path, Random(seed), 0.0)
    return [link.schedule(size, at) for size, at in sending]


def steadily(path: Path, count: int, every_s: float = 0.01, size: int = 100, seed: int = 1) -> list[list[float]]:
    return fates(path, seed, [(size, at * every_s) for at in range(count)])


@given(path=paths, seed=seeds, packets=packets)
def test_one_seed_one_fate(path: Path, seed: int, packets: list[tuple[int, float]]) -> None:
    assert fates(path, seed, sent(packets)) == fates(path, seed, sent(packets))


@given(path=paths, seed=seeds, packets=packets)
def test_nothing_arrives_before_it_was_sent_or_more_than_twice(
    path: Path, seed: int, packets: list[tuple[int, float]]
) -> None:
    sending = sent(packets)
    for (_, at), arrivals in zip(sending, fates(path, seed, sending), strict=True):
        assert len(arrivals) <= 2
        assert all(arrival >= at for arrival in arrivals)


@given(path=paths, seed=seeds, packets=packets)
def test_a_blackout_lets_nothing_in_and_nothing_out(path: Path, seed: int, packets: list[tuple[int, float]]) -> None:
    sending = sent(packets)
    for (_, at), arrivals in zip(sending, fates(path, seed, sending), strict=True):
        assert not (arrivals and path.is_black(at))
        assert not any(path.is_black(arrival) for arrival in arrivals)


@given(how=conditions, seed=seeds, packets=packets)
def test_jitter_alone_never_changes_the_order(how: Conditions, seed: int, packets: list[tuple[int, float]]) -> None:
    how = Conditions(how.loss, how.delay_s, how.jitter_s, 0.0, 0.0, how.duplicate, how.rate_bps, how.queue_s)
    arrivals = [at for fate in fates(Path.steady(how), seed, sent(packets)) for at in fate]
    assert arrivals == sorted(arrivals)


@given(delay=st.floats(0, 1), seed=seeds, packets=packets)
def test_a_path_without_any_trouble_only_delays(delay: float, seed: int, packets: list[tuple[int, float]]) -> None:
    sending = sent(packets)
    assert fates(Path.steady(Conditions(delay_s=delay)), seed, sending) == [[at + delay] for _, at in sending]


@given(rate=st.floats(50_000, 2_000_000), queue=st.floats(0.02, 0.5), packets=packets)
def test_the_bottleneck_passes_no_more_than_its_rate_and_nobody_waits_longer_than_its_queue(
    rate: float, queue: float, packets: list[tuple[int, float]]
) -> None:
    sending = sent(packets)
    through = fates(Path.steady(Conditions(rate_bps=rate, queue_s=queue)), 1, sending)
    for first in range(0, len(sending), 20):
        later = list(zip(sending, through, strict=True))[first:]
        bits = sum((size + HEADER_BYTES) * 8 for (size, _), fate in later if fate)
        ends = [fate[0] for _, fate in later if fate]
        assert not ends or bits <= (ends[-1] - sending[first][1]) * rate + 1e-3
    for (size, at), fate in zip(sending, through, strict=True):
        assert not fate or fate[0] - at <= queue + (size + HEADER_BYTES) * 8 / rate + 1e-9


@pytest.mark.parametrize(("share", "length"), [(0.01, 1), (0.05, 2), (0.2, 4), (0.5, 3)])
def test_the_share_that_is_lost_and_the_length_of_its_bursts_are_what_was_asked(share: float, length: float) -> None:
    loss = Loss.bursts(share, length)
    assert loss.share == pytest.approx(share)
    lost = [not fate for fate in steadily(Path.steady(Conditions(loss=loss)), 100_000)]
    runs = sum(1 for before, now in zip([False, *lost], lost, strict=False) if now and not before)
    assert sum(lost) / len(lost) == pytest.approx(share, rel=0.1)
    assert sum(lost) / runs == pytest.approx(length, rel=0.1)


def test_all_is_lost_where_all_shall_be() -> None:
    assert not any(steadily(Path.steady(Conditions(loss=Loss.bursts(1.0))), 1000))


def test_delay_lies_within_its_jitter() -> None:
    how = Conditions(delay_s=0.08, jitter_s=0.03, reorder=1.0, reorder_s=0.0)
    taken = [fate[0] - at * 0.01 for at, fate in enumerate(steadily(Path.steady(how), 20_000))]
    assert min(taken) == pytest.approx(0.05, abs=0.001)
    assert max(taken) == pytest.approx(0.11, abs=0.001)


def test_shares_of_duplicates_and_of_packets_that_are_overtaken_are_what_was_asked() -> None:
    fates = steadily(Path.steady(Conditions(reorder=0.1, reorder_s=0.015, duplicate=0.05)), 50_000)
    firsts = [fate[0] for fate in fates]
    overtaken = sum(now > after for now, after in pairwise(firsts))
    assert sum(len(fate) == 2 for fate in fates) / len(fates) == pytest.approx(0.05, rel=0.1)
    assert overtaken / len(fates) == pytest.approx(0.1 * 0.9, rel=0.1)  # behind one that was not held back itself


def test_conditions_change_when_they_say_and_come_round_again() -> None:
    calm, rough = Conditions(), Conditions(loss=Loss.bursts(1.0))
    path = Path(((0.0, calm), (1.0, rough), (2.0, calm)), every_s=4.0)
    passed = [bool(fate) for fate in steadily(path, 800)]
    assert passed[:100] + passed[200:500] + passed[600:] == [True] * 600
    assert passed[100:200] + passed[500:600] == [False] * 200
