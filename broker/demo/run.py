"""Running the demo: a fresh database, the broker in this process, the bots in theirs, and a table of links."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.bootstrap import CannotStart, running
from broker.config import Config, one_worker_a_core, sqlite_url
from broker.demo.bots import Bots
from broker.demo.people import CLERK, HARROWDENE, MONITOR, OTHERS, STOKE_BARROW, SUPERVISOR
from broker.demo.seed import AlreadyOthers, Seeded, seed
from broker.logs import set_up_logs
from broker.office import open_office
from broker.text import catalogue

HOST: Final = "127.0.0.1"  # the demo listens on loopback only (design README 19)
CREDENTIAL_FILE: Final = "check-call.credential"  # where check-call looks for it
MARK: Final = "made-by-the-demo"
STAFF: Final = (("demo.monitor", MONITOR, "monitor"), ("demo.hall", SUPERVISOR, "hall"), ("demo.visits", CLERK, "base"))
DONE, FAILED = 0, 1


class Screen:
    """What whoever starts the demo reads."""

    def __init__(self, out: Console | None = None) -> None:
        self._say = catalogue()
        self._out = out or Console()

    def say(self, key: str, **values: object) -> None:
        """Print a sentence."""
        self._out.print(self._say(key, **values), markup=False, highlight=False, soft_wrap=True)

    def fail(self, key: str, **values: object) -> int:
        """Print what is wrong and return the exit status."""
        return self.complain(self._say(key, **values))

    def complain(self, sentence: str) -> int:
        """Print a sentence that says what is wrong and return the exit status."""
        Console(stderr=True).print(sentence, style="bold red", markup=False, highlight=False, soft_wrap=True)
        return FAILED

    def links(self, config: Config, seeded: Seeded) -> None:
        """Print one link a chair with its sign-in: as a table, or one below the other where the screen is narrow."""
        table = self._table(chairs(config, seeded))
        needed = self._out.measure(table, options=self._out.options.update(max_width=1000)).maximum
        if self._out.is_terminal and self._out.width < needed:
            self.say("demo.title")
            for row in chairs(config, seeded):
                self._out.print("  ".join(part for part in row[:3] if part), markup=False, highlight=False)
                self._out.print(f"  {row[3]}", markup=False, highlight=False, soft_wrap=True)
        else:
            Console(file=self._out.file, width=needed).print(table)
        self.say("demo.how", seat=seeded.guest.seat, hall=HARROWDENE.halls[0][0])
        monitor, supervisor, clerk = (account.username for account in OTHERS)
        passwords = ", ".join(seeded.sign_ins[account.username].password for account in OTHERS)
        other = {"monitor": monitor, "supervisor": supervisor, "clerk": clerk, "passwords": passwords}
        self.say("demo.other_prison", prison=STOKE_BARROW.name, **other)
        self.say("demo.check", url=config.base_url)
        self.say("demo.stop")

    def _table(self, rows: list[tuple[str, str, str, str]]) -> Table:
        table = Table(title=self._say("demo.title"), title_justify="left")
        for column in ("demo.chair", "demo.sign_in", "demo.password", "demo.link"):
            table.add_column(self._say(column), no_wrap=True)
        for chair, username, password, link in rows:
            table.add_row(chair, username, password, Text(link, style=f"link {link}"))
        return table


def chairs(config: Config, seeded: Seeded) -> list[tuple[str, str, str, str]]:
    """Return what each chair needs: its name, who signs in, the password, and its link."""
    say, guest = catalogue(), seeded.guest
    free = say("demo.no_sign_in")
    rows = [
        (say("demo.family"), free, "", f"{config.origin('family')}/visit#{guest.family_token}"),
        (say("demo.laptop", seat=guest.seat), free, "", f"{config.origin('laptop')}/laptop#{guest.laptop_token}"),
    ]
    for key, account, chair in STAFF:
        password = seeded.sign_ins[account.username].password
        rows.append((say(key), account.username, password, f"{config.origin(chair)}/"))
    return rows


def run(port: int, calls: int, data_dir: Path) -> int:
    """Run the demo until Ctrl-C. Returns 0, or 1 where it could not start (with a sentence on standard error)."""
    screen = Screen()
    if not _is_free(port):
        return screen.fail("demo.port_taken", port=port, other=port + 1)
    if not _cleared(data_dir):
        return screen.fail("demo.not_ours", folder=data_dir)
    config = Config(
        host=HOST,
        port=port,
        base_url=f"http://localhost:{port}",
        data_dir=data_dir,
        database_url=sqlite_url(data_dir),
        demo=True,
        media_workers=one_worker_a_core(),
    )
    set_up_logs(config)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        return asyncio.run(_demo(config, calls, screen))
    except CannotStart as reason:
        return screen.complain(str(reason))
    except AlreadyOthers:
        return screen.fail("demo.not_ours", folder=data_dir)
    except KeyboardInterrupt:
        return DONE


async def _demo(config: Config, calls: int, screen: Screen) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work = asyncio.get_running_loop().create_task(_work(config, calls, screen))
    stopping = asyncio.get_running_loop().create_task(stop.wait())
    try:
        await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            screen.say("demo.stopping")
            work.cancel()
        with suppress(asyncio.CancelledError):
            await work
    finally:
        stopping.cancel()
    screen.say("demo.stopped")
    return DONE


async def _work(config: Config, calls: int, screen: Screen) -> None:
    async with open_office(config) as office:
        (config.data_dir / MARK).touch()
        seeded = await seed(office, screen.say)
        _write_secret(config.data_dir / CREDENTIAL_FILE, seeded.credential)
        screen.say("demo.starting")
        async with running(config), Bots(office, seeded, config.base_url, calls, screen.say) as bots:
            await bots.ready()
            screen.links(config, seeded)
            await asyncio.Event().wait()  # until cancelled: the contexts then close, the bots first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _cleared(folder: Path) -> bool:
    """Empty the demo's own folder; say whether it is there and ours."""
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            return False
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return True


def _write_secret(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text + "\n")
