"""One page's socket: messages in at a bounded rate, messages out from a bounded queue, and one way to end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, Literal

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from broker.edge.outbox import Outbox, TooSlow
from broker.engine.tasks import Tasks
from broker.ports import Clock
from broker.protocol import client
from broker.protocol.base import MAX_MESSAGE_BYTES, Message, ProtocolViolation
from broker.protocol.server import Bye

log = structlog.get_logger()

ByeCode = Literal[
    "replaced", "revoked", "signed_out", "slow", "violation", "shutdown", "version", "ticket", "elsewhere"
]
CLOSE_CODES: Final = {
    "violation": 4400,
    "version": 4400,
    "ticket": 4401,
    "revoked": 4403,
    "signed_out": 4403,
    "elsewhere": 4403,
    "replaced": 4409,
    "slow": int(WSCloseCode.TRY_AGAIN_LATER),
    "shutdown": int(WSCloseCode.GOING_AWAY),
}
HELLO_S: Final = 5.0
STALLED_S: Final = 5.0
HEARTBEAT_S: Final = 10.0
RATE: Final = 50.0  # messages a second, for good
BURST: Final = 100.0  # messages at once, after a while of silence


class Bucket:
    """A token bucket: `RATE` a second, `BURST` at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._level = BURST
        self._at = clock.boottime()

    def take(self) -> bool:
        """Take one; False where there is none."""
        now = self._clock.boottime()
        self._level = min(BURST, self._level + (now - self._at) * RATE)
        self._at = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True


class Socket:
    """The server's end of one WebSocket. `tasks` are its own: they end with it."""

    def __init__(self, clock: Clock) -> None:
        self.web = web.WebSocketResponse(
            max_msg_size=MAX_MESSAGE_BYTES, heartbeat=HEARTBEAT_S, compress=False, timeout=1.0
        )
        self.outbox = Outbox()
        self.tasks = Tasks()
        self.bye: ByeCode | None = None
        self._bucket = Bucket(clock)
        self._ended = asyncio.Event()

    def send(self, message: Message, about: str | None = None) -> None:
        """Queue a message; `about` coalesces states of the same thing."""
        if self.bye is None:
            self.outbox.put(message, about)

    def end(self, code: ByeCode) -> None:
        """Say goodbye and close, once."""
        if self.bye is None:
            self.bye = code
            self._ended.set()

    async def hello(self) -> client.Hello:
        """Return the first message. Raises ProtocolViolation, TimeoutError, ConnectionError."""
        async with asyncio.timeout(HELLO_S):
            message = await self.receive()
        if not isinstance(message, client.Hello):
            raise ProtocolViolation("hello_first")
        return message

    async def receive(self) -> client.ClientMessage:
        """Return the next message.

        Raises:
            ProtocolViolation: It is none of ours, or they come too fast.
            ConnectionError: The page is gone.
        """
        frame = await self.web.receive()
        if frame.type is WSMsgType.TEXT:
            if not self._bucket.take():
                raise ProtocolViolation("too_fast")
            return client.decode(frame.data)
        if frame.type is WSMsgType.BINARY:
            raise ProtocolViolation("binary")
        raise ConnectionError("the page is gone")

    async def write(self) -> None:
        """Send what the outbox holds, until the socket ends."""
        try:
            while True:
                message = await self.outbox.take()
                async with asyncio.timeout(STALLED_S):
                    await self.web.send_str(message.model_dump_json())
        except (TooSlow, TimeoutError):
            self.end("slow")
        except (ConnectionError, RuntimeError):
            self._ended.set()  # the reader notices too

    async def ended(self) -> None:
        """Wait until somebody ended the socket, or nothing can be sent any more."""
        await self._ended.wait()

    async def finish(self) -> None:
        """Send the goodbye where there is one, and close."""
        await self.tasks.close()
        code = CLOSE_CODES[self.bye] if self.bye else int(WSCloseCode.OK)
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            async with asyncio.timeout(1.0):
                if self.bye is not None and not self.web.closed:
                    await self.web.send_str(Bye(code=self.bye).model_dump_json())
                await self.web.close(code=code)
