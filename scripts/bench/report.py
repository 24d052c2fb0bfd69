"""The comparison in words: a table for the terminal, and the relay's part of docs/performance.md with its plot."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plot import Line, Panel, svg

BEGIN, END = "<!-- relay: written by scripts/bench_relay.py --write-docs -->", "<!-- relay ends -->"
PLOT = "performance-relay.svg"
ORDER = ("native", "python", "janus", "pion", "mediarelay", "floor", "floor_gso")
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
        f"{', server and load on one core' if found['shares_a_core'] else ''}"
        f"{', server and load under real-time scheduling' if found['realtime'] else ''}."
    )
    parts = [begin, intro, comparison(found), f"![µs a packet and share of a core]({PLOT})", figures(found)]
    page.write_text(before + "\n\n".join(part for part in [*parts, does, missing(found), end] if part) + after)
    (docs / PLOT).write_text(plot(found["rows"]))


# --- the plot ----------------------------------------------------------------


def plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return two charts over the number of calls as SVG: µs a packet, and the share of a core."""
    panels = [
        Panel("µs of the server's CPU a packet, in or out", lines(rows, "us_per_packet", 1.0)),
        Panel("% of a core", lines(rows, "cpu_fraction", 100.0)),
    ]
    return svg(panels, "", "CPU per packet and share of a core, by calls", across="calls")


def lines(rows: Sequence[Mapping[str, Any]], field: str, scale: float) -> list[Line]:
    """Return one curve for each server."""
    found = []
    for name in ORDER:
        points = [(float(row["calls"]), row[field] * scale) for row in rows if row["server"] == name]
        if points:
            found.append(Line(name, points))
    return found
