"""A pause: what was shown last goes black, under fresh numbers, once; and not from a process that had stood still."""

from __future__ import annotations

from itertools import pairwise

import pytest

from broker.domain.plan import Media, Route
from broker.media import rtcp
from broker.media.black import BLACK
from broker.media.forward.api import Codec
from tests.media.support import Endpoint, Heard, Stage, plan

VIDEO, AUDIO = Media.VIDEO, Media.AUDIO
ONE_WAY = {Route("family", kind, "prisoner", 0) for kind in Media}


async def shown(relay: Stage, valid_for_s: float = 5.0, codec: Codec = Codec.VP8) -> tuple[Endpoint, Endpoint]:
    """Return a family that was seen and heard by a prisoner, and the prisoner."""
    family = await relay.enter("family", codecs=[codec])
    prisoner = await relay.enter("prisoner", codecs=[Codec.VP8, Codec.H264])
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=valid_for_s))
    family.show(b"face", b"smile", key=True)
    family.say(b"hello")
    await relay.fences(family, prisoner)
    assert blacks(prisoner) == []
    return family, prisoner


def blacks(endpoint: Endpoint) -> list[Heard]:
    return [heard for heard in endpoint.all_on(VIDEO) if heard.is_black]


@pytest.mark.parametrize("codec", [Codec.VP8, Codec.H264])
async def test_a_pause_blackens_the_picture_once(relay: Stage, codec: Codec) -> None:
    family, prisoner = await shown(relay, codec=codec)
    await relay.plane.apply(plan(set(), epoch=2))
    await relay.plane.apply(plan(set(), epoch=3))
    family.show(b"held", key=True)
    await relay.fences(family, prisoner)
    [black] = blacks(prisoner)
    assert black.marker == 1
    assert black.payload.endswith(BLACK[codec])
    assert prisoner.all_on(VIDEO)[-1] is black
    assert [(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(prisoner.all_on(VIDEO))] == [1, 1]


async def test_a_lapse_blackens_the_picture_although_no_packet_comes(relay: Stage) -> None:
    _, prisoner = await shown(relay)
    relay.clock.at += 5.0
    await prisoner.until(lambda: len(blacks(prisoner)) == 1)


async def test_a_publisher_who_leaves_is_replaced_by_black(relay: Stage) -> None:
    _, prisoner = await shown(relay)
    await relay.plane.disconnect("family")
    await relay.fences(prisoner)
    assert len(blacks(prisoner)) == 1


async def test_a_lapse_that_is_noticed_late_sends_nothing(relay: Stage) -> None:
    family, prisoner = await shown(relay)
    relay.clock.at += 6.1
    await prisoner.until(lambda: relay.plane._forwarder._gates["call"].is_shut)
    await relay.plane.apply(plan(set(), epoch=2))
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"face", b"smile"]
    assert blacks(prisoner) == []


async def test_a_line_that_showed_nothing_does_not_go_black(relay: Stage) -> None:
    family, prisoner = await relay.enter("family"), await relay.enter("prisoner")
    await relay.plane.apply(plan(ONE_WAY))
    family.show(b"no key frame")
    family.say(b"hello")
    await relay.fences(family, prisoner)
    await relay.plane.apply(plan(set(), epoch=2))
    await relay.fences(prisoner)
    assert prisoner.all_on(VIDEO) == []
    assert len(prisoner.all_on(AUDIO)) == 1


async def test_a_black_frame_is_no_content_that_a_monitor_could_prove(relay: Stage) -> None:
    _, prisoner = await shown(relay)
    relay.clock.at += 2.0
    await relay.plane.apply(plan(set(), epoch=2))
    await relay.fences(prisoner)
    [black] = blacks(prisoner)
    [sent] = await relay.plane.sent_on("prisoner", [(0, black.timestamp)])
    assert (sent.frame_s, sent.last_s) == (None, 2.0)


async def test_a_black_frame_says_how_much_time_has_passed_and_so_does_what_follows(relay: Stage) -> None:
    family, prisoner = await shown(relay)
    relay.clock.at += 1.0
    await relay.plane.apply(plan(set(), epoch=2))
    relay.clock.at += 1.0
    await relay.plane.apply(plan(ONE_WAY, epoch=3))
    family.senders[VIDEO].timestamp += 174_000
    family.show(b"back", key=True)
    await relay.fences(family, prisoner)
    steps = [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(prisoner.all_on(VIDEO))]
    assert steps == [6000, 90_000, 90_000]


async def test_nothing_from_before_a_pause_is_sent_again_after_it_nor_the_black_frame(relay: Stage) -> None:
    family, prisoner = await shown(relay)
    await relay.plane.apply(plan(set(), epoch=2))
    await relay.plane.apply(plan(ONE_WAY, epoch=3))
    family.show(b"back", key=True)
    await relay.fences(family, prisoner)
    numbers = [heard.sequence for heard in prisoner.all_on(VIDEO)]
    prisoner.report(rtcp.write_nack(1, prisoner.on(VIDEO)[0].ssrc, numbers))
    await relay.fences(prisoner)
    assert prisoner.bodies(VIDEO) == [b"face", b"smile", b"back", b"back"]
