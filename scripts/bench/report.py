"""The comparison in words: a table for the terminal, and the relay's part of docs/performance.md with its plot."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- relay: written by scripts/bench_relay.py --write-docs -->", "<!-- relay ends -->"
PLOT = "performance-relay.svg"
ORDER = ("native", "python", "janus", "pion", "mediarelay", "floor", "floor_gso")
COLOURS = {"python": "#1d70b8", "native": "#00703c", "janus": "#b5401f", "floor": "#505a5f", "floor_gso": "#8a939a"}
DOES = {
    "python": "decrypts, checks, keeps a ring for retransmission, rewrites numbers and picture ids, asks the plan's "
    "deadline on every packet; congestion feedback, sender and receiver reports",
    "janus": "1.1.2 of Debian, videoroom, one event loop, ICE-lite: retransmission ring, reports, congestion feedback. "
    "Five connections a call, since a subscriber has its own, where ours has three; no deadline",
    "floor": "in C: recvmmsg, decrypt, and twice copy, change the SSRC, encrypt, sendmmsg; no ring, no feedback",
    "floor_gso": "the same, with the packets of a frame for one receiver in one message (UDP_SEGMENT)",
}


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"cpu": model, "cpus": os.cpu_count(), "linux": platform.release(), "python": platform.python_version()}


def table(found: Mapping[str, Any]) -> str:
    """Return every figure as Markdown."""
    return "\n\n".join(part for part in (comparison(found), figures(found), missing(found)) if part)


def comparison(found: Mapping[str, Any]) -> str:
    """Return the rows of the servers."""
    out = [
        "| server | calls | µs a packet (each window) | of a core | delay p50 / p99, ms | received | load's core |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sorted(found["rows"], key=lambda row: (row["calls"], ORDER.index(row["server"]))):
        windows = ", ".join(f"{value:.1f}" for value in row["windows"])
        cells = (
            row["server"],
            str(row["calls"]),
            f"**{row['us_per_packet']:.1f}** ({windows})",
            f"{row['cpu_fraction']:.0%}",
            f"{row['latency_p50_ms']:.2f} / {row['latency_p99_ms']:.1f}",
            f"{row['received_fraction']:.2%}",
            f"{row['load_fraction']:.0%}{': too busy, not to be trusted' if row['load_was_bottleneck'] else ''}",
        )
        out.append(f"| {' | '.join(cells)} |")
    return "\n".join(out)


def figures(found: Mapping[str, Any]) -> str:
    """Return what was asked and what was measured."""
    lines = [*ratios(found), *resources(found), *walls(found), *pauses(found)]
    if not lines:
        return ""
    return "\n".join(["| figure | asked | measured |", "|---|---|---|", *lines])


def ratios(found: Mapping[str, Any]) -> list[str]:
    """Return our µs a packet divided by Janus's."""
    asked = {"10": "≤ 1.0", "30": "≤ 0.70"}
    return [
        f"| python ÷ janus at {calls} calls | {asked.get(calls, '')} | {ratio:.2f} |"
        for calls, ratio in found["python_to_janus"].items()
    ]


def resources(found: Mapping[str, Any]) -> list[str]:
    """Return capacity, memory and set-up."""
    out = []
    if held := found["capacity"].get("python"):
        line = held["calls_at_70_percent"]
        more = f"; 70 % by the line to the next row: {line}" if line else ""
        text = f"{held['measured_calls']} at {held['cpu_fraction']:.0%}{more}"
        out.append(f"| monitored calls on one core at ≤ 70 % of it, full-rate monitor | ≥ 60 | {text} |")
    for name, asked in (("python", "≤ 1.0 MB"), ("janus", "")):
        if kept := found["memory"].get(name):
            span = f"from {kept['from_calls']} to {kept['to_calls']} calls; {kept['resident_mb']:.0f} MB resident then"
            out.append(f"| {name}: memory per call, rings filled | {asked} | {kept['mb_per_call']:.2f} MB ({span}) |")
    for name, asked in (("python", "≤ 8 ms"), ("janus", "")):
        if (took := found["setup"].get(name)) is not None:
            out.append(f"| {name}: CPU to set up a peer | {asked} | {took:.1f} ms |")
    return out


def walls(found: Mapping[str, Any]) -> list[str]:
    """Return what one monitor who watches all adds."""
    wall = found.get("wall")
    if not wall:
        return []
    seen, alone = wall["watched"], wall["unwatched"]
    each = ", ".join(f"{value:+.0%}" for value in wall["adds_cpu_each"])
    delays = " / ".join(f"{seen[name] - alone[name]:+.2f}" for name in ("latency_p50_ms", "latency_p99_ms"))
    cpu = (
        f"{wall['adds_cpu_fraction']:+.0%} ({each}): {alone['cpu_fraction']:.1%} → {seen['cpu_fraction']:.1%} of a core"
    )
    memory = f"{wall['resident_mb']:.0f} MB resident, {wall['resident_mb_of_monitor']:+.1f} for the monitor"
    delay = f"{delays} ms, to {seen['latency_p50_ms']:.2f} / {seen['latency_p99_ms']:.1f}"
    return [
        f"| one monitor watching {wall['calls']} simulcast calls adds, in CPU | ≤ 25 % | {cpu} |",
        f"| the same, added delay p50 / p99 | | {delay} |",
        f"| the same, memory | | {memory} |",
    ]


