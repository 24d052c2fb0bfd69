"""A whole broker for a flow test: real SQLite, real sockets and real media on loopback, in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from broker.bootstrap import running
from broker.config import Config, sqlite_url
from broker.domain.policy import DEFAULT, Policy
from broker.engine.office import Office
from broker.office import open_office
from broker.synthetic.caller import both
from broker.synthetic.site import Site
from broker.synthetic.stage import Ends, Stage, ask_for_calls, both_posts, ends_of, staffed

PLACE = "SYN"
WORKERS = 2
WITHIN_S = 40.0


@dataclass(frozen=True, slots=True)
class Running:
    """A broker that runs, and the credential of its synthetic establishment."""

    config: Config
    office: Office
    credential: str

    @property
    def url(self) -> str:
        return self.config.base_url


def free_port() -> int:
    """Return a TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def config_in(folder: Path) -> Config:
    """Return the configuration of a broker whose data is in `folder`."""
    port = free_port()
    return Config(
        port=port,
        base_url=f"http://localhost:{port}",
        data_dir=folder,
        database_url=sqlite_url(folder),
        media_workers=WORKERS,
    )


async def console_code(office: Office, tag: str, place: str = PLACE) -> str:
    """Return a one-time code that enrols a browser as a console: what a second monitor needs beside an account."""
    _, code = await office.console_devices.enrol(place, tag, "test")
    return code


@asynccontextmanager
async def broker_in(folder: Path, policy: Policy = DEFAULT, **settings: Any) -> AsyncIterator[Running]:
    """Run a broker with one synthetic establishment; `settings` are fields of its configuration."""
    config = replace(config_in(folder), **settings)
    async with open_office(config) as office:
        await office.places.add_establishment(PLACE, "Synthetic establishment", "test", synthetic=True)
        _, credential = await office.places.issue_credential(PLACE, "test")
        async with running(config, policy):
            yield Running(config, office, credential)


@asynccontextmanager
async def stage_in(
    folder: Path, calls: int = 1, policy: Policy = DEFAULT, kind: str = "social"
) -> AsyncIterator[Stage]:
    """Run a broker with `calls` synthetic calls and two members of staff who are signed in, on no post."""
    async with broker_in(folder, policy) as broker, Site(broker.url) as site:
        cast = await ask_for_calls(site, broker.credential, calls, kind)
        async with staffed(site, cast) as stage:
            yield stage


@asynccontextmanager
async def live_call(folder: Path) -> AsyncIterator[tuple[Stage, Ends]]:
    """Run a broker with one call that is live, both posts staffed."""
    async with stage_in(folder) as stage:
        await both_posts(stage)
        async with ends_of(stage, stage.cast.calls[0], 0) as ends:
            await both(ends.laptop, ends.family)
            await ends.media("media at both ends")
            yield stage, ends


def command(config: Config, *words: str) -> Awaitable[Process]:
    """Start a command of the broker on that configuration."""
    place = {
        "BROKER_DATA_DIR": str(config.data_dir),
        "BROKER_BASE_URL": config.base_url,
        "BROKER_PORT": str(config.port),
    }
    return asyncio.create_subprocess_exec(
        sys.executable, "-m", "broker", *words, env={**os.environ, **place}, stdout=asyncio.subprocess.DEVNULL
    )


async def process_for(config: Config) -> Process:
    """Serve in a process of its own, and return when it answers."""
    process = await command(config, "serve")
    async with asyncio.timeout(WITHIN_S):
        while not is_answering(config.port):
            assert process.returncode is None, "the broker ended at once"
            await asyncio.sleep(0.1)
    return process


def is_answering(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def workers_of(pid: int) -> list[psutil.Process]:
    """Return the relay workers of a broker's process, in the order in which they were started: that of their homes."""
    found = [child for child in psutil.Process(pid).children() if "broker.media.worker" in child.cmdline()]
    return sorted(found, key=lambda worker: (worker.create_time(), worker.pid))
