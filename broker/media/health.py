"""How an endpoint's link does: a meter that is read every second."""

from __future__ import annotations

from collections import deque

from broker.domain.plan import Media
from broker.media.feedback import Feedback, worst
from broker.media.forward.api import Forwarder, SourceId, SourceStats
from broker.media.session import Session
from broker.ports import EndpointHealth

WINDOW = 4  # samples, one a second
SENDS_WITHIN_S = 2.0


def newest(forwarder: Forwarder, source: SourceId) -> SourceStats | None:
    """Return the figures of the layer that was heard last."""
    layers = (forwarder.source_stats(source, layer) for layer in range(forwarder.layers(source)))
    return max((stats for stats in layers if stats is not None), key=lambda stats: stats.last_at, default=None)


class Meter:
    """The octets of one connection over the last seconds."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._samples: deque[tuple[float, int, int]] = deque(maxlen=WINDOW)

    def sample(self, forwarder: Forwarder, now: float) -> None:
        """Note the totals as they are."""
        stats = forwarder.peer_stats(self._session.peer)
        if stats is not None:
            self._samples.append((now, stats.octets_in, stats.octets_out))

    def health(self, forwarder: Forwarder, feedback: Feedback, now: float) -> EndpointHealth:
        """Return the figures of the last seconds."""
        known = feedback.of(self._session.peer)
        audio, video = (newest(forwarder, (self._session.peer, kind)) for kind in (Media.AUDIO, Media.VIDEO))
        bps_in, bps_out = self._rates()
        sends_audio = audio is not None and now - audio.last_at < SENDS_WITHIN_S
        return EndpointHealth(
            loss_in=known.loss_in if known else 0.0,
            loss_out=worst(known.recent_losses(now)) if known else 0.0,
            bitrate_in_bps=bps_in,
            bitrate_out_bps=bps_out,
            rtt_ms=known.rtt_ms if known else None,
            audio_level=audio.level if audio is not None and sends_audio else 0.0,
            sends_audio=sends_audio,
            sends_video=video is not None and now - video.last_at < SENDS_WITHIN_S,
        )

    def _rates(self) -> tuple[int, int]:
        if len(self._samples) < 2:
            return 0, 0
        (began, first_in, first_out), (ended, last_in, last_out) = self._samples[0], self._samples[-1]
        passed = ended - began
        if passed <= 0:
            return 0, 0
        return int((last_in - first_in) * 8 / passed), int((last_out - first_out) * 8 / passed)
