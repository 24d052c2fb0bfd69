"""The offer of a synthetic caller and what it needs of the answer (RFC 8866, RFC 9429): text in, text out."""

from __future__ import annotations

from dataclasses import dataclass

AUDIO_PT, VIDEO_PT = 111, 96
LEVEL_EXTENSION, MID_EXTENSION = 1, 4  # RFC 6464, RFC 9143


class BadAnswer(ValueError):
    """The answer lacks what a caller needs."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One m-line that sends."""

    kind: str
    mid: str
    ssrc: int


@dataclass(frozen=True, slots=True)
class Transport:
    """Our side of the transport."""

    ufrag: str
    password: str
    fingerprint: str  # SHA-256, upper-case hex with colons


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One m-line of the answer; `ssrc` is what it will carry to us, None where it sends nothing."""

    kind: str
    mid: str
    direction: str
    ssrc: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The other side of the transport, and its lines."""

    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]
    address: tuple[str, int]
    lines: tuple[AnswerLine, ...]


_CODECS = {
    "audio": (
        AUDIO_PT,
        ("a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtcp-fb:111 transport-cc"),
    ),
    "video": (
        VIDEO_PT,
        ("a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 ccm fir"),
    ),
}


def offer(transport: Transport, publish: tuple[Publication, ...], receive: tuple[tuple[str, str], ...]) -> str:
    """Return an offer of sendonly lines for `publish` and recvonly lines for `receive` (kind, mid)."""
    mids = " ".join([one.mid for one in publish] + [mid for _, mid in receive])
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mids}", "a=msid-semantic: WMS *"]
    for one in publish:
        lines += _section(transport, one.kind, one.mid, "sendonly")
        lines += [f"a=msid:synthetic {one.kind}", f"a=ssrc:{one.ssrc} cname:synthetic"]
    for kind, mid in receive:
        lines += _section(transport, kind, mid, "recvonly")
    return "\r\n".join(lines) + "\r\n"


def _section(transport: Transport, kind: str, mid: str, direction: str) -> list[str]:
    payload_type, codec = _CODECS[kind]
    level = [f"a=extmap:{LEVEL_EXTENSION} urn:ietf:params:rtp-hdrext:ssrc-audio-level"] if kind == "audio" else []
    return [
        f"m={kind} 9 UDP/TLS/RTP/SAVPF {payload_type}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.password}",
        f"a=fingerprint:sha-256 {transport.fingerprint}",
        "a=setup:actpass",
        f"a=mid:{mid}",
        *level,
        f"a=extmap:{MID_EXTENSION} urn:ietf:params:rtp-hdrext:sdes:mid",
        f"a={direction}",
        "a=rtcp-mux",
        *codec,
    ]


def read_answer(text: str) -> Answer:
    """
    Return what `text` says.

    Raises:
        BadAnswer: There is no address, no credentials or no fingerprint in it.
    """
    session, *sections = text.replace("\r\n", "\n").split("\nm=")
    everything = _attributes(text)
    ufrag, password = _first(everything, "ice-ufrag"), _first(everything, "ice-pwd")
    prints = tuple(_pair(value) for value in dict.fromkeys(everything.get("fingerprint", [])))
    candidates = [value.split() for value in everything.get("candidate", [])]
    addresses = [(fields[4], int(fields[5])) for fields in candidates if len(fields) > 5 and fields[2].lower() == "udp"]
    if not (prints and addresses and session):
        raise BadAnswer("no fingerprint or no address")
    loopback = [one for one in addresses if one[0].startswith("127.")]
    lines = tuple(_line(section) for section in sections)
    return Answer(ufrag, password, prints, (loopback or addresses)[0], lines)


def _line(section: str) -> AnswerLine:
    attributes = _attributes(section)
    direction = next(
        (word for word in ("sendonly", "recvonly", "inactive", "sendrecv") if word in attributes), "sendrecv"
    )
    ssrcs = attributes.get("ssrc", [])
    return AnswerLine(
        kind=section.split(" ", 1)[0].strip(),
        mid=_first(attributes, "mid"),
        direction=direction,
        ssrc=int(ssrcs[0].split()[0]) if ssrcs and direction in ("sendonly", "sendrecv") else None,
    )


def _attributes(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            found.setdefault(name, []).append(value.strip())
    return found


def _first(attributes: dict[str, list[str]], name: str) -> str:
    values = attributes.get(name)
    if not values:
        raise BadAnswer(f"no {name}")
    return values[0]


def _pair(value: str) -> tuple[str, str]:
    algorithm, _, digest = value.partition(" ")
    return algorithm, digest.strip()
