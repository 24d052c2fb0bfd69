"""A synthetic person's picture: a drawn head that moves and speaks, with a marker that tells who it is."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 320, 240, 15
SECONDS = 10
FRAMES = SECONDS * FPS

MARKER_BITS = 8  # the person's number, then each bit's opposite: a picture that is not ours reads as nobody
MARKER_CELL = 20  # pixels; 16 cells of 20 x 20 fill the bottom edge, and survive 100 kbit/s
_DARK, _LIGHT = 24, 232
_MARGIN = 60  # levels between a cell and mid-grey; less is not a marker

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a person, RGB."""

    wall: tuple[int, int, int]
    shirt: tuple[int, int, int]
    skin: tuple[int, int, int]
    hair: tuple[int, int, int]


_SKINS = ((243, 208, 180), (224, 172, 130), (186, 130, 92), (134, 88, 58), (92, 60, 42))
_HAIRS = ((40, 30, 26), (110, 70, 38), (196, 158, 90), (150, 150, 154), (140, 60, 36))


def look(number: int) -> Look:
    """Return the colours of person `number`; the walls of 12 in a row are 30 degrees of hue apart or more."""
    hue = (number * 5 % 12) / 12 + (number // 12 % 4) / 48
    return Look(
        wall=_rgb(hue, 0.42, 0.82),
        shirt=_rgb(hue + 0.5, 0.65, 0.55),
        skin=_SKINS[number % len(_SKINS)],
        hair=_HAIRS[(number // 2) % len(_HAIRS)],
    )


def draw(number: int, frame: int) -> Pixels:
    """Return frame `frame` (0 .. FRAMES - 1, a loop without a seam) of person `number` as RGB pixels."""
    canvas = room(number, frame)
    put_person(canvas, number, frame)
    return canvas


def room(number: int, frame: int) -> Pixels:
    """Return the room of person `number` with nobody in it."""
    canvas = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    canvas[:] = look(number).wall
    _window(canvas, 2 * math.pi * frame / FRAMES, number)
    _marker(canvas, number)
    return canvas


def put_person(canvas: Pixels, number: int, frame: int, aside: int = 0) -> None:
    """Put person `number` into a picture, `aside` pixels right of the middle; the marker stays as it is."""
    colours = look(number)
    turn = 2 * math.pi * frame / FRAMES
    above = canvas[: HEIGHT - MARKER_CELL]
    x = 160 + 26 * math.sin(turn * (1 + number % 3) + number)
    y = 100 + 7 * math.sin(turn * 4)
    _ellipse(above, x * 0.7 + 48 + aside, 236, 92, 66, colours.shirt)
    x += aside
    _ellipse(above, x, y + 46, 17, 34, colours.skin)
    _ellipse(above, x, y - 12, 49, 52, colours.hair)
    _ellipse(above, x, y, 42, 52, colours.skin)
    _face(above, x, y, frame)


def read_marker(pixels: NDArray[Any]) -> int | None:
    """Return whose picture this is: the number in the bottom edge of RGB or grey `pixels`, None for nobody's.

    Any size is read, so long as the picture was scaled as a whole.
    """
    grey = pixels.mean(axis=2) if pixels.ndim == 3 else pixels.astype(np.float64)
    height, width = grey.shape
    cells = 2 * MARKER_BITS
    row = grey[height - int(height * MARKER_CELL * 0.7 / HEIGHT) : height - int(height * MARKER_CELL * 0.3 / HEIGHT)]
    step = width / cells
    means = [float(row[:, int(step * (i + 0.3)) : int(step * (i + 0.7))].mean()) for i in range(cells)]
    if any(abs(mean - 128) < _MARGIN for mean in means):
        return None
    bits = [mean > 128 for mean in means]
    if any(bits[i] == bits[i + MARKER_BITS] for i in range(MARKER_BITS)):
        return None
    return sum(1 << i for i in range(MARKER_BITS) if bits[i])


def _rgb(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def _ellipse(canvas: Pixels, x: float, y: float, rx: float, ry: float, colour: tuple[int, int, int]) -> None:
    """Fill an ellipse; only its box is computed."""
    left, right = max(int(x - rx), 0), min(int(x + rx) + 2, canvas.shape[1])
    top, bottom = max(int(y - ry), 0), min(int(y + ry) + 2, canvas.shape[0])
    if left >= right or top >= bottom:
        return
    dx = (np.arange(left, right) - x) / rx
    dy = (np.arange(top, bottom) - y) / ry
    canvas[top:bottom, left:right][dx[None, :] ** 2 + dy[:, None] ** 2 <= 1] = colour


def _window(canvas: Pixels, turn: float, number: int) -> None:
    """Draw a frame on the wall in which something moves, so that a frozen picture shows."""
    left = 14 if number % 2 else 230
    canvas[18:78, left : left + 76] = 250
    canvas[22:74, left + 4 : left + 72] = (150, 190, 226)
    _ellipse(canvas, left + 38 + 22 * math.cos(turn * 5), 48 + 14 * math.sin(turn * 5), 9, 9, (250, 214, 92))


def _face(canvas: Pixels, x: float, y: float, frame: int) -> None:
    blink = frame % 41 < 2
    for side in (-16, 16):
        _ellipse(canvas, x + side, y - 8, 6, 1.5 if blink else 4.5, (252, 252, 252))
        if not blink:
            _ellipse(canvas, x + side + 1.5, y - 8, 2.6, 3, (30, 30, 34))
    opened = abs(math.sin(frame * 0.75)) * (0.4 + 0.6 * abs(math.sin(frame * 0.11)))
    _ellipse(canvas, x, y + 24, 14, 2 + 7 * opened, (120, 40, 48))


def _marker(canvas: Pixels, number: int) -> None:
    for cell in range(2 * MARKER_BITS):
        bit = number >> (cell % MARKER_BITS) & 1
        light = bit if cell < MARKER_BITS else 1 - bit
        canvas[HEIGHT - MARKER_CELL :, cell * MARKER_CELL : (cell + 1) * MARKER_CELL] = _LIGHT if light else _DARK
