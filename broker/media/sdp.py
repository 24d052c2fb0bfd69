"""Session descriptions: a strict parser of the offers that we take, and the writer of our answers.

RFC 8866 (SDP), RFC 8829 (JSEP), RFC 8843 (BUNDLE), RFC 8839 (ICE), RFC 8851 (rid).
Remote candidates are not read: an endpoint's address is learnt from its authenticated checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from broker.domain.plan import Media
from broker.ports import OfferRefused

MAX_CHARS = 256 * 1024  # an offer with 33 lines and every codec has 155 kB (wall.md §3)
MAX_LINE_CHARS = 4096
MAX_MEDIA_LINES = 128

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

EXTENSIONS: Mapping[Media, tuple[str, ...]] = {
    Media.AUDIO: (MID, TRANSPORT_CC, ABS_SEND_TIME, AUDIO_LEVEL),
    Media.VIDEO: (MID, RID, REPAIRED_RID, TRANSPORT_CC, ABS_SEND_TIME),
}
FEEDBACK: Mapping[Media, tuple[str, ...]] = {
    Media.AUDIO: ("transport-cc",),
    Media.VIDEO: ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"),
}
CODECS: Mapping[Media, str] = {Media.AUDIO: "opus/48000/2", Media.VIDEO: "vp8/90000"}
MAX_VIDEO_KBPS = 2000  # below the cap of a seat (2.5 Mbit/s), so that an honest browser never meets it

_MEDIA = re.compile(r"m=([a-z]{1,16}) (\d{1,5}) ([A-Za-z/]{1,32})((?: [A-Za-z0-9-]{1,32}){1,128})")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,16}")
_ICE = re.compile(r"[A-Za-z0-9+/]+")
_EXTMAP = re.compile(r"(\d{1,3})(?:/[a-z]+)? (\S{1,200})(?: .*)?")
_RTPMAP = re.compile(r"(\d{1,3}) (\S{1,64})")
_FMTP = re.compile(r"(\d{1,3}) ([A-Za-z0-9=;:,./_+\- ]{1,400})")
_FINGERPRINT = re.compile(r"(sha-(?:256|384|512)) ((?:[0-9A-Fa-f]{2}:){31,63}[0-9A-Fa-f]{2})", re.IGNORECASE)
_RID = re.compile(r"([A-Za-z0-9_-]{1,16}) send(?: .*)?")
_SSRC = re.compile(r"(\d{1,10}) .*")
_FID = re.compile(r"FID (\d{1,10}) (\d{1,10})")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Codec:
    """The payload types of the one codec that we forward on a line."""

    payload_type: int
    rtx: int | None = None
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class OfferedLine:
    """One media section of an offer. `kind` is None for what we do not carry (it is answered port 0)."""

    text: str
    kind: Media | None
    mid: str
    direction: str
    codec: Codec | None = None
    extensions: Mapping[str, int] = field(default_factory=dict)
    feedback: frozenset[str] = frozenset()
    rids: tuple[str, ...] = ()
    ssrc: int | None = None
    rtx_ssrc: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What an endpoint offers: one ICE and DTLS transport, and its media sections in order."""

    lines: tuple[OfferedLine, ...]
    ufrag: str
    pwd: str
    fingerprints: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SendLine:
    """What the relay sends on a line of an answer, fixed for the life of the connection."""

    ssrc: int
    rtx_ssrc: int
    stream: str


@dataclass(frozen=True, slots=True)
class Transport:
    """The relay's side of an answer."""

    session: int
    ufrag: str
    pwd: str
    fingerprint: tuple[str, str]
    candidates: tuple[tuple[str, int], ...]


def parse_offer(text: str) -> Offer:
    """Return what `text` offers.

    Raises:
        OfferRefused: `offer_too_long`, `offer_malformed`, `offer_not_bundled`, `offer_no_ice`,
            `offer_no_fingerprint`, `offer_not_active` or `offer_no_codec`. Nothing else is raised.
    """
    session, sections = _sections(text)
    lines = tuple(_line(section) for section in sections)
    carried = [(line, section) for line, section in zip(lines, sections, strict=True) if line.kind]
    _check_bundle(session, carried)
    first = carried[0][1]
    ufrag, pwd = _one(session, first, "ice-ufrag"), _one(session, first, "ice-pwd")
    if not (4 <= len(ufrag) <= 256 and 22 <= len(pwd) <= 256 and _ICE.fullmatch(ufrag) and _ICE.fullmatch(pwd)):
        raise OfferRefused("offer_no_ice")
    found = [_FINGERPRINT.fullmatch(value) for value in _all(session, first, "fingerprint")]
    fingerprints = tuple((match[1].lower(), match[2].upper()) for match in found if match)
    if not fingerprints:
        raise OfferRefused("offer_no_fingerprint")
    if _one(session, first, "setup") not in ("actpass", "active"):
        raise OfferRefused("offer_not_active")
    return Offer(lines, ufrag, pwd, fingerprints)


