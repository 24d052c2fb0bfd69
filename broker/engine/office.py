"""The office: accounts, access, bookings and places on one directory and one record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from broker.domain.policy import DEFAULT
from broker.engine.access import Access
from broker.engine.accounts import Accounts
from broker.engine.console_devices import ConsoleDevices
from broker.engine.denials import Denials
from broker.engine.importer import Importer
from broker.engine.photos import Photos
from broker.engine.places import Places
from broker.engine.revocations import Revocations
from broker.engine.risk_import import RiskImporter
from broker.engine.secrets import Passwords, Secrets
from broker.engine.stream import Streams
from broker.engine.suspensions import Suspensions
from broker.engine.synthetics import Synthetics
from broker.engine.visits import Visits
from broker.ports import Clock, Directory, EventLog, Journal


@dataclass(frozen=True, slots=True)
class Office:
    """Everything but the calls."""

    directory: Directory
    log: EventLog
    clock: Clock
    streams: Streams
    secrets: Secrets
    revocations: Revocations
    denials: Denials
    accounts: Accounts
    access: Access
    visits: Visits
    suspensions: Suspensions
    importer: Importer
    risk_importer: RiskImporter
    photos: Photos
    places: Places
    console_devices: ConsoleDevices
    synthetics: Synthetics


def furnish(
    directory: Directory,
    log: EventLog,
    clock: Clock,
    *,
    pepper: bytes,
    zone: tzinfo,
    journal: Journal | None = None,
    passwords: Passwords | None = None,
) -> Office:
    """Return the office on these ports; `zone` is that of the halls' opening hours."""
    secrets = Secrets(pepper)
    streams = Streams(log, clock, journal)
    revocations = Revocations(log, directory, clock)
    denials = Denials(streams, clock)
    accounts = Accounts(directory, streams, secrets, passwords or Passwords(), revocations, clock)
    console_devices = ConsoleDevices(directory, streams, secrets, revocations, denials, clock)
    visits = Visits(directory, streams, secrets, revocations, clock, zone)
    return Office(
        directory,
        log,
        clock,
        streams,
        secrets,
        revocations,
        denials,
        accounts,
        Access(directory, streams, secrets, accounts, revocations, denials, clock, zone),
        visits,
        Suspensions(directory, streams, clock, zone, DEFAULT),
        Importer(directory, streams, visits, clock),
        RiskImporter(directory, streams, DEFAULT),
        Photos(directory, streams),
        Places(directory, streams, secrets, revocations, clock),
        console_devices,
        Synthetics(directory, streams, secrets, accounts, console_devices, clock),
    )
