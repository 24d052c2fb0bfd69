"""A photo on file: what is taken for one, by its first bytes and its size. Nothing of it is ever decoded here."""

from __future__ import annotations

from broker.domain.codes import Code, Refused

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),  # ISO/IEC 10918-1: SOI and the next marker
    (b"\x89PNG\r\n\x1a\n", "image/png"),  # ISO/IEC 15948, 5.2
)


def media_type(data: bytes, most: int) -> str:
    """Return the media type of a photo of at most `most` bytes.

    Raises:
        Refused: `bad_photo`: it is longer, or begins as neither JPEG nor PNG does.
    """
    found = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    if found is None or len(data) > most:
        raise Refused(Code.BAD_PHOTO)
    return found
