"""What takes the place of a paused picture: one black key frame for each codec, made by scripts/make_black.py.

A page hides a paused picture by itself; a client that ignores signalling would go on showing the last frame.
160 by 90: the usual shape, above the least size of hardware decoders, and each frame fits one packet.
"""

from __future__ import annotations

from collections.abc import Mapping

from broker.media import rtp
from broker.media.forward.api import Codec

BLACK: Mapping[Codec, bytes] = {
    Codec.VP8: bytes.fromhex(
        "5005009d012aa0005a000bc7088585888584883f820006280f0875549aee21d5526bb8875549aee21d5526bb8875549aee21bc00fee6b500"
    ),
    Codec.H264: bytes.fromhex(
        "7800166742c01fdc28df9210000003001000000301e0f18338000568ce0194b2003965888404bc98a00020bf2727272727272727275d75d7"
        "5d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d75d78"
    ),
}
"""Codec → the frame as one payload: for VP8 what follows the payload descriptor (RFC 7741), for H264 a STAP-A of
sequence and picture parameter sets and the IDR slice (RFC 6184 §5.7.1). Sent with the marker set."""


def is_black(codec: Codec, payload: rtp.Octets) -> bool:
    """Tell whether an RTP payload is our black frame, byte for byte; a VP8 payload has its descriptor in front."""
    if codec is Codec.VP8:
        descriptor = rtp.parse_vp8(payload)
        return descriptor is not None and descriptor.key and payload[descriptor.size :] == BLACK[Codec.VP8]
    return payload == BLACK.get(codec)
