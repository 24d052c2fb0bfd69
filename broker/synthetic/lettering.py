"""Capital letters of five by seven dots, for a name that is held before a camera."""

from __future__ import annotations

from typing import Final

from broker.synthetic.picture import Pixels

WIDE, HIGH = 5, 7  # dots

_DOTS: Final = {  # each row of dots as two hexadecimal digits, from the top
    "A": "0e11111f111111",
    "B": "1e11111e11111e",
    "C": "0e11101010110e",
    "D": "1e11111111111e",
    "E": "1f10101e10101f",
    "F": "1f10101e101010",
    "G": "0e11101711110e",
    "H": "1111111f111111",
    "I": "0e04040404040e",
    "J": "0702020202120c",
    "K": "11121418141211",
    "L": "1010101010101f",
    "M": "111b1515111111",
    "N": "11191513111111",
    "O": "0e11111111110e",
    "P": "1e11111e101010",
    "Q": "0e11111115120d",
    "R": "1e11111e141211",
    "S": "0f10100e01011e",
    "T": "1f040404040404",
    "U": "1111111111110e",
    "V": "11111111110a04",
    "W": "1111111515150a",
    "X": "11110a040a1111",
    "Y": "11110a04040404",
    "Z": "1f01020408101f",
}


def write(canvas: Pixels, text: str, left: int, top: int, size: int, colour: tuple[int, int, int]) -> None:
    """Write `text` in capitals, each dot `size` pixels wide; what has no letter here is left blank."""
    for place, letter in enumerate(text.upper()):
        rows = bytes.fromhex(_DOTS.get(letter, ""))
        for down, row in enumerate(rows):
            for along in range(WIDE):
                if row >> (WIDE - 1 - along) & 1:
                    x, y = left + (place * (WIDE + 1) + along) * size, top + down * size
                    canvas[y : y + size, x : x + size] = colour
