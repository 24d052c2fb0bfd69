"""The bots' process seen from the broker's side: told and heard line by line, and gone when it shall be."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import broker

LEAVE_S: Final = 2.0  # how long the bots may take to say goodbye

Heard = Callable[[dict[str, Any]], Awaitable[None]]


class BotsProcess:
    """`python -m broker.synthetic.bots`. An async context: it is gone when the context ends.

    Args:
        opening: What it is told first (broker/synthetic/bots.py).
        heard: Is given every line that it says, one after the other.
        ended: Is called when it says no more.
    """

    def __init__(self, opening: dict[str, Any], heard: Heard, ended: Callable[[], None]) -> None:
        self._opening, self._heard, self._ended = opening, heard, ended
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "broker.synthetic.bots",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(broker.__file__).parent.parent,
            start_new_session=True,  # Ctrl-C reaches the broker alone, which then closes the bots' input
        )
        self.tell(self._opening)
        self._reading = asyncio.get_running_loop().create_task(self._read(self._process))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            await _end(self._process)

    def tell(self, line: dict[str, Any]) -> None:
        """Tell it something; nothing happens where it has ended."""
        if self._process is not None and self._process.stdin is not None and self._process.returncode is None:
            with suppress(ConnectionError):
                self._process.stdin.write(json.dumps(line).encode() + b"\n")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            await self._heard(json.loads(line))
        self._ended()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close the bots' input, which asks them to go; then be less kind."""
    if process.stdin is not None:
        process.stdin.close()
    for act in (process.terminate, process.kill):
        try:
            async with asyncio.timeout(LEAVE_S / 2):
                await process.wait()
            return
        except TimeoutError:
            with suppress(ProcessLookupError):
                act()
    await process.wait()
