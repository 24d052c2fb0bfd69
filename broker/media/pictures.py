"""Who is given which layer: gathers what each peer's link shows, asks the policy, and tells the forwarder."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from broker.domain.plan import Media
from broker.media.allocate import Layers, Sample, State, decide
from broker.media.feedback import Feedback, PeerFeedback
from broker.media.forward.api import Forwarder, PeerId, SinkId, SourceId
from broker.ports import Picture

RATE_S = 1.0  # over which rates are measured
LIVE_S = 1.0  # a layer that was silent so long is not sent
ESTIMATE_KEPT_S = 3.0  # libwebrtc says it at least once a second while a picture comes
VIDEO_REPORT_KEPT_S = 3.0  # reports on a picture come each second
AUDIO_REPORT_KEPT_S = 8.0  # those on sound each 2.5 to 7.5 s; they are all that is left once the picture is gone


class Gauge:
    """The rate at which a total of octets grows."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def rate(self, now: float, octets: int) -> int:
        """Note the total, and return bits per second over about the last `RATE_S`; 0 at first."""
        samples = self._samples
        if samples and octets < samples[-1][1]:
            samples.clear()  # another stream began to count
        samples.append((now, octets))
        while len(samples) > 2 and now - samples[1][0] >= RATE_S:
            samples.popleft()
        passed = now - samples[0][0]
        return int((octets - samples[0][1]) * 8 / passed) if passed > 0 else 0


@dataclass(slots=True)
class Given:
    """What one peer is given: the policy's memory, and each line's layer."""

    state: State = field(default_factory=State)
    layers: dict[SinkId, int | None] = field(default_factory=dict)
    picture: Picture | None = None


