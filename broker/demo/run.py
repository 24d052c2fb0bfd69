"""Running the demo: a fresh database, the broker in this process, the bots in theirs, and a table of links."""

from __future__ import annotations

import asyncio
import shutil
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.bootstrap import running
from broker.config import Config, one_worker_a_core, sqlite_url
from broker.demo import ground
from broker.demo.bots import Bots
from broker.demo.people import CLERK, HARROWDENE, MONITOR, OTHERS, STOKE_BARROW, SUPERVISOR
from broker.demo.seed import AlreadyOthers, Seeded, seed
from broker.office import open_office
from broker.text import catalogue

CREDENTIAL_FILE: Final = "check-call.credential"  # where check-call looks for it
MARK: Final = "made-by-the-demo"
STAFF: Final = (("demo.monitor", MONITOR, "monitor"), ("demo.hall", SUPERVISOR, "hall"), ("demo.visits", CLERK, "base"))


class Screen(ground.Screen):
    """What whoever starts the demo reads."""

    def links(self, config: Config, seeded: Seeded) -> None:
        """Print one link a chair with its sign-in: as a table, or one below the other where the screen is narrow."""
        table = self._table(chairs(config, seeded))
        needed = self.out.measure(table, options=self.out.options.update(max_width=1000)).maximum
        if self.out.is_terminal and self.out.width < needed:
            self.say("demo.title")
            for row in chairs(config, seeded):
                self.out.print("  ".join(part for part in row[:3] if part), markup=False, highlight=False)
                self.tell(f"  {row[3]}")
        else:
            Console(file=self.out.file, width=needed).print(table)
        self.say("demo.how", seat=seeded.guest.seat, hall=HARROWDENE.halls[0][0])
        monitor, supervisor, clerk = (account.username for account in OTHERS)
        passwords = ", ".join(seeded.sign_ins[account.username].password for account in OTHERS)
        other = {"monitor": monitor, "supervisor": supervisor, "clerk": clerk, "passwords": passwords}
        self.say("demo.other_prison", prison=STOKE_BARROW.name, **other)
        self.say("demo.check", url=config.base_url)
        self.say("demo.stop")

    def _table(self, rows: list[tuple[str, str, str, str]]) -> Table:
        table = Table(title=self.words("demo.title"), title_justify="left")
        for column in ("demo.chair", "demo.sign_in", "demo.password", "demo.link"):
            table.add_column(self.words(column), no_wrap=True)
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
        page = f"enrol#{seeded.console_token}" if account is MONITOR else ""  # and on to the sign-in
        rows.append((say(key), account.username, password, f"{config.origin(chair)}/{page}"))
    return rows


def run(port: int, calls: int, data_dir: Path) -> int:
    """Run the demo until Ctrl-C. Returns 0, or 1 where it could not start (with a sentence on standard error)."""
    screen = Screen()
    if not ground.is_free(port):
        return screen.fail("demo.port_taken", port=port, other=port + 1)
    if not ground.is_ours(data_dir, MARK):
        return screen.fail("demo.not_ours", folder=data_dir)
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(parents=True, mode=0o700)
    config = Config(
        host=ground.HOST,
        port=port,
        base_url=f"http://localhost:{port}",
        data_dir=data_dir,
        database_url=sqlite_url(data_dir),
        demo=True,
        media_workers=one_worker_a_core(),
    )
    try:
        work = partial(_work, config, calls, screen)
        return ground.run_until_told(config, work, screen, "demo.stopping", "demo.stopped")
    except AlreadyOthers:
        return screen.fail("demo.not_ours", folder=data_dir)


async def _work(config: Config, calls: int, screen: Screen) -> None:
    async with open_office(config) as office:
        (config.data_dir / MARK).touch()
        seeded = await seed(office, screen.say)
        ground.write_secret(config.data_dir / CREDENTIAL_FILE, seeded.credential)
        screen.say("demo.starting")
        async with running(config), Bots(office, seeded, config.base_url, calls, screen.say) as bots:
            await bots.ready()
            screen.links(config, seeded)
            await asyncio.Event().wait()  # until cancelled: the contexts then close, the bots first
