"""A TCP forwarder in front of the broker's pages: what a device that changes its network leaves behind.

`leave` does what such a change does to one chair's browser: its open WebSocket hears nothing any more and is not told
so, its idle connections are dropped, and new ones come through.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CHUNK_BYTES = 1 << 16


@dataclass(eq=False)
class Pipe:
    """One connection, both ways."""

    writers: list[asyncio.StreamWriter]
    head: bytes = b""  # the first request, in lower case
    open: asyncio.Event = field(default_factory=asyncio.Event)


class TcpPipe:
    """An async context: bound when entered, gone when left."""

    def __init__(self, host: str, to_port: int) -> None:
        self._host, self._to_port = host, to_port
        self._pipes: set[Pipe] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self._host, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pipe in tuple(self._pipes):
            self._close(pipe)

    @property
    def port(self) -> int:
        """The TCP port that browsers come to."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def leave(self, chair: str) -> None:
        """Change the network of the browser at `chair`: see the module."""
        for pipe in tuple(self._pipes):
            if f"host: {chair}.".encode() not in pipe.head:
                continue
            if b"upgrade: websocket" in pipe.head:
                pipe.open.clear()
            else:
                self._close(pipe)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, self._to_port)
        pipe = Pipe([writer, back])
        pipe.open.set()
        self._pipes.add(pipe)
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.get_running_loop().create_task(self._carry(pipe, source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, pipe: Pipe, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(CHUNK_BYTES):
                pipe.head = pipe.head or data[:4096].lower()
                await pipe.open.wait()
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass  # either end went
        await pipe.open.wait()
        self._close(pipe)

    def _close(self, pipe: Pipe) -> None:
        self._pipes.discard(pipe)
        for writer in pipe.writers:
            writer.close()
