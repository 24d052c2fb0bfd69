"""What share of a line's packets is lost, from receiver reports (RFC 3550 §6.4.1)."""

from __future__ import annotations

from collections import deque

from broker.media.rtcp import Report

SPAN_S = 1.0  # libwebrtc puts a report into every compound: the fraction of one may be of a handful of packets


class Losses:
    """The reports on one line: `share` is what was lost over the last second.

    `at` (CLOCK_BOOTTIME): when the newest came; `advanced_at`: when one last said that more had arrived, None: never.
    """

    def __init__(self) -> None:
        self.at = float("-inf")
        self.advanced_at: float | None = None
        self.share = 0.0
        self._reports: deque[tuple[float, int, int]] = deque()

    def note(self, report: Report, now: float) -> None:
        """Take in a report that came at `now`."""
        self.at = now
        reports = self._reports
        further = report.highest - reports[-1][1] & 0xFFFFFFFF if reports else 1
        if 0 < further < 1 << 31:
            self.advanced_at = now
        reports.append((now, report.highest, report.lost))
        while len(reports) > 2 and now - reports[1][0] >= SPAN_S:
            reports.popleft()
        _, highest, lost = reports[0]
        expected = report.highest - highest & 0xFFFFFFFF
        if expected:
            self.share = min(1.0, max(0.0, (report.lost - lost) / expected))
        else:
            self.share = report.fraction / 256  # the first one; or nothing was sent meanwhile
