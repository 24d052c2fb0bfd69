"""Firefox driven by Marionette, its own remote protocol: length-prefixed JSON over TCP, WebDriver's commands."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

NAMES = ("firefox-esr", "firefox")
START_WITHIN_S = 60.0
ANSWER_WITHIN_S = 60.0
PORT_FILE = "MarionetteActivePort"
PREFERENCES: dict[str, bool | int | str] = {
    "marionette.port": 0,  # any that is free: Firefox writes it into the profile
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.obfuscate_host_addresses": True,  # .local names, as people have them
    "media.cubeb.force_mock_context": True,  # a sound card made up: without any, no AudioContext runs
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.gmp-manager.updateEnabled": False,  # no codec is fetched from afar
    "media.gmp-manager.url": "",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.server": "",
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.aboutwelcome.enabled": False,
    "dom.min_background_timeout_value": 10,
}


class FirefoxError(Exception):
    """What Firefox answered instead of a result."""


class FirefoxPage:
    """One tab. It answers `evaluate` as a Playwright page does, for what these tests ask of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = count(1)
        self._turn = asyncio.Lock()

    async def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function with `argument` in the page and return what it resolves to."""
        script = f"""
          const [argument, done] = arguments;
          Promise.resolve().then(() => ({function})(argument))
            .then((value) => done({{ value }}), (error) => done({{ error: `${{error}} ${{error?.stack ?? ""}}` }}));
        """
        parameters = {"script": script, "args": [argument], "sandbox": None, "newSandbox": False}
        answer = (await self.command("WebDriver:ExecuteAsyncScript", **parameters))["value"]
        if "error" in answer:
            raise FirefoxError(answer["error"])
        return answer.get("value")

    async def goto(self, url: str) -> None:
        """Open `url` and wait until it is loaded."""
        await self.command("WebDriver:Navigate", url=url)

    async def command(self, name: str, **parameters: Any) -> Any:
        """Send one command and return its result. Raises FirefoxError where Firefox refuses it."""
        async with self._turn, asyncio.timeout(ANSWER_WITHIN_S):
            number = next(self._numbers)
            text = json.dumps([0, number, name, parameters]).encode()
            self._writer.write(b"%d:%b" % (len(text), text))
            await self._writer.drain()
            _, answered, error, result = await self._receive()
        assert answered == number
        if error is not None:
            raise FirefoxError(f"{name}: {error.get('error')}: {error.get('message')}")
        return result

    async def _receive(self) -> Any:
        length = await self._reader.readuntil(b":")
        return json.loads(await self._reader.readexactly(int(length[:-1])))

    async def hello(self) -> None:
        """Read Firefox's greeting and begin a session."""
        await self._receive()
        await self.command("WebDriver:NewSession", acceptInsecureCerts=False)
        await self.command("WebDriver:SetTimeouts", script=int(ANSWER_WITHIN_S * 1000))


def firefox_path() -> str:
    """Return the Firefox to drive ($FIREFOX or one on the PATH); without one the test is skipped with the reason."""
    asked = os.environ.get("FIREFOX")
    found = asked or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Firefox here; an administrator must run: apt-get install -y firefox-esr")
    return found


@asynccontextmanager
async def firefox() -> AsyncIterator[FirefoxPage]:
    """Run a headless Firefox with a profile of its own, made-up devices and permission for them."""
    path = firefox_path()
    with tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True) as folder:
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items())
        (Path(folder) / "user.js").write_text("\n".join(lines), encoding="utf-8")
        command = [path, "--headless", "--marionette", "--no-remote", "--profile", folder, "about:blank"]
        env = {**os.environ, "HOME": folder, "MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1"}
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        writer = None
        try:
            port = await _port(Path(folder) / PORT_FILE, process)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            page = FirefoxPage(reader, writer)
            await page.hello()
            yield page
        finally:
            if writer is not None:
                writer.close()
            await _end(process)


async def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    """Return the port that Firefox listens on, once it says so."""
    async with asyncio.timeout(START_WITHIN_S):
        while not (file.exists() and (text := file.read_text().strip())):
            if process.poll() is not None:
                raise FirefoxError(f"Firefox ended with code {process.returncode} before it listened")
            await asyncio.sleep(0.05)
    return int(text)


async def _end(process: subprocess.Popen[bytes]) -> None:
    """End Firefox: its content processes go with it."""
    process.terminate()
    try:
        await asyncio.to_thread(process.wait, 10)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.wait)
