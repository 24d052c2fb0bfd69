"""Plots as SVG made on the server: they need no script, they print, and each stands beside a table that says the same.

Bars begin at zero; where an axis is cut there are dots. Parts of a bar differ by pattern as well as by hue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 440
ROW: Final = 36
LABEL: Final = 150
VALUE: Final = 78
_FIELD: Final = WIDTH - LABEL - VALUE

PATTERNS: Final = ("dots", "pale", "solid", "hatch", "plum", "cross", "dark", "lines", "grid", "thin", "white")
"""In the order of what is lost: a security pause is plum and whole, a gap of staff is dark."""
MOST_WIDE: Final = 56


@dataclass(frozen=True, slots=True)
class Dot:
    """A row of a dot plot: where there is nothing to show, `value` is None. `target` is drawn as a line."""

    label: str
    value: float | None
    shown: str
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a bar plot, or a part of a stacked one."""

    label: str
    value: float
    shown: str


def dots(title: str, rows: Sequence[Dot], low: float, high: float) -> Markup:
    """Return one dot a row on an axis from `low` to `high`; a value beyond it stands at its end, with its number."""
    height = ROW * len(rows) + 26
    out = [_open(title, WIDTH, height)]
    for share in (0.0, 0.5, 1.0):
        x = LABEL + share * _FIELD
        mark = f"{low + share * (high - low):g}"
        out.append(f'<path class="plot-grid" d="M{x:.1f} 4V{height - 20}"/>')
        out.append(f'<text class="plot-mark" x="{x:.1f}" y="{height - 4}" text-anchor="middle">{mark}</text>')
    for number, row in enumerate(rows):
        y = ROW * number + ROW / 2
        out.append(f'<text class="plot-label" x="0" y="{y + 5:.1f}">{escape(row.label)}</text>')
        out.append(f'<path class="plot-rule" d="M{LABEL} {y:.1f}H{LABEL + _FIELD}"/>')
        if row.target is not None:
            x = _along(row.target, low, high)
            out.append(f'<path class="plot-target" d="M{x:.1f} {y - 12:.1f}v24"/>')
        if row.value is not None:
            kind = "plot-dot-low" if row.target is not None and row.value < row.target else "plot-dot"
            out.append(f'<circle class="{kind}" cx="{_along(row.value, low, high):.1f}" cy="{y:.1f}" r="7"/>')
        out.append(_value(y, row.shown))
    return _closed(out)


def bars(title: str, rows: Sequence[Bar]) -> Markup:
    """Return one bar a row, all from zero on one axis."""
    most = max((row.value for row in rows), default=0) or 1
    height = ROW * len(rows) + 4
    out = [_open(title, WIDTH, height), f'<path class="plot-axis" d="M{LABEL} 2V{height - 2}"/>']
    for number, row in enumerate(rows):
        y = ROW * number + ROW / 2
        wide = max(row.value / most * _FIELD, 0)
        out.append(f'<text class="plot-label" x="0" y="{y + 5:.1f}">{escape(row.label)}</text>')
        out.append(f'<rect class="plot-bar" x="{LABEL}" y="{y - 10:.1f}" width="{wide:.1f}" height="20"/>')
        out.append(_value(y, row.shown))
    return _closed(out)


