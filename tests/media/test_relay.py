"""The relay with real DTLS-SRTP over loopback: what a plan allows passes, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import pytest
import pytest_asyncio

from broker.domain.plan import Media, Route
from broker.media import mmsg, rtcp
from broker.ports import LineSent
from tests.media.support import Endpoint, Stage, both_ways, plan, stage

VIDEO, AUDIO = Media.VIDEO, Media.AUDIO
BOTH_WAYS = both_ways("family", "prisoner")
ONE_WAY = {Route("family", kind, "prisoner", 0) for kind in Media}


@pytest_asyncio.fixture(params=["many datagrams a call", "one datagram a call"])
async def relay(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Yield a relay on loopback as here, and one as where recvmmsg and sendmmsg cannot be called."""
    if request.param == "one datagram a call":
        monkeypatch.setattr(mmsg, "library", lambda: None)
    made = await stage()
    yield made
    await made.close()


async def pair(relay: Stage, rtx: bool = True) -> tuple[Endpoint, Endpoint]:
    """Return a family that sends and a prisoner who receives, both connected."""
    return await relay.enter("family"), await relay.enter("prisoner", rtx=rtx)


async def test_two_legs_see_and_hear_each_other_when_the_plan_allows(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(BOTH_WAYS))
    family.say(b"hello")
    family.show(b"face", key=True)
    prisoner.say(b"mum")
    await relay.fences(family, prisoner, family)
    assert prisoner.bodies(AUDIO) == [b"hello"]
    assert prisoner.bodies(VIDEO) == [b"face"]
    assert family.bodies(AUDIO) == [b"mum"]
    assert family.bodies(VIDEO) == []


async def test_without_a_plan_nothing_passes(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.say(b"hello")
    family.show(b"face", key=True)
    await relay.fences(family, prisoner)
    assert prisoner.heard == []


async def test_a_call_of_four_legs_one_voice_only(relay: Stage) -> None:
    names = ["prisoner", "family", "interpreter", "solicitor"]
    legs = {
        name: await relay.enter(
            name, sends=[AUDIO] if name == "interpreter" else list(Media), receives=[AUDIO] * 3 + [VIDEO] * 3
        )
        for name in names
    }
    others = {sink: [source for source in names if source != sink] for sink in names}
    await relay.plane.apply(
        plan(
            {
                Route(source, kind, sink, line)
                for sink in names
                for line, source in enumerate(others[sink])
                for kind in Media
            }
        )
    )
    for name, leg in legs.items():
        leg.say(name.encode())
        if name != "interpreter":
            leg.show(name.encode(), key=True)
    await relay.fences(*legs.values(), *legs.values())
    for sink, leg in legs.items():
        for line, source in enumerate(others[sink]):
            assert leg.bodies(AUDIO, line) == [source.encode()]
            assert leg.bodies(VIDEO, line) == ([] if source == "interpreter" else [source.encode()])


@pytest.mark.feature("F52")
async def test_a_pause_is_silent_at_once(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY))
    family.say(b"before")
    family.show(b"before", key=True)
    await relay.fences(family)
    await relay.plane.apply(plan(set(), epoch=2))
    family.say(b"after")
    family.show(b"after", key=True)
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"before"]
    assert prisoner.bodies(VIDEO) == [b"before"]


async def test_a_plan_lapses_without_any_message(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=5))
    relay.clock.at += 4.99
    family.say(b"in time")
    await relay.fences(family)
    relay.clock.at += 0.01
    family.say(b"too late")
    family.show(b"too late", key=True)
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"in time"]
    assert prisoner.bodies(VIDEO) == []


async def test_what_came_while_held_is_never_sent_later(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY))
    family.say(b"before")
    await relay.fences(family)
    await relay.plane.apply(plan(set(), epoch=2))
    family.say(b"held")
    family.show(b"held", key=True)
    await relay.fences(family)
    await relay.plane.apply(plan(ONE_WAY, epoch=3))
    family.say(b"after")
    family.show(b"after", key=True)
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"before", b"after"]
    assert prisoner.bodies(VIDEO) == [b"after"]


