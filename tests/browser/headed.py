"""A Chromium with windows, on a virtual display, driven by the DevTools protocol alone.

Playwright keeps every page of its own visible and focused (Emulation.setFocusEmulationEnabled): nothing that it drives
can be hidden by another tab.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.browser.conftest import AUTOPLAY, LOOPBACK, QUIET

WITHIN_S = 60.0
PORT_FILE = "DevToolsActivePort"


@contextmanager
def virtual_display() -> Iterator[str]:
    """Yield the name of a display that nobody looks at; without one the test is skipped with the reason."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("no Xvfb here; an administrator must run: apt-get install -y xvfb")
    reading, writing = os.pipe()
    screen = ["-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-displayfd", str(writing)]
    server = subprocess.Popen([program, *screen], pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


class Tab:
    """One tab: scripts run in it, and whether it lies in front."""

    def __init__(self, window: Window, tab_id: str, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.window, self.id = window, tab_id
        self._socket = socket
        self._n = count(1)

    async def run(self, script: str) -> Any:
        """Return what a JavaScript expression gives; a promise is waited for."""
        params = {"expression": script, "awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = await self._command("Runtime.evaluate", params)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def becomes(self, script: str) -> None:
        """Wait until an expression is true."""
        async with asyncio.timeout(WITHIN_S):
            while not await self.run(script):
                await asyncio.sleep(0.05)

    async def go(self, url: str) -> None:
        """Open an address."""
        await self._command("Page.navigate", {"url": url})

    async def to_front(self) -> None:
        """Bring this tab before the others of its window."""
        await self.window.ask("GET", f"activate/{self.id}")

    async def close(self) -> None:
        """Close the tab."""
        await self.window.ask("GET", f"close/{self.id}")

    async def _command(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        number = next(self._n)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(WITHIN_S):
            while (answer := json.loads((await self._socket.receive()).data)).get("id") != number:
                pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result


class Window:
    """The window of a Chromium; each new tab opens in front of the others."""

    def __init__(self, session: aiohttp.ClientSession, port: int, stack: AsyncExitStack) -> None:
        self._session, self._port, self._stack = session, port, stack

    async def tab(self) -> Tab:
        """Open a tab, in front."""
        made = json.loads(await self.ask("PUT", "new?about:blank"))
        socket = await self._stack.enter_async_context(
            self._session.ws_connect(made["webSocketDebuggerUrl"], max_msg_size=0)
        )
        return Tab(self, made["id"], socket)

    async def ask(self, method: str, what: str) -> str:
        """Ask the browser itself."""
        async with self._session.request(method, f"http://127.0.0.1:{self._port}/json/{what}") as answer:
            return await answer.text()


@asynccontextmanager
async def window(chromium_path: str, folder: Path) -> AsyncIterator[Window]:
    """Start Chromium on a display of its own, with its profile in `folder`."""
    profile = folder / "profile"
    flags = [*QUIET, LOOPBACK, AUTOPLAY, "--no-default-browser-check", "--remote-debugging-port=0"]
    with virtual_display() as display:
        process = await asyncio.create_subprocess_exec(
            chromium_path,
            *flags,
            f"--user-data-dir={profile}",
            "--window-size=1600,1000",
            env={**os.environ, "DISPLAY": display},
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(WITHIN_S):
                while not (profile / PORT_FILE).exists():
                    await asyncio.sleep(0.05)
            port = int((profile / PORT_FILE).read_text().split()[0])
            async with AsyncExitStack() as stack:
                session = await stack.enter_async_context(aiohttp.ClientSession())
                yield Window(session, port, stack)
        finally:
            process.terminate()
            await process.wait()
