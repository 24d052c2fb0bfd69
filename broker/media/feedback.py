"""The relay's RTCP: answers to what endpoints report and ask, and what they are told every so often."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from broker.domain.plan import Media
from broker.media import rtcp
from broker.media.forward.api import Forwarder, PeerId, SinkId, SourceId, SourceStats
from broker.media.losses import Losses
from broker.media.session import Session

KEY_EVERY_S = 0.5  # media.md §9: in this time a source is asked for a key frame at most twice:
KEY_GAP_S = 0.1  # once for the console that meets the family in the lobby, and once for the call that starts just after
CLOCK_KEPT = 2 << 16  # in 1/65536 s: of an older sender report, a round trip tells how the link was when that was sent
REPORT_KEPT_S = 10.0  # browsers report on sound each 2.5 to 7.5 s
ESTIMATE_KEPT_S = 10.0  # a receiver's estimate older than this limits nobody
NO_LIMIT_BPS = 10_000_000
ROOM = 1.3  # an estimate so many times what is sent shows no bottleneck
RELEASE = 1.25  # growth of the limit per second while there is room
MIN_LIMIT_BPS = 60_000  # enough for a small picture: a report cannot starve the sender of all
ASK_AGAIN = 0.5  # of the round trip: a request that was lost is made good soon, and libwebrtc repeats none twice in one
ASK_AGAIN_S = 0.06  # where no round trip is known yet
ASK_AGAIN_LEAST_S, ASK_AGAIN_MOST_S = 0.02, 0.25
GUESS_AFTER_S = 2.0  # a source that sent no sender report by then is timed by its packets
RATES = {Media.AUDIO: 48_000, Media.VIDEO: 90_000}
CNAME = "relay"
MAX_REPORTS = 4  # of arrivals at a time, 400 numbers each: a sender whose numbers leap costs no more than any other


LayerId = tuple[SourceId, int]


@dataclass(slots=True)
class SourceClock:
    """How a layer's RTP clock goes, from its last sender report."""

    ntp_s: float  # in the relay's time: the same for both kinds of one publisher
    timestamp: int
    compact: int  # the middle of its NTP, for the publisher's own round trip
    heard_at: float


@dataclass(slots=True)
class PeerFeedback:
    """What is remembered of one peer between reports."""

    session: Session
    estimate_bps: int | None = None
    estimate_at: float = float("-inf")
    limit_bps: int = NO_LIMIT_BPS  # what this publisher was last told
    allowance_bps: int = NO_LIMIT_BPS  # what this receiver can take
    allowed_at: float = 0.0
    octets_out: int = 0
    rtt_ms: float | None = None
    losses: dict[int, Losses] = field(default_factory=dict)  # by our SSRC
    loss_in: float = 0.0
    clocks: dict[tuple[Media, int], SourceClock] = field(default_factory=dict)
    skew_s: float | None = None  # relay's time minus the publisher's, the least seen
    counted: dict[tuple[Media, int], tuple[int, int, int]] = field(default_factory=dict)
    cc_number: int = 0
    cc_next: int | None = None

    @property
    def ask_again_s(self) -> float:
        """How long to wait for an answer before the peer is asked again for what is missing."""
        if self.rtt_ms is None:
            return ASK_AGAIN_S
        return max(ASK_AGAIN_LEAST_S, min(ASK_AGAIN_MOST_S, ASK_AGAIN * self.rtt_ms / 1000))

    def recent_losses(self, now: float) -> list[float]:
        """Return the loss of each line that was reported on lately: a line that carries nothing has none."""
        return [self.recent_loss(ssrc, now) for ssrc in self.losses]

    def recent_loss(self, ssrc: int, now: float) -> float:
        """Return the loss of one line; 0 where it was not reported on lately."""
        losses = self.losses.get(ssrc)
        return losses.share if losses is not None and now - losses.at <= REPORT_KEPT_S else 0.0


