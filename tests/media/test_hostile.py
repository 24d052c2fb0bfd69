"""Hostile datagrams: dropped, counted, and no call disturbed (reliability.md §1.2, X20-X23)."""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import Any

import av
import pytest
from aiortc import RTCCertificate
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto

from broker.domain.plan import Media, Route
from broker.media import dtls, feedback, rtcp
from broker.media.forward import state
from broker.media.forward.python import PythonForwarder
from broker.ports import OfferRefused
from tests.media.mutate import CORPUS
from tests.media.support import CLIENT_HELLO, TRANSPORT_CC_ID, Endpoint, Stage, Stranger, both_ways, offer, plan

AUDIO, VIDEO = Media.AUDIO, Media.VIDEO


async def live(relay: Stage) -> tuple[Endpoint, Endpoint]:
    """Return the two ends of a live call."""
    family, prisoner = await relay.enter("family"), await relay.enter("prisoner")
    await relay.plane.apply(plan(both_ways("family", "prisoner"), valid_for_s=60))
    return family, prisoner


async def flows(relay: Stage, family: Endpoint, prisoner: Endpoint) -> bool:
    """Tell whether sound still passes."""
    before = len(prisoner.on(AUDIO))
    family.say(b"still here")
    await relay.fences(family, prisoner)
    return len(prisoner.on(AUDIO)) == before + 1


async def test_empty_and_senseless_datagrams_of_strangers_disturb_nothing(relay: Stage) -> None:
    family, prisoner = await live(relay)
    stranger = Stranger(relay.plane.port)
    stranger.send(b"", b"\x00", b"\x16", b"\x80", b"\x80\xc8", b"\xff" * 40, bytes(2047), bytes(2048), bytes(9000))
    stranger.send(CLIENT_HELLO, struct.pack("!HHI12s", 1, 0, 0x2112A442, b"x" * 12))
    assert await flows(relay, family, prisoner)
    assert stranger.answers() == []
    stranger.close()
    counts = relay.plane.counters()
    assert counts["empty"] == 3  # one empty, two too long to be ours
    assert counts["stranger"] == 2
    assert counts["dtls_stranger"] == 2
    assert counts["stun_stranger"] >= 2
    assert not any(name.startswith("fault") for name in counts)


async def test_empty_and_senseless_datagrams_of_a_participant_end_nobodys_call(relay: Stage) -> None:
    family, prisoner = await live(relay)
    for datagram in (b"", b"\x80", b"\x80\x60", b"\x80\xc8", b"\x80" * 12, b"\xbf" * 40, b"\x16" * 30, CLIENT_HELLO):
        family.send_raw(datagram)
    for packet in (b"\x90\x6f" + bytes(10) + b"\xbe\xde\xff\xff", b"\xaf" + bytes(11), b"\xa0" + bytes(30) + b"\xff"):
        try:
            family.send_raw(family.protect(packet))
        except AssertionError:
            family.send_raw(packet + bytes(16))  # libsrtp itself will not protect it
    assert await flows(relay, family, prisoner)
    assert not any(name.startswith("fault") for name in relay.plane.counters())


async def test_malformed_reports_of_a_participant_are_passed_over(relay: Stage) -> None:
    family, prisoner = await live(relay)
    for body in (
        b"",
        struct.pack("!BBH", 0x9F, 200, 0xFFFF),
        struct.pack("!BBH", 0x9F, 201, 0),
        struct.pack("!BBHI", 0x81, 205, 1, 1),
        struct.pack("!BBHI", 0xAF, 206, 1, 0xFFFFFFFF),
        struct.pack("!BBHIII", 0x84, 206, 3, 1, 2, 3),
        struct.pack("!BBHII4s", 0x8F, 206, 3, 1, 0, b"REMB"),
    ):
        family.report(body)
    assert await flows(relay, family, prisoner)
    assert not any(name.startswith("fault") for name in relay.plane.counters())


async def test_a_strangers_client_hello_never_wins_the_race(relay: Stage) -> None:
    stranger = Stranger(relay.plane.port)
    for attempt in range(5):
        family = Endpoint(relay.plane, f"family{attempt}")
        relay.endpoints.append(family)
        await family.connect(shake=False)
        stranger.send(CLIENT_HELLO)
        await family.fence()
        stranger.send(CLIENT_HELLO, CLIENT_HELLO)
        await family.shake()
    assert relay.plane.counters()["dtls_stranger"] == 15
    stranger.close()


async def test_a_check_with_a_wrong_password_opens_no_door(relay: Stage) -> None:
    family, _ = await live(relay)
    stranger = Stranger(relay.plane.port)
    stranger.send(family.check(pwd="q" * 32)[1], CLIENT_HELLO)
    await relay.fences(family)
    counts = relay.plane.counters()
    assert (counts["stun_refused"], counts["dtls_stranger"]) == (1, 1)
    assert stranger.answers() == []
    stranger.close()


