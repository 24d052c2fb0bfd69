"""Stills: a key frame becomes a small JPEG, in a process of its own (darkroom.py): the relay opens no decoder.

That process is a filter: each request on its standard input is `number:u32 codec:u8 count:u8 (length:u32 bytes)*count`,
each answer on its standard output `number:u32 length:u32 jpeg`; no bytes: nothing could be made of it. It has an empty
environment, no descriptor but those two and its errors, and bounded memory: what it decodes comes from strangers.
"""

from __future__ import annotations

import asyncio
import logging
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from broker.media.forward.api import Codec

log = logging.getLogger("broker.media")

MAX_FRAME_BYTES: Final = 512 * 1024  # of one key frame; a camera's at 1280×720 has about 60 kB
MAX_JPEG_BYTES: Final = 256 * 1024
MAX_WAITING: Final = 32  # key frames not yet answered; what comes beyond them is dropped, the next one is seconds away
ANSWER_WITHIN_S: Final = 5.0
START_AGAIN_S: Final = 1.0
HEAD: Final = struct.Struct("!IBB")
LENGTH: Final = struct.Struct("!I")
ANSWER: Final = struct.Struct("!II")
CODECS: Final = (Codec.VP8, Codec.H264)

ROOT: Final = Path(__file__).resolve().parents[2]

Made = Callable[[int, bytes], None]
"""Called with a request's number and the JPEG."""


def request(number: int, codec: Codec, parts: Sequence[bytes]) -> bytes:
    """Return one request: a key frame's RTP payloads, in order; those of VP8 without descriptors (RFC 7741 §4.2)."""
    body = b"".join(LENGTH.pack(len(part)) + part for part in parts)
    return HEAD.pack(number, CODECS.index(codec), len(parts)) + body


class StillMaker:
    """Keeps the process, starts it at first use and again when it died or hangs. One event loop."""

    def __init__(self, made: Made) -> None:
        self._made = made
        self._waiting: dict[int, float] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)
        self._numbers = 0

    def make(self, codec: Codec, parts: Sequence[bytes]) -> int | None:
        """Ask for a still; return its number, or None where too many wait or the frame is too large."""
        if sum(map(len, parts)) > MAX_FRAME_BYTES or len(parts) > 255 or len(self._waiting) >= MAX_WAITING:
            return None
        loop = asyncio.get_running_loop()
        self._numbers = (self._numbers + 1) & 0xFFFFFFFF
        self._waiting[self._numbers] = loop.time()
        self._queue.put_nowait(request(self._numbers, codec, parts))
        if self._task is None:
            self._task = loop.create_task(self._run())
        return self._numbers

    async def close(self) -> None:
        """End the process."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            try:
                await self._serve()
            except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError) as error:
                log.warning("the still maker is started again: %s", type(error).__name__)
            finally:
                await self._end()
            self._waiting.clear()  # what it had is lost; the next key frames come by themselves
            while not self._queue.empty():
                self._queue.get_nowait()
            await asyncio.sleep(START_AGAIN_S)

    async def _serve(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "broker.media.darkroom",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env={},
        )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        while True:
            asked = await self._queue.get()
            stdin.write(asked)
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await stdin.drain()
                number, length = ANSWER.unpack(await stdout.readexactly(ANSWER.size))
                if length > MAX_JPEG_BYTES:
                    raise EOFError
                jpeg = await stdout.readexactly(length)
            if self._waiting.pop(number, None) is not None and jpeg:
                self._made(number, jpeg)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