class Feedback:
    """RTCP of every peer. `boottime` in seconds; `ntp` maps it to the relay's NTP seconds."""

    def __init__(self, forwarder: Forwarder, boottime: Callable[[], float], ntp: Callable[[float], float]) -> None:
        self._forwarder = forwarder
        self._boottime = boottime
        self._ntp = ntp
        self._peers: dict[PeerId, PeerFeedback] = {}
        self._key_at: dict[LayerId, tuple[float, float]] = {}  # the last request but one, and the last
        self._key_waiting: set[LayerId] = set()

    def open(self, session: Session) -> None:
        """Begin with a peer whose keys are there."""
        self._peers[session.peer] = PeerFeedback(session, allowed_at=self._boottime())

    def close(self, peer: PeerId) -> None:
        """Forget a peer."""
        self._peers.pop(peer, None)
        self._key_at = {layer: at for layer, at in self._key_at.items() if layer[0][0] != peer}
        self._key_waiting = {layer for layer in self._key_waiting if layer[0][0] != peer}

    def of(self, peer: PeerId) -> PeerFeedback | None:
        """Return what is known of a peer."""
        return self._peers.get(peer)

    # --- key frames -------------------------------------------------------

    def want_key(self, source: SourceId, layer: int = 0) -> None:
        """Ask for a key frame now, or as soon as KEY_EVERY_S and KEY_GAP_S allow."""
        now, key = self._boottime(), (source, layer)
        before, last = self._key_at.get(key, (float("-inf"), float("-inf")))
        if now - before < KEY_EVERY_S or now - last < KEY_GAP_S:
            self._key_waiting.add(key)
            return
        known, ssrc = self._peers.get(source[0]), self._ssrc(source, layer)
        if known is None or ssrc is None:
            return
        self._key_at[key] = last, now
        self._key_waiting.discard(key)
        self._send(known, rtcp.write_pli(known.session.ssrc, ssrc))

    def _ssrc(self, source: SourceId, layer: int) -> int | None:
        """Return the SSRC that a layer came under, or that its offer declared."""
        stats, known = self._forwarder.source_stats(source, layer), self._peers.get(source[0])
        if stats is not None or known is None:
            return stats.ssrc if stats else None
        specs = (spec for spec in known.session.spec.sources if spec.kind is source[1])
        return next((spec.layers[layer].ssrc for spec in specs if layer < len(spec.layers)), None)

    def _layers(self, known: PeerFeedback) -> Iterator[tuple[tuple[Media, int], SourceStats]]:
        """Yield (kind, layer) and figures of all that a publisher sent."""
        for spec in known.session.spec.sources:
            for layer in range(len(spec.layers)):
                stats = self._forwarder.source_stats((known.session.peer, spec.kind), layer)
                if stats is not None:
                    yield (spec.kind, layer), stats

    # --- what peers say ---------------------------------------------------

    def heard(self, peer: PeerId, packet: bytes) -> None:
        """Obey an authenticated compound; what is malformed in it is passed over."""
        known = self._peers.get(peer)
        if known is None:
            return
        for part in rtcp.split(packet):
            if (info := rtcp.sender_info(part)) is not None:
                self._note_clock(known, info)
            for report in rtcp.reports(part):
                self._note_report(known, report)
            if (asked := rtcp.nacks(part)) is not None:
                self._repair(known, *asked)
            for ssrc in rtcp.key_requests(part):
                self._pass_key_request(known, ssrc)
            if (estimate := rtcp.remb(part)) is not None and any(self._sink(known, ssrc) for ssrc in estimate[1]):
                known.estimate_bps, known.estimate_at = estimate[0], self._boottime()

    def _repair(self, known: PeerFeedback, ssrc: int, sequences: Sequence[int]) -> None:
        sink = self._sink(known, ssrc)
        if sink is not None and not self._forwarder.resend(sink, sequences):  # an outage longer than what is kept
            self._pass_key_request(known, ssrc)

    def advanced_at(self, peer: PeerId, ssrc: int) -> float | None:
        """Return when a peer last reported that more of a line had arrived, None: never."""
        known = self._peers.get(peer)
        losses = known.losses.get(ssrc) if known else None
        return None if losses is None else losses.advanced_at

    def _sink(self, known: PeerFeedback, ssrc: int) -> SinkId | None:
        for spec in known.session.spec.sinks:
            if spec.ssrc == ssrc:
                return known.session.peer, spec.kind, spec.index
        return None

    def _pass_key_request(self, known: PeerFeedback, ssrc: int) -> None:
        sink = self._sink(known, ssrc)
        stats = self._forwarder.sink_stats(sink) if sink else None
        if stats is None or stats.source is None or stats.source[1] is not Media.VIDEO:
            return
        layer = stats.wanted if stats.layer is None else stats.layer
        if layer is not None:
            self.want_key(stats.source, layer)

    def _note_clock(self, known: PeerFeedback, info: rtcp.SenderInfo) -> None:
        now = self._boottime()
        for spec in known.session.spec.sources:
            for layer in range(len(spec.layers)):
                source = (known.session.peer, spec.kind)
                if info.ssrc != self._ssrc(source, layer):
                    continue
                sent_s = info.ntp / (1 << 32)
                skew = self._ntp(now) - sent_s
                if known.skew_s is None or skew < known.skew_s or skew - known.skew_s > 1.0:
                    known.skew_s = skew  # the least delay seen; a jump means that their clock was set
                clock = SourceClock(sent_s + known.skew_s, info.timestamp, rtcp.middle(info.ntp), now)
                known.clocks[spec.kind, layer] = clock
                self._forwarder.note_clock(source, layer, info.ntp, info.timestamp)

    def _note_report(self, known: PeerFeedback, report: rtcp.Report) -> None:
        sink = self._sink(known, report.ssrc)
        if sink is None:
            return
        known.losses.setdefault(report.ssrc, Losses()).note(report, self._boottime())
        if report.last_sr and report.delay <= CLOCK_KEPT:
            now = int(self._ntp(self._boottime()) * 65536) & 0xFFFFFFFF
            passed = now - report.last_sr - report.delay & 0xFFFFFFFF
            if passed < 10 * 65536:
                known.rtt_ms = passed / 65.536

    # --- what peers are told ----------------------------------------------

    def often(self) -> None:
        """Ask for what is missing, and for key frames that had to wait: every 20 ms or so."""
        for source, layer in list(self._key_waiting):
            self.want_key(source, layer)
        for source, layer in self._forwarder.gaps():
            known = self._peers.get(source[0])
            again_s = ASK_AGAIN_S if known is None else known.ask_again_s
            missing = self._forwarder.take_missing(source, layer, again_s)
            stats = self._forwarder.source_stats(source, layer) if missing else None
            if known is not None and stats is not None:
                self._send(known, rtcp.write_nack(known.session.ssrc, stats.ssrc, missing))

    def congestion(self) -> None:
        """Report arrivals to publishers (transport-wide), every 100 ms or so."""
        for known in self._peers.values():
            arrivals = self._forwarder.take_arrivals(known.session.peer)
            if not arrivals:
                continue
            highest = arrivals[0][0] + 65536 if known.cc_next is None else known.cc_next - 1
            seen: dict[int, int] = {}
            in_order = True
            for number, at in arrivals:
                ahead = number - highest & 0xFFFF
                if 0 < ahead < 0x8000:
                    highest += ahead
                    seen[highest] = int(at * 1e6)
                elif not ahead:
                    seen.setdefault(highest, int(at * 1e6))
                else:
                    in_order = False
                    seen.setdefault(highest + ahead - 0x10000, int(at * 1e6))
            self._report_arrivals(known, list(seen.items()) if in_order else sorted(seen.items()))

    def _report_arrivals(self, known: PeerFeedback, arrivals: list[tuple[int, int]]) -> None:
        base = arrivals[0][0] if known.cc_next is None else min(known.cc_next, arrivals[0][0])
        if arrivals[-1][0] - base > 500:  # a great hole: it says nothing that the next report does not
            base = arrivals[0][0]
        ssrc = next((stats.ssrc for _, stats in self._layers(known)), 0)
        for _ in range(MAX_REPORTS):
            if not arrivals:
                break
            chunk = arrivals
            if arrivals[-1][0] - base >= 400:
                chunk = [pair for pair in arrivals if pair[0] - base < 400] or arrivals[:1]
            base = max(base, chunk[0][0] - 400)
            self._send(known, rtcp.write_transport_cc(known.session.ssrc, ssrc, known.cc_number, base, chunk))
            known.cc_number = known.cc_number + 1 & 0xFF
            base = chunk[-1][0] + 1
            arrivals = arrivals[len(chunk) :]
        known.cc_next = base

    def reports(self) -> None:
        """Send receiver reports, sender reports and limits, every second."""
        now = self._boottime()
        for known in list(self._peers.values()):
            blocks = self._blocks(known, now)
            if blocks:
                self._send(known, rtcp.write_rr(known.session.ssrc, blocks))
            for sink in known.session.spec.sinks:
                self._send_clock(known, (known.session.peer, sink.kind, sink.index), sink.ssrc, now)
            self._limit(known, now)

    def _blocks(self, known: PeerFeedback, now: float) -> list[rtcp.Report]:
        found: list[rtcp.Report] = []
        worst = 0.0
        for key, stats in self._layers(known):
            ssrc, packets, expected = known.counted.get(key, (stats.ssrc, 0, 0))
            if ssrc != stats.ssrc:
                packets = expected = 0
            known.counted[key] = (stats.ssrc, stats.packets, stats.expected)
            wanted = stats.expected - expected
            lost = max(0, wanted - (stats.packets - packets))
            fraction = min(255, lost * 256 // wanted) if wanted > 0 else 0
            worst = max(worst, fraction / 256)
            if key[0] is Media.AUDIO:
                fraction = max(fraction, self._far_loss((known.session.peer, Media.AUDIO), now))
            found.append(_block(stats, fraction, known.clocks.get(key), now))
        known.loss_in = worst
        return found

    def _far_loss(self, source: SourceId, now: float) -> int:
        """Return the worst loss, in 1/256, of a sound on its way from here to any participant.

        Its publisher learns of it nowhere else, and sends what repairs it (Opus in-band FEC) by the loss that it knows.
        """
        losses = [0.0]
        for sink in self._forwarder.sinks_of(source):
            far = self._peers.get(sink[0])
            if far is not None and far.session.publishes:
                specs = (spec for spec in far.session.spec.sinks if (spec.kind, spec.index) == sink[1:])
                losses += [far.recent_loss(spec.ssrc, now) for spec in specs]
        return min(255, int(max(losses) * 256))

    def _send_clock(self, known: PeerFeedback, sink: SinkId, ssrc: int, now: float) -> None:
        """Rewrite the source's clock for this line, or lips and voice would part (media.md §9)."""
        sent = self._forwarder.sink_stats(sink)
        if sent is None or sent.layer is None or sent.source is None:
            return
        ntp_s, timestamp = self._clock(sent.source, sent.layer, now) or (0.0, 0)
        if not ntp_s:
            return
        passed = self._ntp(now) - ntp_s
        info = rtcp.SenderInfo(
            ssrc,
            int(self._ntp(now) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF,
            timestamp + int(passed * RATES[sink[1]]) + sent.offset & 0xFFFFFFFF,
            sent.packets,
            sent.octets,
        )
        self._send(known, rtcp.write_sr(info) + rtcp.write_sdes(ssrc, CNAME))

    def _clock(self, source: SourceId, layer: int, now: float) -> tuple[float, int] | None:
        publisher, stats = self._peers.get(source[0]), self._forwarder.source_stats(source, layer)
        if publisher is None or stats is None:
            return None
        clock = publisher.clocks.get((source[1], layer))
        if clock is not None and clock.heard_at >= stats.stream_at:
            return clock.ntp_s, clock.timestamp
        if now - stats.stream_at > GUESS_AFTER_S:
            return self._ntp(stats.last_at), stats.last_timestamp
        return None

    def _limit(self, known: PeerFeedback, now: float) -> None:
        """Pass on the least estimate of the *participants* who see this publisher; monitors never count.

        One who sends several layers is never limited: each receiver is given the layer that its link carries.
        """
        source = (known.session.peer, Media.VIDEO)
        stats = self._forwarder.source_stats(source)
        if stats is None or self._forwarder.layers(source) > 1:
            return
        limits = [self._allowance(sink[0], now) for sink in self._forwarder.sinks_of(source)]
        limit = max(MIN_LIMIT_BPS, min(limits, default=NO_LIMIT_BPS))
        if limit == known.limit_bps == NO_LIMIT_BPS:
            return
        known.limit_bps = limit
        self._send(known, rtcp.write_remb(known.session.ssrc, limit, [stats.ssrc]))

    def _allowance(self, peer: PeerId, now: float) -> int:
        """Return what one receiver can take; a monitor, one without a fresh estimate and one with room: anything.

        A receiver's estimate never exceeds about 1.5 times what it is sent, so while it is well above that it
        tells of a quiet sender and not of a narrow network: the limit is then let go, by steps.
        """
        known, stats = self._peers.get(peer), self._forwarder.peer_stats(peer)
        if known is None or stats is None:
            return NO_LIMIT_BPS
        sent_bps = (stats.octets_out - known.octets_out) * 8 / max(now - known.allowed_at, 0.001)
        known.octets_out, known.allowed_at = stats.octets_out, now
        if not known.session.publishes or known.estimate_bps is None or now - known.estimate_at > ESTIMATE_KEPT_S:
            known.allowance_bps = NO_LIMIT_BPS
        elif known.estimate_bps < ROOM * sent_bps:
            known.allowance_bps = known.estimate_bps
        else:
            released = max(known.estimate_bps, int(known.allowance_bps * RELEASE))
            known.allowance_bps = min(NO_LIMIT_BPS, released)
        return known.allowance_bps

    def goodbye(self, peer: PeerId) -> None:
        """Send BYE for every line that the peer receives on."""
        known = self._peers.get(peer)
        if known is None:
            return
        ssrcs = [spec.ssrc for spec in known.session.spec.sinks] or [known.session.ssrc]
        for at in range(0, len(ssrcs), 31):
            self._send(known, rtcp.write_bye(ssrcs[at : at + 31]))

    def _send(self, known: PeerFeedback, packet: bytes) -> None:
        """Send `packet`, behind an empty report where it does not begin with one (RFC 3550 §6.1)."""
        if packet[1] not in (rtcp.SR, rtcp.RR):
            packet = rtcp.write_rr(known.session.ssrc) + packet
        self._forwarder.send_rtcp(known.session.peer, packet)


def _block(stats: SourceStats, fraction: int, clock: SourceClock | None, now: float) -> rtcp.Report:
    return rtcp.Report(
        stats.ssrc,
        fraction,
        stats.expected - stats.packets,
        stats.highest,
        0,  # jitter is not measured
        clock.compact if clock else 0,
        min(0xFFFFFFFF, int((now - clock.heard_at) * 65536)) if clock else 0,
    )


def worst(losses: Iterable[float]) -> float:
    """Return the largest of some loss fractions, 0 where there are none."""
    return max(losses, default=0.0)