def _sections(text: str) -> tuple[list[str], list[list[str]]]:
    """Split into the session's lines and those of each media section, whose first is its m-line."""
    if len(text) > MAX_CHARS:
        raise OfferRefused("offer_too_long")
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[0] != "v=0" or not all(
        len(line) <= MAX_LINE_CHARS and len(line) >= 2 and line[1] == "=" and line.isprintable() for line in lines
    ):
        raise OfferRefused("offer_malformed")
    session: list[str] = []
    sections: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            sections.append([line])
        elif sections:
            sections[-1].append(line)
        else:
            session.append(line)
    if not sections:
        raise OfferRefused("offer_malformed")
    if len(sections) > MAX_MEDIA_LINES:
        raise OfferRefused("offer_too_long")
    return session, sections


def _values(lines: Sequence[str], name: str) -> list[str]:
    prefix = f"a={name}:"
    return [line[len(prefix) :] for line in lines if line.startswith(prefix)]


def _all(session: Sequence[str], section: Sequence[str], name: str) -> list[str]:
    return _values(section, name) or _values(session, name)


def _one(session: Sequence[str], section: Sequence[str], name: str) -> str:
    values = _all(session, section, name)
    return values[0] if values else ""


def _check_bundle(session: Sequence[str], carried: Sequence[tuple[OfferedLine, Sequence[str]]]) -> None:
    mids = [line.mid for line, _ in carried]
    groups = [value.split(" ")[1:] for value in _values(session, "group") if value.startswith("BUNDLE ")]
    if not mids or len(set(mids)) != len(mids):
        raise OfferRefused("offer_malformed")
    if not groups or not set(mids) <= set(groups[0]):
        raise OfferRefused("offer_not_bundled")
    if any("a=rtcp-mux" not in section for _, section in carried):
        raise OfferRefused("offer_not_bundled")


def _line(section: Sequence[str]) -> OfferedLine:
    match = _MEDIA.fullmatch(section[0])
    if match is None:
        raise OfferRefused("offer_malformed")
    mid = (_values(section, "mid") or [""])[0]
    direction = next((d for d in _DIRECTIONS if f"a={d}" in section), "sendrecv")
    if match[1] not in set(Media) or match[3] != "UDP/TLS/RTP/SAVPF":
        return OfferedLine(section[0], None, mid, direction)
    if not _TOKEN.fullmatch(mid):
        raise OfferRefused("offer_malformed")
    kind = Media(match[1])
    payload_types = [int(word) for word in match[4].split() if word.isdecimal() and int(word) < 128]
    codec = _codec(section, kind, payload_types)
    if codec is None and direction != "inactive":
        raise OfferRefused("offer_no_codec")
    line = OfferedLine(section[0], kind, mid, direction, codec)
    return _with_details(line, section)


def _codec(section: Sequence[str], kind: Media, payload_types: Sequence[int]) -> Codec | None:
    """Return the first payload type of the codec that we forward, with its retransmission type."""
    maps = {int(m[1]): m[2].lower() for v in _values(section, "rtpmap") if (m := _RTPMAP.fullmatch(v))}
    formats = {int(m[1]): m[2] for v in _values(section, "fmtp") if (m := _FMTP.fullmatch(v))}
    chosen = next((pt for pt in payload_types if maps.get(pt) == CODECS[kind]), None)
    if chosen is None:
        return None
    rtx = next(
        (pt for pt in payload_types if maps.get(pt) == "rtx/90000" and formats.get(pt) == f"apt={chosen}"),
        None,
    )
    return Codec(chosen, rtx, formats.get(chosen, ""))


def _with_details(line: OfferedLine, section: Sequence[str]) -> OfferedLine:
    kind, codec = line.kind, line.codec
    if kind is None or codec is None:
        return line
    extensions = {
        m[2]: int(m[1])
        for v in _values(section, "extmap")
        if (m := _EXTMAP.fullmatch(v)) and m[2] in EXTENSIONS[kind] and 1 <= int(m[1]) <= 255 and int(m[1]) != 15
    }
    offered = {
        value.split(" ", 1)[1]
        for value in _values(section, "rtcp-fb")
        if value.startswith((f"{codec.payload_type} ", "* "))
    }
    pairs = [(int(m[1]), int(m[2])) for v in _values(section, "ssrc-group") if (m := _FID.fullmatch(v))]
    singles = [int(m[1]) for v in _values(section, "ssrc") if (m := _SSRC.fullmatch(v))]
    media: int | None = pairs[0][0] if pairs else next(iter(singles), None)
    repair: int | None = pairs[0][1] if pairs else None
    return replace(
        line,
        extensions=extensions,
        feedback=frozenset(offered) & frozenset(FEEDBACK[kind]),
        rids=tuple(m[1] for v in _values(section, "rid") if (m := _RID.fullmatch(v))),
        ssrc=media if media is None or media < 1 << 32 else None,
        rtx_ssrc=repair if repair is None or repair < 1 << 32 else None,
    )


