"""Small line plots as SVG text: panels below each other with one horizontal axis each, and nothing to install."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 130
LEFT, RIGHT, TOP, BOTTOM = 52, 132, 26, 20
COLOURS = ("#1d70b8", "#d4351c", "#00703c", "#f47738", "#4c2c92", "#505a5f")
FONT = "font-family='system-ui, sans-serif' font-size='11'"


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: (x, y) in the panel's units."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot. `shaded` is a stretch of x that something is said about in the title."""

    title: str
    lines: Sequence[Line]
    shaded: tuple[float, float] | None = None


def svg(panels: Sequence[Panel], unit: str, caption: str, across: str = "s") -> str:
    """Return a picture of `panels`.

    `unit` stands at each vertical axis and `across` at the marks of each horizontal one; `caption` describes the whole.
    """
    height = len(panels) * HEIGHT
    out = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img' {FONT}>",
        f"<title>{escape(caption)}</title>",
        f"<rect width='{WIDTH}' height='{height}' fill='#fff'/>",
    ]
    for number, panel in enumerate(panels):
        out += _panel(panel, unit, across, number * HEIGHT)
    return "\n".join([*out, "</svg>"]) + "\n"


def _panel(panel: Panel, unit: str, across_unit: str, top: int) -> list[str]:
    across = max((x for line in panel.lines for x, _ in line.points), default=1.0) or 1.0
    highest = _round_up(max((y for line in panel.lines for _, y in line.points), default=1.0))
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    floor = top + TOP + high

    def place(x: float, y: float) -> str:
        return f"{LEFT + x / across * wide:.1f},{floor - y / highest * high:.1f}"

    out = [f"<text x='{LEFT}' y='{top + 16}' font-weight='600' fill='#0b0c0c'>{escape(panel.title)}</text>"]
    if panel.shaded is not None:
        first, last = (LEFT + min(x, across) / across * wide for x in panel.shaded)
        size = f"width='{max(last - first, 1.5):.1f}' height='{high}'"
        out.append(f"<rect x='{first:.1f}' y='{top + TOP}' {size} fill='#f3f2f1'/>")
    for share in (0.0, 0.5, 1.0):
        y = floor - share * high
        out.append(f"<path d='M{LEFT} {y:.1f}H{LEFT + wide}' stroke='#b1b4b6' stroke-width='0.5'/>")
        label = f"{share * highest:g}" + (f" {unit}" if share == 1.0 else "")
        out.append(f"<text x='{LEFT - 4}' y='{y + 4:.1f}' text-anchor='end' fill='#505a5f'>{escape(label)}</text>")
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = LEFT + share * wide
        label = f"{share * across:.0f} {across_unit}"
        out.append(f"<text x='{x:.0f}' y='{floor + 13}' text-anchor='middle' fill='#505a5f'>{label}</text>")
    for number, line in enumerate(panel.lines):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(place(x, y) for x, y in line.points)
        out.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='1.4'/>")
        out.append(
            f"<text x='{LEFT + wide + 8}' y='{top + TOP + 10 + 15 * number}' fill='{colour}'>{escape(line.name)}</text>"
        )
    return out


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, …"""
    size = 1.0
    while True:
        for step in (1, 2, 5):
            if step * size >= value:
                return step * size
        size *= 10
