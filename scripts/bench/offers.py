"""The SDP of the load's endpoints: offers as a browser writes them, and what the load reads in a server's."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.compiled import Stream
from broker.domain.plan import Media

AUDIO_TYPE, VIDEO_TYPE, RTX_TYPE = 111, 96, 97
LEVEL_ID, TIME_ID, CC_ID, MID_ID, RID_ID, REPAIRED_RID_ID = 1, 2, 3, 4, 10, 11
URIS = {
    LEVEL_ID: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    TIME_ID: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    CC_ID: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    MID_ID: "urn:ietf:params:rtp-hdrext:sdes:mid",
    RID_ID: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    REPAIRED_RID_ID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
}
LOUDNESS = 0x80 | 40  # voice, -40 dBov


@dataclass(frozen=True)
class Layer:
    """One encoding of a picture: 25 frames a second of so many packets. No rid: not simulcast."""

    rid: str | None
    frames: tuple[int, int, int, int, int]
    packet_bytes: int


ONE_LAYER = (Layer(None, (4, 5, 4, 5, 4), 1100),)  # 22 packets in five frames: 110 a second, 968 kbit/s
THREE_LAYERS = (  # 150, 500 and 1000 kbit/s
    Layer("l", (1, 1, 1, 1, 1), 750),
    Layer("m", (3, 3, 3, 3, 3), 833),
    Layer("h", (5, 5, 5, 5, 5), 1000),
)
SOUND_FRAMES, SOUND_BYTES = (1, 1, 1, 1, 1), 100


@dataclass(frozen=True)
class Remote:
    """What a server's SDP says about its transport."""

    ufrag: str
    pwd: str
    fingerprint: str
    address: tuple[str, int]


@dataclass
class Offer:
    """What one endpoint offers; `fingerprint` and `port` come from its transport."""

    sends: Sequence[Media]
    receives: Sequence[Media]
    layers: Sequence[Layer] = ONE_LAYER
    ufrag: str = field(default_factory=lambda: secrets.token_hex(4))
    pwd: str = field(default_factory=lambda: secrets.token_hex(12))
    sound_ssrc: int = field(default_factory=lambda: secrets.randbits(31) + 1)
    layer_ssrcs: list[int] = field(default_factory=lambda: [secrets.randbits(31) + 1 for _ in range(3)])

    def text(self, fingerprint: str, address: tuple[str, int]) -> str:
        """Return the offer's SDP: one sending line for each of `sends`, one receiving for each of `receives`."""
        lines = [(kind, "sendonly") for kind in self.sends] + [(kind, "recvonly") for kind in self.receives]
        mids = " ".join(str(mid) for mid in range(len(lines)))
        out = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mids}"]
        for mid, (kind, direction) in enumerate(lines):
            out += head(kind, str(mid), direction, types_of(kind))
            out += transport(self.ufrag, self.pwd, fingerprint, address)
            out += sound_lines() if kind is Media.AUDIO else picture_lines()
            out += self._sources(kind) if direction == "sendonly" else []
        return "\r\n".join(out) + "\r\n"

    def _sources(self, kind: Media) -> list[str]:
        if kind is Media.AUDIO:
            return [f"a=ssrc:{self.sound_ssrc} cname:load"]
        rids = [layer.rid for layer in self.layers if layer.rid]
        if not rids:
            return [f"a=ssrc:{self.layer_ssrcs[0]} cname:load"]
        named = [f"a=extmap:{number} {URIS[number]}" for number in (RID_ID, REPAIRED_RID_ID)]
        return named + [f"a=rid:{rid} send" for rid in rids] + [f"a=simulcast:send {';'.join(rids)}"]

    def streams(self) -> list[Stream]:
        """Return what this endpoint sends."""
        found: list[Stream] = []
        for mid, kind in enumerate(self.sends):
            if kind is Media.AUDIO:
                extension = [element(LEVEL_ID, bytes([LOUDNESS])), *timed(mid)]
                found.append(stream(False, self.sound_ssrc, AUDIO_TYPE, SOUND_BYTES, SOUND_FRAMES, extension))
                continue
            for layer, ssrc in zip(self.layers, self.layer_ssrcs, strict=False):
                extension = timed(mid) + ([element(RID_ID, layer.rid.encode())] if layer.rid else [])
                found.append(stream(True, ssrc, VIDEO_TYPE, layer.packet_bytes, layer.frames, extension))
        return found


