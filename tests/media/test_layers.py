"""Simulcast: layers are learnt from their names, switched at key frames without a seam, and repaired each by itself."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from broker.domain.plan import Media, Quality, Route
from broker.media import rtcp
from broker.media.forward.api import Codec
from tests.media.support import (
    NAMED,
    REPAIRED_ID,
    RTX_TYPE,
    Endpoint,
    Heard,
    Stage,
    plan,
)

VIDEO, AUDIO = Media.VIDEO, Media.AUDIO
ONE_WAY = {Route("family", kind, "prisoner", 0) for kind in Media}
RIDS = ("l", "m", "h")
LOW, MIDDLE, HIGH = range(3)


async def pair(relay: Stage, valid_for_s: float = 60, **receiver: object) -> tuple[Endpoint, Endpoint]:
    """Return a family that sends three layers and a prisoner who wants the highest, in a call that is live."""
    undecided(relay)
    family, prisoner = await relay.enter("family", rids=RIDS), await relay.enter("prisoner", **receiver)
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=valid_for_s))
    want(relay, HIGH)
    return family, prisoner


def undecided(relay: Stage) -> None:
    """Leave the choice of layers to the test."""
    del relay.plane._due[relay.plane._share]


def want(relay: Stage, layer: int | None) -> None:
    """Ask for a layer, as the allocation does."""
    relay.plane._forwarder.want((relay.plane._sessions["prisoner"].peer, VIDEO, 0), layer)


def carried(relay: Stage) -> int | None:
    stats = relay.plane._forwarder.sink_stats((relay.plane._sessions["prisoner"].peer, VIDEO, 0))
    return stats.layer if stats else None


async def all_layers(relay: Stage, family: Endpoint, body: bytes, key: bool = False) -> None:
    """Show a frame in each layer, the lowest first."""
    for rid in RIDS:
        family.show(body + rid.encode(), key=key, rid=rid)
    await relay.fences(family)


def steps(seen: list[Heard], of: str, modulus: int) -> list[int]:
    return [(getattr(b, of) - getattr(a, of)) % modulus for a, b in pairwise(seen)]


async def test_the_best_layer_is_carried_from_its_key_frame_on(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await all_layers(relay, family, b"1", key=True)
    await all_layers(relay, family, b"2", key=True)
    await all_layers(relay, family, b"3")
    await relay.fences(prisoner)
    assert prisoner.bodies(VIDEO) == [b"1l", b"1m", b"1h", b"2h", b"3h"]  # the best of those that have come yet
    assert carried(relay) == HIGH


async def test_a_wall_takes_the_lowest_layer(relay: Stage) -> None:
    family = await relay.enter("family", rids=RIDS)
    wall = await relay.enter("wall", sends=[], receives=[VIDEO], publishes=frozenset())
    await all_layers(relay, family, b"0", key=True)
    await relay.plane.apply(plan({Route("family", VIDEO, "wall", 0, Quality.LOW)}))
    await all_layers(relay, family, b"1", key=True)
    await all_layers(relay, family, b"2")
    await relay.fences(wall)
    assert wall.bodies(VIDEO) == [b"1l", b"2l"]


@pytest.mark.parametrize(
    ("first", "second", "bodies"),
    [(LOW, HIGH, [b"2l", b"3l", b"3h", b"4h"]), (HIGH, LOW, [b"1h", b"2h", b"3l", b"4l"])],
)
async def test_a_switch_leaves_no_seam(relay: Stage, first: int, second: int, bodies: list[bytes]) -> None:
    family, prisoner = await pair(relay)
    for rid, picture, tl0 in zip(RIDS, (100, 32_000, 7), (9, 200, 77), strict=True):
        family.senders[rid].picture, family.senders[rid].tl0 = picture, tl0
    want(relay, first)
    for body in (b"0", b"1"):
        await all_layers(relay, family, body, key=True)
    want(relay, second)
    await all_layers(relay, family, b"2")
    await all_layers(relay, family, b"3", key=True)
    await all_layers(relay, family, b"4")
    await relay.fences(prisoner)
    seen = prisoner.on(VIDEO)
    assert [heard.body for heard in seen][-4:] == bodies
    assert set(steps(seen, "sequence", 1 << 16)) == {1}
    pictures = [heard.descriptor.picture for heard in seen]
    assert {(b - a) % (1 << 15) for a, b in pairwise(pictures)} == {1}
    assert {(b.descriptor.tl0 - a.descriptor.tl0) % 256 for a, b in pairwise(seen)} == {1}
    assert len({heard.ssrc for heard in seen}) == 1


async def test_timestamps_of_two_layers_are_aligned_by_their_sender_reports(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.senders["l"].timestamp, family.senders["h"].timestamp = 4_000_000_000, 17
    want(relay, LOW)
    family.show(b"1", key=True, rid="l")
    family.show(b"1", key=True, rid="h")
    await relay.fences(family)
    for rid in ("l", "h"):
        sender = family.senders[rid]
        family.report(rtcp.write_sr(rtcp.SenderInfo(sender.ssrc, 77 << 32, sender.timestamp & 0xFFFFFFFF, 1, 1)))
    family.show(b"2", rid="l")
    family.show(b"2", rid="h")
    want(relay, HIGH)
    relay.clock.at += 0.3  # the far one was held up on its way: by arrivals it would be 300 ms later
    family.show(b"3", key=True, rid="h")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"1", b"2", b"3"]
    assert steps(prisoner.on(VIDEO), "timestamp", 1 << 32) == [6000, 6000]


async def test_without_sender_reports_timestamps_go_by_the_arrival(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.senders["l"].timestamp, family.senders["h"].timestamp = 4_000_000_000, 17
    want(relay, LOW)
    family.show(b"1", key=True, rid="l")
    await relay.fences(family)
    relay.clock.at += 0.1
    want(relay, HIGH)
    family.show(b"2", key=True, rid="h")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"1", b"2"]
    assert steps(prisoner.on(VIDEO), "timestamp", 1 << 32) == [9000]


async def test_time_never_stands_still_or_goes_back_at_a_switch(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    want(relay, LOW)
    family.show(b"1", key=True, rid="l")
    family.show(b"1", key=True, rid="h")
    await relay.fences(family)
    for rid in ("l", "h"):
        family.report(rtcp.write_sr(rtcp.SenderInfo(family.senders[rid].ssrc, 77 << 32, 11_000, 1, 1)))
    family.show(b"2", rid="l")
    want(relay, HIGH)
    family.show(b"2", key=True, rid="h")  # of the very instant that was just shown
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"1", b"2", b"2"]
    assert steps(prisoner.on(VIDEO), "timestamp", 1 << 32) == [6000, 1]


async def test_a_key_frame_is_asked_of_the_layer_that_is_wanted_and_of_no_other(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    want(relay, LOW)
    await all_layers(relay, family, b"1", key=True)
    relay.clock.at += 1.0
    await all_layers(relay, family, b"2")
    before = len(family.key_requests())
    want(relay, HIGH)
    await all_layers(relay, family, b"3")
    await relay.fences(prisoner, family)
    assert family.key_requests()[before:] == [family.senders["h"].ssrc]
    relay.clock.at += 0.1
    await family.until(lambda: len(family.key_requests()) == before + 2)
    for _ in range(4):
        relay.clock.at += 0.09
        await all_layers(relay, family, b"4")
    assert family.key_requests()[before:] == [family.senders["h"].ssrc] * 2


async def test_a_silent_layer_is_replaced_by_the_highest_live_one_below_and_taken_again_when_it_is_back(
    relay: Stage,
) -> None:
    family, prisoner = await pair(relay)
    await all_layers(relay, family, b"1", key=True)
    await all_layers(relay, family, b"2", key=True)
    assert carried(relay) == HIGH
    relay.clock.at += 1.0
    family.show(b"3", rid="l")
    family.show(b"3", rid="m")
    await relay.fences(family)
    await family.until(lambda: family.key_requests()[-1] == family.senders["m"].ssrc)
    family.show(b"4m", key=True, rid="m")
    family.show(b"4l", key=True, rid="l")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO)[-1] == b"4m"
    family.show(b"5h", key=True, rid="h")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO)[-1] == b"5h"


async def test_the_lowest_live_layer_stands_for_a_lower_one_that_is_silent(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    want(relay, LOW)
    family.show(b"m", key=True, rid="m")
    family.show(b"h", key=True, rid="h")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"m"]


async def test_no_picture_at_once_and_a_picture_again_from_a_key_frame(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    want(relay, LOW)
    await all_layers(relay, family, b"1", key=True)
    await relay.fences(prisoner)
    want(relay, None)
    await all_layers(relay, family, b"2", key=True)
    family.say(b"still heard")
    want(relay, LOW)
    await all_layers(relay, family, b"3")
    await all_layers(relay, family, b"4", key=True)
    await relay.fences(prisoner)
    assert prisoner.bodies(VIDEO) == [b"1l", b"4l"]
    assert prisoner.bodies(AUDIO) == [b"still heard"]
    assert steps(prisoner.on(VIDEO), "sequence", 1 << 16) == [1]


async def test_what_was_lost_before_a_switch_is_sent_again_as_it_was(relay: Stage) -> None:
    family, prisoner = await pair(relay, rtx=False)
    want(relay, LOW)
    await all_layers(relay, family, b"1", key=True)
    await all_layers(relay, family, b"2")
    want(relay, HIGH)
    await all_layers(relay, family, b"3", key=True)
    await relay.fences(prisoner)
    seen = prisoner.on(VIDEO)
    prisoner.report(rtcp.write_nack(1, seen[0].ssrc, [heard.sequence for heard in seen]))
    await relay.fences(prisoner)
    rtp_packets = [packet for packet in prisoner.wire if 128 <= packet[0] < 192 and not 192 <= packet[1] <= 223]
    for heard in seen:
        same = {p for p in rtp_packets if p[2:12] == struct.pack("!HII", heard.sequence, heard.timestamp, heard.ssrc)}
        assert len(same) == 1  # any other byte under this number would give its key stream away
    assert len(rtp_packets) == 2 * len(seen)


async def test_the_relay_asks_for_what_is_missing_of_a_layer_that_is_taken_and_of_no_other(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    want(relay, LOW)
    await all_layers(relay, family, b"1", key=True)
    for rid in RIDS:
        lost = family.frame(b"lost", rid=rid)
        if rid == "l":
            number = int.from_bytes(lost[2:4], "big")
    await all_layers(relay, family, b"3")
    await family.until(lambda: any(rtcp.nacks(part) for part in family.reports))
    asked = [found for part in family.reports if (found := rtcp.nacks(part))]
    assert asked == [(family.senders["l"].ssrc, [number])]
    await relay.fences(prisoner)


async def test_a_repair_stream_is_known_by_the_name_of_the_layer_that_it_repairs(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    want(relay, MIDDLE)
    await all_layers(relay, family, b"1", key=True)
    for body in (b"2", b"2"):
        await all_layers(relay, family, body, key=True)
    lost = family.frame(b"lost", rid="m")
    await all_layers(relay, family, b"3")
    ssrc, name = family.senders["m"].ssrc ^ 1, family.naming("m", REPAIRED_ID)
    name += bytes(-len(name) % 4)
    head = struct.pack("!BBHII", 0x90, RTX_TYPE, 1, int.from_bytes(lost[4:8], "big"), ssrc)
    extension = struct.pack("!HH", 0xBEDE, len(name) // 4) + name
    family.send_raw(family.protect(head + extension + lost[2:4] + lost[12:]))
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO)[-2:] == [b"3m", b"lost"]


async def test_a_layer_is_remembered_when_its_sender_stops_saying_its_name(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    want(relay, LOW)
    for number in range(2 * NAMED):
        await all_layers(relay, family, b"%d" % number, key=number == 0)
    await relay.fences(prisoner)
    assert prisoner.bodies(VIDEO) == [b"%dl" % number for number in range(2 * NAMED)]


async def test_a_living_layer_is_not_taken_over_by_another_ssrc(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    want(relay, LOW)
    await all_layers(relay, family, b"1", key=True)
    own = family.senders["l"].ssrc
    family.senders["l"].ssrc, family.senders["l"].named = own ^ 1, 0
    family.show(b"forged", key=True, rid="l")
    family.senders["l"].ssrc = own
    family.show(b"mine", rid="l")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"1l", b"mine"]


async def test_a_layer_that_begins_anew_under_another_ssrc_goes_on_in_the_same_stream_with_its_repairs(
    relay: Stage,
) -> None:
    family, prisoner = await pair(relay)
    want(relay, LOW)
    extension = family.naming("l", REPAIRED_ID)
    extension += bytes(-len(extension) % 4)
    extension = struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
    await all_layers(relay, family, b"1", key=True)
    probe = struct.pack("!BBHII", 0x90, RTX_TYPE, 1, 0, 77) + extension
    family.send_raw(family.protect(probe))  # the repair stream of the old one
    relay.clock.at += 2.0
    sender = family.senders["l"]
    sender.ssrc, sender.named, sender.sequence = sender.ssrc ^ 1, 0, 40_000
    for body in (b"2", b"3", b"4"):
        family.show(body, key=body == b"2", rid="l")
    lost = family.frame(b"lost", rid="l")
    family.show(b"6", rid="l")
    head = struct.pack("!BBHII", 0x90, RTX_TYPE, 1, int.from_bytes(lost[4:8], "big"), 78)
    family.send_raw(family.protect(head + extension + lost[2:4] + lost[12:]))
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"1l", b"2", b"3", b"4", b"6", b"lost"]
    assert steps(prisoner.on(VIDEO), "sequence", 1 << 16) == [1, 1, 1, 2, 0xFFFF]


async def test_a_name_that_the_offer_did_not_have_is_no_layer(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.senders["l"].rid = "x"
    family.show(b"forged", key=True, rid="l")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == []
    assert relay.plane.counters()["ssrc"] == 1


async def test_a_publisher_hears_of_each_layer_that_it_sends(relay: Stage) -> None:
    family, _ = await pair(relay)
    await all_layers(relay, family, b"1", key=True)
    relay.clock.at += 1.0
    wanted = {family.senders[rid].ssrc for rid in RIDS}
    await family.until(lambda: wanted <= {r.ssrc for part in family.reports for r in rtcp.reports(part)})


async def test_who_sends_layers_is_never_limited_by_a_receivers_estimate(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    for _ in range(3):
        await all_layers(relay, family, bytes(900), key=True)
        await relay.fences(prisoner)
        prisoner.report(rtcp.write_remb(1, 70_000, [prisoner.on(VIDEO)[0].ssrc]))
        relay.clock.at += 1.0
        await relay.fences(prisoner, family)
    await family.until(lambda: any(rtcp.reports(part) for part in family.reports))
    assert [part for part in family.reports if rtcp.remb(part) is not None] == []


async def test_the_clock_of_a_line_goes_on_over_a_switch(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.senders["h"].timestamp = 3_000_000_000
    want(relay, LOW)
    await all_layers(relay, family, b"1", key=True)
    for rid in RIDS:
        sender = family.senders[rid]
        family.report(rtcp.write_sr(rtcp.SenderInfo(sender.ssrc, 77 << 32, sender.timestamp, 1, 1)))
    await relay.fences(family)
    want(relay, HIGH)
    await all_layers(relay, family, b"2", key=True)
    await relay.fences(prisoner)
    relay.clock.at += 1.0
    first = prisoner.on(VIDEO)[0]

    def clocks() -> list[rtcp.SenderInfo]:
        found = [info for part in prisoner.reports if (info := rtcp.sender_info(part))]
        return [info for info in found if info.ssrc == first.ssrc]

    await prisoner.until(lambda: clocks() != [])
    assert abs((clocks()[-1].timestamp - first.timestamp & 0xFFFFFFFF) - 90_000) <= 1


async def test_h264_goes_where_it_can_be_taken_and_begins_at_its_parameter_sets(relay: Stage) -> None:
    family = await relay.enter("family", codecs=[Codec.H264])
    able = await relay.enter("able", codecs=[Codec.VP8, Codec.H264])
    unable = await relay.enter("unable", codecs=[Codec.VP8])
    await relay.plane.apply(plan({Route("family", VIDEO, name, 0) for name in ("able", "unable")}))
    family.show(b"slice")
    family.show(b"set", b"slice", key=True)
    await relay.fences(family, able, unable)
    assert able.bodies(VIDEO) == [b"set", b"slice"]
    assert unable.all_on(VIDEO) == []
    prisoner = able.on(VIDEO)[1]
    able.report(rtcp.write_nack(1, prisoner.ssrc, [prisoner.sequence]))
    await relay.fences(able)
    assert able.on(VIDEO)[2].payload_type == 103


async def test_h264_layers_switch_too(relay: Stage) -> None:
    undecided(relay)
    family = await relay.enter("family", rids=RIDS, codecs=[Codec.H264])
    prisoner = await relay.enter("prisoner", codecs=[Codec.H264])
    await relay.plane.apply(plan(ONE_WAY))
    want(relay, LOW)
    await all_layers(relay, family, b"1", key=True)
    want(relay, HIGH)
    await all_layers(relay, family, b"2", key=True)
    await relay.fences(prisoner)
    assert prisoner.bodies(VIDEO)[-1] == b"2h"
    assert set(steps(prisoner.on(VIDEO), "sequence", 1 << 16)) == {1}


async def test_a_key_frame_whose_beginning_comes_last_is_not_lost(relay: Stage) -> None:
    family, prisoner = await relay.enter("family"), await relay.enter("prisoner")
    await relay.plane.apply(plan(ONE_WAY))
    beginning = family.frame(b"beginning", key=True)
    rest = family.frame(b"rest")
    for packet in (rest, beginning):
        family.send_raw(family.protect(packet))
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"beginning", b"rest"]


async def test_what_came_before_the_gate_opened_is_not_sent_behind_a_late_key_frame(relay: Stage) -> None:
    family, prisoner = await relay.enter("family"), await relay.enter("prisoner")
    beginning = family.frame(b"beginning", key=True)
    family.send_raw(family.protect(family.frame(b"held")))
    await relay.fences(family)
    await relay.plane.apply(plan(ONE_WAY))
    relay.clock.at += 0.01
    family.send_raw(family.protect(beginning))
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == []


async def test_pictures_say_when_they_were_sent_and_say_the_same_again(relay: Stage) -> None:
    family, prisoner = await relay.enter("family"), await relay.enter("prisoner", stamps=True, rtx=False)
    await relay.plane.apply(plan(ONE_WAY))
    family.show(b"1", key=True)
    family.say(b"sound")
    await relay.fences(family)
    relay.clock.at += 0.25
    family.show(b"2")
    await relay.fences(family, prisoner)
    first, second = prisoner.on(VIDEO)
    assert first.stamp is not None and second.stamp is not None
    assert (second.stamp - first.stamp) & 0xFFFFFF == 0x10000  # a quarter of a second in 1/2**18 s
    assert prisoner.on(AUDIO)[0].stamp is None
    head = struct.pack("!HII", first.sequence, first.timestamp, first.ssrc)
    prisoner.report(rtcp.write_nack(1, first.ssrc, [first.sequence]))
    await relay.fences(prisoner)
    [once, again] = [packet for packet in prisoner.wire if packet[2:12] == head]
    assert once == again
