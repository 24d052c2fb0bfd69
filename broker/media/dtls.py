"""DTLS-SRTP by aiortc's transport: the only file that touches private names of aiortc and pylibsrtp.

The relay is always the DTLS server with its own profile order, so that a browser picks AES-GCM
(media.md §8). `self_test` fails loudly at start where an upstream name has moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import aiortc.rtcdtlstransport as upstream
from aiortc import RTCCertificate, RTCDtlsTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from cryptography.x509 import InvalidVersion
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

MAX_WAITING = 16  # DTLS datagrams of one endpoint not yet taken by its handshake
BUFFER_BYTES = 2048  # above any MTU that we meet, plus the SRTP trailer
SRTP_OK = 0

PROFILES = [upstream.SRTP_AEAD_AES_128_GCM, upstream.SRTP_AEAD_AES_256_GCM, upstream.SRTP_AES128_CM_SHA1_80]

unprotect: Callable[[Any, Any, Any], int] = lib.srtp_unprotect
protect: Callable[[Any, Any, Any], int] = lib.srtp_protect
unprotect_rtcp: Callable[[Any, Any, Any], int] = lib.srtp_unprotect_rtcp
protect_rtcp: Callable[[Any, Any, Any], int] = lib.srtp_protect_rtcp


class PacketBuffer:
    """BUFFER_BYTES that SRTP works on in place: `raw` and `size` for libsrtp, `view` and `bytes` for Python.

    `raw` and `size` point into memory that whoever gives them keeps, or into the buffer's own. A slice of `bytes` is a
    copy.
    """

    __slots__ = ("bytes", "raw", "size", "view")

    def __init__(self, raw: Any = None, size: Any = None) -> None:
        self.raw: Any = ffi.new("unsigned char[]", BUFFER_BYTES) if raw is None else raw
        self.size: Any = ffi.new("int *") if size is None else size
        self.bytes: Any = ffi.buffer(self.raw, BUFFER_BYTES)
        self.view = memoryview(self.bytes).cast("B")


class Keys:
    """The SRTP sessions of one connection; `rx` and `tx` are libsrtp handles, alive as long as this object."""

    def __init__(self, transport: RTCDtlsTransport) -> None:
        self._sessions = (transport._rx_srtp, transport._tx_srtp)
        self.rx: Any = transport._rx_srtp._srtp[0]
        self.tx: Any = transport._tx_srtp._srtp[0]


class Pipe:
    """The transport that aiortc's DTLS talks through: exactly `role`, `_recv` and `_send` (media.md §4)."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._out = send
        self._in: asyncio.Queue[bytes] = asyncio.Queue()
        self._is_closed = False

    def feed(self, datagram: bytes) -> bool:
        """Queue a DTLS datagram; False where too many wait."""
        if self._in.qsize() >= MAX_WAITING:
            return False
        self._in.put_nowait(datagram)
        return True

    def close(self) -> None:
        """End who reads here, even where a datagram of the same moment swallows the cancelling (wait_for of 3.11)."""
        self._is_closed = True
        self._in.put_nowait(b"")

    async def _recv(self) -> bytes:
        datagram = await self._in.get()
        if self._is_closed:
            raise ConnectionError
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self._out(datagram)


class Handshake:
    """One connection's DTLS: it runs until the peer says goodbye or `close` is called."""

    def __init__(self, certificate: RTCCertificate, send: Callable[[bytes], None]) -> None:
        self.pipe = Pipe(send)
        self._transport = RTCDtlsTransport(self.pipe, [certificate])  # type: ignore[arg-type]
        self._transport._set_role("server")
        self._transport._srtp_profiles = PROFILES
        self._ended = asyncio.Event()
        self._transport.on("statechange", self._state_changed)

    def _state_changed(self) -> None:
        if self._transport.state in ("closed", "failed"):
            self._ended.set()

    async def run(self, fingerprints: Sequence[tuple[str, str]]) -> Keys | None:
        """Shake hands; return the keys, or None where it failed or the certificate is not the offer's."""
        parameters = RTCDtlsParameters([RTCDtlsFingerprint(*pair) for pair in fingerprints])
        try:
            await self._transport.start(parameters)
        except (ValueError, InvalidVersion):  # a certificate that OpenSSL takes and cryptography cannot read
            return None
        return Keys(self._transport) if self._transport.state == "connected" else None

    @property
    def is_over(self) -> bool:
        """Whether the peer said close_notify, or the handshake failed."""
        return self._ended.is_set()

    async def ended(self) -> None:
        """Wait for the peer's close_notify."""
        await self._ended.wait()

    async def close(self) -> None:
        """Send close_notify and stop."""
        await self._transport.stop()
        self.pipe.close()


def new_certificate() -> RTCCertificate:
    """Return a fresh key and certificate for this process."""
    return RTCCertificate.generateCertificate()


def fingerprint(certificate: RTCCertificate) -> tuple[str, str]:
    """Return (algorithm, value) for an answer."""
    found = {f.algorithm: f.value for f in certificate.getFingerprints()}
    return "sha-256", found["sha-256"]


def self_test() -> None:
    """Check that the private names that we use are there and behave.

    Raises:
        RuntimeError: An upstream release has moved one of them.
    """
    transport = RTCDtlsTransport(Pipe(lambda _: None), [new_certificate()])  # type: ignore[arg-type]
    for name in ("_set_role", "_srtp_profiles", "_rx_srtp", "_tx_srtp"):
        if not hasattr(transport, name):
            raise RuntimeError(f"aiortc has no RTCDtlsTransport.{name}")
    key = bytes(range(28))
    policy = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILES[0].libsrtp_profile)
    session = Session(policy)
    packet = bytes.fromhex("80600001000000010000000102030405")
    buffer = PacketBuffer()
    buffer.view[: len(packet)] = packet
    buffer.size[0] = len(packet)
    status = protect(session._srtp[0], buffer.raw, buffer.size)
    expected = Session(policy).protect(packet)
    if status != SRTP_OK or bytes(buffer.view[: buffer.size[0]]) != expected:
        raise RuntimeError("pylibsrtp's handle does not protect in place as its session does")
