"""What the demo and an exercise stand on: loopback alone, a folder of their own, and an end at Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import structlog
from rich.console import Console

from broker.bootstrap import CannotStart
from broker.config import Config
from broker.logs import set_up_logs
from broker.text import catalogue

HOST: Final = "127.0.0.1"  # loopback only (design README 19)
DONE, FAILED = 0, 1


class Screen:
    """What whoever starts it reads."""

    def __init__(self, out: Console | None = None) -> None:
        self._words = catalogue()
        self.out = out or Console()

    def words(self, key: str, **values: object) -> str:
        """Return a sentence."""
        return self._words(key, **values)

    def say(self, key: str, **values: object) -> None:
        """Print a sentence."""
        self.tell(self._words(key, **values))

    def tell(self, text: str) -> None:
        """Print what is no sentence of the catalogue: a link, a list."""
        self.out.print(text, markup=False, highlight=False, soft_wrap=True)

    def fail(self, key: str, **values: object) -> int:
        """Print what is wrong and return the exit status."""
        return self.complain(self._words(key, **values))

    def complain(self, sentence: str) -> int:
        """Print a sentence that says what is wrong and return the exit status."""
        Console(stderr=True).print(sentence, style="bold red", markup=False, highlight=False, soft_wrap=True)
        return FAILED


def is_free(port: int) -> bool:
    """Say whether nobody listens at a TCP port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_ours(folder: Path, mark: str) -> bool:
    """Say whether a folder is empty, not there yet, or bears our mark."""
    return not folder.is_dir() or not any(folder.iterdir()) or (folder / mark).exists()


def write_secret(file: Path, text: str) -> None:
    """Write a file that nobody else may read."""
    file.touch(mode=0o600)
    file.write_text(text + "\n")


def run_until_told(
    config: Config, work: Callable[[], Coroutine[Any, Any, None]], screen: Screen, stopping: str, stopped: str
) -> int:
    """Run `work` until it ends or Ctrl-C; return the exit status. `stopping`, `stopped`: keys of what is said then."""
    set_up_logs(config)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        return asyncio.run(_until_told(work, screen, stopping, stopped))
    except CannotStart as reason:
        return screen.complain(str(reason))
    except KeyboardInterrupt:
        return DONE


async def _until_told(
    work: Callable[[], Coroutine[Any, Any, None]], screen: Screen, stopping: str, stopped: str
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running, told = loop.create_task(work()), loop.create_task(stop.wait())
    try:
        await asyncio.wait((running, told), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            screen.say(stopping)
            running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    finally:
        told.cancel()
    screen.say(stopped)
    return DONE
