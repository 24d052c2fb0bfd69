"""The relay with real DTLS-SRTP over loopback: what a plan allows passes, and nothing else."""

from __future__ import annotations

from broker.domain.plan import Media, Route
from tests.media.support import Stage, both_ways, plan


async def test_two_legs_see_and_hear_each_other_when_the_plan_allows(relay: Stage) -> None:
    family, prisoner = await relay.enter("family"), await relay.enter("prisoner")
    await relay.plane.apply(plan(both_ways("family", "prisoner")))
    family.say(b"hello")
    family.show(b"face", key=True)
    prisoner.say(b"mum")
    await relay.fences(family, prisoner, family)
    assert prisoner.bodies(Media.AUDIO) == [b"hello"]
    assert prisoner.bodies(Media.VIDEO) == [b"face"]
    assert family.bodies(Media.AUDIO) == [b"mum"]
    assert family.bodies(Media.VIDEO) == []
