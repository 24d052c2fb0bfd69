"""The report of bench_network.py: a table, a plot, and which figures were met."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plot import Line, Panel, svg
from tests.network.profiles import PROFILES

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
COLUMNS = (
    "profile; down / up",
    "lost on the line",
    "sound delivered",
    "freezes > 1 s a minute",
    "frames a second",
    "lips: median, 95 of 100 within (ms)",
    "kbit/s",
    "back after (s)",
    "system holds",
)
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
PLOT = "network.svg"
CAPTION = "Bitrate over time on each network, as the party on the bad line receives and sends it"


def report(found: dict[str, Any], root: Path, *, docs: bool) -> int:
    """Write build/bench/network.json and the plot, print the table and the verdicts; 1 where a figure was missed."""
    target = root / "build" / "bench"
    target.mkdir(parents=True, exist_ok=True)
    met = dict(verdicts(found))
    found["met"] = met
    (target / "network.json").write_text(json.dumps(found, indent=1) + "\n")
    picture = svg([_panel(row) for row in found["rows"]], "kbit/s", CAPTION)
    (target / PLOT).write_text(picture)
    text = table(found)
    print(text)
    for name, is_met in met.items():
        print(f"{'met   ' if is_met else 'MISSED'} {name}")
    if docs:
        _write_docs(root / "docs", text, picture)
    return 0 if all(met.values()) else 1


def table(found: dict[str, Any]) -> str:
    """Return the rows as Markdown."""
    lines = [HEAD, *(_line(row) for row in found["rows"])]
    holds = found.get("false_holds")
    if holds is not None:
        kinds = f" ({', '.join(holds['holds'])})" if holds["holds"] else ""
        minutes, profile = holds["call_minutes"], holds["profile"]
        lines += ["", f"False holds in {minutes:.0f} call-minutes of bots at {profile}: {len(holds['holds'])}{kinds}."]
    loads = ", ".join(f"{load:.1f}" for load in found["load_average"])
    lines += ["", f"Load average of the machine before each round and at the end: {loads}."]
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    down, up = row["down"], row["up"]

    def pair(name: str, scale: float = 1.0, digits: int = 1, unit: str = "") -> str:
        values = (end[name] for end in (down, up))
        return " / ".join("–" if value is None else f"{value * scale:.{digits}f}{unit}" for value in values)

    lips = " / ".join(
        "–" if end["skew_ms"] is None else f"{end['skew_ms']:+.0f}, {end['skew_worst_ms']:.0f}" for end in (down, up)
    )
    cells = [
        row["profile"],
        f"{row['lost']['down'] * 100:.1f} / {row['lost']['up'] * 100:.1f} %",
        pair("sound", 100, 2, " %"),
        pair("freezes_per_min"),
        pair("frames_per_s"),
        lips,
        f"{down['kbps_in']:.0f} / {down['kbps_out'] or up['kbps_in']:.0f}",
        pair("back_after_s") if row["trouble_s"] is not None else "",
        ", ".join(row["holds"]) or "0",
    ]
    return f"| {' | '.join(cells)} |"


def verdicts(found: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield each figure asked for, as far as it was measured, and whether it was met in both directions."""
    rows = {row["profile"]: row for row in found["rows"]}
    if (row := rows.get("5 % loss")) is not None:
        ends = (row["down"], row["up"])
        yield "5 % loss: sound delivered >= 99 %", min(end["sound"] for end in ends) >= 0.99
        yield "5 % loss: freezes > 1 s <= 1 a minute", max(end["freezes_per_min"] for end in ends) <= 1
        yield "5 % loss: no hold by the system", not row["holds"]
    for name in ("20 % burst", "blackout"):
        if (row := rows.get(name)) is not None:
            times = [row[way]["back_after_s"] for way in ("down", "up")]
            yield f"{name}: back after <= 2 s", all(time is not None and time <= 2.0 for time in times)
    if (row := rows.get("address change")) is not None:
        times = [row[way]["back_after_s"] for way in ("down", "up")]
        yield "address change: back after <= 3 s", all(time is not None and time <= 3.0 for time in times)
    if (holds := found.get("false_holds")) is not None:
        yield f"0 false holds in {holds['call_minutes']:.0f} call-minutes", not holds["holds"]


def _panel(row: dict[str, Any]) -> Panel:
    shared = PROFILES[row["profile"]].clients > 1
    down, up = row["down"], row["up"]
    return Panel(
        row["profile"] + (": the median laptop" if shared else ""),
        (
            Line("received, kbit/s", [(at, kbps) for at, kbps, _, _ in down["series"]]),
            Line("sent, kbit/s", [(at, kbps) for at, _, kbps, _ in down["series"]]),
            Line("picture received, lines", [(at, height) for at, _, _, height in down["series"]]),
            Line("picture sent, lines", [(at, height) for at, _, _, height in up["series"]]),
        ),
        tuple(row["trouble_s"]) if row["trouble_s"] else None,
    )


def _write_docs(docs: Path, text: str, picture: str) -> None:
    """Put the table between the marks of network.md, and the plot beside it."""
    page = docs / "network.md"
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
    (docs / PLOT).write_text(picture)
