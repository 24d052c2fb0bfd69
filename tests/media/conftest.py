"""A relay for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.media.support import Stage, stage


@pytest_asyncio.fixture
async def relay() -> AsyncIterator[Stage]:
    """Yield a relay on loopback with a clock turned by hand."""
    made = await stage()
    yield made
    await made.close()