async def test_checks_cannot_be_made_without_end(relay: Stage) -> None:
    family, prisoner = await live(relay)
    _, check = family.check()
    for _ in range(200):
        family.send_raw(check)
    prisoner.say(b"unhurt")
    await relay.fences(prisoner)
    assert relay.plane.counters()["stun_flood"] >= 100
    relay.clock.at += 1  # the allowance comes back
    await family.until(lambda: relay.plane._sessions["family"].checks >= 1)
    assert await flows(relay, family, prisoner)


async def test_a_handshake_with_another_certificate_than_the_offers_gets_no_media(relay: Stage) -> None:
    impostor = Endpoint(relay.plane, "family")
    relay.endpoints.append(impostor)
    told: list[tuple[str, bool]] = []
    relay.plane.watch(lambda endpoint, up: told.append((endpoint, up)))
    await impostor.connect(shake=False)
    other = dtls.Handshake(dtls.new_certificate(), impostor.send_raw)
    other._transport._set_role("client")
    impostor.handshake = other
    await impostor.fence()
    await asyncio.wait_for(other.run([_fingerprint(impostor)]), 5)
    await impostor.until(lambda: "dtls_failed" in relay.plane.counters())
    assert told == []


async def test_a_live_seats_address_cannot_be_taken_over(relay: Stage) -> None:
    family, prisoner = await live(relay)
    _, check = prisoner.check()  # as if the prisoner's laptop could write the family's address
    family.send_raw(check)
    assert await flows(relay, family, prisoner)
    assert relay.plane.counters()["stun_refused"] == 1


async def test_an_endpoint_that_moves_is_followed_by_its_next_check(relay: Stage) -> None:
    family, prisoner = await live(relay)
    old = family.transport
    loop = asyncio.get_running_loop()
    family.transport, _ = await loop.create_datagram_endpoint(lambda: family, local_addr=("127.0.0.1", 0))
    await family.fence()
    old.close()
    family.say(b"from the new address")
    prisoner.say(b"to the new address")
    await relay.fences(family, prisoner, family)
    assert prisoner.bodies(AUDIO) == [b"from the new address"]
    assert family.bodies(AUDIO) == [b"to the new address"]


async def test_a_seat_that_floods_is_capped_and_the_others_are_not(relay: Stage) -> None:
    family, prisoner = await live(relay)
    other, ear = await relay.enter("other"), await relay.enter("ear")
    await relay.plane.apply(plan({Route("other", AUDIO, "ear", 0)}, call="b", valid_for_s=60))
    for _ in range(12):  # by so many that the receiver's own socket does not overflow
        family.say(*[b"flood"] * 100)
        await relay.fences(family, prisoner)
    other.say(b"unhurt")
    await relay.fences(other, ear)
    assert len(prisoner.on(AUDIO)) == state.SEAT_BURST_PACKETS
    assert relay.plane.counters()["flood"] == 600
    assert ear.bodies(AUDIO) == [b"unhurt"]


async def test_drops_are_logged_at_a_bounded_rate(relay: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="broker.media")
    family, _ = await live(relay)
    stranger = Stranger(relay.plane.port)
    caplog.clear()
    for _ in range(6):
        for _ in range(50):
            stranger.send(b"\x80" * 30, b"", b"\x16" * 30)
        await relay.fences(family)
        relay.clock.at += 10
    stranger.close()
    assert relay.plane.counters()["stranger"] == 300
    assert 1 <= len(caplog.records) <= 10


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "offer_malformed"),
        ("v=0\r\nm=audio", "offer_malformed"),
        ("v=0\r\n" * 100_000, "offer_too_long"),
        (offer([AUDIO], []).replace("UDP/TLS", "TCP/TLS"), "offer_malformed"),
        (offer([AUDIO], []).replace("a=group:BUNDLE 0\r\n", ""), "offer_not_bundled"),
        (offer([AUDIO], []).replace("a=rtcp-mux\r\n", ""), "offer_not_bundled"),
        (offer([AUDIO], []).replace("a=ice-pwd:", "a=nothing:"), "offer_no_ice"),
        (offer([AUDIO], []).replace("sha-256", "md5"), "offer_no_fingerprint"),
        (offer([AUDIO], []).replace("actpass", "passive"), "offer_not_active"),
        (offer([VIDEO], []).replace("VP8", "AV1"), "offer_no_codec"),
        (offer([AUDIO] * 129, []), "offer_too_long"),
    ],
)
async def test_a_refused_offer_changes_nothing(relay: Stage, text: str, code: str) -> None:
    family = await relay.enter("family")
    prisoner = await relay.enter("prisoner")
    await relay.plane.apply(plan(both_ways("family", "prisoner"), valid_for_s=60))
    with pytest.raises(OfferRefused) as refusal:
        await relay.plane.connect("family", frozenset(Media), text)
    assert refusal.value.code == code
    assert await flows(relay, family, prisoner)