async def test_what_waits_in_the_socket_when_a_call_resumes_belongs_to_the_pause(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY))
    await relay.plane.apply(plan(set(), epoch=2))
    family.say(b"held")  # in the kernel: the relay has not read it
    family.show(b"held", key=True)
    await relay.plane.apply(plan(ONE_WAY, epoch=3))
    family.say(b"after")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"after"]
    assert prisoner.bodies(VIDEO) == []


async def test_after_a_stall_the_socket_is_drained_before_the_gate_opens(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=5))
    relay.clock.at += 6  # the loop stood still, packets went on coming
    family.say(b"unwatched")
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=5))
    family.say(b"watched")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"watched"]


async def test_after_a_lapse_video_starts_afresh_at_a_key_frame(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=5))
    family.show(b"one", b"two", key=True)
    await relay.fences(family)
    relay.clock.at += 6
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=5))
    family.show(b"three")
    family.show(b"four", key=True)
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"one", b"two", b"four"]


async def test_a_resumed_call_goes_on_with_the_next_numbers(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY))
    family.show(b"a", b"b", key=True)
    family.say(b"a")
    await relay.fences(family)
    await relay.plane.apply(plan(set(), epoch=2))
    family.show(b"c", b"d", key=True)
    family.say(b"b", b"c")
    await relay.fences(family)
    await relay.plane.apply(plan(ONE_WAY, epoch=3))
    family.show(b"e")  # no key frame: it waits
    family.show(b"f", b"g", key=True)
    family.say(b"d")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"a", b"b", b"f", b"g"]
    video, audio = prisoner.all_on(VIDEO), prisoner.on(AUDIO)  # with the black frame of the pause
    assert _steps([heard.sequence for heard in video]) == [1, 1, 1, 1]
    assert _steps([heard.descriptor.picture for heard in video], 1 << 15) == [1, 1, 1, 1]
    assert _steps([heard.descriptor.tl0 for heard in video], 256) == [1, 1, 1, 1]
    assert _steps([heard.timestamp for heard in video], 1 << 32) == [6000, 1, 4 * 6000 - 1, 6000]
    assert _steps([heard.sequence for heard in audio]) == [1]
    assert _steps([heard.timestamp for heard in audio], 1 << 32) == [3 * 960]


async def test_a_line_that_is_pointed_elsewhere_stays_one_stream(relay: Stage) -> None:
    first, second = await relay.enter("first"), await relay.enter("second")
    console = await relay.enter("console", sends=[], receives=[VIDEO], publishes=frozenset())
    await relay.plane.apply(plan({Route("first", VIDEO, "console", 0)}))
    first.show(b"a", b"b", key=True)
    await relay.fences(first)
    relay.clock.at += 2
    await relay.plane.apply(plan({Route("second", VIDEO, "console", 0)}, epoch=2))
    second.senders[VIDEO].picture = 9_000
    second.senders[VIDEO].timestamp = 77
    first.show(b"never", key=True)
    second.show(b"late")
    second.show(b"c", b"d", key=True)
    await relay.fences(first, second, console)
    assert console.bodies(VIDEO) == [b"a", b"b", b"c", b"d"]
    seen = console.all_on(VIDEO)  # with the black frame between the two
    assert len({heard.ssrc for heard in seen}) == 1
    assert _steps([heard.sequence for heard in seen]) == [1, 1, 1, 1]
    assert _steps([heard.descriptor.picture for heard in seen], 1 << 15) == [1, 1, 1, 1]
    assert _steps([heard.timestamp for heard in seen], 1 << 32) == [6000, 2 * 90_000, 1, 6000]


async def test_a_plan_with_a_lower_epoch_is_ignored(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(set(), epoch=7))
    await relay.plane.apply(plan(ONE_WAY, epoch=6))
    family.say(b"hello")
    await relay.fences(family, prisoner)
    assert prisoner.heard == []
    assert relay.plane.counters()["plan_ignored"] == 1