def pauses(found: Mapping[str, Any]) -> list[str]:
    """Return how soon a paused call is silent."""
    took = found.get("pause")
    if not took:
        return []
    times = f"p50 {took['p50_ms']:.1f}, p95 {took['p95_ms']:.1f}, max {took['max_ms']:.1f} ms, {took['pauses']} pauses"
    return [f"| pause → last packet at {took['calls']} calls | ≤ 200 ms each, p50 ≤ 20 | {times} |"]


def missing(found: Mapping[str, Any]) -> str:
    """Return who is not in the table, and why."""
    named = sorted(found["absent"].items(), key=lambda pair: ORDER.index(pair[0]))
    return "\n".join(f"- not measured: **{name}**: {why}" for name, why in named)


def write_docs(found: Mapping[str, Any], docs: Path) -> None:
    """Write the relay's part of performance.md between its marks, and the plot beside it.

    Raises:
        ValueError: The marks are not there.
    """
    page = docs / "performance.md"
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no part between {BEGIN} and {END}")
    what = found["machine"]
    load = " to ".join(f"{value:.1f}" for value in found["load_average"])
    does = "\n".join(
        f"- **{name}**: {text}" for name, text in DOES.items() if any(r["server"] == name for r in found["rows"])
    )
    intro = (
        f"{found['began'][:10]}, {what['cpu']}, {what['cpus']} cores, Linux {what['linux']}, Python {what['python']}, "
        f"load average {load}, over {'the loopback address' if found['address'] == 'loopback' else 'the own address'}"
        f"{', server and load on one core' if found['shares_a_core'] else ''}."
    )
    parts = [begin, intro, comparison(found), f"![µs a packet and share of a core]({PLOT})", figures(found)]
    page.write_text(before + "\n\n".join(part for part in [*parts, does, missing(found), end] if part) + after)
    (docs / PLOT).write_text(plot(found["rows"]))


# --- the plot ----------------------------------------------------------------

WIDTH, HEIGHT, LEFT, TOP, SIDE = 900, 360, 60, 50, 330
FONT = 'font-family="sans-serif" font-size="13" fill="#0b0c0c"'


def plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return two charts over the number of calls as SVG: µs a packet, and the share of a core."""
    names = [name for name in ORDER if any(row["server"] == name for row in rows)]
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="CPU per packet and share of a core, by calls">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    out += chart(rows, names, "us_per_packet", 1.0, "µs of CPU a packet (in and out)", 0)
    out += chart(rows, names, "cpu_fraction", 100.0, "% of a core", WIDTH // 2, level=70.0)
    for at, name in enumerate(names):
        x = LEFT + at * 130
        out.append(f'<rect x="{x}" y="{HEIGHT - 22}" width="14" height="14" fill="{COLOURS.get(name, "#0b0c0c")}"/>')
        out.append(f'<text x="{x + 20}" y="{HEIGHT - 10}" {FONT}>{name}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def chart(
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    field: str,
    scale: float,
    title: str,
    shift: int,
    level: float | None = None,
) -> list[str]:
    """Return one chart's elements."""
    most = max((row["calls"] for row in rows), default=1)
    highest = ceiling(max([row[field] * scale for row in rows] + [level or 0.0]))
    left, bottom, tall = shift + LEFT, HEIGHT - 70, HEIGHT - 70 - TOP

    def place(calls: float, value: float) -> tuple[float, float]:
        return left + calls / most * SIDE, bottom - value / highest * tall

    out = [f'<text x="{left}" y="{TOP - 20}" {FONT} font-weight="bold">{title}</text>']
    for part in range(5):
        value = highest * part / 4
        _, y = place(0, value)
        out.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + SIDE}" y2="{y:.1f}" stroke="#dddddd"/>')
        out.append(f'<text x="{left - 8}" y="{y + 4:.1f}" {FONT} text-anchor="end">{value:g}</text>')
    for calls in sorted({row["calls"] for row in rows}):
        x, y = place(calls, 0)
        out.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" {FONT} text-anchor="middle">{calls}</text>')
    out.append(f'<text x="{left + SIDE}" y="{bottom + 36}" {FONT} text-anchor="end">calls</text>')
    if level is not None:
        _, y = place(0, level)
        out.append(
            f'<line x1="{left}" y1="{y:.1f}" x2="{left + SIDE}" y2="{y:.1f}" stroke="#0b0c0c" stroke-dasharray="5 4"/>'
        )
    for name in names:
        colour = COLOURS.get(name, "#0b0c0c")
        points = [place(row["calls"], row[field] * scale) for row in rows if row["server"] == name]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points]
    return out


def ceiling(value: float) -> float:
    """Return a round number, easy to divide by four, that is not below `value`."""
    step = 4.0
    while step * 10 < value:
        step *= 10
    return next((step * times for times in range(1, 26) if step * times >= value), value)
