"""Counters of what the relay took, sent and dropped, with a log line at a bounded rate."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

log = logging.getLogger("broker.media")

LOG_EVERY_S = 20.0  # drops, and faults: together at most 6 lines a minute (reliability.md X21)


class Drops:
    """Counts by reason; writes all of them in one log line at most once per `LOG_EVERY_S`."""

    def __init__(self, boottime: Callable[[], float]) -> None:
        self.counts: Counter[str] = Counter()
        self._boottime = boottime
        self._next_line = self._next_fault = float("-inf")

    def add(self, reason: str, count: int = 1) -> None:
        """Count `reason`: a fixed word of the code, never anything that a datagram said."""
        self.counts[reason] += count
        now = self._boottime()
        if now >= self._next_line:
            self._next_line = now + LOG_EVERY_S
            totals = " ".join(f"{name}={total}" for name, total in sorted(self.counts.items()))
            log.info("datagrams dropped: %s", totals)

    def fault(self, where: str, error: Exception) -> None:
        """Count a fault of our own, with its traceback at the same bounded rate."""
        self.counts[f"fault_{where}"] += 1
        now = self._boottime()
        if now >= self._next_fault:
            self._next_fault = now + LOG_EVERY_S
            log.error("fault in the relay: where=%s", where, exc_info=error)
