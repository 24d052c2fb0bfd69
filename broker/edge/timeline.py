"""The timeline of an exercise as SVG: one row a call, each cue from its second to its answer. A table says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from broker.edge.plots import fill, patterns

WIDTH: Final = 900
LABEL: Final = 84
ROW: Final = 46
_FIELD: Final = WIDTH - LABEL - 16
_BAR: Final = 9  # half the height of a bar
_LEAST: Final = 4.0  # so that an answer at once is seen
_STEPS: Final = (10, 15, 30, 60, 120, 300)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One due answer: from its cue to what decided it, in seconds; a ring where an act decided it."""

    start: float
    end: float
    pattern: str
    title: str
    acted: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One call. `alarms`: the seconds of acts without a cause, each with what it was."""

    label: str
    stretches: Sequence[Stretch]
    alarms: Sequence[tuple[float, str]] = ()


def timeline(title: str, rows: Sequence[Row], seconds: float) -> Markup:
    """Return one row a call over `seconds`."""
    height = ROW * len(rows) + 30
    out = [f'<svg class="plot" role="img" viewBox="0 0 {WIDTH} {height}"><title>{escape(title)}</title>', patterns()]
    step = next((step for step in _STEPS if seconds / step <= 10), _STEPS[-1])
    for mark in range(0, int(seconds) + 1, step):
        x = _along(mark, seconds)
        out.append(f'<path class="plot-grid" d="M{x:.1f} 4V{height - 24}"/>')
        out.append(f'<text class="plot-mark" x="{x:.1f}" y="{height - 7}" text-anchor="middle">{clock(mark)}</text>')
    for number, row in enumerate(rows):
        out += _row(row, ROW * number + ROW / 2, seconds)
    return Markup("".join([*out, "</svg>"]))


def clock(second: float) -> str:
    """Return a second of the exercise as minutes and seconds, `2:05`."""
    return f"{int(second) // 60}:{int(second) % 60:02}"


def _row(row: Row, y: float, seconds: float) -> list[str]:
    out = [
        f'<text class="plot-label" x="0" y="{y + 5:.1f}">{escape(row.label)}</text>',
        f'<path class="plot-rule" d="M{LABEL} {y:.1f}H{LABEL + _FIELD}"/>',
    ]
    for one in row.stretches:
        left = _along(one.start, seconds)
        right = max(_along(one.end, seconds), left + _LEAST)
        out.append(
            f'<g><title>{escape(one.title)}</title><rect class="plot-frame" x="{left:.1f}" y="{y - _BAR:.1f}" '
            f'width="{right - left:.1f}" height="{2 * _BAR}" {fill(one.pattern)}/>'
        )
        if one.acted:
            out.append(f'<circle class="plot-dot" cx="{right:.1f}" cy="{y:.1f}" r="6"/>')
        out.append("</g>")
    for second, what in row.alarms:
        x = _along(second, seconds)
        cross = f"M{x - 7:.1f} {y - 7:.1f}l14 14M{x + 7:.1f} {y - 7:.1f}l-14 14"
        out.append(f'<g><title>{escape(what)}</title><path class="plot-cross" d="{cross}"/></g>')
    return out


def _along(second: float, seconds: float) -> float:
    return LABEL + min(max(second / seconds, 0.0), 1.0) * _FIELD
