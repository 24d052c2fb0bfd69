"""A caller's offer and what it reads of an answer."""

from __future__ import annotations

import pytest

from broker.synthetic import sdp

HERE = sdp.Transport("ufrg", "p" * 22, "AB:CD")
ANSWER = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:a",
        "a=ice-ufrag:them",
        "a=ice-pwd:secretsecretsecretsecr",
        "a=fingerprint:sha-256 AA:BB",
        "a=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host",
        "a=candidate:2 1 udp 2130706430 127.0.0.1 50000 typ host",
        "a=recvonly",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:rv0",
        "a=sendonly",
        "a=ssrc:77 cname:relay",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:rv1",
        "a=inactive",
        "",
    ]
)


def test_an_offer_sends_and_receives_on_lines_apart() -> None:
    text = sdp.offer(HERE, (sdp.Publication("audio", "a", 5),), (("video", "rv0"), ("video", "rv1")))
    assert "a=group:BUNDLE a rv0 rv1" in text
    assert (text.count("a=sendonly"), text.count("a=recvonly"), text.count("a=sendrecv")) == (1, 2, 0)
    assert "a=candidate" not in text


def test_an_answer_gives_address_credentials_and_lines() -> None:
    answer = sdp.read_answer(ANSWER)
    assert (answer.ufrag, answer.fingerprints) == ("them", (("sha-256", "AA:BB"),))
    assert [line.ssrc for line in answer.lines] == [None, 77, None]


def test_a_loopback_address_is_taken_first() -> None:
    assert sdp.read_answer(ANSWER).address == ("127.0.0.1", 50000)


@pytest.mark.parametrize("missing", ["a=fingerprint", "a=candidate", "a=ice-pwd", "a=ice-ufrag"])
def test_an_answer_that_lacks_something_is_refused(missing: str) -> None:
    text = "\r\n".join(line for line in ANSWER.split("\r\n") if not line.startswith(missing))
    with pytest.raises(sdp.BadAnswer):
        sdp.read_answer(text)