async def test_the_line_that_two_calls_claim_goes_back_when_the_later_lets_go(relay: Stage) -> None:
    first, second = await relay.enter("first"), await relay.enter("second")
    console = await relay.enter("console", sends=[], receives=[AUDIO], publishes=frozenset())
    await relay.plane.apply(plan({Route("first", AUDIO, "console", 0)}, call="a"))
    await relay.plane.apply(plan({Route("second", AUDIO, "console", 0)}, call="b"))
    await relay.plane.apply(plan({Route("first", AUDIO, "console", 0)}, call="a"))  # a renewal claims nothing anew
    first.say(b"first")
    second.say(b"second")
    await relay.fences(first, second)
    await relay.plane.apply(plan(set(), call="b", epoch=2))
    first.say(b"first again")
    second.say(b"second again")
    await relay.fences(first, second, console)
    assert console.bodies(AUDIO) == [b"second", b"first again"]


async def test_each_call_has_its_own_deadline(relay: Stage) -> None:
    one, two = await relay.enter("one"), await relay.enter("two")
    ear = await relay.enter("ear", receives=[AUDIO, AUDIO])
    await relay.plane.apply(plan({Route("one", AUDIO, "ear", 0)}, call="a", valid_for_s=1))
    await relay.plane.apply(plan({Route("two", AUDIO, "ear", 1)}, call="b", valid_for_s=5))
    relay.clock.at += 2
    one.say(b"one")
    two.say(b"two")
    await relay.fences(one, two, ear)
    assert ear.bodies(AUDIO, 0) == []
    assert ear.bodies(AUDIO, 1) == [b"two"]


async def test_a_route_waits_for_an_endpoint_that_is_not_there_yet(relay: Stage) -> None:
    family = await relay.enter("family")
    await relay.plane.apply(plan(ONE_WAY))
    prisoner = await relay.enter("prisoner")
    family.say(b"hello")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"hello"]


async def test_a_second_offer_replaces_the_connection_and_keeps_the_routes(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY))
    again = await relay.enter("family")
    family.say(b"old")
    await relay.fences()
    again.say(b"new")
    again.show(b"new", key=True)
    await relay.fences(again, prisoner)
    assert prisoner.bodies(AUDIO) == [b"new"]
    assert prisoner.bodies(VIDEO) == [b"new"]


async def test_what_an_endpoint_may_not_publish_goes_nowhere(relay: Stage) -> None:
    console = await relay.enter("console", sends=[AUDIO], receives=[AUDIO], publishes=frozenset())
    prisoner = await relay.enter("prisoner")
    assert console.answer is not None and console.answer.publishes == frozenset()
    await relay.plane.apply(plan({Route("console", AUDIO, "prisoner", 0)}))
    console.say(b"whisper")
    await relay.fences(console, prisoner)
    assert prisoner.heard == []


async def test_an_ssrc_of_one_seat_cannot_be_claimed_by_another(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    thief = await relay.enter("thief")
    thief.senders[AUDIO].ssrc = family.senders[AUDIO].ssrc
    await relay.plane.apply(plan(ONE_WAY))
    thief.say(b"forged")
    family.say(b"mine")
    thief.say(b"forged")
    await relay.fences(thief, family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"mine"]


async def test_a_line_keeps_to_the_source_that_spoke_first(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY))
    family.say(b"first")
    own = family.senders[AUDIO].ssrc
    family.senders[AUDIO].ssrc = own ^ 1
    family.say(b"other")
    family.senders[AUDIO].ssrc = own
    family.say(b"first again")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"first", b"first again"]


async def test_a_replayed_packet_is_not_sent_twice(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY))
    packet = family.protect(family.rtp(AUDIO, b"once"))
    family.send_raw(packet)
    family.send_raw(packet)
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"once"]


async def test_two_plaintexts_never_leave_under_one_number(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY))
    family.show(b"true", key=True)
    family.senders[VIDEO].sequence -= 1
    family.senders[VIDEO].payload_type = 97  # a "retransmission" of the same number with other contents
    original = family.senders[VIDEO].sequence + 1
    family.senders[VIDEO].ssrc ^= 1
    family.send_raw(family.protect(family.rtp(VIDEO, original.to_bytes(2, "big") + b"\x10\x00forged")))
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"true"]
    counts = relay.plane.counters()  # the receiver's own replay check would hide a second one
    assert (counts["forwarded"], counts["duplicate"]) == (1, 1)


