"""H264 payloads as the relay reads them (RFC 6184): where a key frame begins, and nothing else."""

from __future__ import annotations

from broker.media.rtp import Octets

_SPS = 7
_STAP_A = 24  # §5.7.1
_FU_A = 28  # §5.8
_START_AND_TYPE = 0x9F  # of a fragment's second byte


def key_start(payload: Octets) -> bool:
    """Tell whether a decoder can begin at this payload: it brings a sequence parameter set.

    A set stands before every IDR picture that WebRTC sends (RFC 7742 §6.2: in band). An IDR slice without one is no
    beginning: a receiver that has seen nothing else cannot decode it. What is malformed is none either.
    """
    if len(payload) < 2 or payload[0] & 0x80:  # the forbidden bit
        return False
    kind = payload[0] & 0x1F
    if kind == _STAP_A:
        return _aggregates_sps(payload)
    if kind == _FU_A:
        return payload[1] & _START_AND_TYPE == 0x80 | _SPS
    return kind == _SPS


def _aggregates_sps(payload: Octets) -> bool:
    """Walk the units of a STAP-A, each behind its size of two bytes."""
    at, end, found = 1, len(payload), False
    while at < end:
        if at + 2 >= end:
            return False
        size = payload[at] << 8 | payload[at + 1]
        at += 2
        if size == 0 or at + size > end:
            return False
        found = found or payload[at] & 0x1F == _SPS
        at += size
    return found
