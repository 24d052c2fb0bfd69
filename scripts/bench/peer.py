"""An endpoint of the load: it shakes hands here (ICE, DTLS), then its socket and keys go to the compiled load."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

from aioice import stun

from bench.compiled import Load
from bench.offers import Offer, Remote, answer, remote
from broker.media import dtls

WAIT_S = 10.0
CHECK_EVERY_S = 0.1
RECEIVE_BUFFER_BYTES = 1 << 20
CERTIFICATE = dtls.new_certificate()
FINGERPRINT = dtls.fingerprint(CERTIFICATE)[1]


class Peer(asyncio.DatagramProtocol):
    """One WebRTC endpoint, ICE controlling and DTLS client; it asks for AES-GCM with 128 bits and nothing else.

    `is_checked` says that the server makes checks of its own and takes no DTLS before ours answered one (libnice).
    """

    def __init__(self, host: str, offer: Offer, is_checked: bool = False) -> None:
        self.host, self.offer = host, offer
        self.number = -1  # in the load
        self._remote: Remote | None = None
        self._keys: dtls.Keys | None = None
        self._udp: socket.socket | None = None
        self._checked, self._was_checked = asyncio.Event(), asyncio.Event()
        if not is_checked:
            self._was_checked.set()
        self.handshake = dtls.Handshake(CERTIFICATE, self._send)
        self.handshake._transport._set_role("client")
        self.handshake._transport._srtp_profiles = dtls.PROFILES[:1]

    async def bind(self) -> str:
        """Open the socket and return the offer."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 0))
        return self.offer.text(FINGERPRINT, self._address)

    @property
    def _address(self) -> tuple[str, int]:
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def answer_to(self, offered: str) -> str:
        """Return the answer to a server that offers."""
        return answer(offered, self.offer.ufrag, self.offer.pwd, FINGERPRINT, self._address)

    async def connect(self, sdp: str) -> None:
        """Check connectivity and shake hands with the server that `sdp` describes.

        Raises:
            TimeoutError: It did not answer.
            RuntimeError: DTLS failed.
        """
        self._remote = remote(sdp, self.host)
        checking = asyncio.create_task(self._check_often())
        try:
            async with asyncio.timeout(WAIT_S):
                await self._checked.wait()
                await self._was_checked.wait()
                self._keys = await self.handshake.run([("sha-256", self._remote.fingerprint)])
        finally:
            checking.cancel()
        if self._keys is None:
            raise RuntimeError("DTLS failed")

    async def _check_often(self) -> None:
        """Check until the keys are there."""
        while True:
            self._send(self._check())
            await asyncio.sleep(CHECK_EVERY_S)

    def _send(self, datagram: bytes) -> None:
        if self._udp is not None:
            self._udp.send(datagram)
        elif self._remote is not None:
            self._transport.sendto(datagram, self._remote.address)

    def _check(self) -> bytes:
        assert self._remote is not None
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self._remote.ufrag}:{self.offer.ufrag}"
        message.attributes["PRIORITY"] = 1_845_501_695
        message.attributes["ICE-CONTROLLING"] = 1
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(self._remote.pwd.encode())
        message.add_fingerprint()
        return bytes(message)

    def _reply(self, check: bytes, address: tuple[str, int]) -> bytes:
        """Answer a check: libnice makes one even where its agent is lite."""
        asked = stun.parse_message(check)
        message = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, asked.transaction_id)
        message.attributes["XOR-MAPPED-ADDRESS"] = address
        message.add_message_integrity(self.offer.pwd.encode())
        message.add_fingerprint()
        return bytes(message)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Tell the server's answer to a check from its own check and from its DTLS."""
        if data[:2] == b"\x01\x01":
            self._checked.set()
        elif data[:2] == b"\x00\x01":
            self._transport.sendto(self._reply(data, addr), addr)
            self._was_checked.set()
        elif 20 <= data[0] < 64:
            self.handshake.pipe.feed(data)

    def hand_over(self, load: Load, group: int, phase_s: float) -> None:
        """Give socket and keys to the load; nothing is read here any more."""
        assert self._keys is not None
        assert self._remote is not None
        self._udp = socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno()))
        self._transport.close()
        self._udp.connect(self._remote.address)
        self._udp.setblocking(False)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.number = load.peer(group, self._udp.fileno(), self._keys.tx, self._keys.rx, self._check())
        for stream in self.offer.streams():
            load.stream(self.number, stream, phase_s)

    def close(self) -> None:
        """Vanish without a word."""
        if self._udp is not None:
            self._udp.close()
            self._udp = None
        self._remote = None
