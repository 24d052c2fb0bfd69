"""A prison that is not synthetic, so that it is taken over and counted: the demo's, with one call and both posts on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from broker.bootstrap import running
from broker.config import Config
from broker.demo.people import BOT_MONITOR, BOT_SUPERVISOR, HARROWDENE
from broker.demo.seed import ACTOR, LENGTH, play, seed
from broker.engine.accounts import NewAccount
from broker.engine.office import Office
from broker.office import open_office
from broker.synthetic.site import Site
from broker.synthetic.stage import Booked, Cast, Stage, both_posts, staffed
from tests.flows.support import config_in

PLACE = HARROWDENE.code


@dataclass(frozen=True, slots=True)
class Prison:
    """The broker's office, and the stage of its one call."""

    config: Config
    office: Office
    stage: Stage


@asynccontextmanager
async def a_prison(folder: Path, *accounts: NewAccount) -> AsyncIterator[Prison]:
    """Run a broker with the demo's prisons, these accounts besides, one call that starts now, and both posts on."""
    config = config_in(folder)
    async with open_office(config) as office:
        seeded = await seed(office, lambda key: None)
        for account in accounts:
            await office.accounts.add(account, "test")
        played = await play(office, HARROWDENE, 1, 0, LENGTH, ACTOR)
        booked = Booked(played.call_id, played.family_token, played.laptop_token, "", "")
        staff = [seeded.sign_ins[one.username] for one in (BOT_MONITOR, BOT_SUPERVISOR)]
        monitor, supervisor = ((one.account.username, one.password) for one in staff)
        console = (*monitor, seeded.bot_console_token)
        cast = Cast(PLACE, seeded.hall_id, (booked,), console, supervisor)
        async with running(config), Site(config.base_url) as site, staffed(site, cast) as stage:
            await both_posts(stage)
            yield Prison(config, office, stage)
