"""A short turn of the fuzzers, and every input that once broke something; the long turn is `make fuzz`."""

from __future__ import annotations

import asyncio

import pytest

from tests.media import fuzz_parsers
from tests.media.fuzz_relay import fuzz
from tests.media.mutate import KINDS, Mutator, crashes, seeds

pytestmark = pytest.mark.fuzz

COUNTS = {"stun": 20_000, "rtp": 60_000, "rtcp": 60_000, "sdp": 800, "dtls": 1_000}


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_bytes_raise_nothing_but_what_is_documented(kind: str) -> None:
    fuzz_parsers.check(kind, seed=1, first=0, count=COUNTS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_captured_and_what_once_broke_something_is_read(kind: str) -> None:
    with asyncio.Runner() as runner:
        for data in [*seeds(kind), *(path.read_bytes() for path in crashes(kind))]:
            fuzz_parsers.run(kind, data, runner)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_mutations_again(kind: str) -> None:
    first, again = Mutator(kind, 5), Mutator(kind, 5)
    assert [first.at(number) for number in range(50)] == [again.at(number) for number in reversed(range(50))][::-1]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_seeded_hostile_traffic_disturbs_no_call(seed: int) -> None:
    assert await fuzz(seed, mutations=20_000) >= 20_000
