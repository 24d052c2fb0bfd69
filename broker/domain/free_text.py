"""What people write in their own words: kept as written, or refused; never mended in silence. Shown as text, always."""

from __future__ import annotations

import unicodedata

from broker.domain.codes import Code, Refused

_LAYOUT = frozenset("\n\t")
_UNWANTED = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# UAX #9 2.1-2.3: what embeds, overrides or isolates a direction makes a record read otherwise than it is written.
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def kept_text(text: str, most: int, *, needed: bool = True) -> str:
    """Return `text` as it is kept: line ends as LF, composed (NFC), no space at either end.

    Raises:
        Refused: `text_too_long` past `most` characters; `text_controls` where it holds control characters or
            such as turn its direction; `text_missing` where nothing is left and something is `needed`.
    """
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(plain) > most:
        raise Refused(Code.TEXT_TOO_LONG)
    if any(_is_unwanted(character) for character in plain):
        raise Refused(Code.TEXT_CONTROLS)
    if needed and not plain:
        raise Refused(Code.TEXT_MISSING)
    return plain


def _is_unwanted(character: str) -> bool:
    if character in _LAYOUT:
        return False
    return character in _DIRECTIONS or unicodedata.category(character) in _UNWANTED
