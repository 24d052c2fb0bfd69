"""What each peer is given: the plane's own decisions, with endpoints that report as browsers do."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from broker.domain.plan import Media, Quality, Route
from broker.media import rtcp
from broker.media.feedback import Feedback, PeerFeedback
from broker.media.forward.api import Codec, PeerSpec, SinkId, SinkSpec, SinkStats, SourceId, SourceStats
from broker.media.losses import Losses
from broker.media.pictures import Gauge, Pictures
from tests.media.support import Endpoint, Stage, both_ways, plan

VIDEO, AUDIO = Media.VIDEO, Media.AUDIO


def report(endpoint: Endpoint, lost: float) -> None:
    """Report on the picture of line 0, as a browser does each second."""
    ssrc = next(s for s, (line, is_repair) in endpoint._lines.items() if line == (VIDEO, 0) and not is_repair)
    endpoint.report(rtcp.write_rr(1, [rtcp.Report(ssrc, fraction=int(lost * 255))]))


async def seconds(relay: Stage, seconds: int, routes: set[Route], lost: float) -> None:
    """Let time pass in a call: everybody sends and says that they are there; the family reports this loss."""
    family, prisoner, wall = relay.endpoints
    for _ in range(seconds):
        report(family, lost)
        await family.fence()
        await relay.plane.apply(plan(routes, valid_for_s=5))
        for _ in range(5):
            relay.clock.at += 0.2
            prisoner.say(b"voice")
            prisoner.show(b"face", key=True)
            family.say(b"hello")
            await relay.fences(family, prisoner, wall)
            relay.plane._share()
    await relay.fences(prisoner, family, wall)


@pytest.mark.feature("F23", "F24")
async def test_a_weak_link_of_one_end_costs_that_end_its_picture_and_nobody_else_anything(relay: Stage) -> None:
    family, _ = await relay.enter("family"), await relay.enter("prisoner")
    wall = await relay.enter("wall", sends=[], publishes=frozenset())
    routes = both_ways("family", "prisoner") | {Route("prisoner", VIDEO, "wall", 0, Quality.LOW)}
    await seconds(relay, 3, routes, lost=0.0)
    assert family.bodies(VIDEO) and relay.plane.health("family").picture == "best"  # type: ignore[union-attr]

    await seconds(relay, 14, routes, lost=0.5)  # its first returns come sooner, and fail
    health = relay.plane.health("family")
    assert health is not None and (health.picture, health.dropped) == ("none", (0,))
    seen, heard, watched = len(family.bodies(VIDEO)), len(family.bodies(AUDIO)), len(wall.bodies(VIDEO))
    await seconds(relay, 2, routes, lost=0.0)
    assert len(family.bodies(VIDEO)) == seen
    assert len(family.bodies(AUDIO)) == heard + 10, "the sound goes on"
    assert len(wall.bodies(VIDEO)) == watched + 10, "the wall is sent what it was sent"
    assert relay.plane.health("prisoner").picture is not None  # type: ignore[union-attr]
    [sent] = await relay.plane.sent_on("wall", [(0, None)])
    assert sent.last_s == pytest.approx(0, abs=0.3)

    await seconds(relay, 12, routes, lost=0.0)
    assert len(family.bodies(VIDEO)) > seen, "and it is back by itself"
    assert relay.plane.health("family").picture == "best"  # type: ignore[union-attr]


async def test_a_route_to_a_line_that_was_not_offered_disturbs_nobody(relay: Stage) -> None:
    for name in ("family", "prisoner"):
        await relay.enter(name)
    await relay.enter("wall", sends=[], receives=[AUDIO], publishes=frozenset())
    await seconds(relay, 2, both_ways("family", "prisoner") | {Route("prisoner", VIDEO, "wall", 3)}, lost=0.0)
    assert relay.plane.health("family").picture == "best"  # type: ignore[union-attr]
    assert relay.plane.health("wall").picture is None  # type: ignore[union-attr]


async def test_in_a_pause_there_is_no_word_on_a_picture(relay: Stage) -> None:
    for name in ("family", "prisoner"):
        await relay.enter(name)
    wall = await relay.enter("wall", sends=[], publishes=frozenset())
    await seconds(relay, 1, both_ways("family", "prisoner"), lost=0.0)
    await relay.plane.apply(plan(set()))
    relay.plane._share()
    assert relay.plane.health("family").picture is None  # type: ignore[union-attr]
    assert wall.heard == []


# --- several layers and lines ---------------------------------------------------


@dataclass
class Shelf:
    """A forwarder's figures as a test sets them: two publishers of three layers, and a peer 9 that receives."""

    now: float = 1_000.0
    octets: dict[Any, float] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)
    wanted: dict[SinkId, int | None] = field(default_factory=dict)
    rates: tuple[int, ...] = (150_000, 500_000, 1_200_000)

    def layers(self, source: SourceId) -> int:
        return len(self.rates)

    def source_stats(self, source: SourceId, layer: int = 0) -> SourceStats:
        last_at = self.now - (5 if layer in self.silent else 0)
        return SourceStats(1, 0, int(self.octets.get((source, layer), 0)), 0, 0, last_at, 0, 0.0, 0.0)

    def sink_stats(self, sink: SinkId) -> SinkStats:
        source = (sink[2] + 1, VIDEO)
        return SinkStats(0, int(self.octets.get(sink, 0)), None, 0, source, True, self.wanted.get(sink), None)

    def want(self, sink: SinkId, layer: int | None) -> None:
        self.wanted[sink] = layer

    def pass_time(self, sinks: list[SinkId]) -> None:
        """Let a fifth of a second go by at the layers' rates."""
        self.now += 0.2
        for layer, bps in enumerate(self.rates):
            for publisher in (1, 2):
                key = ((publisher, VIDEO), layer)
                self.octets[key] = self.octets.get(key, 0) + bps / 40
        for sink in sinks:
            layer = self.wanted.get(sink, 0)
            self.octets[sink] = self.octets.get(sink, 0) + (0 if layer is None else self.rates[layer] / 40)