async def test_header_extensions_and_padding_stay_behind(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY))
    packet = bytearray(family.rtp(AUDIO, b"sound" + bytes(3) + b"\x04", extension=b"\x10\x9e\x40\x30"))
    packet[0] |= 0x20
    family.send_raw(family.protect(bytes(packet)))
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"sound"]  # and the endpoint refuses a packet with an extension


async def test_disconnect_says_goodbye_and_forgets_the_keys(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(BOTH_WAYS))
    await relay.plane.disconnect("family")
    await family.until(family.said_goodbye.is_set)
    assert any(part.type == rtcp.BYE for part in family.reports)
    family.say(b"still there")
    prisoner.say(b"hello")
    await relay.fences(prisoner)
    assert prisoner.bodies(AUDIO) == family.bodies(AUDIO) == []
    assert relay.plane.health("family") is None


async def test_the_relay_says_when_an_endpoint_comes_goes_silent_returns_and_leaves(relay: Stage) -> None:
    told: list[tuple[str, bool]] = []
    relay.plane.watch(lambda endpoint, up: told.append((endpoint, up)))
    family = await relay.enter("family")
    assert told == [("family", True)]
    relay.clock.at += 2.9
    family.say(b"still here")
    await relay.fences(family)
    relay.clock.at += 3.1
    await family.until(lambda: told[1:] == [("family", False)])
    family.say(b"back")
    await relay.fences(family)
    relay.clock.at += 0.2
    await family.until(lambda: told[2:] == [("family", True)])
    await family.handshake.close()
    await family.until(lambda: told[3:] == [("family", False)])


async def test_the_relay_knows_when_it_sent_a_picture(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    assert await relay.plane.sent_on("prisoner", [(0, None)]) == [LineSent()]
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=60))
    family.show(b"face", key=True)
    await relay.fences(family, prisoner)
    seen = prisoner.on(VIDEO)[0]
    prisoner.report(rtcp.write_rr(1, [rtcp.Report(seen.ssrc, 0, 0, seen.sequence, 0, 0, 0)]))
    await relay.fences(prisoner)
    relay.clock.at += 1.5
    asked = [(0, seen.timestamp), (0, seen.timestamp + 1), (1, seen.timestamp)]
    first, never, other = await relay.plane.sent_on("prisoner", asked)
    assert first == LineSent(last_s=1.5, frame_s=1.5, frames=1, report_s=1.5)
    assert never == replace(first, frame_s=None)
    assert other == LineSent()
    assert await relay.plane.sent_on("nobody", asked[:1]) == [LineSent()]
    relay.clock.at += 9
    assert await relay.plane.sent_on("prisoner", asked[:1]) == [LineSent(last_s=10.5, report_s=10.5)]
    sink = relay.plane._forwarder._sink((relay.plane._sessions["prisoner"].peer, VIDEO, 0))
    assert sink is not None
    await prisoner.until(lambda: not sink.sent)  # what nobody can ask for takes no room


async def test_a_line_that_is_given_another_source_proves_nothing_by_what_it_showed_before(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    wall = await relay.enter("wall", sends=[], publishes=frozenset())
    await relay.plane.apply(plan({Route("family", VIDEO, "wall", 0)}))
    family.show(b"face", b"smile", key=True)
    await relay.fences(family, wall)
    before = wall.on(VIDEO)[-1].timestamp
    relay.clock.at += 0.5
    await relay.plane.apply(plan({Route("prisoner", VIDEO, "wall", 0)}, epoch=2))
    assert await relay.plane.sent_on("wall", [(0, before)]) == [LineSent(last_s=0.5)]
    prisoner.show(b"mum", key=True)
    await relay.fences(prisoner, wall)
    now = wall.on(VIDEO)[-1].timestamp
    former, present = await relay.plane.sent_on("wall", [(0, before), (0, now)])
    assert (former.frame_s, former.frames) == (None, 1)
    assert (present.frame_s, present.frames) == (0.0, 1)


def _steps(numbers: list[int], modulus: int = 1 << 16) -> list[int]:
    return [(after - before) % modulus for before, after in pairwise(numbers)]
