"""Bootstrap: from a configuration to a node that runs, and back to nothing within seconds."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from broker.clock import SystemClock
from broker.config import Config
from broker.domain.policy import DEFAULT, Policy
from broker.edge.app import make_app
from broker.edge.assets import Assets, find_root
from broker.edge.listener import Listener
from broker.edge.services import SERVICES, Services
from broker.edge.ws import HUB
from broker.engine.engine import Engine
from broker.engine.exercises import Exercises
from broker.engine.figures import Figures
from broker.engine.inquiry import Inquiry
from broker.engine.office import Office, furnish
from broker.engine.secrets import Passwords
from broker.engine.tasks import Tasks
from broker.logs import set_up_logs
from broker.media.child import RelaySettings
from broker.media.local import LOOPBACK, own_addresses
from broker.media.plane import RelayPlane
from broker.media.pool import RelayPool
from broker.office import pepper_of
from broker.ports import Clock, LogConflict, LogUnavailable, MediaPlane
from broker.storage.checkpoints import INTERVAL_S, Checkpoints
from broker.storage.database import Database
from broker.storage.directory import SqlDirectory
from broker.storage.eventlog import SqlEventLog
from broker.storage.journal import FileJournal
from broker.storage.renewals import SqlRenewals
from broker.text import catalogue

log = structlog.get_logger()

NODE: Final = "node-1"  # one node until there is a pool; its name stands on the renewals
JOURNAL_FILE: Final = "journal"
SHUTDOWN_S: Final = 1.0
FLUSH_DENIALS_S: Final = 5.0
FAILED: Final = 1


class CannotStart(Exception):
    """The node cannot start; the text is a sentence of the catalogue."""


class Node:
    """One broker: database, record, relay, engine and pages. An async context."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        media: MediaPlane | None = None,
        policy: Policy = DEFAULT,
        passwords: Passwords | None = None,
    ) -> None:
        """Prepare a node; nothing is opened before `start`.

        Args:
            config: Port 0 takes a free one; `self.config` names it after `start`.
            media: Another relay than our own, for tests.
        """
        self.config = config
        self.clock = clock or SystemClock()
        self.policy = policy
        self._media = media
        self._passwords = passwords
        self._open = AsyncExitStack()
        self.office: Office
        self.engine: Engine
        self.app: web.Application

    async def __aenter__(self) -> Node:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start everything; when it returns, the port answers.

        Raises:
            CannotStart: A port is taken, or the data directory is another process's.
            LogUnavailable, OSError, ValueError: The database or the data directory cannot be used.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        listening = self._bind()
        self.config = self.config.on_port(listening.getsockname()[1]) if self.config.port == 0 else self.config
        config = self.config
        config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = Database(config.database_url)
        self._open.push_async_callback(database.close)
        await database.migrate()
        journal = self._journal()
        media = await self._relay()
        await self._furnish(database, journal, media)
        await self._background(Checkpoints.in_directory(database, config.data_dir))
        self._open.push_async_callback(self.engine.stop)
        await self.engine.start()
        await self._serve(listening)
        log.info("broker started", url=config.base_url)

    def _bind(self) -> socket.socket:
        config = self.config
        try:
            found = socket.create_server((config.host, config.port), backlog=256, reuse_port=False)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise CannotStart(self._words("start.port_taken", port=config.port, flag="--port")) from None
        self._open.callback(found.close)
        return found

    def _journal(self) -> FileJournal:
        try:
            journal = FileJournal(self.config.data_dir / JOURNAL_FILE)
        except BlockingIOError:
            raise CannotStart(self._words("start.already_runs", folder=self.config.data_dir)) from None
        self._open.callback(journal.close)
        return journal

    def _relay_settings(self) -> RelaySettings:
        """Return where the relay is; one that serves this machine alone is bound wider and hears only this machine."""
        config = self.config
        if config.media_host != LOOPBACK or config.media_advertise != LOOPBACK:
            return RelaySettings(config.media_host, config.media_port, (config.media_advertise,))
        own = own_addresses()
        return RelaySettings("0.0.0.0", config.media_port, own, frozenset(own))

    def _relay_for(self, config: Config) -> RelayPool | RelayPlane:
        """Return the relay: its workers, or a relay in this process."""
        where = self._relay_settings()
        if config.media_workers:
            return RelayPool(where, config.media_workers, self.clock)
        return RelayPlane((where.host, where.port), where.advertise, self.clock, where.only_from)

    async def _relay(self) -> MediaPlane:
        if self._media is not None:
            return self._media
        config = self.config
        relay = self._relay_for(config)
        try:
            await relay.start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            port = error.filename or config.media_port
            raise CannotStart(self._words("start.media_port_taken", port=port, setting="media_port")) from None
        self._open.push_async_callback(relay.close)
        return relay

    async def _furnish(self, database: Database, journal: FileJournal, media: MediaPlane) -> None:
        config = self.config
        event_log, directory = SqlEventLog(database), SqlDirectory(database)
        pepper = await asyncio.to_thread(pepper_of, config)
        zone = ZoneInfo(config.zone)
        office = furnish(
            directory, event_log, self.clock, pepper=pepper, zone=zone, journal=journal, passwords=self._passwords
        )
        self.office = office
        self.engine = Engine(
            event_log,
            journal,
            SqlRenewals(database),
            directory,
            media,
            self.clock,
            self.policy,
            NODE,
            zone,
            office.streams,
            office.denials,
            office.revocations,
        )
        await office.revocations.start()

    async def _background(self, checkpoints: Checkpoints) -> None:
        tasks = Tasks()
        self._open.push_async_callback(self._last_checkpoint, checkpoints)
        self._open.push_async_callback(tasks.close)
        tasks.start(self.office.revocations.watch(), "revocations")
        tasks.start(_every(FLUSH_DENIALS_S, self.office.denials.flush), "denials")
        tasks.start(_every(INTERVAL_S, lambda: checkpoints.checkpoint(self.clock.now())), "checkpoints")

    async def _last_checkpoint(self, checkpoints: Checkpoints) -> None:
        with suppress(LogUnavailable, LogConflict):
            await self.office.denials.flush()
            await checkpoints.checkpoint(self.clock.now())

    async def _serve(self, listening: socket.socket) -> None:
        tasks = Tasks()
        self._open.push_async_callback(tasks.close)
        office = self.office
        figures = Figures(office.log, office.directory, self.clock, ZoneInfo(self.config.zone))
        found = Services(
            config=self.config,
            clock=self.clock,
            directory=office.directory,
            engine=self.engine,
            access=office.access,
            accounts=office.accounts,
            console_devices=office.console_devices,
            visits=office.visits,
            suspensions=office.suspensions,
            secrets=office.secrets,
            synthetics=office.synthetics,
            assets=await asyncio.to_thread(Assets, find_root()),
            figures=figures,
            inquiry=Inquiry(figures, office.streams, office.directory, self.clock),
            exercises=Exercises(office.log, self.clock),
        )
        self.app = make_app(found, tasks)
        hub = self.app[HUB]
        tasks.start(hub.run(), "seconds")
        runner = web.AppRunner(
            self.app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S, keepalive_timeout=30.0
        )
        await runner.setup()
        self._open.push_async_callback(runner.cleanup)
        self._open.callback(hub.close)
        await Listener(runner, listening, _tls(self.config)).start()

    async def stop(self) -> None:
        """Say goodbye to every page and leave no task, socket or thread behind, within 5 s."""
        await self._open.aclose()

    def _words(self, key: str, **values: object) -> str:
        return catalogue(self.config.language)(key, **values)

    @property
    def services(self) -> Services:
        """What the pages use; after `start`."""
        return self.app[SERVICES]


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except (LogUnavailable, LogConflict) as error:
            log.warning("put off", reason=str(error))


def _tls(config: Config) -> ssl.SSLContext | None:
    if config.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.tls_certificate, config.tls_key)
    return context


@asynccontextmanager
async def running(config: Config, policy: Policy = DEFAULT) -> AsyncIterator[Node]:
    """Run a node for as long as the block lasts. Raises as `Node.start` does."""
    async with Node(config, policy=policy) as node:
        yield node


def serve(config: Config) -> int:
    """Run a node until SIGINT or SIGTERM; return the exit status."""
    set_up_logs(config)
    try:
        return asyncio.run(_until_told(config))
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return FAILED


async def _until_told(config: Config) -> int:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with running(config):
        await told.wait()
    return 0
