"""The listening port: who connects and asks for nothing is not waited for (design reliability.md X19)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

HEADER_S: Final = 10.0
"""How long a connection may take to ask for something whole: a request line and its headers."""


class Listener(web.SockSite):
    """A site on a bound socket that drops connections whose first request does not come in time.

    Later requests of a connection are bounded by the server's keep-alive.
    """

    def __init__(
        self, runner: web.AppRunner, sock: socket.socket, tls: ssl.SSLContext | None, *, header_s: float = HEADER_S
    ) -> None:
        super().__init__(runner, sock, ssl_context=tls)
        self._header_s = header_s

    async def start(self) -> None:
        """Begin to accept."""
        await web.BaseSite.start(self)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._accept, sock=self._sock, ssl=self._ssl_context, backlog=self._backlog
        )

    def _accept(self) -> RequestHandler:
        server = self._runner.server
        assert server is not None
        handler: RequestHandler = server()
        asyncio.get_running_loop().call_later(self._header_s, _drop_if_silent, handler)
        return handler


def _drop_if_silent(handler: RequestHandler) -> None:
    if handler._request_count == 0:  # aiohttp counts whole requests, and keeps that to itself
        handler.force_close()
