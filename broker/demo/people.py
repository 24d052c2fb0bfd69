"""The made-up people and places of the demo. Nobody here exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from broker.domain.records import Contact, Grade, Prisoner, Role
from broker.engine.secrets import derived_id


@dataclass(frozen=True, slots=True)
class Prison:
    """An establishment with its halls: name and number of seats."""

    code: str
    name: str
    halls: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Account:
    """A named person of staff."""

    username: str
    number: str
    name: str
    grade: Grade
    establishment: str
    role: Role


HARROWDENE: Final = Prison("HDE", "HMP Harrowdene", (("Main visits hall", 28), ("Small visits room", 4)))
STOKE_BARROW: Final = Prison("SKB", "HMP Stoke Barrow", (("Visits hall", 8),))
SYNTHETIC: Final = Prison("SYN", "Synthetic establishment", ())
PRISONS: Final = (HARROWDENE, STOKE_BARROW)

MONITOR: Final = Account("imani.clarke", "HDE-2041", "Imani Clarke", Grade.OSG, "HDE", Role.MONITOR)
SUPERVISOR: Final = Account("tom.ashworth", "HDE-1187", "Tom Ashworth", Grade.PRISON_OFFICER, "HDE", Role.SUPERVISOR)
CLERK: Final = Account("ruth.pemberton", "HDE-3310", "Ruth Pemberton", Grade.CIVILIAN, "HDE", Role.BOOKING)
OTHERS: Final = (
    Account("bethan.price", "SKB-2007", "Bethan Price", Grade.OSG, "SKB", Role.MONITOR),
    Account("george.amadi", "SKB-1020", "George Amadi", Grade.PRISON_OFFICER, "SKB", Role.SUPERVISOR),
    Account("lucy.hartnell", "SKB-3002", "Lucy Hartnell", Grade.CIVILIAN, "SKB", Role.BOOKING),
)
BOT_MONITOR: Final = Account("niall.brodie", "HDE-2090", "Niall Brodie", Grade.OSG, "HDE", Role.MONITOR)
BOT_SUPERVISOR: Final = Account(
    "sana.qureshi", "HDE-1204", "Sana Qureshi", Grade.PRISON_OFFICER, "HDE", Role.SUPERVISOR
)


def words(text: str) -> tuple[str, ...]:
    """Return the words of `text`."""
    return tuple(text.split())


_FIRST = words(
    "Adam Bilal Callum Dean Ethan Femi Gareth Hugo Ivan Jamal "
    "Kieran Leon Marcus Nathan Owen Piotr Quentin Rhys Samuel Tariq "
    "Uzair Victor Warren Xavier Yusuf Zack Alec Boris Colin Darius"
)
_LAST = words(
    "Ainsley Barrowby Cottle Dunmore Elsworth Fairholm Garside Hollis Inwood Jessop "
    "Kettering Lomax Marlow Netherby Oakden Pinnock Quayle Rowntree Sedley Thorne "
    "Upshaw Venables Wickens Yarrow Zeller Ashdown Birling Crowther Denholm Everill"
)
_FAMILY = words(
    "Alice Beth Chloe Dora Eleni Farah Grace Hannah Iris Joan "
    "Karen Lily Maya Nadia Olive Pearl Queenie Rosa Sofia Tessa "
    "Una Vera Wendy Ximena Yasmin Zoe Amber Bridget Cora Delia"
)
_RELATIONS = ("mother", "wife", "sister", "father", "partner", "aunt")
MOST: Final = len(_FIRST)


def prisoner(prison: Prison, at: int) -> Prisoner:
    """Return the prison's prisoner number `at` (0 .. MOST - 1)."""
    shift = 0 if prison is HARROWDENE else 11
    number = f"{prison.code[0]}{4100 + 7 * at}{chr(65 + at % 26)}{chr(75 + at // 26)}"
    return Prisoner(number, prison.code, _FIRST[(at + shift) % MOST], _LAST[(at + 3 * shift) % MOST])


def contacts(prison: Prison, at: int) -> list[Contact]:
    """Return who is on that prisoner's visitor list: an adult of the family, and a child for every third."""
    whose = prisoner(prison, at)
    shift = 0 if prison is HARROWDENE else 17

    def contact(first: str, born: date, relation: str) -> Contact:
        key = derived_id("c", prison.code, whose.number, first)
        return Contact(key, prison.code, whose.number, first, whose.last_name, born, relation)

    adult = contact(_FAMILY[(at + shift) % MOST], date(1958 + at, 3, 1 + at % 28), _RELATIONS[at % len(_RELATIONS)])
    if at % 3:
        return [adult]
    return [adult, contact(_FAMILY[(at + shift + 13) % MOST], date(2016, 6, 1 + at % 28), "child")]
