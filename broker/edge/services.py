"""What a request may use: one value, made by bootstrap, kept in the application under SERVICES."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from broker.config import Config
from broker.edge.assets import Assets
from broker.engine.access import Access
from broker.engine.accounts import Accounts
from broker.engine.console_devices import ConsoleDevices
from broker.engine.engine import Engine
from broker.engine.exercises import Exercises
from broker.engine.figures import Figures
from broker.engine.inquiry import Inquiry
from broker.engine.secrets import Secrets
from broker.engine.suspensions import Suspensions
from broker.engine.synthetics import Synthetics
from broker.engine.visits import Visits
from broker.ports import Clock, Directory


@dataclass(frozen=True, slots=True)
class Services:
    """The engine and what stands beside it. `access.denials` and `access.revocations` belong to access."""

    config: Config
    clock: Clock
    directory: Directory
    engine: Engine
    access: Access
    accounts: Accounts
    console_devices: ConsoleDevices
    visits: Visits
    suspensions: Suspensions
    secrets: Secrets
    synthetics: Synthetics
    assets: Assets
    figures: Figures
    inquiry: Inquiry
    exercises: Exercises


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)


def services(request: web.Request) -> Services:
    """Return the services of the application that serves `request`."""
    return request.app[SERVICES]
