"""Offers: read strictly, answered exactly, and refused with a code and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain.plan import Media
from broker.media import sdp
from broker.media.forward.api import Codec
from broker.media.session import settle
from broker.ports import OfferRefused
from tests.media.support import offer

AUDIO, VIDEO = Media.AUDIO, Media.VIDEO
TRANSPORT = sdp.Transport(1, "u" * 16, "p" * 32, ("sha-256", "AB"), (("127.0.0.1", 5000), ("192.0.2.1", 5000)))
OFFERS = Path(__file__).parent / "offers"
CHROMIUM = (
    OFFERS / "chromium.sdp"
).read_text()  # version 156: sound, a picture in three encodings, a line to receive on
FIREFOX = (OFFERS / "firefox.sdp").read_text()  # version 153: the same
SIMULCAST = "a=simulcast:send l;m;h"


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
    plain = offer([AUDIO, VIDEO], [VIDEO])
    private = "".join(
        f"a=candidate:{n} 1 {protocol} 2113937151 {n:08x}-7c2d-4a0e-9d1f-{n:012x}.local {port} typ host\r\n"
        for n in range(200)
        for protocol, port in (("udp", 50_000 + n), ("tcp", 9))
    )
    others = "a=candidate:1 1 udp 1 203.0.113.9 5000 typ srflx raddr 10.0.0.1 rport 1\r\na=candidate:nonsense\r\n"
    assert len(plain + private + others) < sdp.MAX_CHARS
    assert sdp.parse_offer(plain + private + others) == sdp.parse_offer(plain)
    assert answer(plain + private).count(".local") == 0


def video(text: str, at: int = 1) -> sdp.OfferedLine:
    """Return the media section of an offer that stands at `at`."""
    return sdp.parse_offer(text).lines[at]


def test_a_browser_s_three_encodings_are_read_lowest_first_and_echoed() -> None:
    assert video(CHROMIUM).rids == ("l", "m", "h")
    sound, picture, watched = sections(answer(CHROMIUM))
    assert [line for line in picture if "rid:" in line or "simulcast" in line] == [
        "a=rid:l recv",
        "a=rid:m recv",
        "a=rid:h recv",
        "a=simulcast:recv l;m;h",
    ]
    assert not any("rid:" in line or "simulcast" in line for line in (*sound, *watched))
    offered = {line for line in CHROMIUM.splitlines() if line.startswith("a=extmap:")}
    for section, uris in ((sound, sdp.EXTENSIONS[AUDIO]), (picture, sdp.EXTENSIONS[VIDEO])):
        answered = [line for line in section if line.startswith("a=extmap:")]
        assert [line.split(" ")[1] for line in answered] == list(uris)
        assert set(answered) <= offered
    stamps = [line.split(" ")[1] for line in watched if line.startswith("a=extmap:")]
    assert stamps == [sdp.ABS_SEND_TIME]  # what we send carries nothing else


def test_firefox_s_offer_reads_as_chromium_s_but_for_what_it_lacks() -> None:
    sound, picture, watched = sdp.parse_offer(FIREFOX).lines
    assert (list(sound.codecs), sound.red) == ([Codec.OPUS], None)
    assert picture.codecs == {Codec.VP8: sdp.PayloadTypes(120, 124, "max-fs=12288;max-fr=60")}
    assert (picture.rids, picture.ssrc) == (("l", "m", "h"), None)  # it names six, and not which is which
    assert {sdp.RID, sdp.REPAIRED_RID, sdp.MID, sdp.TRANSPORT_CC} <= set(picture.extensions)
    assert watched.direction == "recvonly"
    written = answer(FIREFOX)
    assert "a=simulcast:recv l;m;h" in written
    assert "stereo" not in written


@pytest.mark.parametrize(
    ("value", "rids"),
    [
        ("send l;h", ("l", "h")),
        ("send h", ("h",)),
        ("send ~l;m;~h", ("l", "m", "h")),  # paused at first: it may come later
        ("send l,h;m", ("l", "m")),  # alternatives: the first
        ("send ~l,~h;m", ("l", "m")),
        ("recv l send m;h", ("m", "h")),
        ("send m;h recv l", ("m", "h")),
        ("recv l;m;h", ()),
        ("send x;l", ("l",)),  # x is declared by no a=rid
    ],
)
def test_what_simulcast_may_say(value: str, rids: tuple[str, ...]) -> None:
    text = CHROMIUM.replace(SIMULCAST, f"a=simulcast:{value}")
    assert video(text).rids == rids
    assert (f"a=simulcast:recv {';'.join(rids)}" in answer(text)) == bool(rids)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "send",
        "send ",
        "send l;",
        "send ;l",
        "send l m",
        "send l;l",
        "send ~~l",
        "send rid=l;m",
        "both l",
        "send l/m",
    ],
)
def test_simulcast_that_cannot_be_read_is_refused(value: str) -> None:
    with pytest.raises(OfferRefused, match="offer_malformed"):
        sdp.parse_offer(CHROMIUM.replace(SIMULCAST, f"a=simulcast:{value}"))


def test_two_simulcasts_on_a_line_are_refused() -> None:
    with pytest.raises(OfferRefused, match="offer_malformed"):
        sdp.parse_offer(CHROMIUM.replace(SIMULCAST, f"{SIMULCAST}\r\n{SIMULCAST}"))


def test_at_most_three_encodings_are_taken_and_they_are_the_lowest() -> None:
    text = CHROMIUM.replace("a=rid:l send", "a=rid:l send\r\na=rid:x send").replace(SIMULCAST, f"{SIMULCAST};x")
    assert video(text).rids == ("l", "m", "h")


def test_without_the_extension_that_names_them_encodings_cannot_be_told_apart() -> None:
    text = CHROMIUM.replace("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", "urn:other")
    assert video(text).rids == ()
    assert "simulcast" not in answer(text)


def test_no_one_source_is_named_where_several_encodings_come() -> None:
    lines = "a=ssrc-group:FID 5 6\r\na=ssrc:5 cname:x\r\na=ssrc:6 cname:x\r\n"
    text = CHROMIUM.replace(SIMULCAST, lines + SIMULCAST)
    assert (video(text).ssrc, video(text).rtx_ssrc) == (None, None)
    text = CHROMIUM.replace(SIMULCAST + "\n", lines)
    assert (video(text).ssrc, video(text).rtx_ssrc) == (5, 6)


def test_a_picture_that_is_sent_uses_the_codec_that_stands_first() -> None:
    vp8 = sdp.PayloadTypes(96, 97)
    h264 = sdp.PayloadTypes(108, 109, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")
    assert list(video(CHROMIUM).codecs.items()) == [(Codec.VP8, vp8), (Codec.H264, h264)]
    assert sections(answer(CHROMIUM))[1][0] == "m=video 9 UDP/TLS/RTP/SAVPF 96 97"
    turned = CHROMIUM.replace("SAVPF 96 97 102 ", "SAVPF 102 108 109 96 97 ")
    assert list(video(turned).codecs.items()) == [(Codec.H264, h264), (Codec.VP8, vp8)]
    _, picture, _ = sections(answer(turned))
    assert picture[0] == "m=video 9 UDP/TLS/RTP/SAVPF 108 109"
    assert f"a=fmtp:108 {h264.parameters}" in picture
    assert not any("VP8" in line for line in picture)


def test_a_line_that_is_watched_takes_every_codec_that_we_carry() -> None:
    _, _, watched = sections(answer(CHROMIUM))
    assert watched[0] == "m=video 9 UDP/TLS/RTP/SAVPF 96 97 108 109"
    assert {line for line in watched if line.startswith("a=rtpmap:")} == {
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000",
        "a=rtpmap:108 H264/90000",
        "a=rtpmap:109 rtx/90000",
    }
    assert len([line for line in watched if line.startswith("a=ssrc:")]) == 2
    assert [line for line in watched if line.startswith("a=rtcp-fb:108 ")] == [
        "a=rtcp-fb:108 nack",
        "a=rtcp-fb:108 nack pli",
        "a=rtcp-fb:108 ccm fir",
        "a=rtcp-fb:108 goog-remb",
    ]


@pytest.mark.parametrize(
    ("parameters", "is_taken"),
    [
        ("packetization-mode=1;profile-level-id=42e01f", True),
        ("profile-level-id=42E015; packetization-mode=1", True),
        ("packetization-mode=1;profile-level-id=42c01f", True),
        ("packetization-mode=1;profile-level-id=42001f", True),
        ("packetization-mode=0;profile-level-id=42e01f", False),
        ("profile-level-id=42e01f", False),
        ("packetization-mode=1", False),
        ("packetization-mode=1;profile-level-id=4d001f", False),
        ("packetization-mode=1;profile-level-id=64001f", False),
        ("packetization-mode=1;profile-level-id=42e01", False),
        ("packetization-mode=1;profile-level-id=42e01f0", False),
    ],
)
def test_h264_is_carried_in_its_baseline_and_in_packetization_mode_one(parameters: str, is_taken: bool) -> None:
    text = offer([VIDEO], []).replace("a=rtpmap:96 VP8/90000", f"a=rtpmap:96 H264/90000\r\na=fmtp:96 {parameters}")
    if is_taken:
        assert list(video(text, 0).codecs) == [Codec.H264]
    else:
        with pytest.raises(OfferRefused, match="offer_no_codec"):
            sdp.parse_offer(text)


def test_opus_is_asked_for_with_its_own_error_correction_and_nothing_else() -> None:
    text = CHROMIUM.replace("minptime=10;useinbandfec=1", "maxplaybackrate=48000;stereo=1;usedtx=1;useinbandfec=0")
    assert "a=fmtp:111 minptime=10;useinbandfec=1" in answer(text)
    assert "stereo" not in answer(text)


def test_redundant_sound_is_answered_where_the_offer_put_it() -> None:
    assert (video(CHROMIUM, 0).red, video(CHROMIUM, 0).prefers_red) == (63, False)
    plain, *_ = sections(answer(CHROMIUM))
    assert plain[0] == "m=audio 9 UDP/TLS/RTP/SAVPF 111 63"
    assert {"a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111"} <= set(plain)
    turned, *_ = sections(answer(CHROMIUM.replace("SAVPF 111 63 ", "SAVPF 63 111 ")))
    assert turned[0] == "m=audio 9 UDP/TLS/RTP/SAVPF 63 111"


@pytest.mark.parametrize("blocks", ["9/9", "111/9", "111", "", "1111/111", "111//111", "111/111 x"])
def test_redundancy_of_anything_but_opus_is_passed_over(blocks: str) -> None:
    text = CHROMIUM.replace("a=fmtp:63 111/111", f"a=fmtp:63 {blocks}")
    assert video(text, 0).red is None
    assert "red/" not in answer(text)


def test_numbers_written_in_an_odd_way_are_still_those_numbers() -> None:
    _refused_or_answered(CHROMIUM.replace("SAVPF 111 63 ", "SAVPF 0063 0111 "))


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
    plain = offer([AUDIO, VIDEO], [AUDIO, VIDEO, VIDEO], ssrcs={AUDIO: 5, VIDEO: 6})
    lines = chance.choice([plain, CHROMIUM, FIREFOX]).replace("\r\n", "\n").split("\n")
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
