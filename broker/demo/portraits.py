"""Photos on file for the demo's made-up people: drawn by us, flat and friendly, the same for the same person."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 192
HEIGHT: Final = 240
_GROUNDS: Final = ((200, 208, 214), (214, 205, 196), (196, 208, 200), (205, 200, 214))
_SKINS: Final = ((238, 200, 168), (214, 164, 126), (166, 112, 78), (112, 74, 52), (250, 222, 198))
_HAIRS: Final = ((48, 34, 28), (112, 68, 38), (196, 146, 78), (150, 150, 152), (24, 22, 24), (160, 64, 36))
_CLOTHES: Final = ((86, 110, 142), (182, 104, 84), (84, 96, 70), (128, 92, 138), (70, 120, 120), (196, 160, 70))
_INK: Final = (30, 30, 34)
_Y, _X = np.mgrid[0:HEIGHT, 0:WIDTH]


def portrait(person: str, *, child: bool = False) -> bytes:
    """Return a PNG of the person with that id."""
    dice = hashlib.sha256(person.encode()).digest()
    skin, hair = _SKINS[dice[1] % len(_SKINS)], _HAIRS[dice[2] % len(_HAIRS)]
    picture = np.full((HEIGHT, WIDTH, 3), _GROUNDS[dice[0] % len(_GROUNDS)], np.uint8)
    top = 112 if child else 100
    long_hair = dice[4] % 2 == 0
    if long_hair:
        _fill(picture, _oval(96, top + 26, 66, 92), hair)
    _fill(picture, _oval(96, HEIGHT + 10, 86 if not child else 70, 66), _CLOTHES[dice[3] % len(_CLOTHES)])
    _fill(picture, (abs(_X - 96) < 18) & (top + 30 < _Y) & (_Y < HEIGHT - 44), _shade(skin))
    _fill(picture, _oval(96, top, 52, 64), skin)
    _fill(picture, _oval(96, top - 12, 58, 62) & ~_oval(96, top + 16 + dice[5] % 8, 48, 62), hair)
    _face(picture, top, dice, skin)
    return png(picture)


def _face(picture: NDArray[np.uint8], top: int, dice: bytes, skin: tuple[int, int, int]) -> None:
    for side in (-1, 1):
        _fill(picture, _oval(96 + side * 20, top + 6, 5, 6), _INK)
        _fill(picture, (abs(_X - (96 + side * 20)) < 11) & (abs(_Y - (top - 10)) < 2), _INK)
        if dice[6] % 3 == 0:
            rim = _oval(96 + side * 20, top + 6, 17, 15) & ~_oval(96 + side * 20, top + 6, 14, 12)
            _fill(picture, rim, _INK)
    _fill(picture, _oval(96, top + 22, 5, 8), _shade(skin))
    _fill(picture, _oval(96, top + 36, 18, 9) & (top + 37 < _Y), (150, 52, 48))


def _oval(x: float, y: float, rx: float, ry: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = ((_X - x) / rx) ** 2 + ((_Y - y) / ry) ** 2 <= 1
    return inside


def _fill(picture: NDArray[np.uint8], where: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    picture[where] = colour


def _shade(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = (int(part * 0.86) for part in colour)
    return red, green, blue


def png(picture: NDArray[np.uint8]) -> bytes:
    """Return RGB pixels as PNG (ISO/IEC 15948): truecolour, no filter."""
    height, width = picture.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