class Desk:
    """Pictures over a shelf, and what peer 9 says of its link."""

    def __init__(self, publishes: frozenset[Media], lines: int = 2) -> None:
        self.shelf = Shelf()
        self.sinks: list[SinkId] = [(9, VIDEO, index) for index in range(lines)]
        specs = tuple(SinkSpec(VIDEO, i, 100 + i, 200 + i, {Codec.VP8: (96, None)}) for i in range(lines))
        session: Any = SimpleNamespace(peer=9, spec=PeerSpec((), specs), publishes=publishes)
        self.known = PeerFeedback(session)
        feedback: Any = SimpleNamespace(of=lambda peer: self.known if peer == 9 else None)
        shelf: Any = self.shelf
        self.pictures = Pictures(shelf, feedback, lambda: self.shelf.now)

    def run(self, seconds: float, best: list[SinkId], loss: float = 0.0) -> None:
        for step in range(int(seconds * 5)):
            self.shelf.pass_time(self.sinks)
            if step % 5 == 0:
                for index in range(len(self.sinks)):
                    report = rtcp.Report(100 + index, fraction=int(loss * 255))
                    self.known.losses.setdefault(100 + index, Losses()).note(report, self.shelf.now)
            self.pictures.share({9: best} if best else {})


BOTH = frozenset(Media)


def test_a_good_link_is_given_the_best_layers_of_all_its_lines() -> None:
    desk = Desk(BOTH)
    assert desk.pictures.layer(desk.sinks[0]) == 0
    desk.run(15, desk.sinks)
    assert desk.shelf.wanted == {desk.sinks[0]: 2, desk.sinks[1]: 2}
    assert desk.pictures.of(9) == ("best", ())
    assert desk.pictures.layer(desk.sinks[0]) == 2


def test_what_a_publisher_does_not_send_is_not_waited_for() -> None:
    desk = Desk(BOTH)
    desk.shelf.silent = {2}
    desk.run(15, desk.sinks)
    assert desk.shelf.wanted == {desk.sinks[0]: 1, desk.sinks[1]: 1}
    assert desk.pictures.of(9) == ("best", ())


