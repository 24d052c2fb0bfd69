#!/usr/bin/env python3
"""Measure calls over bad networks: real relay and posts, Chromium at both ends, a seeded proxy in front of one of them.

The family's page is on the bad line and the laptop's on a good one, so each profile shows both directions: what the
family hears and sees came down the line, what the laptop does went up it. The ADSL row is the other way round: twelve
laptops share one line, and everybody is a bot. False holds are counted over calls of bots. Writes
build/bench/network.json and network.svg; with --docs the table and the plot of docs/network.md too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.async_api import Browser, async_playwright  # noqa: E402

from broker.bootstrap import running  # noqa: E402
from broker.office import open_office  # noqa: E402
from broker.synthetic.caller import both  # noqa: E402
from broker.synthetic.site import Site  # noqa: E402
from broker.synthetic.stage import PAIRS, Booked, Stage, ask_for_calls, both_posts, ends_of, staffed  # noqa: E402
from broker.synthetic.tasks import Tasks  # noqa: E402
from network_report import report  # noqa: E402
from tests.flows.support import PLACE, config_in  # noqa: E402
from tests.network.bots import SystemHolds, sampling  # noqa: E402
from tests.network.figures import reception  # noqa: E402
from tests.network.impairment import Link  # noqa: E402
from tests.network.pages import LAUNCH, camera_and_microphone, page_ends  # noqa: E402
from tests.network.profiles import PROFILES, Profile  # noqa: E402
from tests.network.proxy import UdpProxy  # noqa: E402

SETTLE_S = 4.0  # after the first picture, before a profile begins: the browser has found its rate
COUNT_FROM_S = 2.0  # of a profile: the jump into it is nobody's network
HOLD_CALLS, HOLD_S, HOLD_PROFILE = 10, 120.0, "5 % loss"
SEED = 20261124
MEDIA_WITHIN_S = 30.0  # of a call that opens on a bad line


def say(text: str) -> None:
    """Print a line of progress at once."""
    print(f"» {text}", flush=True)


# --- the broker, in a process of its own --------------------------------------


@dataclass(frozen=True)
class Broker:
    """A broker that runs in its own process."""

    url: str
    credential: str


async def serve(folder: Path) -> None:
    """Run a broker with one synthetic establishment until standard input ends."""
    config = config_in(folder)
    async with open_office(config) as office:
        await office.places.add_establishment(PLACE, "Synthetic establishment", "bench", synthetic=True)
        _, credential = await office.places.issue_credential(PLACE, "bench")
        async with running(config):
            print(json.dumps([config.base_url, credential]), flush=True)
            await asyncio.to_thread(sys.stdin.read)


@contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """Run `serve` in a process of its own."""
    folder.mkdir()
    with (folder / "log").open("w") as log:
        command = [sys.executable, __file__, "--serve", str(folder)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if line.startswith('["')), None)
        if line is None:
            raise SystemExit(f"the broker did not start:\n{(folder / 'log').read_text()[-2000:]}")
        yield Broker(*json.loads(line))
    finally:
        process.stdin.close()
        process.wait(timeout=30)


# --- calls --------------------------------------------------------------------


@dataclass(frozen=True)
class Hall:
    """Everything that a row needs: the broker, its staff at their posts, and a browser."""

    broker: Broker
    site: Site
    stage: Stage
    holds: SystemHolds
    browser: Browser
    seconds: float


@asynccontextmanager
async def hall(broker: Broker, browser: Browser, calls: int, seconds: float) -> AsyncIterator[Hall]:
    """Book `calls` calls and staff both posts with bots, the monitor's line a good one."""
    tasks = Tasks()
    async with Site(broker.url) as site, AsyncExitStack() as leaving:
        cast = await ask_for_calls(site, broker.credential, calls)
        stage = await leaving.enter_async_context(staffed(site, cast))
        leaving.push_async_callback(tasks.close)
        await both_posts(stage)
        holds = SystemHolds(stage.monitor)
        tasks.start(holds.watch())
        yield Hall(broker, site, stage, holds, browser, seconds)


