"""Session descriptions: a strict parser of the offers that we take, and the writer of our answers.

RFC 8866 (SDP), RFC 8829 (JSEP), RFC 8843 (BUNDLE), RFC 8839 (ICE), RFC 8851 (rid), RFC 8853 (simulcast).
Remote candidates are not read: an endpoint's address is learnt from its authenticated checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from broker.domain.plan import Media
from broker.media.forward.api import Codec
from broker.ports import OfferRefused

MAX_CHARS = 256 * 1024  # an offer with 33 lines and every codec has 155 kB (wall.md §3)
MAX_LINE_CHARS = 4096
MAX_MEDIA_LINES = 128
MAX_RIDS = 3

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
    Media.AUDIO: ("nack", "transport-cc"),
    Media.VIDEO: ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"),
}
NAMES: Mapping[Codec, str] = {Codec.OPUS: "opus/48000/2", Codec.VP8: "VP8/90000", Codec.H264: "H264/90000"}
RED_NAME = "red/48000/2"
CODECS: Mapping[Media, tuple[Codec, ...]] = {Media.AUDIO: (Codec.OPUS,), Media.VIDEO: (Codec.VP8, Codec.H264)}
OPUS_PARAMETERS = "minptime=10;useinbandfec=1"  # what we ask for (RFC 7587 §7), whatever was offered
MAX_VIDEO_KBPS = 2000  # below the cap of a seat (2.5 Mbit/s), so that an honest browser never meets it

_MEDIA = re.compile(r"m=([a-z]{1,16}) (\d{1,5}) ([A-Za-z/]{1,32})((?: [A-Za-z0-9-]{1,32}){1,128})")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,16}")
_ICE = re.compile(r"[A-Za-z0-9+/]+")
_EXTMAP = re.compile(r"(\d{1,3})(?:/[a-z]+)? (\S{1,200})(?: .*)?")
_RTPMAP = re.compile(r"(\d{1,3}) (\S{1,64})")
_FMTP = re.compile(r"(\d{1,3}) ([A-Za-z0-9=;:,./_+\- ]{1,400})")
_FINGERPRINT = re.compile(r"(sha-(?:256|384|512)) ((?:[0-9A-Fa-f]{2}:){31,63}[0-9A-Fa-f]{2})", re.IGNORECASE)
_RID = re.compile(r"([A-Za-z0-9_-]{1,16}) send(?: .*)?")
_RID_LIST = r"~?[A-Za-z0-9_-]{1,16}(?:[;,]~?[A-Za-z0-9_-]{1,16}){0,15}"
_SIMULCAST = re.compile(rf"(?:recv {_RID_LIST} )?send ({_RID_LIST})(?: recv {_RID_LIST})?|recv {_RID_LIST}")
_BASELINE = re.compile(r"42([0-9a-f]{2})[0-9a-f]{2}")
_SSRC = re.compile(r"(\d{1,10}) .*")
_FID = re.compile(r"FID (\d{1,10}) (\d{1,10})")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class PayloadTypes:
    """A codec's payload type on a line, and that of its retransmissions."""

    payload_type: int
    rtx: int | None = None
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class OfferedLine:
    """One media section of an offer. `kind` is None for what we do not carry (it is answered port 0).

    `codecs` holds all that we can carry, in the order of the offer; `rids` the encodings that the offer would send,
    in its order, lowest first, at most `MAX_RIDS`, and nothing where it offers no simulcast; `red` the payload type
    of redundant Opus (RFC 2198), which `prefers_red` puts before the plain one.
    """

    text: str
    kind: Media | None
    mid: str
    direction: str
    codecs: Mapping[Codec, PayloadTypes] = field(default_factory=dict)
    red: int | None = None
    prefers_red: bool = False
    extensions: Mapping[str, int] = field(default_factory=dict)
    feedback: frozenset[str] = frozenset()
    rids: tuple[str, ...] = ()
    ssrc: int | None = None
    rtx_ssrc: int | None = None

    @property
    def preferred(self) -> Codec | None:
        """The codec that the offer would rather send."""
        return next(iter(self.codecs), None)


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
    maps = {int(m[1]): m[2].lower() for v in _values(section, "rtpmap") if (m := _RTPMAP.fullmatch(v))}
    formats = {int(m[1]): m[2] for v in _values(section, "fmtp") if (m := _FMTP.fullmatch(v))}
    codecs = _codecs(kind, payload_types, maps, formats)
    if not codecs and direction != "inactive":
        raise OfferRefused("offer_no_codec")
    line = OfferedLine(section[0], kind, mid, direction, codecs)
    return _with_details(_with_red(line, payload_types, maps, formats), section)


