"""What a bad network does to packets, as a pure and seeded model: the caller brings the time and the random source.

A `Path` is one direction of an access line: `Conditions` that may change as time goes on. A `Link` is a path in use;
it tells of each packet when it arrives, how often, or never. There is a bottleneck with a queue that drops at its tail,
then loss in bursts (Gilbert 1960, Elliott 1963), then delay. Jitter keeps the order of packets, for in real networks
it comes of queues; `reorder` lets single packets arrive behind later ones.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from random import Random

HEADER_BYTES = 28  # IPv4 and UDP: they use the line's rate too


@dataclass(frozen=True, slots=True)
class Loss:
    """A two-state Markov chain over packets: chances of entering and leaving the bad state, and of loss in each."""

    enter: float = 0.0
    leave: float = 1.0
    good: float = 0.0
    bad: float = 1.0

    @classmethod
    def bursts(cls, share: float, length: float = 1.0) -> Loss:
        """Return the loss of `share` of all packets (0..1) in runs that are `length` packets long on average (≥ 1).

        A share that runs so short cannot reach is met by longer runs.
        """
        if share >= 1:
            return cls(1.0, 0.0)
        leave = min(1.0 / length, (1 - share) / share) if share else 1.0
        return cls(share * leave / (1 - share), leave)

    @property
    def share(self) -> float:
        """The share of packets that is lost in the long run."""
        in_bad = self.enter / (self.enter + self.leave) if self.enter else 0.0
        return in_bad * self.bad + (1 - in_bad) * self.good


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a path treats packets. Delays in seconds: a packet takes `delay_s` ± `jitter_s`, evenly spread.

    Attributes:
        reorder: Share of packets that take `reorder_s` longer and that later ones may overtake.
        duplicate: Share of packets that arrive twice.
        rate_bps: The bottleneck; None: none.
        queue_s: How long a packet may wait for the bottleneck; what would wait longer is dropped.
    """

    loss: Loss = Loss()
    delay_s: float = 0.0
    jitter_s: float = 0.0
    reorder: float = 0.0
    reorder_s: float = 0.02
    duplicate: float = 0.0
    rate_bps: float | None = None
    queue_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Path:
    """Conditions over time.

    Attributes:
        steps: (second, conditions from then on), ascending, the first at 0.
        blackouts: (first second, last second) in which nothing is taken and nothing arrives.
        every_s: After so many seconds steps and blackouts begin again; None: never.
    """

    steps: tuple[tuple[float, Conditions], ...] = ((0.0, Conditions()),)
    blackouts: tuple[tuple[float, float], ...] = ()
    every_s: float | None = None

    @classmethod
    def steady(cls, conditions: Conditions, *blackouts: tuple[float, float]) -> Path:
        """Return a path whose conditions never change."""
        return cls(((0.0, conditions),), blackouts)

    @property
    def calm(self) -> Path:
        """The path as it is at first, for good."""
        return Path.steady(self.steps[0][1])

    def at(self, second: float) -> Conditions:
        """Return the conditions at `second` of the path's life."""
        return self.steps[max(0, bisect_right(self.steps, self._within(second), key=lambda step: step[0]) - 1)][1]

    def is_black(self, second: float) -> bool:
        """Tell whether nothing passes at `second`."""
        second = self._within(second)
        return any(first <= second < last for first, last in self.blackouts)

    def _within(self, second: float) -> float:
        return second % self.every_s if self.every_s else second


CLEAR = Path()


class Link:
    """A path in use since `began_at`; times in seconds on any clock that only goes forward."""

    def __init__(self, path: Path, random: Random, began_at: float) -> None:
        self._path = path
        self._random = random
        self._began_at = began_at
        self._in_bad = False
        self._free_at = began_at  # when the bottleneck has sent what waits
        self._last_at = began_at  # the latest arrival that no later packet may overtake
        self.taken = self.lost = self.dropped = 0

    def schedule(self, size: int, now: float) -> list[float]:
        """Return when a datagram of `size` bytes that is sent `now` arrives: never, once, or twice."""
        self.taken += 1
        conditions = self._path.at(now - self._began_at)
        if self._path.is_black(now - self._began_at):
            self.lost += 1
            return []
        sent_at = self._through_bottleneck(conditions, size, now)
        if sent_at is None:
            self.dropped += 1
            return []
        if self._is_lost(conditions.loss):
            self.lost += 1
            return []
        arrivals = [self._arrival(conditions, sent_at)]
        if self._random.random() < conditions.duplicate:
            arrivals.append(self._arrival(conditions, sent_at))
        return [at for at in arrivals if not self._path.is_black(at - self._began_at)]

    def _through_bottleneck(self, conditions: Conditions, size: int, now: float) -> float | None:
        """Return when the packet has left the bottleneck, None where its queue was full."""
        if conditions.rate_bps is None:
            return now
        starts_at = max(now, self._free_at)
        if starts_at - now > conditions.queue_s:
            return None
        self._free_at = starts_at + (size + HEADER_BYTES) * 8 / conditions.rate_bps
        return self._free_at

    def _is_lost(self, loss: Loss) -> bool:
        chance = loss.leave if self._in_bad else loss.enter
        if self._random.random() < chance:
            self._in_bad = not self._in_bad
        return self._random.random() < (loss.bad if self._in_bad else loss.good)

    def _arrival(self, conditions: Conditions, sent_at: float) -> float:
        at = sent_at + conditions.delay_s + self._random.uniform(-conditions.jitter_s, conditions.jitter_s)
        if self._random.random() < conditions.reorder:
            return max(sent_at, at) + conditions.reorder_s
        self._last_at = max(sent_at, at, self._last_at)
        return self._last_at
