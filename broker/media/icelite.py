"""ICE-lite (RFC 8445 §2.5): the relay answers connectivity checks and learns an endpoint's address from them."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass

from aioice import stun

MAX_BYTES = 600  # a check of any browser has about 100
_ATTRIBUTE = struct.Struct("!HH")
_USERNAME = 0x0006


@dataclass(frozen=True, slots=True)
class Check:
    """An authenticated binding request."""

    transaction_id: bytes
    nominated: bool


def new_credentials() -> tuple[str, str]:
    """Return a fresh (ufrag, pwd): 64 and 128 random bits, in characters of RFC 8839."""
    return secrets.token_hex(8), secrets.token_hex(16)


def local_ufrag(datagram: bytes) -> str | None:
    """Return whom a binding request is for, before anything costly is done with it; None where it is none."""
    if not 20 <= len(datagram) <= MAX_BYTES or datagram[0:2] != b"\x00\x01" or datagram[4:8] != b"\x21\x12\xa4\x42":
        return None
    at = 20
    while at + 4 <= len(datagram):
        kind, length = _ATTRIBUTE.unpack_from(datagram, at)
        at += 4
        if kind == _USERNAME:
            return datagram[at : at + length].split(b":", 1)[0].decode("ascii", "replace")
        at += length + (-length & 3)
    return None


def authenticate(datagram: bytes, pwd: str) -> Check | None:
    """Return the check that `datagram` is, or None where its integrity or its form is wrong."""
    try:
        message = stun.parse_message(datagram)
    except (ValueError, struct.error):  # aioice raises both for malformed attributes
        return None
    if not message.check_message_integrity(pwd.encode()) or "ICE-CONTROLLED" in message.attributes:
        return None
    return Check(message.transaction_id, "USE-CANDIDATE" in message.attributes)


def reply(check: Check, address: tuple[str, int], pwd: str) -> bytes:
    """Return the success response to `check`, which came from `address`."""
    message = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, check.transaction_id)
    message.attributes["XOR-MAPPED-ADDRESS"] = address
    message.add_message_integrity(pwd.encode())
    return bytes(message)
