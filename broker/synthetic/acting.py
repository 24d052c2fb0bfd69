"""What a synthetic person may be seen and heard doing apart from being themselves: made once, and played as a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache

import numpy as np

from broker.domain.training import Misdeed
from broker.synthetic import lettering, picture, voice
from broker.synthetic.people import KEYFRAME_EVERY, PEOPLE, Person, encode_audio, encode_video, person

BESIDE = 101  # whose face the second person in a picture has, from the first's on
_UNLIKE = 52  # from a person's number to one of another skin, hair and wall
_STRANGER = "Morgan Vane"  # on nobody's list
_STILL = 40  # the frame at which a picture freezes
_STILL_EVERY = 5  # frames: the same keyframe again, bit by bit, as a camera that has hung
_DARK = 6  # of a lens that is covered, on 0 .. 255
_SHOUT_DB = 11


class Act(StrEnum):
    """What is played."""

    CARD = "card"  # holds up a card with a name
    COVERED = "covered"
    FROZEN = "frozen"
    EMPTY = "empty"  # the room alone
    BESIDE = "beside"  # with a second person
    SILENT = "silent"
    LOUD = "loud"


@lru_cache(maxsize=256)
def acting(number: int, act: Act, name: str = "") -> Person:
    """Return person `number` doing that, encoded on first use (about half a second of CPU for what moves).

    Args:
        name: What stands on the card: first and last name, apart by a space.
    """
    one = person(number)
    match act:
        case Act.SILENT:
            return replace(one, audio=encode_audio(np.zeros_like(voice.speak(number))), levels=(127,) * len(one.levels))
        case Act.LOUD:
            return replace(one, audio=encode_audio(_shouted(number)), levels=tuple(_louder(db) for db in one.levels))
        case Act.COVERED:
            dark = np.full_like(picture.draw(number, 0), _DARK)
            video, keyframes = encode_video(dark for _ in range(KEYFRAME_EVERY))
        case Act.FROZEN:
            (still, *_), _ = encode_video([picture.draw(number, _STILL)])
            video = tuple(b"" if at % _STILL_EVERY else still for at in range(KEYFRAME_EVERY))
            keyframes = tuple(range(0, KEYFRAME_EVERY, _STILL_EVERY))
        case Act.EMPTY:
            video, keyframes = _moving(lambda at: picture.room(number, at))
        case Act.BESIDE:
            video, keyframes = _moving(lambda at: _with_another(number, at))
        case Act.CARD:
            video, keyframes = _moving(lambda at: _with_card(number, at, name))
    return replace(one, video=video, keyframes=keyframes)


def arriving(number: int, name: str, misdeed: Misdeed | None) -> Person:
    """Return person `number` as they arrive to be checked: with a card that says who they are, or not as they should.

    Args:
        name: Who they are; empty: nobody holds a card.
    """
    if not name or misdeed is Misdeed.NO_DOCUMENT:
        return person(number)
    if misdeed is Misdeed.WRONG_PERSON:
        return acting((number + _UNLIKE) % PEOPLE, Act.CARD, _STRANGER)
    return acting(number, Act.CARD, name)


def _moving(draw: Callable[[int], picture.Pixels]) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    pictures: Iterator[picture.Pixels] = (draw(at) for at in range(picture.FRAMES))
    return encode_video(pictures)


def _with_another(number: int, at: int) -> picture.Pixels:
    canvas = picture.room(number, at)
    picture.put_person(canvas, (number + BESIDE) % PEOPLE, at, aside=88)
    picture.put_person(canvas, number, at, aside=-52)
    return canvas


def _with_card(number: int, at: int, name: str) -> picture.Pixels:
    canvas = picture.draw(number, at)
    canvas[136:214, 6:156] = (40, 44, 52)
    canvas[138:212, 8:154] = (250, 250, 246)
    canvas[138:154, 8:154] = (52, 84, 140)
    for line, part in enumerate(name.split(" ", 1)):
        lettering.write(canvas, part[:12], 14, 164 + 22 * line, 2, (20, 22, 26))
    return canvas


def _shouted(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.asarray(np.clip(voice.speak(number).astype(np.float64) * 3.5, -32_000, 32_000), np.int16)


def _louder(level_db: int) -> int:
    return max(0, level_db - _SHOUT_DB)
