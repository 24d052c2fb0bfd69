"""Score the detector of faces on the labelled scenes of tests/faces, in a real Chromium: how often the count is right.

Prints a table for docs/faces.md and writes build/bench/faces.json. `--sheet FILE.png` keeps a picture of some scenes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import async_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from broker.edge.assets import Assets  # noqa: E402
from broker.edge.headers import content_policy  # noqa: E402

PICTURES = ROOT / "tests" / "faces"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

# The page's own worker wrapper and the scenes; what is measured is what the console runs.
_SCORE = """async ([worker, lib]) => {
  const { FaceWorker } = await import(worker);
  const { facesIn, SURE } = await import(lib);
  const { scenes, draw, pictures } = await import("/pictures/scenes.js");
  const images = await pictures("/pictures");
  const faces = new FaceWorker();
  await faces.ready();
  const rows = [];
  for (const scene of scenes()) {
    const { scores, ms } = await faces.look(draw(scene, images));
    rows.push({ ...scene, names: scene.people.map((one) => one.name), scores, counted: facesIn(scores), ms });
  }
  return { sure: SURE, rows };
}"""
_SHEET = """async () => {
  const { scenes, draw, pictures } = await import("/pictures/scenes.js");
  const images = await pictures("/pictures");
  const chosen = scenes().filter((_, at) => at % 17 === 0).slice(0, 40);
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [8 * 160, 5 * 90];
  const pen = sheet.getContext("2d");
  chosen.forEach((one, at) => pen.drawImage(draw(one, images), (at % 8) * 160, Math.floor(at / 8) * 90, 160, 90));
  document.body.replaceChildren(sheet);
}"""


@asynccontextmanager
async def served() -> AsyncIterator[tuple[str, Assets]]:
    """Serve the console's files as the broker does, and the pictures beside them."""
    assets = Assets(ROOT)

    async def policy(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = content_policy("bench", request.path)

    async def page(_: web.Request) -> web.Response:
        text = f'<!doctype html><script type="importmap" nonce="bench">{assets.import_map()}</script><body>'
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.on_response_prepare.append(policy)
    app.add_routes([web.get("/", page), web.static("/pictures", PICTURES), assets.route()])
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}", assets
    finally:
        await runner.cleanup()


async def measure(sheet: str | None) -> dict[str, Any]:
    """Return what the detector said of every scene: `rows`, and `sure`, the score from which it counts a face."""
    chromium = os.environ.get("CHROMIUM") or next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    async with served() as (origin, assets), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 450})
        await page.goto(origin)
        names = ("supervisor_console/monitor/face_worker.js", "supervisor_console/lib/faces.js")
        found: dict[str, Any] = await page.evaluate(_SCORE, [assets.url(name) for name in names])
        if sheet:
            await page.evaluate(_SHEET)
            await page.screenshot(path=sheet)
        await browser.close()
        return found


def classes(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, float | int]]:
    """Return precision and recall of the classes none, one, and two or more."""
    names = ("none", "one", "two or more")
    pairs = Counter((names[min(row["faces"], 2)], names[min(row["counted"], 2)]) for row in rows)
    table = {}
    for name in names:
        right = pairs[name, name]
        said = sum(count for (_, counted), count in pairs.items() if counted == name)
        shown = sum(count for (shows, _), count in pairs.items() if shows == name)
        table[name] = {"scenes": shown, "precision": _share(right, said), "recall": _share(right, shown)}
    return table


def groups(rows: Sequence[dict[str, Any]], key: str) -> dict[str, dict[str, float | int]]:
    """Return, for each value of `key`: the share of exact counts, of too few and of too many."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(f"{row['faces']}, {row[key]}" if key == "kind" else str(row[key]), []).append(row)
    return {
        name: {
            "scenes": len(some),
            "exact": _share(sum(row["counted"] == row["faces"] for row in some), len(some)),
            "fewer": _share(sum(row["counted"] < row["faces"] for row in some), len(some)),
            "more": _share(sum(row["counted"] > row["faces"] for row in some), len(some)),
        }
        for name, some in sorted(found.items())
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0


def at_threshold(rows: Sequence[dict[str, Any]], sure: float) -> list[dict[str, Any]]:
    """Return the rows as they would be if a score from `sure` on were a face."""
    return [{**row, "counted": sum(score >= sure for score in row["scores"])} for row in rows]


def table(title: str, rows: dict[str, dict[str, float | int]]) -> str:
    """Return rows as a Markdown table."""
    heads = list(next(iter(rows.values())))
    lines = [f"| {title} | {' | '.join(heads)} |", f"| --- |{' --- |' * len(heads)}"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(map(str, row.values()))} |" for name, row in rows.items())])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", help="write a picture of some scenes")
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.sheet))
    rows = found["rows"]
    alone = [{**row, "portrait": row["names"][0]} for row in rows if row["faces"] == 1]
    took = sorted(row["ms"] for row in rows)
    print(table("Shows", classes(rows)), end="\n\n")
    for title, key, some in (("Faces, kind", "kind", rows), ("Light", "light", rows), ("Alone", "portrait", alone)):
        print(table(title, groups(some, key)), end="\n\n")
    for sure in (0.3, 0.4, 0.5, 0.6, 0.7):
        print(table(f"At {sure}", classes(at_threshold(rows, sure))), end="\n\n")
    load = os.getloadavg()[0]
    print(
        f"{len(rows)} scenes; a look took {took[len(took) // 2]:.0f} ms (median), {took[-1]:.0f} at the most; ", end=""
    )
    print(f"load {load:.1f}; a face from a score of {found['sure']} on")
    target = ROOT / "build" / "bench" / "faces.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({**found, "load": load}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