def _codecs(
    kind: Media, payload_types: Sequence[int], maps: Mapping[int, str], formats: Mapping[int, str]
) -> dict[Codec, PayloadTypes]:
    """Return the payload types of the codecs that we carry, in the order of the offer."""
    chosen: dict[Codec, int] = {}
    for codec in CODECS[kind]:
        named = [pt for pt in payload_types if maps.get(pt) == NAMES[codec].lower()]
        if codec is Codec.H264:
            named = _baseline(named, formats)
        if named:
            chosen[codec] = named[0]
    return {
        codec: PayloadTypes(pt, _rtx(pt, payload_types, maps, formats), formats.get(pt, ""))
        for codec, pt in sorted(chosen.items(), key=lambda item: payload_types.index(item[1]))
    }


def _with_red(
    line: OfferedLine, payload_types: Sequence[int], maps: Mapping[int, str], formats: Mapping[int, str]
) -> OfferedLine:
    """Add the payload type of RED whose blocks are all of the line's Opus."""
    if (opus := line.codecs.get(Codec.OPUS)) is None:
        return line
    blocks = re.compile(rf"{opus.payload_type}(?:/{opus.payload_type}){{1,31}}")
    found = (pt for pt in payload_types if maps.get(pt) == RED_NAME and blocks.fullmatch(formats.get(pt, "")))
    red = next(found, None)
    first = red is not None and payload_types.index(red) < payload_types.index(opus.payload_type)
    return replace(line, red=red, prefers_red=first)


def _rtx(pt: int, payload_types: Sequence[int], maps: Mapping[int, str], formats: Mapping[int, str]) -> int | None:
    """Return the payload type of what is sent again of `pt` (RFC 4588)."""
    return next((x for x in payload_types if maps.get(x) == "rtx/90000" and formats.get(x) == f"apt={pt}"), None)


def _baseline(payload_types: Sequence[int], formats: Mapping[int, str]) -> list[int]:
    """Return those in packetization mode 1 and the constrained baseline profile, then those in plain baseline.

    RFC 6184 §8.1: the second byte of profile-level-id holds the constraints, 0x40 makes the baseline a constrained one.
    """
    found: dict[bool, list[int]] = {True: [], False: []}
    for pt in payload_types:
        pairs = (pair.strip().partition("=") for pair in formats.get(pt, "").lower().split(";"))
        parameters = {name: value for name, _, value in pairs}
        profile = _BASELINE.fullmatch(parameters.get("profile-level-id", ""))
        if profile and parameters.get("packetization-mode") == "1":
            found[bool(int(profile[1], 16) & 0x40)].append(pt)
    return found[True] + found[False]


def _with_details(line: OfferedLine, section: Sequence[str]) -> OfferedLine:
    if line.kind is None or not line.codecs:
        return line
    kind = line.kind
    extensions = {
        m[2]: int(m[1])
        for v in _values(section, "extmap")
        if (m := _EXTMAP.fullmatch(v)) and m[2] in EXTENSIONS[kind] and 1 <= int(m[1]) <= 255 and int(m[1]) != 15
    }
    offered = [value.partition(" ") for value in _values(section, "rtcp-fb")]
    by_codec = [{name for pt, _, name in offered if pt in ("*", str(own.payload_type))} for own in line.codecs.values()]
    pairs = [(int(m[1]), int(m[2])) for v in _values(section, "ssrc-group") if (m := _FID.fullmatch(v))]
    singles = [int(m[1]) for v in _values(section, "ssrc") if (m := _SSRC.fullmatch(v))]
    media: int | None = pairs[0][0] if pairs else next(iter(singles), None)
    repair: int | None = pairs[0][1] if pairs else None
    rids = _rids(section) if RID in extensions else ()
    return replace(
        line,
        extensions=extensions,
        feedback=frozenset(FEEDBACK[kind]).intersection(*by_codec),
        rids=rids,
        # With simulcast a source is told by its rid: which of several SSRCs is which, no offer says.
        ssrc=media if not rids and media is not None and media < 1 << 32 else None,
        rtx_ssrc=repair if not rids and repair is not None and repair < 1 << 32 else None,
    )


def _rids(section: Sequence[str]) -> tuple[str, ...]:
    """Return what `a=simulcast` would send (RFC 8853 §5.1): of alternatives the first, a paused one as any other."""
    values = _values(section, "simulcast")
    if not values:
        return ()
    match = _SIMULCAST.fullmatch(values[0])
    if match is None or len(values) > 1:
        raise OfferRefused("offer_malformed")
    declared = {m[1] for v in _values(section, "rid") if (m := _RID.fullmatch(v))}
    wanted = [stream.split(",")[0].removeprefix("~") for stream in (match[1] or "").split(";")]
    if len(set(wanted)) != len(wanted):
        raise OfferRefused("offer_malformed")
    return tuple(rid for rid in wanted if rid in declared)[:MAX_RIDS]


