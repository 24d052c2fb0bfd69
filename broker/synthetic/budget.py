"""What a synthetic caller may send: less where its line loses (draft-ietf-rmcat-gcc-02 §6) or fills a queue."""

from __future__ import annotations

START_BPS = 300_000
LEAST_BPS, MOST_BPS = 20_000, 2_000_000
_HIGH, _LOW = 0.10, 0.02  # loss above the first: less; below the second: more; between them: the same
_GROWTH = 1.05
_QUEUE_S, _DRAINED_S = 0.1, 0.05  # a round trip so far above its least: less, and no more until it is below the second
_RELIEF = 0.85
_SAVED_S = 4.0  # a frame may use what was saved for so long


class Budget:
    """Bits per second of the picture, kept by what the relay reports each second and by its own limit (REMB)."""

    def __init__(self) -> None:
        self._wanted_bps = float(START_BPS)
        self._limit_bps = float(MOST_BPS)
        self._least_rtt_s = float("inf")
        self._saved_bits = 0.0
        self._at: float | None = None

    @property
    def bps(self) -> float:
        return min(self._wanted_bps, self._limit_bps)

    def spend(self, octets: int, now: float) -> bool:
        """Take `octets` out of what was saved until `now` (monotonic seconds); False where there is not so much."""
        passed = _SAVED_S if self._at is None else now - self._at
        self._at = now
        self._saved_bits = min(_SAVED_S * self.bps, self._saved_bits + passed * self.bps)
        if self._saved_bits < octets * 8:
            return False
        self._saved_bits -= octets * 8
        return True

    def reported(self, loss: float, rtt_s: float | None = None) -> None:
        """Take the fraction lost (0..1) and the round trip of a receiver report; None: it tells none."""
        waiting_s = 0.0
        if rtt_s is not None:
            self._least_rtt_s = min(self._least_rtt_s, rtt_s)
            waiting_s = rtt_s - self._least_rtt_s
        if loss > _HIGH or waiting_s > _QUEUE_S:
            self._wanted_bps *= min(1 - 0.5 * loss, _RELIEF)
        elif loss < _LOW and waiting_s < _DRAINED_S:
            self._wanted_bps *= _GROWTH
        self._wanted_bps = min(MOST_BPS, max(LEAST_BPS, self._wanted_bps))

    def limited(self, bps: float) -> None:
        """Take a limit that the relay set."""
        self._limit_bps = bps