def columns(title: str, rows: Sequence[Bar]) -> Markup:
    """Return one upright bar a row, all from zero, with the number above and the label below."""
    high, top = 150, 22
    most = max((row.value for row in rows), default=0) or 1
    step = min(WIDTH / max(len(rows), 1), MOST_WIDE)
    every = max(1, -(-len(rows) // 9))
    out = [_open(title, WIDTH, high + top + 24)]
    for number, row in enumerate(rows):
        tall = row.value / most * high
        x, y, middle = number * step, top + high - tall, number * step + step / 2
        wide = max(step - 6, 2)
        out.append(f'<rect class="plot-bar" x="{x + 3:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>')
        if number % every == 0:
            out.append(f'<text class="plot-mark" x="{middle:.1f}" y="{y - 5:.1f}" text-anchor="middle">')
            out.append(f"{escape(row.shown)}</text>")
            out.append(f'<text class="plot-mark" x="{middle:.1f}" y="{high + top + 17}" text-anchor="middle">')
            out.append(f"{escape(row.label)}</text>")
    out.append(f'<path class="plot-axis" d="M0 {high + top}H{WIDTH}"/>')
    return _closed(out)


def stacked(title: str, rows: Sequence[Bar]) -> Markup:
    """Return one bar of parts, in order, each with its own pattern."""
    total = sum(row.value for row in rows) or 1
    out = [_open(title, WIDTH, 44), patterns()]
    x = 0.0
    for number, row in enumerate(rows):
        wide = row.value / total * WIDTH
        if wide > 0:
            out.append(
                f'<rect x="{x:.1f}" y="2" width="{wide:.1f}" height="40" {fill(PATTERNS[number % len(PATTERNS)])}/>'
            )
        x += wide
    out.append(f'<rect class="plot-frame" x="0.5" y="2.5" width="{WIDTH - 1}" height="39"/>')
    return _closed(out)


def swatch(number: int) -> Markup:
    """Return the pattern of part `number` of a stacked bar, for the table beside it."""
    return swatch_of(PATTERNS[number % len(PATTERNS)])


def swatch_of(pattern: str) -> Markup:
    """Return a pattern by its name, for a legend."""
    return Markup(
        f'<svg class="plot-swatch" viewBox="0 0 28 20" width="28" height="20" aria-hidden="true">'
        f'<rect x="0.5" y="0.5" width="27" height="19" class="plot-frame" {fill(pattern)}/></svg>'
    )


def fill(pattern: str) -> str:
    """Return the attribute that fills a shape with a pattern."""
    return f'fill="url(#plot-{pattern})"'


def _along(value: float, low: float, high: float) -> float:
    return LABEL + min(max((value - low) / (high - low), 0.0), 1.0) * _FIELD


def _value(y: float, shown: str) -> str:
    return f'<text class="plot-value" x="{WIDTH}" y="{y + 5:.1f}" text-anchor="end">{escape(shown)}</text>'


def _open(title: str, width: int, height: float) -> str:
    return f'<svg class="plot" role="img" viewBox="0 0 {width} {height:g}"><title>{escape(title)}</title>'


def _closed(out: list[str]) -> Markup:
    return Markup("".join([*out, "</svg>"]))


def patterns() -> str:
    """Return the definitions of the patterns: two hues that differ in lightness, and lines that differ in direction."""
    slate, pale, plum, ink = "#40617f", "#8ba4bb", "#8f2d7e", "#10161c"
    shapes = {
        "solid": (slate, ""),
        "hatch": ("#fff", f'<path d="M-2 2l4-4M0 8L8 0M6 10l4-4" stroke="{slate}" stroke-width="2.5"/>'),
        "pale": (pale, ""),
        "dots": ("#fff", f'<circle cx="4" cy="4" r="1.8" fill="{slate}"/>'),
        "dark": (ink, ""),
        "plum": (plum, ""),
        "cross": ("#fff", f'<path d="M0 0l8 8M8 0L0 8" stroke="{ink}" stroke-width="1.2"/>'),
        "lines": ("#fff", f'<path d="M0 4h8" stroke="{plum}" stroke-width="3"/>'),
        "grid": ("#fff", f'<path d="M4 0v8M0 4h8" stroke="{slate}" stroke-width="1.2"/>'),
        "thin": (pale, '<path d="M4 0v8" stroke="#fff" stroke-width="2"/>'),
        "white": ("#fff", ""),
    }
    found = "".join(
        f'<pattern id="plot-{name}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{ground}"/>{shape}</pattern>'
        for name, (ground, shape) in shapes.items()
    )
    return f"<defs>{found}</defs>"