def write_answer(offer: Offer, transport: Transport, receiving: frozenset[str], sending: Mapping[str, SendLine]) -> str:
    """Return the answer: `receiving` holds the mids that we take media on, `sending` those that we send on.

    Every other line that we could carry is answered inactive, and what we do not carry with port 0.
    """
    carried = [line for line in offer.lines if line.kind and line.codecs]
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
        if line.kind is None or not line.codecs:
            out += _rejected(line)
            continue
        direction = "recvonly" if line.mid in receiving else "sendonly" if line.mid in sending else "inactive"
        out += _head(line, direction)
        out += _transport(transport)
        out += _codec_lines(line, line.kind, direction)
        out += _simulcast(line) if direction == "recvonly" else []
        out += _sources(line, sending[line.mid]) if direction == "sendonly" else []
    return "\r\n".join(out) + "\r\n"


def _answered(line: OfferedLine, direction: str) -> list[tuple[Codec, PayloadTypes]]:
    """Return the codecs of an answer: all that a line may be sent, and the one that it shall send itself."""
    codecs = list(line.codecs.items())
    return codecs if direction == "sendonly" else codecs[:1]


def _rejected(line: OfferedLine) -> list[str]:
    kind, _, rest = line.text[2:].split(" ", 2)
    out = [f"m={kind} 0 {rest}", "c=IN IP4 0.0.0.0", "a=inactive"]
    if _TOKEN.fullmatch(line.mid):
        out.append(f"a=mid:{line.mid}")
    return out


def _head(line: OfferedLine, direction: str) -> list[str]:
    types = [pt for _, own in _answered(line, direction) for pt in (own.payload_type, own.rtx) if pt is not None]
    if line.red is not None:
        types.insert(0 if line.prefers_red else len(types), line.red)
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


def _codec_lines(line: OfferedLine, kind: Media, direction: str) -> list[str]:
    # What we send carries no transport-wide numbers: its receiver estimates by REMB.
    left_out = "transport-cc" if direction == "sendonly" else ""
    wanted = [feedback for feedback in FEEDBACK[kind] if feedback in line.feedback and feedback != left_out]
    out = []
    for codec, own in _answered(line, direction):
        out.append(f"a=rtpmap:{own.payload_type} {NAMES[codec]}")
        if parameters := OPUS_PARAMETERS if codec is Codec.OPUS else own.parameters:
            out.append(f"a=fmtp:{own.payload_type} {parameters}")
        out += [f"a=rtcp-fb:{own.payload_type} {feedback}" for feedback in wanted]
        if own.rtx is not None:
            out += [f"a=rtpmap:{own.rtx} rtx/90000", f"a=fmtp:{own.rtx} apt={own.payload_type}"]
        if line.red is not None:
            out += [f"a=rtpmap:{line.red} {RED_NAME}", f"a=fmtp:{line.red} {own.payload_type}/{own.payload_type}"]
    out += [f"a=extmap:{number} {uri}" for uri, number in answered_extensions(line, direction).items()]
    return out


def answered_extensions(line: OfferedLine, direction: str) -> dict[str, int]:
    """Return the header extensions of an answered line by URI.

    What we send carries abs-send-time on pictures alone, without which a receiver takes the publisher's jitter for
    congestion of its own link; its id fits an element's four bits (RFC 8285 §4.2).
    """
    if line.kind is None:
        return {}
    found = {uri: line.extensions[uri] for uri in EXTENSIONS[line.kind] if uri in line.extensions}
    if direction == "recvonly":
        return found
    stamps = direction == "sendonly" and line.kind is Media.VIDEO and found.get(ABS_SEND_TIME, 15) < 15
    return {ABS_SEND_TIME: found[ABS_SEND_TIME]} if stamps else {}


def _simulcast(line: OfferedLine) -> list[str]:
    if not line.rids:
        return []
    return [*(f"a=rid:{rid} recv" for rid in line.rids), f"a=simulcast:recv {';'.join(line.rids)}"]


def _sources(line: OfferedLine, send: SendLine) -> list[str]:
    """Name the sources; a browser keeps what shares a stream in step."""
    repairs = any(own.rtx is not None for own in line.codecs.values())
    ssrcs = [send.ssrc, send.rtx_ssrc] if repairs else [send.ssrc]
    out = [f"a=msid:{send.stream} track{send.ssrc}"]
    if repairs:
        out.append(f"a=ssrc-group:FID {send.ssrc} {send.rtx_ssrc}")
    return [*out, *(f"a=ssrc:{ssrc} cname:relay" for ssrc in ssrcs)]
