"""A relay worker: one process, one UDP port, one relay, told what to do through the one descriptor that it inherits.

`python -m broker.media.worker FD PARENT`. It has no configuration, no database, no secret of the broker, and
dies with it: by the kernel's signal (PR_SET_PDEATHSIG, Linux), and by the end of the pipe. SIGINT and SIGTERM, which a
terminal or a supervisor may send to everybody at once, are the broker's to obey.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import socket
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable

from broker.clock import SystemClock
from broker.domain.plan import Media
from broker.media import wire
from broker.media.plane import RelayPlane
from broker.ports import OfferRefused

log = logging.getLogger("broker.media")

BEAT_S = 0.1
STATE_EVERY_S = 1.0
MAX_UNSENT = 1 << 20  # beyond this the broker is not listening: beats and figures are left out
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h


class Worker:
    """Serves one pipe until it ends."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._clock = SystemClock()
        self._plane: RelayPlane | None = None
        self._endpoints: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wire = wire.Wire(self._heard, self.over.set)
        self._does: dict[str, Callable[[wire.Message], Awaitable[wire.Message]]] = {
            "start": self._start,
            "connect": self._connect,
            "disconnect": self._disconnect,
            "apply": self._apply,
            "sent_on": self._sent_on,
            "close": self._close,
        }

    async def run(self, pipe: socket.socket) -> None:
        """Serve until the pipe ends: then nobody is left who could shut a gate, and all that is left is goodbye."""
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self._wire, sock=pipe)
        beats = loop.create_task(self._beat())
        await self.over.wait()
        beats.cancel()

    def _heard(self, message: wire.Message) -> None:
        """Do what is asked, in the order of asking: a task's first step runs before the next one's."""
        task = asyncio.get_running_loop().create_task(self._do(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, message: wire.Message) -> None:
        try:
            answer = await self._does[message["do"]](message)
        except OfferRefused as refused:
            answer = {"refused": refused.code}
        except OSError as error:
            answer = {"failed": error.errno, "text": str(error)}
        except Exception:
            log.exception("asked in vain: %s", message.get("do"))
            answer = {"fault": True}
        self._wire.say({"re": message.get("id"), **answer})

    @property
    def _relay(self) -> RelayPlane:
        assert self._plane is not None, "asked before start"
        return self._plane

    async def _start(self, message: wire.Message) -> wire.Message:
        only_from = message["only_from"]
        bind = (str(message["host"]), int(message["port"]))
        heard = None if only_from is None else frozenset(only_from)
        plane = RelayPlane(bind, message["advertise"], self._clock, heard)
        await plane.start()
        plane.watch(self._tell)
        plane.watch_stills(self._tell_still)
        self._plane = plane
        return {"port": plane.port}

    def _tell(self, endpoint: str, up: bool, home: int = 0) -> None:
        self._wire.say({"tell": "endpoint", "endpoint": endpoint, "up": up})

    def _tell_still(self, leg: str, jpeg: bytes) -> None:
        if self._wire.unsent <= MAX_UNSENT:
            self._wire.say({"tell": "still", "leg": leg, "jpeg": b64encode(jpeg).decode()})

    async def _connect(self, message: wire.Message) -> wire.Message:
        endpoint = message["endpoint"]
        publishes = frozenset(Media(kind) for kind in message["publishes"])
        answer = await self._relay.connect(endpoint, publishes, message["offer"])
        self._endpoints.add(endpoint)
        return wire.answer_out(answer)

    async def _disconnect(self, message: wire.Message) -> wire.Message:
        self._endpoints.discard(message["endpoint"])
        await self._relay.disconnect(message["endpoint"])
        return {}

    async def _apply(self, message: wire.Message) -> wire.Message:
        await self._relay.apply(wire.plan_in(message["plan"], self._clock.boottime()))
        return {}

    async def _sent_on(self, message: wire.Message) -> wire.Message:
        asked = [(int(line), at) for line, at in message["asked"]]
        found = await self._relay.sent_on(message["endpoint"], asked)
        return {"sent": [[line.last_s, line.frame_s, line.frames, line.report_s] for line in found]}

    async def _close(self, message: wire.Message) -> wire.Message:
        if self._plane is not None:
            await self._plane.close()
        return {}

    async def _beat(self) -> None:
        """Say each BEAT_S that the loop turns, and each second how it goes."""
        beats = 0
        while True:
            await asyncio.sleep(BEAT_S)
            beats += 1
            if self._wire.unsent > MAX_UNSENT:
                continue
            self._wire.say({"tell": "beat"})
            if self._plane is not None and beats % round(STATE_EVERY_S / BEAT_S) == 0:
                self._wire.say({"tell": "state", "counters": dict(self._relay.counters()), "health": self._health()})

    def _health(self) -> wire.Message:
        found = ((endpoint, self._relay.health(endpoint)) for endpoint in self._endpoints)
        return {endpoint: wire.health_out(health) for endpoint, health in found if health is not None}


def die_with(parent: int) -> None:
    """Have the kernel kill this process as soon as process `parent` is gone (prctl(2), Linux)."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it went before we asked
        sys.exit(0)


def main(descriptor: int, parent: int) -> None:
    """Serve the pipe whose end is `descriptor`, for the broker that is process `parent`."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    die_with(parent)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    asyncio.run(_serve(socket.socket(fileno=descriptor)))


async def _serve(pipe: socket.socket) -> None:
    await Worker().run(pipe)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
