"""A caller's socket: hello, commands answered by key, and everything else handed on (docs/protocol.md)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from broker.protocol import VERSION, client, server
from broker.protocol.base import MAX_MESSAGE_BYTES, Message
from broker.synthetic.site import Browser, Site, Unreachable
from broker.synthetic.tasks import Tasks

ANSWER_S = 10.0
POLL_S = 0.01

Answer = server.Ok | server.MediaAnswer
Heard = Callable[[server.ServerMessage], None]


class TookTooLong(Exception):
    """Something that was promised did not happen in time."""


class Refused(Exception):
    """The broker refused a command; `code` is its stable word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Closed(ConnectionError):
    """The broker closed the socket; `code` is the word of its `bye`, or empty."""

    def __init__(self, code: str) -> None:
        super().__init__(code or "closed")
        self.code = code


def new_key() -> str:
    """Return a fresh command key."""
    return secrets.token_urlsafe(12)


async def until(happened: Callable[[], bool], within_s: float, what: str, every_s: float = POLL_S) -> None:
    """
    Wait until `happened`, looking every `every_s`: what is measured are stamps, never this wait.

    Raises:
        TookTooLong: It did not within `within_s`.
    """
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline:
            raise TookTooLong(what)
        await asyncio.sleep(every_s)


class Talk:
    """One socket, from `hello` to its close; `heard` is called with every message but the answers."""

    def __init__(
        self, site: Site, browser: Browser, ticket: str, heard: Callable[[server.ServerMessage], None]
    ) -> None:
        self._site, self._browser, self._ticket, self._heard = site, browser, ticket, heard
        self._socket: ClientConnection | None = None
        self._tasks = Tasks()
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self.welcome: server.Welcome | None = None
        self.bye = ""
        self.closed = False

    async def __aenter__(self) -> Self:
        origin = self._site.origin(self._browser.chair)
        scheme = "wss" if origin.scheme == "https" else "ws"
        try:
            self._socket = await connect(
                f"{scheme}://{origin.netloc}/ws",
                origin=origin.text,  # type: ignore[arg-type]
                host=origin.connect_to,
                port=origin.port,
                max_size=8 * MAX_MESSAGE_BYTES,
                open_timeout=ANSWER_S,
                close_timeout=1,
                proxy=None,
            )
        except (OSError, InvalidHandshake, InvalidURI, TimeoutError) as error:
            raise Unreachable(str(error)) from None
        await self.say(client.Hello(protocol=[VERSION], ticket=self._ticket))
        self._tasks.start(self._read())
        try:
            await until(lambda: self.welcome is not None or self.closed, ANSWER_S, "the welcome")
            if self.welcome is None:
                raise Closed(self.bye)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.close()
        await self._tasks.close()

    async def say(self, message: Message) -> None:
        """Send a message that has no answer. Raises Closed."""
        assert self._socket is not None
        try:
            await self._socket.send(message.model_dump_json())
        except ConnectionClosed:
            self.closed = True
            raise Closed(self.bye) from None

    async def command(self, message: Message) -> Answer:
        """
        Send a command and return its answer.

        Raises:
            Refused: A rule said no.
            Closed: The socket went away first.
            TookTooLong: No answer within ANSWER_S.
        """
        key = str(getattr(message, "key"))  # noqa: B009 - every command has one, the base does not
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        try:
            await self.say(message)
            async with asyncio.timeout(ANSWER_S):
                return await future
        except TimeoutError:
            raise TookTooLong(f"an answer to {getattr(message, 'type', '')}") from None
        finally:
            self._waiting.pop(key, None)

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            async for text in self._socket:
                try:
                    message = server.decode(text)
                except ValidationError:
                    continue  # a newer server may say more than we understand
                self._take(message)
        except ConnectionClosed:
            pass
        finally:
            self.closed = True
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(Closed(self.bye))

    def _take(self, message: server.ServerMessage) -> None:
        match message:
            case server.Welcome():
                self.welcome = message
            case server.Ok() | server.MediaAnswer():
                future = self._waiting.get(message.key)
                if future is not None and not future.done():
                    future.set_result(message)
            case server.RefusedMessage():
                future = self._waiting.get(message.key)
                if future is not None and not future.done():
                    future.set_exception(Refused(message.code.value))
            case _:
                if isinstance(message, server.Bye):
                    self.bye = message.code
                self._heard(message)