def write_answer(offer: Offer, transport: Transport, receiving: frozenset[str], sending: Mapping[str, SendLine]) -> str:
    """Return the answer: `receiving` holds the mids that we take media on, `sending` those that we send on.

    Every other line that we could carry is answered inactive, and what we do not carry with port 0.
    """
    carried = [line for line in offer.lines if line.kind and line.codec]
    out = [
        "v=0",
        f"o=- {transport.session} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=group:BUNDLE {' '.join(line.mid for line in carried)}",
        "a=msid-semantic: WMS *",
    ]
    for line in offer.lines:
        if line.kind is None or line.codec is None:
            out += _rejected(line)
            continue
        direction = "recvonly" if line.mid in receiving else "sendonly" if line.mid in sending else "inactive"
        out += _head(line, line.codec, direction)
        out += _transport(transport)
        out += _codec_lines(line, line.codec, line.kind, direction)
        if direction == "sendonly":
            out += _sources(sending[line.mid], line.codec)
    return "\r\n".join(out) + "\r\n"


def _rejected(line: OfferedLine) -> list[str]:
    kind, _, rest = line.text[2:].split(" ", 2)
    out = [f"m={kind} 0 {rest}", "c=IN IP4 0.0.0.0", "a=inactive"]
    if _TOKEN.fullmatch(line.mid):
        out.append(f"a=mid:{line.mid}")
    return out


def _head(line: OfferedLine, codec: Codec, direction: str) -> list[str]:
    types = [codec.payload_type] if codec.rtx is None else [codec.payload_type, codec.rtx]
    out = [
        f"m={line.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, types))}",
        "c=IN IP4 0.0.0.0",
    ]
    if line.kind is Media.VIDEO and direction == "recvonly":
        out.append(f"b=AS:{MAX_VIDEO_KBPS}")
    return [*out, f"a=mid:{line.mid}", f"a={direction}", "a=rtcp-mux", "a=rtcp-rsize"]


def _transport(transport: Transport) -> list[str]:
    algorithm, value = transport.fingerprint
    out = [
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        f"a=fingerprint:{algorithm} {value}",
        "a=setup:passive",
    ]
    for number, (host, port) in enumerate(transport.candidates, 1):
        priority = (126 << 24) | (65536 - number) << 8 | 255  # RFC 8445 §5.1.2.1: host, earlier is better
        out.append(f"a=candidate:{number} 1 udp {priority} {host} {port} typ host")
    return [*out, "a=end-of-candidates"]


def _codec_lines(line: OfferedLine, codec: Codec, kind: Media, direction: str) -> list[str]:
    name = {Media.AUDIO: "opus/48000/2", Media.VIDEO: "VP8/90000"}[kind]
    out = [f"a=rtpmap:{codec.payload_type} {name}"]
    if codec.parameters:
        out.append(f"a=fmtp:{codec.payload_type} {codec.parameters}")
    # What we send carries no transport-wide numbers: its receiver estimates by REMB.
    left_out = "transport-cc" if direction == "sendonly" else ""
    wanted = [feedback for feedback in FEEDBACK[kind] if feedback in line.feedback and feedback != left_out]
    out += [f"a=rtcp-fb:{codec.payload_type} {feedback}" for feedback in wanted]
    if codec.rtx is not None:
        out += [f"a=rtpmap:{codec.rtx} rtx/90000", f"a=fmtp:{codec.rtx} apt={codec.payload_type}"]
    if direction == "recvonly":
        out += [f"a=extmap:{line.extensions[uri]} {uri}" for uri in EXTENSIONS[kind] if uri in line.extensions]
    return out


def _sources(send: SendLine, codec: Codec) -> list[str]:
    """Name the sources; a browser keeps what shares a stream in step."""
    ssrcs = [send.ssrc] if codec.rtx is None else [send.ssrc, send.rtx_ssrc]
    out = [f"a=msid:{send.stream} track{send.ssrc}"]
    if codec.rtx is not None:
        out.append(f"a=ssrc-group:FID {send.ssrc} {send.rtx_ssrc}")
    return [*out, *(f"a=ssrc:{ssrc} cname:relay" for ssrc in ssrcs)]