class Pictures:
    """The layers of every video line that asks for the best. Times are CLOCK_BOOTTIME."""

    def __init__(self, forwarder: Forwarder, feedback: Feedback, boottime: Callable[[], float]) -> None:
        self._forwarder = forwarder
        self._feedback = feedback
        self._boottime = boottime
        self._given: dict[PeerId, Given] = {}
        self._gauges: dict[tuple[SourceId, int] | SinkId, Gauge] = {}

    def layer(self, sink: SinkId) -> int | None:
        """Return the layer for a line that is about to be connected: the lowest, until its link is known."""
        given = self._given.get(sink[0])
        return 0 if given is None else given.layers.get(sink, 0)

    def of(self, peer: PeerId) -> tuple[Picture | None, tuple[int, ...]]:
        """Return what a peer's link carries of the pictures meant for it, and the lines that carry none."""
        given = self._given.get(peer)
        if given is None or given.picture is None:
            return None, ()
        return given.picture, tuple(sorted(sink[2] for sink, layer in given.layers.items() if layer is None))

    def forget(self, peer: PeerId) -> None:
        """Forget a peer."""
        self._given.pop(peer, None)
        self._gauges = {key: gauge for key, gauge in self._gauges.items() if peer not in (key[0], _publisher(key))}

    def share(self, lines: Mapping[PeerId, Sequence[SinkId]]) -> None:
        """Decide for every peer over the video lines of it that ask for the best; call it each 200 ms or so."""
        for peer, given in self._given.items():
            if peer not in lines:
                given.picture = None
        rates: dict[SourceId, tuple[int | None, ...]] = {}
        for peer, asked in lines.items():
            known = self._feedback.of(peer)
            there = [sink for sink in sorted(asked) if self._forwarder.sink_stats(sink) is not None]
            if known is not None and there:  # a plan may name a line that its endpoint did not offer
                self._share(self._given.setdefault(peer, Given()), known, there, rates)

    def _share(
        self,
        given: Given,
        known: PeerFeedback,
        sinks: Sequence[SinkId],
        rates: dict[SourceId, tuple[int | None, ...]],
    ) -> None:
        sample = self._sample(known, sinks, rates)
        floor = 0 if known.session.publishes else len(sinks)  # a watched picture is never taken away in silence
        given.state, layers = decide(given.state, sample, floor)
        for sink, layer in zip(sinks, layers, strict=True):
            if given.layers.get(sink, 0) != layer:
                self._forwarder.want(sink, layer)
        given.layers = dict(zip(sinks, layers, strict=True))
        given.picture = _picture(layers, sample.layer_bps)

    # --- what the link shows ----------------------------------------------

    def _sample(
        self, known: PeerFeedback, sinks: Sequence[SinkId], rates: dict[SourceId, tuple[int | None, ...]]
    ) -> Sample:
        now = self._boottime()
        sent = {sink: self._sent_bps(sink, now) for sink in _pictures_of(known)}
        others = sum(bps for sink, bps in sent.items() if sink not in sinks)  # a wall's small tiles
        estimate = known.estimate_bps if now - known.estimate_at <= ESTIMATE_KEPT_S else None
        loss, reported_at = _loss(known, now)
        return Sample(
            now=now,
            loss=loss,
            estimate_bps=None if estimate is None else max(0, estimate - others),
            sent_bps=sum(sent[sink] for sink in sinks),
            rtt_ms=known.rtt_ms,
            layer_bps=tuple(self._layer_bps(sink, now, rates) for sink in sinks),
            reported_at=reported_at,
        )

    def _sent_bps(self, sink: SinkId, now: float) -> int:
        stats = self._forwarder.sink_stats(sink)
        return 0 if stats is None else self._gauge(sink).rate(now, stats.octets)

    def _layer_bps(
        self, sink: SinkId, now: float, rates: dict[SourceId, tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        stats = self._forwarder.sink_stats(sink)
        if stats is None or stats.source is None:
            return (None,)
        if stats.source not in rates:
            count = self._forwarder.layers(stats.source)
            rates[stats.source] = tuple(self._source_bps(stats.source, layer, now) for layer in range(count))
        return rates[stats.source]

    def _source_bps(self, source: SourceId, layer: int, now: float) -> int | None:
        stats = self._forwarder.source_stats(source, layer)
        if stats is None or now - stats.last_at > LIVE_S:
            return None
        return self._gauge((source, layer)).rate(now, stats.octets)

    def _gauge(self, key: tuple[SourceId, int] | SinkId) -> Gauge:
        found = self._gauges.get(key)
        if found is None:
            found = self._gauges[key] = Gauge()
        return found


def _publisher(key: tuple[SourceId, int] | SinkId) -> PeerId:
    return key[0][0] if isinstance(key[0], tuple) else key[0]


def _pictures_of(known: PeerFeedback) -> list[SinkId]:
    return [(known.session.peer, s.kind, s.index) for s in known.session.spec.sinks if s.kind is Media.VIDEO]


def _loss(known: PeerFeedback, now: float) -> tuple[float, float | None]:
    """Return the mean loss of the newest reports and when the newest came: those on pictures, where there are any."""
    kinds = {spec.ssrc: spec.kind for spec in known.session.spec.sinks}
    for kind, kept_s in ((Media.VIDEO, VIDEO_REPORT_KEPT_S), (Media.AUDIO, AUDIO_REPORT_KEPT_S)):
        found = [one for ssrc, one in known.losses.items() if kinds.get(ssrc) is kind and now - one.at <= kept_s]
        if found:
            return sum(one.share for one in found) / len(found), max(one.at for one in found)
    return 0.0, None


def _picture(layers: Layers, layer_bps: Sequence[Sequence[int | None]]) -> Picture:
    """Say in one word what is carried of what is there."""
    if all(layer is None for layer in layers):
        return "none"
    best = [max((layer for layer, bps in enumerate(rates) if bps is not None), default=0) for rates in layer_bps]
    return (
        "best"
        if all(layer is not None and layer >= top for layer, top in zip(layers, best, strict=True))
        else "reduced"
    )
