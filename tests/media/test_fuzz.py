"""A short turn of the seeded attacker; the long one is `python -m tests.media.fuzz_relay`."""

from __future__ import annotations

import pytest

from tests.media.fuzz_relay import fuzz

pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_seeded_hostile_traffic_disturbs_no_call(seed: int) -> None:
    assert await fuzz(seed, seconds=2.0) > 0
