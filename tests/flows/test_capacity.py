"""The start beyond the cap waits in the lobby, and says so at both ends in honest words (part of scenario 11)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.policy import DEFAULT
from broker.synthetic.caller import both
from broker.synthetic.stage import both_posts, ends_of
from broker.synthetic.talk import until
from tests.flows.support import stage_in

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

WITHIN_S = 20.0


@pytest.mark.feature("F57")
async def test_the_start_beyond_the_cap_waits_and_says_so_at_both_ends(tmp_path: Path) -> None:
    async with stage_in(tmp_path, 2, replace(DEFAULT, monitor_cap=1)) as stage:
        await both_posts(stage)
        first, second = stage.cast.calls
        async with ends_of(stage, first, 0) as one, ends_of(stage, second, 1) as other:
            await both(one.laptop, one.family)
            await one.media("media of the first call")
            await both(other.laptop, other.family)
            await until(lambda: "capacity" in stage.monitor.calls[second.call_id].missing, WITHIN_S, "the wait")
            for end in (other.family, other.laptop):
                officer = next(wait for wait in end.visit.waiting if wait.who == "officer")
                assert (officer.ready, officer.detail) == (False, "capacity")
            assert stage.monitor.phase(first.call_id) == "live"
