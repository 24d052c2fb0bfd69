"""A relay worker as the broker sees it: its process, its pipe, and whether it still obeys."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import structlog

import broker
from broker.media import wire

log = structlog.get_logger()

START_S = 20.0
STUCK_TICKS = 5  # of our own loop: where we stood still ourselves, the worker is not to blame
LAST_WORDS_S = 1.5  # for goodbyes to every endpoint
DIE_S = 0.5
MAX_LINE, MAX_REASON = 8192, 400
KEPT_VARIABLES = ("LANG", "LC_ALL", "LD_LIBRARY_PATH")


class Gone(Exception):
    """The worker is dead: what was asked may have been done or not, and nothing of it goes on."""


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where a relay is bound and found. Port 0: any; `only_from`: the source addresses that are heard, None: all."""

    host: str
    port: int
    advertise: tuple[str, ...]
    only_from: frozenset[str] | None = None


@dataclass(slots=True)
class _Asked:
    answer: asyncio.Future[wire.Message]
    must_answer: bool
    ticks: int = 0


class Child:
    """One worker process. `told` is called with each message that answers nothing, `gone` once, when it is dead.

    It is dead when its pipe ends, when it was silent or owed an answer for STUCK_TICKS ticks, or said nonsense; it is
    killed then, whatever it may still be up to.
    """

    def __init__(self, told: Callable[[wire.Message], None], gone: Callable[[], None]) -> None:
        self._told, self._gone = told, gone
        self.why = ""  # it was killed
        self._numbers = count(1)
        self._asked: dict[int, _Asked] = {}
        self._silent_ticks = 0
        self._wire = wire.Wire(self._heard, lambda: self.kill("its pipe ended"))
        self._process: asyncio.subprocess.Process | None = None
        self._handle: int | None = None  # pidfd_open(2): a number that nobody else can come to have
        self._ending: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._is_gone = False

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    async def start(self, settings: RelaySettings) -> int:
        """Start the process and its relay; return the UDP port.

        Raises:
            OSError: The port is taken (`filename` is its number), or no process can be made.
            Gone: It died on the way, or did not answer within START_S.
        """
        ours, theirs = socket.socketpair()
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: self._wire, sock=ours)
            self._process = await _process(theirs.fileno())
            self._handle = os.pidfd_open(self._process.pid)
            self._listening = asyncio.get_running_loop().create_task(_log(self._process))
        except BaseException:
            self._wire.close()
            raise
        finally:
            theirs.close()
        only_from = None if settings.only_from is None else sorted(settings.only_from)
        where: dict[str, Any] = {"host": settings.host, "port": settings.port, "advertise": list(settings.advertise)}
        try:
            async with asyncio.timeout(START_S):
                answer = await self.ask("start", **where, only_from=only_from)
        except TimeoutError:
            self.kill("it did not start in time")
            raise Gone from None
        if "failed" in answer:
            self.kill("it cannot start")
            raise OSError(answer["failed"], answer["text"], str(settings.port))
        self._silent_ticks = 0
        return int(answer["port"])

    async def ask(self, what: str, *, must_answer: bool = False, **how: Any) -> wire.Message:
        """Ask the worker and return its answer. `must_answer`: one that does not within STUCK_TICKS is killed.

        Raises:
            Gone: It is dead, or died first.
        """
        if self._ending is not None or self._is_gone:
            raise Gone
        number = next(self._numbers)
        answer: asyncio.Future[wire.Message] = asyncio.get_running_loop().create_future()
        self._asked[number] = _Asked(answer, must_answer)
        try:
            self._wire.say({"id": number, "do": what, **how})
            return await answer
        finally:
            self._asked.pop(number, None)

    def _heard(self, message: wire.Message) -> None:
        self._silent_ticks = 0
        try:
            if "re" not in message:
                self._told(message)
            elif (asked := self._asked.get(message["re"])) is not None and not asked.answer.done():
                asked.answer.set_result(message)  # else whoever asked has gone
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self.kill(f"it said nonsense: {error!r}"[:MAX_REASON])

    def tick(self) -> None:
        """Kill the worker where it has been silent, or owed an answer, for too many ticks."""
        self._silent_ticks += 1
        for asked in self._asked.values():
            asked.ticks += asked.must_answer
        late = max((asked.ticks for asked in self._asked.values()), default=0)
        if self._silent_ticks > STUCK_TICKS:
            self.kill("it is silent")
        elif late > STUCK_TICKS:
            self.kill("it owes an answer")

    def kill(self, why: str) -> None:
        """Kill the process now. `gone` is called, and what was asked fails, once it is dead."""
        if self._ending is None and not self._is_gone:
            self.why = why
            with suppress(ProcessLookupError):
                if self._handle is not None:  # and not by asyncio's `kill`, which would bury it before its watcher does
                    signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        if self._process is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(DIE_S):  # a killed process runs no more, even where it is slow to be buried
                    await self._process.wait()
        self._is_gone = True
        if self._handle is not None:
            os.close(self._handle)
        self._wire.close()
        for asked in self._asked.values():
            if not asked.answer.done():
                asked.answer.set_exception(Gone())
        self._gone()

    async def close(self) -> None:
        """Let it say goodbye to its endpoints, then end it."""
        with suppress(Gone, TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self.ask("close")
        self.kill("it is no longer wanted")
        if self._process is not None:
            await self._process.wait()
        left = {task for task in (self._ending, self._listening) if task is not None}
        await asyncio.wait(left)


async def _log(process: asyncio.subprocess.Process) -> None:
    """Log what a worker writes on standard error: its own log lines, and whatever it dies of."""
    assert process.stderr is not None
    while line := await process.stderr.read(MAX_LINE):
        log.warning("relay worker says", pid=process.pid, text=line.decode(errors="replace").rstrip())


async def _process(descriptor: int) -> asyncio.subprocess.Process:
    """Start a worker with one descriptor of ours and none of our variables but those of the language and the loader."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    command: Sequence[str] = ("-m", "broker.media.worker", str(descriptor), str(os.getpid()))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=(descriptor,),
        env=kept,
        cwd=Path(broker.__file__).parent.parent,
        start_new_session=True,  # Ctrl-C is the broker's to obey
    )
