"""What is one seat's can never be claimed by another: SSRC, mid and rid, in media and in reports."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from broker.domain.plan import Media, Route
from broker.media import rtcp
from tests.media.support import AUDIO_TYPE, MID_ID, RTX_TYPE, Endpoint, Stage, both_ways, plan, vp8

AUDIO, VIDEO = Media.AUDIO, Media.VIDEO


async def calls(relay: Stage) -> tuple[Endpoint, Endpoint, Endpoint, Endpoint]:
    """Return the ends of two live calls: family and prisoner, rival and ear."""
    family, prisoner, rival, ear = [await relay.enter(name) for name in ("family", "prisoner", "rival", "ear")]
    await relay.plane.apply(plan(both_ways("family", "prisoner"), "one", valid_for_s=1e6))
    await relay.plane.apply(plan({Route("rival", kind, "ear", 0) for kind in Media}, "other", valid_for_s=1e6))
    return family, prisoner, rival, ear


def claim(rival: Endpoint, ssrc: int, kind: Media, sequence: int, payload_type: int | None = None) -> None:
    """Let `rival` send a packet of `kind` under an SSRC that is not its own, with the mid of its own line."""
    mid = bytes([MID_ID << 4, 48 + list(Media).index(kind)]) + bytes(2)
    payload = b"claimed" if kind is AUDIO else vp8(b"claimed", 5, 5, key=True)
    if payload_type == RTX_TYPE:
        payload = struct.pack("!H", sequence) + payload
    types = {AUDIO: AUDIO_TYPE, VIDEO: rival.senders[VIDEO].payload_type}
    head = struct.pack("!BBHII", 0x90, payload_type or types[kind], sequence, 7, ssrc)
    rival.send_raw(rival.protect(head + struct.pack("!HH", 0xBEDE, 1) + mid + payload))


@pytest.mark.parametrize("silence_s", [0.0, 10.0])
@pytest.mark.parametrize("kind", list(Media))
async def test_an_ssrc_of_another_seat_gives_nobody_its_line(relay: Stage, kind: Media, silence_s: float) -> None:
    family, prisoner, rival, ear = await calls(relay)
    family.say(b"mine")
    family.show(b"mine", key=True)
    await relay.fences(family, prisoner)
    relay.clock.at += silence_s  # of the owner
    for sequence in range(1, 4):
        claim(rival, family.senders[kind].ssrc, kind, sequence)
        claim(rival, family.senders[VIDEO].ssrc + 1, VIDEO, sequence, RTX_TYPE)
    family.say(b"still mine")
    family.show(b"still mine", key=True)
    await relay.fences(rival, family, prisoner, ear)
    assert prisoner.bodies(AUDIO) == [b"mine", b"still mine"]
    assert prisoner.bodies(VIDEO) == [b"mine", b"still mine"]
    assert set(ear.bodies(kind)) <= {b"claimed"}  # under a name of its own choosing, on its own line


async def test_a_seat_that_comes_again_has_its_ssrcs_whatever_was_claimed_meanwhile(relay: Stage) -> None:
    family, prisoner, rival, _ = await calls(relay)
    family.say(b"before")
    await relay.fences(family, prisoner)
    await relay.plane.disconnect("family")
    for kind in Media:
        claim(rival, family.senders[kind].ssrc, kind, 1)
    await relay.fences(rival)
    again = Endpoint(relay.plane, "family")
    relay.endpoints.append(again)
    await again.connect()
    again.say(b"after")
    again.show(b"after", key=True)
    claim(rival, again.senders[AUDIO].ssrc, AUDIO, 2)
    await relay.fences(rival, again, prisoner)
    assert prisoner.bodies(AUDIO) == [b"before", b"after"]
    assert prisoner.bodies(VIDEO) == [b"after"]


async def test_within_a_connection_too_a_live_source_keeps_its_line(relay: Stage) -> None:
    family, prisoner, _, _ = await calls(relay)
    family.say(b"mine")
    await relay.fences(family, prisoner)
    claim(family, 4_000_000_001, AUDIO, 1)
    family.say(b"still mine")
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"mine", b"still mine"]


NAMING: dict[str, Callable[[Endpoint, int, int], bytes]] = {
    "SR": lambda family, sent, heard: rtcp.write_sr(rtcp.SenderInfo(sent, 1 << 60, 77)),
    "BYE": lambda family, sent, heard: rtcp.write_bye([sent, heard]),
    "NACK": lambda family, sent, heard: rtcp.write_nack(1, heard, list(range(family.heard[-1].sequence + 1))[-300:]),
    "PLI": lambda family, sent, heard: rtcp.write_pli(1, heard) + rtcp.write_pli(1, sent),
    "RR": lambda family, sent, heard: rtcp.write_rr(1, [rtcp.Report(heard, 255, 99, 1, 1, 1, 1)]),
    "REMB": lambda family, sent, heard: rtcp.write_remb(1, 1000, [heard]),
}


@pytest.mark.parametrize("name", list(NAMING))
async def test_a_report_about_anothers_ssrc_does_nothing(relay: Stage, name: str) -> None:
    family, prisoner, rival, ear = await calls(relay)
    family.say(b"one")
    family.show(b"one", key=True)
    prisoner.say(b"two")
    prisoner.show(b"two", key=True)
    await relay.fences(family, prisoner, family)
    relay.clock.at += 2  # whoever asks for a key frame now is served
    feedback, sessions = relay.plane._feedback, relay.plane._sessions
    for endpoint in (family, prisoner, rival, ear):
        endpoint.reports.clear()
    rival.report(NAMING[name](family, family.senders[VIDEO].ssrc, family.on(VIDEO)[0].ssrc))
    await relay.fences(rival)
    for endpoint in ("family", "prisoner", "rival"):
        known = feedback.of(sessions[endpoint].peer)
        assert known is not None
        assert (known.clocks, known.losses, known.estimate_bps, known.rtt_ms) == ({}, {}, None, None)
    assert relay.plane.counters().get("resent", 0) == 0
    family.say(b"three")
    family.show(b"three")
    await relay.fences(family, prisoner, family)
    assert (prisoner.bodies(AUDIO), prisoner.bodies(VIDEO)) == ([b"one", b"three"], [b"one", b"three"])
    assert family.key_requests() == prisoner.key_requests() == []
