"""DTLS-SRTP for a synthetic caller: the only file of the bots that knows private names of aiortc (media.md 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache
from typing import cast

import pylibsrtp
from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport, RTCIceTransport

HANDSHAKE_S = 10.0


class HandshakeFailed(ConnectionError):
    """The other side did not finish the handshake, or its certificate is not the one in its answer."""


@lru_cache(maxsize=1)
def certificate() -> RTCCertificate:
    """Return the certificate of this process's callers."""
    return RTCCertificate.generateCertificate()


def fingerprint() -> str:
    """Return its SHA-256 fingerprint, as in an offer."""
    return next(one.value for one in certificate().getFingerprints() if one.algorithm == "sha-256")


class _Datagrams:
    """What RTCDtlsTransport needs of its transport: `role`, `_recv`, `_send`, and nothing else."""

    role = "controlling"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._out = send
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=64)

    async def _recv(self) -> bytes:
        datagram = await self.queue.get()
        if not datagram:
            raise ConnectionError
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self._out(datagram)


class Keys:
    """A DTLS client and the SRTP sessions that come of it."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._datagrams = _Datagrams(send)
        self._dtls = RTCDtlsTransport(cast(RTCIceTransport, self._datagrams), [certificate()])
        self._dtls._set_role("client")

    @property
    def ready(self) -> bool:
        """Whether packets can be protected."""
        return self._dtls.state == "connected"

    async def shake(self, fingerprints: tuple[tuple[str, str], ...]) -> None:
        """
        Do the handshake with the holder of `fingerprints` (algorithm, digest).

        Raises:
            HandshakeFailed: Within HANDSHAKE_S it did not come about.
        """
        remote = RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints])
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await self._dtls.start(remote)
        except TimeoutError:
            raise HandshakeFailed("the handshake took too long") from None
        if not self.ready:
            raise HandshakeFailed("the handshake failed")

    def feed(self, datagram: bytes) -> None:
        """Take a DTLS datagram from the other side."""
        if not self._datagrams.queue.full():
            self._datagrams.queue.put_nowait(datagram)

    def protect(self, packet: bytes) -> bytes:
        return self._dtls._tx_srtp.protect(packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        return self._dtls._tx_srtp.protect_rtcp(packet)

    def unprotect(self, packet: bytes) -> bytes | None:
        """Return the RTP packet, None where it is not authentic or seen before."""
        try:
            return self._dtls._rx_srtp.unprotect(packet)
        except pylibsrtp.Error:
            return None

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """Return the RTCP compound, None where it is not authentic."""
        try:
            return self._dtls._rx_srtp.unprotect_rtcp(packet)
        except pylibsrtp.Error:
            return None

    async def close(self) -> None:
        """Say goodbye (close_notify)."""
        await self._dtls.stop()
