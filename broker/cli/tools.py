"""What every command needs: the words, the configuration, the office, and one sentence for each way it can fail."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import typer
from rich.console import Console

from broker.config import BadConfig, Config, load
from broker.domain.codes import Refused
from broker.engine.accounts import AccountError
from broker.engine.office import Office
from broker.engine.places import PlaceError
from broker.office import open_office
from broker.ports import LogConflict, LogUnavailable
from broker.text import catalogue

T = TypeVar("T")

OPERATOR = "operator"  # the actor on record: whoever may run commands on the machine
FAILED = 1

out = Console()
err = Console(stderr=True)
words = catalogue()


def fail(key: str, **values: object) -> NoReturn:
    """Say what is wrong in one sentence, and end with 1."""
    err.print(words(key, **values), style="bold red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(FAILED)


def say(key: str, **values: object) -> None:
    """Say what was done."""
    out.print(words(key, **values), markup=False, highlight=False, soft_wrap=True)


def tell(text: str) -> None:
    """Print something that is no sentence (a link, a password), alone on its line."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def configuration(**overrides: object) -> Config:
    """Return the configuration, or end with what is wrong with it."""
    try:
        return load(**overrides)
    except BadConfig as error:
        fail("cli.bad_config", detail=str(error))


def in_office(work: Callable[[Office, Config], Awaitable[T]], config: Config | None = None) -> T:
    """Run `work` with the office open, or end with what is wrong."""
    settings = config or configuration()

    async def run() -> T:
        async with open_office(settings) as office:
            return await work(office, settings)

    try:
        return asyncio.run(run())
    except AccountError as error:
        fail(f"cli.staff.{error.code}")
    except PlaceError as error:
        fail(f"cli.place.{error.code}")
    except Refused as refusal:
        fail(f"refused.{refusal.code}")
    except (LogUnavailable, LogConflict) as error:
        fail("cli.storage", detail=str(error))
    except (OSError, ValueError) as error:
        fail("cli.cannot_open", detail=str(error))


def read_file(path: Path) -> bytes:
    """Return a file's content, or end with what is wrong."""
    try:
        return path.read_bytes()
    except OSError as error:
        fail("cli.cannot_read", file=str(path), detail=os.strerror(error.errno or 0))


def ask_password() -> str:
    """Return a password typed twice without an echo, or the first line of a standard input that is no terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(words("cli.staff.password_prompt") + ": ")
    if first != getpass.getpass(words("cli.staff.password_again") + ": "):
        fail("cli.staff.password_differs")
    return first
