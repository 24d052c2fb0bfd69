"""Time that never jumps: UTC read once at the start, carried forward by CLOCK_BOOTTIME."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """A `Clock`. An administrator who sets the machine's clock moves no deadline of a call."""

    def __init__(self) -> None:
        self._boot = self.boottime()
        self._start = datetime.now(UTC)

    def now(self) -> datetime:
        """Return aware UTC."""
        return self._start + timedelta(seconds=self.boottime() - self._boot)

    def boottime(self) -> float:
        """Return CLOCK_BOOTTIME in seconds: it counts while the machine is suspended too."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)