async def test_no_codec_is_ever_opened_in_the_relays_process(relay: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def refuse(name: str) -> object:
        def opening(*_: object, **__: object) -> object:
            opened.append(name)
            raise AssertionError(f"{name} opened in the relay's process")

        return opening

    monkeypatch.setattr(av.CodecContext, "create", refuse("av.CodecContext.create"), raising=False)
    for name in ("get_encoder", "get_decoder"):
        monkeypatch.setattr(f"aiortc.codecs.{name}", refuse(name))
        for module in ("rtcrtpsender", "rtcrtpreceiver"):
            monkeypatch.setattr(f"aiortc.{module}.{name}", refuse(name), raising=False)
    with pytest.raises(AssertionError, match="opened in the relay's process"):
        av.CodecContext.create("vp8", "r")  # the trap works
    opened.clear()
    family, prisoner = await live(relay)
    family.show(b"face", b"face", key=True)
    prisoner.say(b"hello")
    family.report(rtcp.write_pli(1, family.on(VIDEO)[0].ssrc if family.on(VIDEO) else 1))
    await relay.fences(family, prisoner, family)
    assert prisoner.bodies(VIDEO) == [b"face", b"face"]
    assert opened == []


async def test_a_seat_that_uses_ever_new_sources_does_not_weigh_the_relay_down(relay: Stage) -> None:
    family, prisoner = await live(relay)
    family.say(b"bound")
    await relay.fences(family, prisoner)
    for block in range(4):  # by so many that the relay's own allowance is not what stops them
        for number in range(100):
            family.send_raw(family.protect(struct.pack("!BBHII", 0x80, 77, 1, 1, 1_000 + 100 * block + number)))
        await relay.fences(family)
        relay.clock.at += 1
        await family.until(lambda: relay.plane._sessions["family"].checks > 90)
    forwarder = relay.plane._forwarder
    assert isinstance(forwarder, PythonForwarder)
    assert len(forwarder._peers[relay.plane._sessions["family"].peer].met) == state.MAX_SSRCS
    family.report(b"")  # under an SSRC that is new: reports have no more room than media
    assert await flows(relay, family, prisoner)
    assert relay.plane.counters()["ssrc"] == 401


async def test_what_is_asked_again_in_vain_costs_the_allowance_too(relay: Stage) -> None:
    family, prisoner = await live(relay)
    family.say(b"first", b"second")
    await relay.fences(family, prisoner)
    line = prisoner.on(AUDIO)[0]
    prisoner.report(rtcp.write_nack(1, line.ssrc, list(range(line.sequence + 100, line.sequence + 500))))
    prisoner.report(rtcp.write_nack(1, line.ssrc, [line.sequence]))
    await relay.fences(prisoner, prisoner)
    assert relay.plane.counters().get("resent", 0) == 0
    relay.clock.at += 0.5  # the allowance comes back, and the packet is still kept
    await prisoner.until(lambda: relay.plane._sessions["prisoner"].checks > 99)
    prisoner.report(rtcp.write_nack(1, line.ssrc, [line.sequence]))
    await relay.fences(prisoner, prisoner)
    assert relay.plane.counters()["resent"] == 1


async def test_a_seat_that_floods_with_handshakes_is_capped(relay: Stage) -> None:
    family, prisoner = await live(relay)
    for _ in range(40):
        for _ in range(10):
            family.send_raw(CLIENT_HELLO)
        await relay.fences(prisoner)
    assert relay.plane.counters()["dtls_flood"] >= 300
    assert await flows(relay, family, prisoner)


async def test_a_check_that_a_stranger_saw_pass_and_sends_again_moves_nobody(relay: Stage) -> None:
    family, prisoner = await live(relay)
    _, check = family.check()
    stranger = Stranger(relay.plane.port)
    family.send_raw(check)
    await relay.fences(family)
    stranger.send(check, CLIENT_HELLO)
    prisoner.say(b"for the family alone")
    await relay.fences(prisoner, family)
    assert family.bodies(AUDIO) == [b"for the family alone"]
    counts = relay.plane.counters()
    assert (counts["stun_copy"], counts["dtls_stranger"]) == (1, 1)
    assert stranger.answers() == []
    stranger.close()


async def test_an_address_that_passed_to_another_seat_stays_with_it_when_the_first_leaves(relay: Stage) -> None:
    old, prisoner = await live(relay)
    relay.clock.at += 4  # silent so long that its address may be another's by now
    again = Endpoint(relay.plane, "again")
    relay.endpoints.append(again)
    await again.connect(shake=False)
    again.transport.close()
    again.transport = old.transport
    again.transport.set_protocol(again)
    await again.fence()
    await again.shake()
    prisoner.say(b"for who has left the address")
    await relay.fences(prisoner, again)
    assert not again.wire
    await relay.plane.apply(plan(both_ways("again", "prisoner"), "second", valid_for_s=60))
    await relay.plane.disconnect("family")
    assert await flows(relay, again, prisoner)


async def test_a_connection_dropped_amid_its_handshake_leaves_nothing_running(relay: Stage) -> None:
    family = Endpoint(relay.plane, "family")
    relay.endpoints.append(family)
    await family.connect(shake=False)
    await family.fence()
    session = relay.plane._sessions["family"]
    task = relay.plane._tasks[session.peer]
    hello = (CORPUS / "dtls" / "ours-01.bin").read_bytes()
    session.handshake.pipe.feed(hello)
    await family.fence()
    session.handshake.pipe.feed(hello)  # wakes the handshake in the same moment as the cancelling
    await relay.plane.disconnect("family")
    assert task.done()


async def test_no_sinks_numbers_jump_with_a_seats(relay: Stage) -> None:
    family, prisoner = await live(relay)
    family.say(b"first")
    for jump in (30_000, 30_000, 30_000):
        family.send_raw(family.protect(family.rtp(AUDIO, b"far", skip=jump)))
    family.say(b"last")
    await relay.fences(family, prisoner)
    heard = prisoner.on(AUDIO)
    assert [packet.body for packet in heard] == [b"first", b"far", b"far", b"far", b"last"]
    assert [packet.sequence - heard[0].sequence & 0xFFFF for packet in heard] == [0, 1, 2, 3, 4]


async def test_large_reports_weigh_more_than_media(relay: Stage) -> None:
    family, prisoner = await live(relay)
    compound = rtcp.write_pli(1, 2) * 100
    for _ in range(6):  # by so many that no socket overflows
        for _ in range(50):
            family.report(compound)
        await relay.fences(prisoner)
    counts = relay.plane.counters()
    read = 300 - counts["flood"]
    assert counts["rtcp_in"] == read <= state.SEAT_BURST_BYTES / (state.REPORT_WEIGHT * len(compound))
    relay.clock.at += 1
    await family.until(lambda: relay.plane._refilled_at == relay.clock.at)
    assert await flows(relay, family, prisoner)


async def test_transport_wide_numbers_that_leap_cost_no_more_than_others(relay: Stage) -> None:
    family, prisoner = await live(relay)
    for number in range(100):
        stamp = bytes([TRANSPORT_CC_ID << 4 | 1]) + struct.pack("!H", number * 601 & 0xFFFF)
        family.send_raw(family.protect(family.rtp(AUDIO, b"leaping", extension=stamp)))
    await relay.fences(family, prisoner)
    family.reports.clear()
    relay.clock.at += 0.2
    await family.until(lambda: relay.plane._due[relay.plane._feedback.congestion][1] > relay.clock.at)
    await relay.fences(family)
    reports = [part for part in family.reports if (part.type, part.count) == (rtcp.FEEDBACK, rtcp.TRANSPORT_CC)]
    assert 1 <= len(reports) <= feedback.MAX_REPORTS
    assert await flows(relay, family, prisoner)


@pytest.mark.filterwarnings("ignore:Passing pyOpenSSL X509 objects:DeprecationWarning")
async def test_a_certificate_that_cannot_be_read_is_a_failed_handshake(
    relay: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = dtls.new_certificate()
    der = bytearray(good._cert.public_bytes(Encoding.DER))
    der[der.index(bytes.fromhex("a003020102")) + 4] = 7  # X.509 has versions 0 to 2

    class OddCertificate(RTCCertificate):
        def _create_ssl_context(self, srtp_profiles: list[Any]) -> SSL.Context:
            context = super()._create_ssl_context(srtp_profiles)
            context.use_certificate(crypto.load_certificate(crypto.FILETYPE_ASN1, bytes(der)))
            return context

    monkeypatch.setattr(dtls, "new_certificate", lambda: OddCertificate(good._key, good._cert))
    family = Endpoint(relay.plane, "family")
    relay.endpoints.append(family)
    await family.connect(shake=False)
    await family.fence()
    shaking = asyncio.get_running_loop().create_task(family.handshake.run([_fingerprint(family)]))
    await family.until(lambda: "dtls_failed" in relay.plane.counters())
    assert not any(name.startswith("fault") for name in relay.plane.counters())
    family.handshake.pipe.close()
    await shaking


def _fingerprint(endpoint: Endpoint) -> tuple[str, str]:
    assert endpoint.answer is not None
    value = next(line for line in endpoint.answer.sdp.split("\r\n") if line.startswith("a=fingerprint:sha-256 "))
    return "sha-256", value.removeprefix("a=fingerprint:sha-256 ")
