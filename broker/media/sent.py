"""What was sent on a video line, and what its receiver reported of it: the relay's half of a proof (wall.md 4)."""

from __future__ import annotations

from broker.domain.plan import Media
from broker.media.feedback import Feedback
from broker.media.forward.api import Forwarder, SinkSpec
from broker.media.session import Session
from broker.ports import LineSent

WINDOW_S = 2.0


def line_sent(
    forwarder: Forwarder, feedback: Feedback, session: Session | None, line: int, timestamp: int | None, now: float
) -> LineSent:
    """Return what is known of video line `line` of a connection, and of the frame with that RTP timestamp."""
    spec = None if session is None else _spec(session, line)
    if session is None or spec is None:
        return LineSent()
    sink = (session.peer, spec.kind, spec.index)
    stats = forwarder.sink_stats(sink)
    frame_at = None if timestamp is None else forwarder.sent_at(sink, timestamp)
    advanced_at = feedback.advanced_at(session.peer, spec.ssrc)
    return LineSent(
        None if stats is None or stats.last_at is None else now - stats.last_at,
        None if frame_at is None else now - frame_at,
        forwarder.frames_since(sink, now - WINDOW_S),
        None if advanced_at is None else now - advanced_at,
    )


def _spec(session: Session, line: int) -> SinkSpec | None:
    return next((spec for spec in session.spec.sinks if spec.kind is Media.VIDEO and spec.index == line), None)