async def one_line(hall: Hall, booked: Booked, profile: Profile, seed: int) -> dict[str, Any]:
    """Return the row of a profile whose line one family has for itself."""
    async with (
        UdpProxy(up=profile.up.calm, down=profile.down.calm, seed=seed) as proxy,  # no jump in the round trip
        page_ends(hall.browser, hall.site, booked, proxy) as ends,
    ):
        began = await _under(profile, proxy, hall.seconds)
        counted, back_from = began + COUNT_FROM_S, _trouble_ends(profile, began)
        until = began + hall.seconds  # what comes later is not counted: to fetch the figures holds the proxy up
        family, laptop = ([one for one in page if one["at"] <= until] for page in await ends.samples())
        row = _row(hall, profile, proxy, [booked], (began, until))
        row["down"] = reception(family, counted, back_from).as_json()
        row["up"] = reception(laptop, counted, back_from).as_json()
        await hall.stage.monitor.end(booked.call_id)  # an open call takes room of those that come after
    say(f"{profile.name}: done")
    return row


async def shared_line(hall: Hall, calls: Sequence[Booked], profile: Profile, seed: int) -> dict[str, Any]:
    """Return the row of a profile whose line many laptops share: bots, and the figures those of the median laptop."""
    at_ends: dict[str, list[list[dict[str, Any]]]] = {"down": [[] for _ in calls], "up": [[] for _ in calls]}
    tasks = Tasks()
    line = UdpProxy(up=profile.up, down=profile.down, seed=seed)  # shared from the first call on, as a hall's is
    async with line as proxy, AsyncExitStack() as leaving:
        leaving.push_async_callback(tasks.close)
        for number, booked in enumerate(calls):
            ends = await leaving.enter_async_context(ends_of(hall.stage, booked, number % PAIRS))
            ends.laptop.via = proxy.rewrite
            await both(ends.laptop, ends.family)
            await ends.media("media at both ends", MEDIA_WITHIN_S)
            tasks.start(sampling(ends.laptop, at_ends["down"][number]))
            tasks.start(sampling(ends.family, at_ends["up"][number]))
        began = await _under(profile, proxy, hall.seconds)
        row = _row(hall, profile, proxy, calls, (began, began + hall.seconds))
        for booked in calls:
            await hall.stage.monitor.end(booked.call_id)
    laptops = [
        {way: reception(at_ends[way][number], began + COUNT_FROM_S) for way in at_ends} for number in range(len(calls))
    ]
    laptops.sort(key=lambda ends: min(ends["down"].sound, ends["up"].sound))
    row.update({way: found.as_json() for way, found in laptops[len(laptops) // 2].items()})
    row["worst"] = {way: found.as_json() for way, found in laptops[0].items()}
    say(f"{profile.name}: done")
    return row


async def _under(profile: Profile, proxy: UdpProxy, seconds: float) -> float:
    """Let the calls settle, put them under the profile for `seconds`, and return when it began (of the epoch)."""
    await asyncio.sleep(SETTLE_S)
    proxy.impair(profile.up, profile.down)
    began = time.time()
    for at in profile.moves_s:
        await asyncio.sleep(max(0.0, began + at - time.time()))
        proxy.move()
    await asyncio.sleep(max(0.0, began + seconds - time.time()))
    return began


def _trouble_ends(profile: Profile, began: float) -> float | None:
    return None if profile.trouble_s is None else began + profile.trouble_s[1]


def _row(
    hall: Hall, profile: Profile, proxy: UdpProxy, calls: Sequence[Booked], within: tuple[float, float]
) -> dict[str, Any]:
    placed = [hold.kind.value for call in calls for hold in hall.holds.during(call.call_id, *within)]
    return {
        "profile": profile.name,
        "seconds": hall.seconds,
        "trouble_s": profile.trouble_s,
        "lost": {"up": _lost(proxy.up), "down": _lost(proxy.down)},
        "holds": placed,
    }


def _lost(link: Link) -> float:
    """Return the share of packets that never arrived, of those that were sent into the line."""
    return (link.lost + link.dropped) / max(link.taken, 1)


async def false_holds(broker: Broker, browser: Browser, seconds: float) -> dict[str, Any]:
    """Count the holds that the system placed over calls of bots with one end on a bad line, while nobody did wrong."""
    profile, sounds = PROFILES[HOLD_PROFILE], []
    async with hall(broker, browser, HOLD_CALLS, seconds) as place, AsyncExitStack() as leaving:
        everyone = []
        for number, booked in enumerate(place.stage.cast.calls):
            line = UdpProxy(up=profile.up, down=profile.down, seed=SEED + number)
            proxy = await leaving.enter_async_context(line)
            ends = await leaving.enter_async_context(ends_of(place.stage, booked, number % PAIRS))
            ends.family.via = proxy.rewrite
            await both(ends.family, ends.laptop)
            await ends.media("media at both ends", MEDIA_WITHIN_S)
            everyone.append(ends)
        began = time.time()
        await asyncio.sleep(seconds)
        calls = [booked.call_id for booked in place.stage.cast.calls]
        placed = [hold.kind.value for call in calls for hold in place.holds.during(call, began, time.time())]
        for ends in everyone:
            sounds += [line.packets / max(line.expected, 1) for line in ends.family.lines if line.kind == "audio"]
    minutes = HOLD_CALLS * seconds / 60
    say(f"false holds: {len(placed)} in {minutes:.0f} call-minutes")
    return {"profile": profile.name, "call_minutes": minutes, "holds": placed, "sound_first_pass": min(sounds)}


# --- the run ------------------------------------------------------------------


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run what was asked for and return everything that was found."""
    chosen = [profile for name, profile in PROFILES.items() if not options.only or name in options.only]
    alone = [profile for profile in chosen if profile.clients == 1]
    found: dict[str, Any] = {"bench": "network", "load_average": [os.getloadavg()[0]], "rows": []}
    flags = camera_and_microphone(folder)
    with running_broker(folder / "broker") as broker:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=options.chromium, args=[*LAUNCH, *flags])
            for first in range(0, len(alone), options.at_once):
                group = alone[first : first + options.at_once]
                say(f"{', '.join(profile.name for profile in group)}: {options.seconds:.0f} s")
                async with hall(broker, browser, len(group), options.seconds) as place:
                    rows = [
                        one_line(place, booked, profile, SEED)
                        for profile, booked in zip(group, place.stage.cast.calls, strict=True)
                    ]
                    found["rows"] += await asyncio.gather(*rows)
                found["load_average"].append(os.getloadavg()[0])
            for profile in (profile for profile in chosen if profile.clients > 1):
                say(f"{profile.name}: {options.seconds:.0f} s")
                async with hall(broker, browser, profile.clients, options.seconds) as place:
                    found["rows"].append(await shared_line(place, place.stage.cast.calls, profile, SEED))
                found["load_average"].append(os.getloadavg()[0])
            if not options.only or "false holds" in options.only:
                say(f"false holds: {HOLD_CALLS} calls of bots, {options.hold_seconds:.0f} s")
                found["false_holds"] = await false_holds(broker, browser, options.hold_seconds)
            await browser.close()
    return found


def main() -> int:
    """Measure, print and write; 1 where a figure was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help=f"a profile, or 'false holds'; one of: {', '.join(PROFILES)}")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--hold-seconds", type=float, default=HOLD_S)
    parser.add_argument("--at-once", type=int, default=2, help="profiles that run side by side")
    parser.add_argument("--chromium", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    parser.add_argument("--docs", action="store_true", help="write the table and the plot of docs/network.md")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        with suppress(KeyboardInterrupt):
            asyncio.run(serve(options.serve))
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(options, Path(folder)))
    say(f"{time.monotonic() - began:.0f} s in all")
    return report(found, ROOT, docs=options.docs)


if __name__ == "__main__":
    sys.exit(main())