def types_of(kind: Media) -> list[int]:
    """Return the payload types that we offer."""
    return [AUDIO_TYPE] if kind is Media.AUDIO else [VIDEO_TYPE, RTX_TYPE]


def head(kind: str, mid: str, direction: str, types: Sequence[int | str]) -> list[str]:
    """Return the first lines of a media section."""
    return [
        f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, types))}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
    ]


def transport(ufrag: str, pwd: str, fingerprint: str, address: tuple[str, int]) -> list[str]:
    """Return the transport's lines; the load is always the DTLS client."""
    return [
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{pwd}",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:active",
        f"a=candidate:1 1 udp 2130706431 {address[0]} {address[1]} typ host",
        "a=end-of-candidates",
    ]


def sound_lines() -> list[str]:
    """Return codec and extensions of a line of sound."""
    out = [f"a=rtpmap:{AUDIO_TYPE} opus/48000/2", f"a=fmtp:{AUDIO_TYPE} minptime=10;useinbandfec=1"]
    out.append(f"a=rtcp-fb:{AUDIO_TYPE} transport-cc")
    return out + [f"a=extmap:{number} {URIS[number]}" for number in (LEVEL_ID, TIME_ID, CC_ID, MID_ID)]


def picture_lines() -> list[str]:
    """Return codecs and extensions of a line of pictures."""
    feedback = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
    out = [f"a=rtpmap:{VIDEO_TYPE} VP8/90000"]
    out += [f"a=rtcp-fb:{VIDEO_TYPE} {name}" for name in feedback]
    out += [f"a=rtpmap:{RTX_TYPE} rtx/90000", f"a=fmtp:{RTX_TYPE} apt={VIDEO_TYPE}"]
    return out + [f"a=extmap:{number} {URIS[number]}" for number in (TIME_ID, CC_ID, MID_ID)]


def element(number: int, value: bytes) -> bytes:
    """Return one element of a one-byte header extension (RFC 8285 §4.2)."""
    return bytes([number << 4 | len(value) - 1]) + value


def timed(mid: int) -> list[bytes]:
    """Return what every packet carries: sending time, transport-wide number, mid."""
    return [element(TIME_ID, bytes(3)), element(CC_ID, bytes(2)), element(MID_ID, str(mid).encode())]


def stream(
    is_video: bool,
    ssrc: int,
    payload_type: int,
    packet_bytes: int,
    frames: tuple[int, int, int, int, int],
    elements: Sequence[bytes],
) -> Stream:
    """Return the stream with its header extension put together."""
    body = b"".join(elements)
    body += bytes(-len(body) % 4)
    extension = b"\xbe\xde" + (len(body) // 4).to_bytes(2, "big") + body

    def place(number: int, length: int) -> int:
        return extension.index(bytes([number << 4 | length - 1]) + bytes(length)) + 1

    return Stream(is_video, ssrc, payload_type, packet_bytes, frames, extension, place(CC_ID, 2), place(TIME_ID, 3))


# --- reading -----------------------------------------------------------------


def sections(text: str) -> list[list[str]]:
    """Return the lines of each media section."""
    return [f"m={part}".replace("\r\n", "\n").rstrip("\n").split("\n") for part in text.split("\nm=")[1:]]


def values(lines: Sequence[str], name: str) -> list[str]:
    """Return every value of an attribute."""
    return [line[len(name) + 3 :] for line in lines if line.startswith(f"a={name}:")]


def remote(text: str, host: str) -> Remote:
    """Return a server's transport, by its candidate on `host`."""
    lines = text.replace("\r\n", "\n").split("\n")
    found = [value.split() for value in values(lines, "candidate")]
    port = next(int(words[5]) for words in found if words[2].lower() == "udp" and words[4] == host)
    fingerprint = values(lines, "fingerprint")[0].split(" ")[1]
    return Remote(values(lines, "ice-ufrag")[0], values(lines, "ice-pwd")[0], fingerprint, (host, port))


def answer(offered: str, ufrag: str, pwd: str, fingerprint: str, address: tuple[str, int]) -> str:
    """Return an answer that receives everything that `offered` sends (Janus offers to its subscribers)."""
    found = sections(offered)
    mids = [values(section, "mid")[0] for section in found]
    out = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]
    for section, mid in zip(found, mids, strict=True):
        kind, _, _, *types = section[0][2:].split()
        out += head(kind, mid, "recvonly", types) + transport(ufrag, pwd, fingerprint, address)
        kept = ("a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=extmap:")
        out += [line for line in section if line.startswith(kept)]
    return "\r\n".join(out) + "\r\n"