def test_a_link_that_loses_too_much_is_given_no_picture_and_its_lines_are_named() -> None:
    desk = Desk(BOTH)
    desk.run(15, desk.sinks)
    desk.run(20, desk.sinks, loss=0.6)
    assert desk.pictures.of(9) == ("none", (0, 1))


@pytest.mark.feature("F24")
def test_a_monitor_never_loses_a_watched_picture_in_silence_and_its_small_tiles_stay_as_they_are() -> None:
    """Were it taken away, its absence would count as displayed; sent and lost, the proof fails by itself."""
    desk = Desk(frozenset())
    desk.run(15, desk.sinks[:1])
    assert desk.shelf.wanted == {desk.sinks[0]: 2}
    desk.run(20, desk.sinks[:1], loss=0.6)
    assert desk.shelf.wanted == {desk.sinks[0]: 0}


def test_a_line_that_asks_for_the_best_no_more_is_left_alone() -> None:
    desk = Desk(frozenset())
    desk.run(15, desk.sinks)
    before = dict(desk.shelf.wanted)
    desk.run(5, [], loss=0.6)
    assert desk.shelf.wanted == before
    assert desk.pictures.of(9) == (None, ())


def test_a_peer_that_is_gone_is_forgotten_with_all_that_was_measured_of_it() -> None:
    desk = Desk(BOTH)
    desk.run(5, desk.sinks)
    for peer in (1, 2, 9):
        desk.pictures.forget(peer)
    assert desk.pictures._gauges == {} and desk.pictures.layer(desk.sinks[0]) == 0


def test_a_rate_is_that_of_the_last_second() -> None:
    gauge = Gauge()
    assert gauge.rate(0, 0) == 0
    for step in range(1, 20):
        gauge.rate(step / 5, step * 25_000)
    assert gauge.rate(4, 500_000) == 1_000_000
    for step in range(21, 27):
        at_rest = gauge.rate(step / 5, 500_000)
    assert at_rest == 0
    assert gauge.rate(6, 10) == 0, "another stream"


def test_loss_is_that_of_the_last_second_whatever_a_single_report_says() -> None:
    """Browsers report in every compound: a fraction may be of a handful of packets."""
    losses = Losses()
    losses.note(rtcp.Report(7, fraction=0, highest=100, lost=0), 10.0)
    assert losses.share == 0
    for step in range(1, 11):
        losses.note(rtcp.Report(7, fraction=200, highest=100 + 5 * step, lost=step), 10 + step / 10)
    assert losses.share == pytest.approx(0.2)
    for step in range(1, 12):
        losses.note(rtcp.Report(7, highest=150 + 5 * step, lost=10), 11 + step / 10)
    assert losses.share == 0
    losses.note(rtcp.Report(7, highest=206, lost=-3), 12.5)
    assert losses.share == 0, "repaired: fewer lost than before"


def test_a_round_trip_over_an_old_sender_report_is_not_todays() -> None:
    """A line without a picture is sent none: the first report after it would tell of the queue that took it away."""
    specs = (SinkSpec(VIDEO, 0, 100, 200, {Codec.VP8: (96, None)}),)
    shelf: Any = Shelf()
    session: Any = SimpleNamespace(peer=9, spec=PeerSpec((), specs), publishes=BOTH)
    feedback = Feedback(shelf, lambda: 1_000.0, lambda at: at)
    feedback.open(session)
    for ago_s, rtt_ms in ((18.0, None), (0.5, 100.0)):
        last_sr = int((1_000 - ago_s - 0.1) * 65536)
        feedback.heard(9, rtcp.write_rr(1, [rtcp.Report(100, last_sr=last_sr, delay=int(ago_s * 65536))]))
        known = feedback.of(9)
        assert known is not None
        assert known.rtt_ms == (None if rtt_ms is None else pytest.approx(rtt_ms, abs=1))
