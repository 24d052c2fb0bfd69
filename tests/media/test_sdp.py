"""Offers: read strictly, answered exactly, and refused with a code and nothing else."""

from __future__ import annotations

import random

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain.plan import Media
from broker.media import sdp
from broker.media.session import settle
from broker.ports import OfferRefused
from tests.media.support import offer

AUDIO, VIDEO = Media.AUDIO, Media.VIDEO
TRANSPORT = sdp.Transport(1, "u" * 16, "p" * 32, ("sha-256", "AB"), (("127.0.0.1", 5000), ("192.0.2.1", 5000)))


def answer(text: str, publishes: frozenset[Media] = frozenset(Media)) -> str:
    """Return the relay's answer to an offer."""
    parsed = sdp.parse_offer(text)
    settled = settle(parsed, publishes)
    return sdp.write_answer(parsed, TRANSPORT, settled.receiving, settled.sending)


def sections(text: str) -> list[list[str]]:
    """Return the media sections as lists of lines."""
    return [("m=" + section).splitlines() for section in text.split("m=")[1:]]


def test_a_leg_sends_and_receives_on_lines_of_their_own() -> None:
    directions = [
        next(line for line in section if line in ("a=recvonly", "a=sendonly", "a=inactive"))
        for section in sections(answer(offer(list(Media), list(Media))))
    ]
    assert directions == ["a=recvonly", "a=recvonly", "a=sendonly", "a=sendonly"]


def test_a_line_that_an_endpoint_may_not_send_on_is_answered_inactive() -> None:
    audio, video = sections(answer(offer([AUDIO, VIDEO], []), frozenset({AUDIO})))
    assert "a=recvonly" in audio
    assert "a=inactive" in video


def test_only_the_first_line_of_a_kind_may_send() -> None:
    first, second = sections(answer(offer([VIDEO, VIDEO], [])))
    assert "a=recvonly" in first
    assert "a=inactive" in second


def test_forty_receive_lines_each_have_a_source_of_their_own() -> None:
    text = offer([], [VIDEO] * 40 + [AUDIO] * 8)
    parsed = sdp.parse_offer(text)
    settled = settle(parsed, frozenset())
    assert [(line.mid, line.index) for line in settled.lines if line.kind is AUDIO] == [
        (str(40 + n), n) for n in range(8)
    ]
    ssrcs = [ssrc for send in settled.sending.values() for ssrc in (send.ssrc, send.rtx_ssrc)]
    assert len(set(ssrcs)) == 2 * 48
    streams = {send.stream for send in settled.sending.values()}
    assert len(streams) == 48  # a monitor's pictures and sounds are of anyone: none waits for another


def test_sound_and_picture_of_a_person_share_a_stream() -> None:
    settled = settle(sdp.parse_offer(offer([AUDIO], [AUDIO, VIDEO])), frozenset({AUDIO}))
    assert {send.stream for send in settled.sending.values()} == {"line0"}


def test_every_section_names_every_address_and_ends_the_list() -> None:
    for section in sections(answer(offer([AUDIO], [VIDEO]))):
        hosts = [line.split(" ")[4] for line in section if line.startswith("a=candidate:")]
        assert hosts == ["127.0.0.1", "192.0.2.1"]
        assert "a=end-of-candidates" in section


def test_the_extensions_and_feedback_that_were_offered_come_back_with_their_numbers() -> None:
    audio, video, _ = sections(answer(offer([AUDIO, VIDEO], [VIDEO])))
    assert "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid" in audio
    assert "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level" in audio
    assert [line for line in video if line.startswith("a=rtcp-fb:")] == [
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:96 goog-remb",
    ]
    assert "a=fmtp:111 minptime=10;useinbandfec=1" in audio


def test_nothing_is_answered_that_was_not_offered() -> None:
    text = offer([VIDEO], [VIDEO], rtx=False).replace("a=extmap:3 ", "a=nothing:3 ")
    for section in sections(answer(text)):
        assert not any("rtx" in line or "transport-wide" in line for line in section)


def test_what_we_do_not_carry_is_answered_with_port_nought() -> None:
    text = offer([AUDIO], []) + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:9\r\na=sctp-port:5000\r\n"
    written = answer(text)
    assert sections(written)[1][0] == "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"
    assert "a=group:BUNDLE 0\r\n" in written


def test_candidates_of_the_other_side_are_not_read() -> None:
    line = "a=candidate:1 1 udp 1 7c2d6a0e.local 5000 typ host\r\n"
    plain = offer([AUDIO], [])
    assert sdp.parse_offer(plain + line + "a=candidate:nonsense\r\n") == sdp.parse_offer(plain)


def test_another_implementation_reads_the_answer() -> None:
    read = SessionDescription.parse(answer(offer([AUDIO, VIDEO], [AUDIO, VIDEO])))
    assert [media.direction for media in read.media] == ["recvonly", "recvonly", "sendonly", "sendonly"]
    assert all(media.ice.iceLite for media in read.media)
    assert all(media.dtls is not None and media.dtls.role == "server" for media in read.media)
    assert [len(media.ice_candidates) for media in read.media] == [2, 2, 2, 2]
    assert read.media[3].rtp.codecs[0].name == "VP8"
    assert len(read.media[3].ssrc) == 2


@settings(max_examples=40)
@given(st.text(max_size=300))
def test_no_text_makes_the_parser_raise_anything_but_a_refusal(text: str) -> None:
    _refused_or_answered(text)


@settings(max_examples=40)
@given(st.randoms(use_true_random=False))
def test_no_damaged_offer_makes_the_parser_raise_anything_but_a_refusal(chance: random.Random) -> None:
    lines = offer([AUDIO, VIDEO], [AUDIO, VIDEO, VIDEO], ssrcs={AUDIO: 5, VIDEO: 6}).split("\r\n")
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, chance.choice(lines))
            case 2:
                lines[at] = lines[at][: chance.randint(0, len(lines[at]))]
            case 3:
                place = chance.randint(0, len(lines[at]))
                lines[at] = lines[at][:place] + chance.choice(" :/9-\x00\uffff٣²") + lines[at][place:]
            case 4:
                lines[at] = lines[at].replace("1", chance.choice(["", "99999999999999999999", "-1", "256", "٣"]))
            case _:
                lines[at] = lines[at][::-1]
        lines = lines or ["v=0"]
    _refused_or_answered("\r\n".join(lines))


@pytest.mark.parametrize("word", ["9" * 5000, "²", "١١١", "111 111", "-1", "128", ""])
def test_odd_numbers_are_refused_or_passed_over(word: str) -> None:
    text = offer([AUDIO], [])
    for place in ("m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111", "a=fmtp:111", "a=extmap:4"):
        _refused_or_answered(text.replace(place, place.replace("111", word).replace(":4", f":{word}")))


def _refused_or_answered(text: str) -> None:
    code, written = "", ""
    try:
        written = answer(text)
    except OfferRefused as refusal:
        code = refusal.code
    assert code.startswith("offer_") or written.startswith("v=0\r\n")
    assert all(line[1:2] == "=" for line in written.split("\r\n")[:-1])
