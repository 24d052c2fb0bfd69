"""Measure the monitoring console in a real Chromium over live calls of bots: wall, tiles, alerts, pause, long tasks.

One officer's page beside the demo: `--calls N` (16) bots' calls, their own monitor's wall included. Writes
build/bench/console.json. Everything runs on this machine, so the load is part of what is measured: it stands beside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from broker.domain.audit import instant  # noqa: E402
from broker.protocol import client  # noqa: E402
from broker.synthetic.figures import Spread  # noqa: E402
from broker.synthetic.site import Site  # noqa: E402
from broker.synthetic.staff import Supervisor  # noqa: E402
from broker.synthetic.talk import Refused, new_key  # noqa: E402
from machine import chromium  # noqa: E402
from tests.flows.support import free_port  # noqa: E402
from tests.network.pages import LAUNCH  # noqa: E402

TARGETS = {
    "wall_complete_ms": ("max", 3000),
    "tile_change_ms": ("p95", 300),
    "alert_on_screen_ms": ("max", 500),
    "key_to_received_ms": ("p95", 100),
    "received_to_silent_ms": ("max", 200),
    "script_kb": ("max", 300),
    "longest_task_ms": ("max", 100),
}
WAIT_MS = 60_000

# What the page itself can tell: when every picture of the calls moves, and its long tasks.
_WATCH = """() => {
  window.longTasks = [];
  new PerformanceObserver((list) => list.getEntries().forEach((one) => window.longTasks.push(one.duration)))
    .observe({ type: "longtask", buffered: true });
}"""
_ALL_MOVE = """(count) => new Promise((done) => {
  const began = performance.now();
  const look = () => {
    const moving = document.querySelectorAll("video[data-moving=true]").length;
    if (moving >= count) done(performance.now() - began); else requestAnimationFrame(look);
  };
  look();
})"""
_TURN = """(key) => new Promise((done) => {
  const began = performance.now();
  const shown = () => [...document.querySelectorAll(".grid .tile[data-call]")].map((tile) => tile.dataset.call).join();
  const before = shown();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, code: key, bubbles: true }));
  const look = () => {
    const videos = [...document.querySelectorAll(".grid video")];
    const moving = videos.length && videos.every((video) => video.dataset.moving === "true");
    if (shown() !== before && moving) done(performance.now() - began);
    else requestAnimationFrame(look);
  };
  look();
})"""
_ALERT = """(text) => new Promise((done) => {
  const look = () => {
    const there = [...document.querySelectorAll(".alerts li")].some((row) => row.textContent.includes(text));
    if (there) done(Date.now()); else requestAnimationFrame(look);
  };
  look();
})"""
_SCRIPT = """() => performance.getEntriesByType("resource").filter((one) => /\\.m?js(\\?|$)/.test(one.name))
  .reduce((sum, one) => [sum[0] + one.decodedBodySize, sum[1] + one.encodedBodySize], [0, 0])"""


@dataclass(frozen=True)
class Demo:
    """A demo that runs in its own process."""

    folder: Path
    staff: dict[str, tuple[str, str, str]]  # chair -> username, password, link


def say(words: str) -> None:
    """Tell whoever waits what is being done."""
    print(words, file=sys.stderr, flush=True)


def spread(values_ms: Sequence[float]) -> dict[str, float]:
    """Return how `values_ms` lie."""
    found = Spread.of([value / 1000 for value in values_ms])
    return found.as_json() if found else {"n": 0}


def is_met(found: Mapping[str, Mapping[str, float]], name: str) -> bool:
    """Say whether a figure is within its target; one that was not measured is not."""
    share, limit = TARGETS[name]
    return found.get(name, {}).get(share, math.inf) <= limit


@contextmanager
def running_demo(calls: int) -> Iterator[Demo]:
    """Run the demo with its bots until the block ends."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "demo"
        arguments = ["demo", "--calls", str(calls), "--port", str(free_port()), "--data-dir", str(folder)]
        process = subprocess.Popen(
            [sys.executable, "-m", "broker", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        try:
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if "Ctrl-C" in line:
                    break
            else:
                raise SystemExit(f"the demo did not start (exit code {process.wait()}):\n{''.join(lines)[-2000:]}")
            yield Demo(folder, _staff(lines))
        finally:
            process.terminate()
            process.wait(timeout=30)


def _staff(lines: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    found = {}
    for line in lines:
        cells = [cell.strip() for cell in re.split("[│|]", line) if cell.strip()]
        if len(cells) == 4 and (cells[3].endswith("/") or "/enrol#" in cells[3]):
            found["hall" if "hall" in cells[0].lower() else cells[0].split()[0].lower()] = (
                cells[1],
                cells[2],
                cells[3],
            )
    return found


async def signed_in(page: Page, account: tuple[str, str, str]) -> None:
    """Enrol the browser where the link does, sign in, and stand before the last press of the sign-on."""
    await page.goto(account[2])
    if "/enrol#" in account[2]:
        await page.locator("#enrol").click(timeout=WAIT_MS)
    await page.locator("input[name=username]").fill(account[0])
    await page.locator("input[name=password]").fill(account[1])
    await page.keyboard.press("Enter")
    await page.locator("input[name=guidance]").check(timeout=WAIT_MS)
    await page.evaluate(f"({_WATCH})()")


async def measure(demo: Demo, calls: int, rounds: int, watch_s: float) -> dict[str, Any]:
    """Sit at the console and measure."""
    found: dict[str, Any] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=LAUNCH)
        page = await browser.new_page(viewport={"width": 1920, "height": 1040})
        say("signing on")
        await signed_in(page, demo.staff["monitoring"])
        await page.locator("main#main form button[type=submit]").click()
        found["wall_complete_ms"] = spread([await page.evaluate(_ALL_MOVE, 2 * calls)])
        await asyncio.sleep(3)
        script = await page.evaluate(_SCRIPT)
        found["script_kb"] = {"max": round(script[0] / 1000, 1), "compressed": round(script[1] / 1000, 1)}
        say("watching the wall")
        await page.evaluate("window.longTasks.length = 0")
        await asyncio.sleep(watch_s)  # the tiles' clocks, levels and ages change each second
        found["longest_task_ms"] = spread(await page.evaluate("window.longTasks") or [0.0])
        say("turning pages")
        found["tile_change_ms"] = spread(await _turns(page, rounds))
        say("alerts")
        found.update(await _alerts(page, demo, min(rounds, 10)))
        say("pausing")
        found["key_to_received_ms"], found["received_to_silent_ms"] = await _pauses(page, demo, rounds)
        await browser.close()
    return found


async def _turns(page: Page, rounds: int) -> list[float]:
    """Turn pages of four tiles, to and fro."""
    await page.locator(".layouts button").get_by_text("4", exact=True).click()
    await page.locator(".tile button[data-tile]").first.focus()
    await asyncio.sleep(1)
    times = []
    for number in range(rounds):
        key = "PageDown" if number % 2 == 0 else "PageUp"
        times.append(float(await page.evaluate(_TURN, key)))
        await asyncio.sleep(0.5)
    return times


async def _pauses(page: Page, demo: Demo, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pause by key and clear again; compare the page's clock with the record, on the same machine."""
    await page.evaluate(
        """() => { window.pressedAt = []; document.addEventListener("keydown", (event) => {
          if (event.key === "p") window.pressedAt.push(Date.now()); }, { capture: true }); }"""
    )
    for number in range(rounds):
        await page.locator(".tile button[data-tile]").nth(number % 4).focus()
        await page.keyboard.press("p")
        await page.locator(".panel .undo").first.wait_for(timeout=WAIT_MS)
        await page.keyboard.press("u")
        await page.locator(".panel .undo").first.wait_for(state="detached", timeout=WAIT_MS)
        await asyncio.sleep(0.3)
    pressed: list[float] = await page.evaluate("window.pressedAt")
    placed = _holds(demo.folder)
    received = [at for at, _ in placed]
    delays = [max(0.0, at - before) for before, at in zip(pressed, received[-len(pressed) :], strict=True)]
    return spread(delays), spread([silent for _, silent in placed if silent is not None])


def _holds(folder: Path) -> list[tuple[float, float | None]]:
    """Return when each person's pause was received (ms since 1970) and how long until silence (ms): the record."""
    with sqlite3.connect(f"file:{folder / 'broker.db'}?mode=ro", uri=True) as database:
        rows = database.execute("select at, stored from events where type = 'hold.placed' order by at").fetchall()
    found = []
    for at, stored in rows:
        body = json.loads(stored).get("body", {})
        if body.get("by"):
            moment: datetime = instant(at)
            found.append((moment.timestamp() * 1000, body.get("silent_after_ms")))
    return found


async def _alerts(page: Page, demo: Demo, rounds: int) -> dict[str, Any]:
    """The hall tries what only the monitoring post may do; how long until the wall says so."""
    times = []
    username, password, link = demo.staff["hall"]
    base = re.sub(r"^(https?://)[^/:]+", r"\1localhost", link).rstrip("/")
    async with Site(base) as site, Supervisor(site, username, password) as supervisor:
        await supervisor.sign_in()
        you = supervisor.talk.welcome.you if supervisor.talk and supervisor.talk.welcome else None
        place = you.may[0]  # type: ignore[union-attr]
        await supervisor.take_post(place.establishment, place.halls[0].id)
        live = [call.id for call in supervisor.calls.values() if call.phase == "live"]
        for number in range(min(rounds, len(live))):
            call = supervisor.calls[live[number]]
            wait = asyncio.ensure_future(page.evaluate(_ALERT, call.prisoner_number))
            await asyncio.sleep(0.2)
            sent = await page.evaluate("Date.now()")
            try:
                await supervisor.command(client.CallWarn(key=new_key(), call_id=call.id, warning="final"))
            except Refused:
                pass
            times.append(await asyncio.wait_for(wait, 30) - sent)
        await supervisor.leave_post()
    return {"alert_on_screen_ms": spread(times)}


def main() -> int:
    """Measure, print and write; 1 where silence came too late, which is a promise and not a target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--watch", type=float, default=30.0, help="seconds over which long tasks are counted")
    options = parser.parse_args()
    with running_demo(options.calls) as demo:
        found = asyncio.run(measure(demo, options.calls, options.rounds, options.watch))
    met = {f"{name} {share} <= {limit}": is_met(found, name) for name, (share, limit) in TARGETS.items()}
    target = ROOT / "build" / "bench" / "console.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    head = {"bench": "console", "calls": options.calls, "cores": os.cpu_count(), "load_average": os.getloadavg()[0]}
    target.write_text(json.dumps({**head, **found, "met": met}, indent=2) + "\n")
    for name, kept in met.items():
        figures = found[name.split(" ")[0]]
        print(f"{'met   ' if kept else 'MISSED'} {name}   {json.dumps(figures)}")
    return 0 if is_met(found, "received_to_silent_ms") else 1


if __name__ == "__main__":
    sys.exit(main())
