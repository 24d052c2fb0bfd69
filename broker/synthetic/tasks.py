"""Tasks that belong to a caller: they end with it, and one that fails says so when it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """A set of running tasks with one owner."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run `work` until it ends or the owner closes."""
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def close(self) -> None:
        """Cancel what runs, wait for it, and raise what one of them failed with."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


async def together(*work: Coroutine[Any, Any, Any]) -> None:
    """Run all of `work` at once; the first failure stops the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
