"""A virtual link under `allocate`, with a receiver that reports and estimates as libwebrtc does.

A fluid model in steps of 20 ms, without a clock. The estimate follows libwebrtc's `AimdRateControl`: valid after 5 s,
up by 8 % a second (by 12 kbit/s once it knows the link), never above 1.5 times what arrives and 10 kbit/s, down to 0.85
of what arrives while the queue grows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from broker.media.allocate import Layers, Sample, State, decide

STEP_S = 0.02
DECIDE_EVERY = 10  # steps
AUDIO_BPS = 40_000
LAYERS = (150_000, 500_000, 1_200_000)
KEY_FRAME_S = 0.25  # a key frame weighs as much as so long of its layer
VIDEO_REPORT_S, AUDIO_REPORT_S = 1.0, 5.0  # Chromium's intervals


@dataclass
class Receiver:
    """What the far end knows and says: loss and round trip each report, the estimate each half second."""

    estimate_bps: float | None = None
    said_bps: int | None = None
    said_at: float = float("-inf")
    loss: float = 0.0
    rtt_ms: float | None = None
    reported_at: float | None = None
    knows_link: bool = False
    arrived: deque[float] = field(default_factory=lambda: deque([0.0] * 50))  # video bits, by step of the last second
    arrived_bps: float = 0.0
    delays: deque[float] = field(default_factory=lambda: deque(maxlen=15))
    video_since: float | None = None
    sent_bits: float = 0.0
    lost_bits: float = 0.0

    def take(self, now: float, video: float, sent: float, lost: float, delay_s: float) -> None:
        """Note a step: bits of video that arrived, all bits sent and lost, and the delay of the last."""
        self.arrived.append(video)
        self.arrived_bps += video - self.arrived.popleft()
        self.delays.append(delay_s)
        self.sent_bits += sent
        self.lost_bits += lost
        if video > 0:
            self.video_since = now if self.video_since is None else self.video_since
            self._estimate(now, delay_s)

    def _estimate(self, now: float, delay_s: float) -> None:
        throughput = max(0.0, self.arrived_bps)
        grows = delay_s - self.delays[0]
        if self.estimate_bps is None:
            if self.video_since is not None and now - self.video_since >= 5.0:
                self.estimate_bps = throughput
            return
        if grows > 0.012 and delay_s > 0.03:
            self.estimate_bps = min(self.estimate_bps, 0.85 * throughput)
            self.knows_link = True
        elif grows < 0.004 and self.estimate_bps < 1.5 * throughput + 10_000:
            growth = 12_000 * STEP_S if self.knows_link else self.estimate_bps * 0.08 * STEP_S
            self.estimate_bps = min(self.estimate_bps + growth, 1.5 * throughput + 10_000)
        if self.estimate_bps > 1.3 * throughput:
            self.knows_link = False

    def say_estimate(self, now: float) -> None:
        if self.estimate_bps is not None and self.arrived_bps > 1:
            self.said_bps, self.said_at = int(self.estimate_bps), now

    def report(self, now: float, rtt_s: float) -> None:
        if self.sent_bits > 0:
            self.loss = self.lost_bits / self.sent_bits
            self.rtt_ms, self.reported_at = rtt_s * 1000, now
        self.sent_bits = self.lost_bits = 0.0


@dataclass(frozen=True)
class Moment:
    """One decision: when, what is carried from then on, and how long the sound waited in the queue."""

    at: float
    layers: Layers
    queue_s: float


@dataclass
class Link:
    """A bottleneck of `rate(t)` bit/s with a queue of `queue_s`, a one-way delay, and loss that is nobody's fault."""

    rate: Callable[[float], float]
    queue_s: float = 0.3
    delay_s: float = 0.04
    loss: Callable[[float], float] = lambda _: 0.0
    seed: int = 1
    lines: tuple[tuple[int, ...], ...] = (LAYERS,)
    floor: int = 0

    def run(self, seconds: float) -> list[Moment]:
        """Return every decision of a call of that length."""
        random, receiver, state = Random(self.seed), Receiver(), State()
        layers: Layers = (None,) * len(self.lines)
        carried: list[int | None] = list(layers)
        due: dict[int, float] = {}
        queue, burst, moments = 0.0, 0.0, []
        for step in range(int(seconds / STEP_S)):
            now = step * STEP_S
            if step % DECIDE_EVERY == 0:
                state, chosen = decide(state, self._sample(now, receiver, carried, random), self.floor)
                for line, layer in enumerate(chosen):
                    if layer is None:
                        carried[line] = None
                        due.pop(line, None)
                    elif layer != layers[line]:
                        due[line] = now + random.uniform(0.06, 0.4)  # the next key frame of that layer
                layers = chosen
                moments.append(Moment(now, layers, queue / max(self.rate(now), 1.0)))
            for line, at in list(due.items()):
                if now >= at:
                    carried[line] = layers[line]
                    burst += self.lines[line][layers[line] or 0] * KEY_FRAME_S
                    del due[line]
            queue, burst = self._step(now, receiver, carried, queue, burst, random)
            if step % 25 == 0:
                receiver.say_estimate(now)
            every = VIDEO_REPORT_S if any(layer is not None for layer in carried) else AUDIO_REPORT_S
            if receiver.reported_at is None or now - receiver.reported_at >= every - STEP_S / 2:
                receiver.report(now, 2 * self.delay_s + queue / max(self.rate(now), 1.0))
        return moments

    def _step(
        self, now: float, receiver: Receiver, carried: list[int | None], queue: float, burst: float, random: Random
    ) -> tuple[float, float]:
        rate = self.rate(now)
        steady = sum(self.lines[line][layer] for line, layer in enumerate(carried) if layer is not None)
        paced = min(burst, 1_500_000 * STEP_S)
        video = steady * STEP_S * random.uniform(0.7, 1.3) + paced
        sent = AUDIO_BPS * STEP_S + video
        room = max(0.0, rate * self.queue_s + rate * STEP_S - queue)
        taken = min(sent, room)
        out = min(queue + taken, rate * STEP_S)
        lost = sent - taken + taken * min(1.0, self.loss(now) * random.uniform(0.5, 1.5))
        arrived = out * (video / sent) if sent else 0.0
        queue += taken - out
        receiver.take(now, arrived, sent, lost, queue / max(rate, 1.0))
        return queue, burst - paced

    def _sample(self, now: float, receiver: Receiver, carried: list[int | None], random: Random) -> Sample:
        sent = sum(self.lines[line][layer] for line, layer in enumerate(carried) if layer is not None)
        fresh = now - receiver.said_at < 3.0
        return Sample(
            now=now + 1000.0,
            loss=receiver.loss,
            estimate_bps=receiver.said_bps if fresh else None,
            sent_bps=sent,
            rtt_ms=None if receiver.rtt_ms is None else receiver.rtt_ms + random.uniform(0, 15),
            layer_bps=tuple(tuple(int(rate * random.uniform(0.9, 1.1)) for rate in rates) for rates in self.lines),
            reported_at=None if receiver.reported_at is None else receiver.reported_at + 1000.0,
        )
