"""What synthetic callers do wrong on cue, over the public protocol, for exercises, for tests, and for other scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Final

from broker.domain.training import Misdeed
from broker.protocol import client
from broker.synthetic.acting import Act, acting
from broker.synthetic.caller import Caller
from broker.synthetic.talk import TookTooLong, new_key


def misbehaving(misdeed: Misdeed, caller: Caller, other: Caller) -> AbstractAsyncContextManager[None]:
    """Have `caller` misbehave for as long as the block lasts; what happens once has happened when it begins.

    Args:
        other: The other end of the call; a silence is both ends'.

    Raises:
        KeyError: It is the hall's (Misdeed.NO_ANSWER), or stands from the arrival on (training.IN_LOBBY).
        Closed, Refused, Unreachable, TookTooLong: The broker did not let it happen.
    """
    return _MISDEEDS[misdeed](caller, other)


def drawn_for(misdeed: Misdeed) -> tuple[Act, ...]:
    """Return what has to be drawn before it, so that nobody stands still at the cue."""
    return _ACTS.get(misdeed, ())


_ACTS: Final[Mapping[Misdeed, tuple[Act, ...]]] = {
    Misdeed.COVERED: (Act.COVERED,),
    Misdeed.FROZEN: (Act.FROZEN,),
    Misdeed.EMPTY: (Act.EMPTY,),
    Misdeed.UNLISTED: (Act.BESIDE,),
    Misdeed.SILENCE: (Act.SILENT,),
    Misdeed.LOUD: (Act.LOUD,),
}


@contextmanager
def _plays(caller: Caller, act: Act) -> Iterator[None]:
    before = caller.person
    caller.play(acting(before.number, act))
    try:
        yield
    finally:
        caller.play(before)


def _shows(act: Act) -> Callable[[Caller, Caller], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def shown(caller: Caller, other: Caller) -> AsyncIterator[None]:
        with _plays(caller, act):
            yield

    return shown


@asynccontextmanager
async def _silence(caller: Caller, other: Caller) -> AsyncIterator[None]:
    with _plays(caller, Act.SILENT), _plays(other, Act.SILENT):
        yield


@asynccontextmanager
async def _hand(caller: Caller, other: Caller) -> AsyncIterator[None]:
    await caller.command(client.LegHelp(key=new_key()))
    yield


@asynccontextmanager
async def _dropped(caller: Caller, other: Caller) -> AsyncIterator[None]:
    caller.stays_away = True
    await caller.go()
    try:
        yield
    finally:
        try:
            await caller.come_back()
        finally:
            caller.stays_away = False


@asynccontextmanager
async def _second_device(caller: Caller, other: Caller) -> AsyncIterator[None]:
    if not await caller.second_device():
        raise TookTooLong("a refusal of the second device")
    yield


_MISDEEDS: Final[Mapping[Misdeed, Callable[[Caller, Caller], AbstractAsyncContextManager[None]]]] = {
    **{misdeed: _shows(acts[0]) for misdeed, acts in _ACTS.items()},
    Misdeed.SILENCE: _silence,
    Misdeed.HAND: _hand,
    Misdeed.DROPPED: _dropped,
    Misdeed.SECOND_DEVICE: _second_device,
}
