"""Filling a training database: one made-up establishment, its people with the faces of the bots, and three accounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np

from broker.demo.people import MOST, Account, Prison, contacts
from broker.demo.portraits import png
from broker.demo.seed import Played, SignIn, add_account, add_people, add_places, play
from broker.domain.records import Contact, Grade, Role
from broker.engine.office import Office
from broker.synthetic import picture
from broker.training.exercise import MOST_CALLS

ACTOR: Final = "training"
PLACE: Final = Prison("TRN", "Training establishment", (("Training hall", MOST_CALLS),))
OFFICER: Final = Account("on.shift", "TRN-1001", "Robin Marsh", Grade.OSG, "TRN", Role.MONITOR)
TRAINER: Final = Account("who.trains", "TRN-2001", "Alex Whitmore", Grade.CIVILIAN, "TRN", Role.DUTY_GOVERNOR)
HALL_BOT: Final = Account("in.the.hall", "TRN-3001", "Hall Bot", Grade.PRISON_OFFICER, "TRN", Role.SUPERVISOR)
LENGTH: Final = timedelta(minutes=30)
_ALONE: Final = tuple(at for at in range(MOST) if at % 3)  # prisoners whose family is one adult
_FACE: Final = np.s_[20:215, 78:242]  # of a picture: what a photo on file shows
_OPEN_EYES: Final = 10  # a frame at which nobody blinks


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the exercise has to tell: the accounts with their passwords, the hall, and what enrols a console."""

    officer: SignIn
    trainer: SignIn
    hall_bot: SignIn
    hall_id: str
    console_token: str  # enrols the officer's browser


async def seed(office: Office, officer_name: str) -> Seeded:
    """
    Fill an empty database.

    Raises:
        AccountError: `officer_name` is no full name.
        LogUnavailable: It cannot be recorded.
    """
    await office.directory.set_fact("made_by", "training")
    await add_places(office, PLACE, ACTOR)
    await add_people(office, PLACE, ACTOR, _ALONE[MOST_CALLS - 1] + 1, _photo)
    accounts = (replace(OFFICER, name=officer_name), TRAINER, HALL_BOT)
    officer, trainer, hall_bot = [await add_account(office, account, ACTOR) for account in accounts]
    hall = await office.places.hall(PLACE.code, PLACE.halls[0][0])
    _, console = await office.console_devices.enrol(PLACE.code, "TRAINING-1", ACTOR)
    return Seeded(officer, trainer, hall_bot, hall.id, console)


async def book(office: Office, call: int) -> Played:
    """Book call `call` (from 1) of the exercise, which starts now. Raises Refused, LogUnavailable."""
    return await play(office, PLACE, call, _ALONE[call - 1], LENGTH, ACTOR)


def people_of(call: int) -> tuple[int, int]:
    """Return which synthetic people are the prisoner and the family of a call."""
    return 2 * (call - 1), 2 * (call - 1) + 1


def family_name(call: int) -> str:
    """Return the name of the family's adult, as it stands on the list."""
    adult = contacts(PLACE, _ALONE[call - 1])[0]
    return f"{adult.first_name} {adult.last_name}"


def _photo(at: int, contact: Contact) -> bytes:
    """Return the photo on file: the face that the bot has, or of nobody in the exercise."""
    call = _ALONE.index(at) + 1 if at in _ALONE else MOST_CALLS + 1
    return png(np.ascontiguousarray(picture.draw(people_of(call)[1], _OPEN_EYES)[_FACE]))
