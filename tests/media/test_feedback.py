"""Feedback: what is lost is repaired, key frames are asked for sparingly, publishers hear how they do."""

from __future__ import annotations

import struct

import pytest

from broker.domain.plan import Media, Route
from broker.media import rtcp
from tests.media.support import RTX_TYPE, TRANSPORT_CC_ID, Endpoint, Stage, plan, vp8

VIDEO, AUDIO = Media.VIDEO, Media.AUDIO
ONE_WAY = {Route("family", kind, "prisoner", 0) for kind in Media}


async def pair(relay: Stage, rtx: bool = True) -> tuple[Endpoint, Endpoint]:
    """Return a family that sends and a prisoner who receives, in a call that is live."""
    family, prisoner = await relay.enter("family"), await relay.enter("prisoner", rtx=rtx)
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=60))
    return family, prisoner


async def test_a_key_frame_is_asked_for_when_a_picture_begins(relay: Stage) -> None:
    family, _ = await pair(relay)
    await relay.fences(family)
    assert family.key_requests() == [family.senders[VIDEO].ssrc]


async def test_key_frame_requests_of_many_receivers_are_one_per_half_second(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    console = await relay.enter("console", sends=[], publishes=frozenset())
    await relay.plane.apply(plan(ONE_WAY | {Route("family", VIDEO, "console", 0)}, valid_for_s=60))
    family.show(b"face", key=True)
    await relay.fences(family, prisoner, console)
    for sink in (prisoner, console, prisoner, console):
        sink.report(rtcp.write_pli(1, sink.on(VIDEO)[0].ssrc))
    await relay.fences(prisoner, console, family)
    assert len(family.key_requests()) == 1
    relay.clock.at += 0.5
    await family.until(lambda: len(family.key_requests()) == 2)
    await relay.fences(family)
    assert len(family.key_requests()) == 2


async def test_a_full_intra_request_is_a_key_frame_request_too(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.show(b"face", key=True)
    await relay.fences(family, prisoner)
    relay.clock.at += 1
    ssrc = prisoner.on(VIDEO)[0].ssrc
    prisoner.report(struct.pack("!BBHIIII", 0x84, 206, 4, 1, 0, ssrc, 7 << 24))
    await relay.fences(prisoner, family)
    assert len(family.key_requests()) == 2


async def test_a_lost_packet_is_sent_again_with_the_same_contents(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.show(b"a", b"b", b"c", key=True)
    await relay.fences(family, prisoner)
    lost = prisoner.on(VIDEO)[1]
    prisoner.report(rtcp.write_nack(1, lost.ssrc, [lost.sequence]))
    await relay.fences(prisoner)
    again = prisoner.on(VIDEO)[3]
    assert again.is_repair
    assert again.payload == lost.sequence.to_bytes(2, "big") + lost.payload
    assert again.timestamp == lost.timestamp
    assert prisoner.on(VIDEO)[3:] == [again]


async def test_without_a_repair_stream_the_very_same_packet_is_sent_again(relay: Stage) -> None:
    family, prisoner = await pair(relay, rtx=False)
    family.show(b"a", b"b", b"c", key=True)
    await relay.fences(family, prisoner)
    lost = prisoner.on(VIDEO)[1]
    head = struct.pack("!HII", lost.sequence, lost.timestamp, lost.ssrc)
    prisoner.report(rtcp.write_nack(1, lost.ssrc, [lost.sequence]))
    await relay.fences(prisoner)
    [first, again] = [packet for packet in prisoner.wire if packet[2:12] == head]
    assert first == again  # other contents under this number would give its key stream away


async def test_a_retransmission_never_crosses_a_pause(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.show(b"a", b"b", key=True)
    await relay.fences(family, prisoner)
    before = prisoner.on(VIDEO)
    await relay.plane.apply(plan(set(), epoch=2))
    prisoner.report(rtcp.write_nack(1, before[0].ssrc, [before[0].sequence]))
    await relay.fences(prisoner)
    family.show(b"held", key=True)
    await relay.fences(family)
    await relay.plane.apply(plan(ONE_WAY, epoch=3))
    family.show(b"c", key=True)
    await relay.fences(family, prisoner)
    prisoner.report(rtcp.write_nack(1, before[0].ssrc, [before[0].sequence + n & 0xFFFF for n in (-1, 0, 1, 2, 4)]))
    await relay.fences(prisoner)
    assert prisoner.bodies(VIDEO) == [b"a", b"b", b"c"]


async def test_a_retransmission_stops_at_the_deadline_too(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await relay.plane.apply(plan(ONE_WAY, valid_for_s=0.5))
    family.show(b"a", key=True)
    await relay.fences(family, prisoner)
    relay.clock.at += 0.5
    first = prisoner.on(VIDEO)[0]
    prisoner.report(rtcp.write_nack(1, first.ssrc, [first.sequence]))
    await relay.fences(prisoner)
    assert prisoner.bodies(VIDEO) == [b"a"]


async def test_a_packet_older_than_a_second_is_not_sent_again(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.show(b"a", key=True)
    await relay.fences(family, prisoner)
    relay.clock.at += 1.1
    first = prisoner.on(VIDEO)[0]
    prisoner.report(rtcp.write_nack(1, first.ssrc, [first.sequence]))
    await relay.fences(prisoner)
    assert prisoner.bodies(VIDEO) == [b"a"]


async def test_what_is_asked_for_and_gone_for_good_makes_a_key_frame_be_asked_for(relay: Stage) -> None:
    """After an outage a receiver asks for what it missed. Chromium by itself asks for a key frame only 3 s later."""
    family, prisoner = await pair(relay)
    family.show(b"a", b"b", b"c", key=True)
    await relay.fences(family, prisoner)
    asked = len(family.key_requests())
    lost = prisoner.on(VIDEO)[1]
    prisoner.report(rtcp.write_nack(1, lost.ssrc, [lost.sequence]))
    await relay.fences(prisoner, family)
    assert len(family.key_requests()) == asked, "it is there"
    relay.clock.at += 1.5
    prisoner.report(rtcp.write_nack(1, lost.ssrc, [lost.sequence]))
    await relay.fences(prisoner, family)
    assert len(family.key_requests()) == asked + 1


async def test_what_the_relay_itself_still_waits_for_is_not_gone(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.show(b"a", key=True)
    family.frame(b"lost on its way to the relay")
    family.show(b"c")
    await relay.fences(family, prisoner)
    asked, (first, _) = len(family.key_requests()), prisoner.on(VIDEO)
    prisoner.report(rtcp.write_nack(1, first.ssrc, [first.sequence + 1]))
    await relay.fences(prisoner, family)
    assert len(family.key_requests()) == asked


async def test_the_relay_asks_the_publisher_for_what_it_missed_and_passes_it_on(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.show(b"a", key=True)
    lost = family.frame(b"b")
    family.show(b"c")
    await family.until(lambda: any(rtcp.nacks(part) for part in family.reports))
    number = int.from_bytes(lost[2:4], "big")
    assert next(asked for part in family.reports if (asked := rtcp.nacks(part))) == (
        family.senders[VIDEO].ssrc,
        [number],
    )
    sender = family.senders[VIDEO]
    repair = struct.pack("!BBHIIH", 0x80, RTX_TYPE, 1, int.from_bytes(lost[4:8], "big"), sender.ssrc ^ 1, number)
    family.send_raw(family.protect(repair + lost[12:]))
    await relay.fences(family, prisoner)
    assert prisoner.bodies(VIDEO) == [b"a", b"c", b"b"]
    first = prisoner.on(VIDEO)[0].sequence
    assert [(heard.sequence - first) & 0xFFFF for heard in prisoner.on(VIDEO)] == [0, 2, 1]


@pytest.mark.parametrize(("rtt_ms", "again_s"), [(None, 0.06), (200.0, 0.1), (4.0, 0.02), (2000.0, 0.25)])
async def test_what_stays_missing_is_asked_for_again_each_half_round_trip(
    relay: Stage, rtt_ms: float | None, again_s: float
) -> None:
    family, prisoner = await pair(relay)
    family.show(b"a", key=True)
    family.frame(b"lost")
    family.show(b"c")
    await relay.fences(family, prisoner)
    feedback = relay.plane._feedback
    known = feedback.of(relay.plane._sessions["family"].peer)
    assert known is not None
    known.rtt_ms = rtt_ms
    asked = []
    for passed in (0.0, again_s - 0.001, 0.002, again_s - 0.003, 0.004):
        relay.clock.at += passed
        feedback.often()
        await relay.fences(family)
        asked.append(sum(rtcp.nacks(part) is not None for part in family.reports))
    assert asked == [1, 1, 2, 2, 3]


async def test_only_the_newest_256_packets_are_sent_again_however_young_they_are(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    for number in range(300):
        family.show(b"%d" % number, key=number == 0)
        if number % 50 == 0:
            await relay.fences(family, prisoner)
    await relay.fences(family, prisoner)
    first = prisoner.on(VIDEO)[0]
    asked = [first.sequence + number & 0xFFFF for number in (10, 43, 44, 299)]
    prisoner.report(rtcp.write_nack(1, first.ssrc, [first.sequence + number for number in (10, 43, 44, 299)]))
    await relay.fences(prisoner)
    again = [int.from_bytes(heard.payload[:2], "big") for heard in prisoner.on(VIDEO) if heard.is_repair]
    assert again == asked[2:]


async def test_lost_sound_is_repaired_both_ways_where_both_ends_have_agreed_to(relay: Stage) -> None:
    family = await relay.enter("family", repairs_sound=True)
    mute = await relay.enter("mute")
    prisoner = await relay.enter("prisoner", receives=[AUDIO, AUDIO], repairs_sound=True)
    await relay.plane.apply(
        plan({Route("family", AUDIO, "prisoner", 0), Route("mute", AUDIO, "prisoner", 1)}, valid_for_s=60)
    )
    lost = []
    for endpoint in (family, mute):
        endpoint.say(b"a")
        lost.append(endpoint.rtp(AUDIO, b"b"))
        endpoint.say(b"c")
    await family.until(lambda: any(rtcp.nacks(part) for part in family.reports))
    family.send_raw(family.protect(lost[0]))
    await relay.fences(mute, family, prisoner)
    assert not any(rtcp.nacks(part) for part in mute.reports)
    assert prisoner.bodies(AUDIO) == [b"a", b"c", b"b"]
    late = prisoner.on(AUDIO)[2]
    head = struct.pack("!HII", late.sequence, late.timestamp, late.ssrc)
    prisoner.report(rtcp.write_nack(1, late.ssrc, [late.sequence]))
    await relay.fences(prisoner)
    [once, again] = [packet for packet in prisoner.wire if packet[2:12] == head]
    assert once == again


async def test_a_publisher_hears_when_each_packet_arrived(relay: Stage) -> None:
    family, _ = await pair(relay)
    for number in (5, 6, 8):
        extension = bytes([TRANSPORT_CC_ID << 4 | 1]) + number.to_bytes(2, "big")
        family.send_raw(family.protect(family.rtp(AUDIO, b"sound", extension=extension)))
        await relay.fences(family)
        relay.clock.at += 0.020
    relay.clock.at += 0.1
    await family.until(lambda: any(part.count == rtcp.TRANSPORT_CC for part in family.reports))
    [body] = [part.body for part in family.reports if part.type == rtcp.FEEDBACK and part.count == rtcp.TRANSPORT_CC]
    base, count = struct.unpack_from("!HH", body, 8)
    assert (base, count) == (5, 4)
    assert int.from_bytes(body[16:18], "big") == 0xC000 | 1 << 12 | 1 << 10 | 1 << 6
    assert body[19] == body[20] == 80  # 20 ms in quarters of a millisecond


async def test_the_clock_of_a_source_is_rewritten_for_each_line(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.show(b"a", key=True)
    family.say(b"a")
    await relay.fences(family, prisoner)
    for kind in Media:
        sender = family.senders[kind]
        family.report(rtcp.write_sr(rtcp.SenderInfo(sender.ssrc, 77 << 32, sender.timestamp, 1, 1)))
    await relay.fences(family)
    relay.clock.at += 1
    await prisoner.until(lambda: len(_clocks(prisoner)) >= 2)
    clocks = _clocks(prisoner)
    for kind in Media:
        heard = prisoner.on(kind)[0]
        passed = clocks[heard.ssrc].timestamp - heard.timestamp & 0xFFFFFFFF
        assert abs(passed - {AUDIO: 48_000, VIDEO: 90_000}[kind]) <= 1  # a second on, in this line's own numbers
    assert len({clock.ntp for clock in clocks.values()}) == 1


async def test_a_participants_estimate_limits_who_they_see(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    await _meanwhile(relay, family, prisoner)
    _estimate(prisoner, 120_000)
    await relay.fences(prisoner)
    await _meanwhile(relay, family, prisoner)
    await family.until(lambda: _limits(family) != [])
    assert _limits(family)[0] == 120_000


async def test_a_monitors_estimate_never_limits_anyone(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    console = await relay.enter("console", sends=[], publishes=frozenset())
    await relay.plane.apply(plan(ONE_WAY | {Route("family", VIDEO, "console", 0)}, valid_for_s=60))
    for _ in range(2):
        _estimate(console, 70_000)
        _estimate(prisoner, 120_000)
        await relay.fences(console, prisoner)
        await _meanwhile(relay, family, prisoner)
    await family.until(lambda: _limits(family) != [])
    assert set(_limits(family)) == {120_000}


async def test_an_estimate_with_room_to_spare_limits_nobody_for_long(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    _estimate(prisoner, 120_000)
    await relay.fences(prisoner)
    await _meanwhile(relay, family, prisoner)
    await family.until(lambda: _limits(family) != [])
    relay.clock.at += 1  # nothing is sent, so the estimate tells of a quiet camera
    await family.until(lambda: _limits(family)[-1] > 120_000)


async def test_a_speaker_hears_of_the_worst_loss_on_the_way_to_a_participant_and_of_no_monitors(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    console = await relay.enter("console", sends=[], publishes=frozenset())
    await relay.plane.apply(plan(ONE_WAY | {Route("family", AUDIO, "console", 0)}, valid_for_s=60))
    family.say(b"sound")
    family.show(b"face", key=True)
    await relay.fences(family, prisoner, console)
    for far, fraction in ((prisoner, 40), (console, 200)):
        far.report(rtcp.write_rr(1, [rtcp.Report(far.on(AUDIO)[0].ssrc, fraction=fraction)]))
    await relay.fences(prisoner, console)
    relay.clock.at += 1
    await family.until(lambda: any(rtcp.reports(part) for part in family.reports))
    told = {r.ssrc: (r.fraction, r.lost) for part in family.reports for r in rtcp.reports(part)}
    assert told == {family.senders[AUDIO].ssrc: (40, 0), family.senders[VIDEO].ssrc: (0, 0)}


async def test_health_tells_what_an_endpoint_sends_and_how_its_link_does(relay: Stage) -> None:
    family, prisoner = await pair(relay)
    family.send_raw(family.protect(family.rtp(AUDIO, b"sound", extension=bytes([1 << 4, 0x80 | 20]))))
    family.show(b"face", key=True)
    await relay.fences(family, prisoner)
    prisoner.report(rtcp.write_rr(1, [rtcp.Report(prisoner.on(VIDEO)[0].ssrc, fraction=64)]))
    await relay.fences(prisoner)
    health = relay.plane.health("family")
    assert health is not None
    assert (health.sends_audio, health.sends_video) == (True, True)
    assert abs(health.audio_level - 0.1) < 1e-9
    other = relay.plane.health("prisoner")
    assert other is not None
    assert (other.sends_audio, other.sends_video, other.loss_out) == (False, False, 0.25)
    relay.clock.at += 2.1
    later = relay.plane.health("family")
    assert later is not None
    assert (later.sends_audio, later.sends_video, later.audio_level) == (False, False, 0.0)


def _estimate(endpoint: Endpoint, bps: int) -> None:
    """Let a receiver say what its link can take of the picture that it is sent."""
    ssrcs = [ssrc for ssrc, (line, _) in endpoint._lines.items() if line == (VIDEO, 0)]
    endpoint.report(rtcp.write_remb(1, bps, ssrcs))


def _clocks(endpoint: Endpoint) -> dict[int, rtcp.SenderInfo]:
    return {info.ssrc: info for part in endpoint.reports if (info := rtcp.sender_info(part))}


def _limits(endpoint: Endpoint) -> list[int]:
    return [found[0] for part in endpoint.reports if (found := rtcp.remb(part)) is not None]


async def _meanwhile(relay: Stage, sender: Endpoint, receiver: Endpoint) -> None:
    """Send about 200 kbit in a second of the hand clock."""
    for number in range(26):
        relay.clock.at += 0.04
        sender.send_raw(sender.protect(sender.rtp(VIDEO, vp8(bytes(1000), number, number, key=True))))
        await relay.fences(sender)
    await relay.fences(receiver)
