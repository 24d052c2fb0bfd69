"""Which layers a peer's link carries: a pure policy over what the link showed, decided every 200 ms or so.

The layers of all video lines of one peer stand on one ladder: the lowest of each line first, then the next of each.
A peer stands on a *rung*: every layer up to it is sent. It falls fast, by what receivers report, down to the sound
alone; it climbs by trials, because no report says what a link could carry beyond what it does: a receiver's estimate
(REMB) never exceeds about 1.5 times what arrives, and after a climb it follows at 8 % a second only. An estimate below
what is sent is therefore no sign while it still grows.

It begins at the lowest layer of every line. Its key frame is the smallest, so it is the first picture that any link
shows, and a weak link is not filled in the first seconds of a call; a good one reaches the top within about 3 s.
Sound is on no rung: nothing here can take it away.

Loss alone takes layers, and the last picture only where report after report tells of 30 % and more: short of that
repair keeps a small picture whole, and a link that really is too narrow nearly always shows it by its queue. One that
drops at once instead of queueing (below some 100 ms) and is up to 30 % too narrow for the lowest layer keeps it, with
that loss.

The last picture comes back soon, since without one there are hardly any reports to wait for, and then ever more
seldom: after a burst it is there at once, and a link that carries the sound alone is tried as seldom as any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

LOSS_FALL = 0.10  # the receiver's band "poor" (features F77) begins here; libwebrtc's own sender backs off here too
LOSS_FULL = 0.04  # together with a queue: it is full and drops
LOSS_QUIET = 0.07  # below the band, so that a link at its edge does not climb into it
LOSS_SEVERE = 0.30  # no repair keeps a picture whole at this, and the sound is in danger
LOSS_SMOOTH_S = 1.0  # one report's second: a single bad report alone is a burst, not a state
QUEUE_MS = 200.0  # round trip above its least: the sound waits behind the picture, and people talk over each other
QUEUE_SEVERE_MS = 500.0
QUEUE_QUIET_MS = 100.0
STANDS_S = 1.5  # a queue stands that every report of so long, and at least two, have seen
DRAINS = 0.93  # a queue that shrank to this share since the last report is on its way out
RTT_DRIFT_MS_PER_S = 1.0  # the least round trip is forgotten so fast: a path may become longer for good
SHORT = 0.9  # an estimate below this share of what is sent: on overuse libwebrtc says 0.85 of what arrived
SHORT_SEVERE = 0.5
GROWTH = 1.005  # least growth of an estimate that counts: 8 % a second are seen within a tenth of one
STILL_S = 2.5  # libwebrtc says its estimate at least once a second; after two without growth it stands still
STILL_SEVERE_S = 1.6

PATIENCE_S = 1.0  # signs must last so long before a layer goes
PATIENCE_SEVERE_S = 0.4  # two samples
PATIENCE_LAST_S = 2.5  # three reports: a burst of loss without a queue is over before the last picture goes
PATIENCE_TRIAL_S = 0.4  # a layer that was only tried goes sooner
TRIAL_S = 6.0  # a layer is on trial so long: reports come each second, estimates need some to move
ADAPT_S = 3.0  # a publisher of one layer is told by REMB within 1 s and follows within 2: then only the picture goes
OF_BEFORE_S = 1.2  # after a fall: a report that comes so soon still tells of what was sent before
JUDGED_S = 2.0  # the second one tells whether the fall helped, and is waited for before the next fall,
SETTLE_S = 3.2  # at most so long: one that was lost is not
SETTLE_SEVERE_S = 2.2
INNOCENT = 0.7  # loss that stays above this share of what it was is not ours: fewer layers do not help
INNOCENT_QUEUE = 0.9  # a queue drains slowly; one that did not move, and drops nothing, is a longer path
INNOCENT_ROOM = 1.5
INNOCENT_S = 30.0
BLACKOUT_S = (
    2.5  # silent so long, a receiver was cut off: what it says next is of the gap, not of what the link carries
)

EARLY_S = 1.2  # between climbs until the first fall: one report each
WAIT_S = 5.0  # quiet before a climb; after each failed one twice as long, up to:
WAIT_MAX_S = 45.0  # a steady link is then disturbed three times in two minutes, and one that is mended waits no longer
RETURN_S = 1.2  # quiet before the last picture comes back, at first; each time twice as long, up to WAIT_MAX_S,
RETURN_FORGOTTEN_S = 60.0  # until a picture has stood so long
HOLD_S = 30.0  # a climbed layer that stood so long has held

PAUSED_S = 2.0  # not asked for so long: the call was held, and signs of before it count no more

UNKNOWN = float("inf")
LOWEST = 1  # the rung of one picture


@dataclass(frozen=True, slots=True)
class Sample:
    """What a peer's link showed. Times are CLOCK_BOOTTIME in seconds, rates bits per second of video alone.

    `loss` is the worst fraction (0..1) of the newest reports of the peer's lines, `reported_at` when the newest came;
    `estimate_bps` is the receiver's estimate (REMB), None where none is fresh. `layer_bps` holds for each video line
    what each layer of its source measures now, lowest first; None: that layer is not sent now.
    """

    now: float
    loss: float
    estimate_bps: int | None
    sent_bps: int
    rtt_ms: float | None
    layer_bps: tuple[tuple[int | None, ...], ...]
    reported_at: float | None


class State(NamedTuple):
    """What the policy remembers of one peer. Begin with `State()`."""

    rung: int | None = None  # None: nothing decided yet; 0: sound only
    lines: int = LOWEST  # that were live
    changed_at: float = 0.0
    sampled_at: float = 0.0
    is_trial: bool = False  # the last change was a climb that has not held yet
    has_fallen: bool = False
    wait_s: float = WAIT_S
    return_s: float = RETURN_S
    returned_at: float | None = None  # since then a picture has stood; None: it never went, or it is forgotten
    failed: int | None = None  # the rung that failed last: `wait_s` is for it alone
    mild_since: float | None = None
    severe_since: float | None = None
    quiet_since: float | None = None
    loss: float = 0.0  # smoothed
    newest_loss: float = 0.0
    reported_at: float | None = None
    rtts: tuple[tuple[float, float], ...] = ()  # (when, round trip in ms) of the reports of the last moments
    drains: bool = False  # the last round trip was well below the one before: a queue on its way out
    deaf_until: float = 0.0  # what reports say of loss before it is of a blackout, or of before a fall
    base_rtt_ms: float | None = None
    estimate_bps: int = 0
    grew_at: float = 0.0
    fell_with: tuple[float, float] | None = None  # (loss, queue in ms) at a fall that is to be judged
    innocent_loss: float = 0.0  # loss below this is not ours
    innocent_until: float = 0.0


Layers = tuple[int | None, ...]
"""For each video line, the layer to carry; None: no picture."""


def decide(state: State, sample: Sample, floor: int = 0) -> tuple[State, Layers]:
    """Return the next state and the layer of each line.

    Args:
        floor: The rung below which it never falls, counted in lowest layers of lines. A monitor's is the number of its
            lines: a watched picture is never taken away in silence, since then its absence would count as displayed.
    """
    ladder = _ladder(sample.layer_bps)
    state = _signs(_held(_judged(_observed(state, sample), sample), sample), sample)
    rung = _with_new_lines(state, ladder)
    state = state._replace(lines=_lowest(ladder))
    if rung is None:
        state = state._replace(rung=_lowest(ladder), changed_at=sample.now)
    elif _must_fall(state, rung, ladder, sample) and (lower := _below(state, rung, ladder, sample, floor)) < rung:
        state = _fallen(state, lower, sample)
    elif _may_climb(state, rung, ladder, sample):
        state = _climbed(state, rung + 1, sample)
    else:
        state = state._replace(rung=rung)
    return state, _layers(state.rung or 0, ladder, sample)


# --- the ladder ---------------------------------------------------------------


def _ladder(layer_bps: Sequence[Sequence[int | None]]) -> list[tuple[int, int]]:
    """Return (line, layer) of every live layer: the lowest of each line first, then the next of each."""
    places = [
        (place, line, layer)
        for line, rates in enumerate(layer_bps)
        for place, layer in enumerate(layer for layer, rate in enumerate(rates) if rate is not None)
    ]
    return [(line, layer) for _, line, layer in sorted(places)]


def _lowest(ladder: Sequence[tuple[int, int]]) -> int:
    """Return the rung that holds the lowest layer of every line."""
    return max(LOWEST, len({line for line, _ in ladder}))


def _with_new_lines(state: State, ladder: Sequence[tuple[int, int]]) -> int | None:
    """Return the rung within this ladder; a line that came brings its lowest layer, unless all is sound only."""
    if not state.rung:
        return state.rung
    return max(LOWEST, min(state.rung + _lowest(ladder) - state.lines, len(ladder)))


def _layers(rung: int, ladder: Sequence[tuple[int, int]], sample: Sample) -> Layers:
    """Return each line's layer on this rung. A line with nothing live keeps its lowest, for when something comes."""
    live = {line for line, _ in ladder}
    found: list[int | None] = [None if line in live or not rung else 0 for line in range(len(sample.layer_bps))]
    for line, layer in ladder[:rung]:
        found[line] = layer
    return tuple(found)


def _need(ladder: Sequence[tuple[int, int]], rung: int, sample: Sample) -> int:
    """Return what the layers up to `rung` measure, in bits per second."""
    carried = dict(ladder[:rung])
    return sum(sample.layer_bps[line][layer] or 0 for line, layer in carried.items())


# --- what reports say -----------------------------------------------------------


def _observed(state: State, sample: Sample) -> State:
    """Take in what is new in `sample`."""
    state = _heard(state, sample)
    passed = max(0.0, sample.now - state.sampled_at) if state.sampled_at else 0.0
    if passed > PAUSED_S:
        state = state._replace(mild_since=None, severe_since=None, quiet_since=None)
    loss = state.loss + (state.newest_loss - state.loss) * passed / (passed + LOSS_SMOOTH_S)
    base = state.base_rtt_ms
    if sample.rtt_ms is not None:
        base = sample.rtt_ms if base is None else min(sample.rtt_ms, base + RTT_DRIFT_MS_PER_S * passed)
    estimate, grew_at = sample.estimate_bps or 0, state.grew_at
    if estimate == 0 or estimate > state.estimate_bps * GROWTH:
        grew_at = sample.now
    elif estimate >= state.estimate_bps:
        estimate = state.estimate_bps  # small steps add up
    return state._replace(sampled_at=sample.now, loss=loss, base_rtt_ms=base, estimate_bps=estimate, grew_at=grew_at)


def _heard(state: State, sample: Sample) -> State:
    """Take in a new report, if there is one."""
    at, before = sample.reported_at, state.reported_at
    if at is None or at == before:
        return state
    deaf_until = state.deaf_until
    if state.rung and before is not None and at - before >= BLACKOUT_S:
        deaf_until = max(deaf_until, at + BLACKOUT_S)
    rtt, base = sample.rtt_ms or 0.0, state.base_rtt_ms or 0.0
    rtts = (*state.rtts[-1:], *(seen for seen in state.rtts[:-1] if at - seen[0] <= STANDS_S))
    return state._replace(
        reported_at=at,
        rtts=(*sorted(rtts), (at, rtt)),
        drains=bool(state.rtts) and rtt - base < DRAINS * (state.rtts[-1][1] - base),
        deaf_until=deaf_until,
        newest_loss=0.0 if at < deaf_until else sample.loss,
    )


def _queue_ms(state: State, sample: Sample) -> float:
    """Return how much longer than its least the round trip stays: one late report alone is no queue.

    On trial the newest report counts by itself: to give up a trial for nothing costs little.
    """
    if sample.rtt_ms is None or state.base_rtt_ms is None:
        return 0.0
    if _is_on_trial(state, sample):
        return sample.rtt_ms - state.base_rtt_ms
    return min((rtt for _, rtt in state.rtts), default=0.0) - state.base_rtt_ms if len(state.rtts) > 1 else 0.0


def _is_on_trial(state: State, sample: Sample) -> bool:
    return state.is_trial and sample.now - state.changed_at < TRIAL_S


def _own_loss(state: State, loss: float, now: float) -> float:
    """Return `loss`, or nothing where it was found not to be ours."""
    return 0.0 if now < state.innocent_until and loss < state.innocent_loss else loss


def _is_short(state: State, sample: Sample, share: float, still_s: float) -> bool:
    """Say whether the estimate is below `share` of what is sent, and has stopped growing."""
    estimate = sample.estimate_bps
    return estimate is not None and estimate < share * sample.sent_bps and sample.now - state.grew_at >= still_s


def _signs(state: State, sample: Sample) -> State:
    """Note since when the link has shown signs of being too narrow, or has been quiet."""
    now, queue = sample.now, _queue_ms(state, sample)
    loss, newest = _own_loss(state, state.loss, now), _own_loss(state, state.newest_loss, now)
    full = 0.0 if state.drains else queue
    overflows = loss >= LOSS_FULL and full >= QUEUE_QUIET_MS
    severe = newest >= LOSS_SEVERE or full >= QUEUE_SEVERE_MS or _is_short(state, sample, SHORT_SEVERE, STILL_SEVERE_S)
    mild = severe or loss >= LOSS_FALL or full >= QUEUE_MS or overflows or _is_short(state, sample, SHORT, STILL_S)
    last_queue = (sample.rtt_ms or 0.0) - (state.base_rtt_ms or 0.0)
    quiet = not mild and max(loss, newest) < LOSS_QUIET and last_queue < QUEUE_QUIET_MS
    return state._replace(
        severe_since=(state.severe_since if state.severe_since is not None else now) if severe else None,
        mild_since=(state.mild_since if state.mild_since is not None else now) if mild else None,
        quiet_since=(state.quiet_since if state.quiet_since is not None else now) if quiet else None,
    )


def _judged(state: State, sample: Sample) -> State:
    """After a fall: say whether it helped. Loss that stays as it was is the network's own, a queue a longer path."""
    if state.fell_with is None or sample.reported_at is None or sample.reported_at < state.changed_at + JUDGED_S:
        return state
    loss, queue = state.fell_with
    state = state._replace(fell_with=None)
    if queue >= QUEUE_QUIET_MS:
        unmoved = queue >= QUEUE_MS and _queue_ms(state, sample) >= INNOCENT_QUEUE * queue
        full = state.newest_loss >= LOSS_FULL or _is_short(state, sample, SHORT, 0.0)
        return state._replace(base_rtt_ms=sample.rtt_ms) if unmoved and not full else state
    if loss >= LOSS_FALL and state.newest_loss >= INNOCENT * loss:
        most = min(LOSS_SEVERE, INNOCENT_ROOM * max(loss, state.newest_loss))
        return state._replace(innocent_loss=most, innocent_until=sample.now + INNOCENT_S)
    return state


# --- falling and climbing ---------------------------------------------------------


def _must_fall(state: State, rung: int, ladder: Sequence[tuple[int, int]], sample: Sample) -> bool:
    passed = sample.now - state.changed_at
    if rung == 0 or not ladder or (state.has_fallen and not state.is_trial and not _has_settled(state, passed)):
        return False
    mild = PATIENCE_TRIAL_S if _is_on_trial(state, sample) else PATIENCE_S
    severe = PATIENCE_SEVERE_S
    if len(sample.layer_bps[ladder[rung - 1][0]]) == 1:  # its publisher adapts to what it is told
        mild = severe = ADAPT_S
    elif rung <= LOWEST and _shows_loss_alone(state, sample):
        mild, severe = UNKNOWN, PATIENCE_LAST_S
    return any(
        since is not None and sample.now - since >= least
        for since, least in ((state.mild_since, mild), (state.severe_since, severe))
    )


def _shows_loss_alone(state: State, sample: Sample) -> bool:
    """Say whether nothing but loss speaks against what is sent: repair mends that, unless it is severe for long."""
    return _queue_ms(state, sample) < QUEUE_QUIET_MS and not _is_short(state, sample, SHORT, STILL_S)


def _has_settled(state: State, passed: float) -> bool:
    """Say whether what reports tell is of what is sent since the last fall, `passed` seconds ago."""
    if state.severe_since is not None:
        return passed >= SETTLE_SEVERE_S
    return passed >= SETTLE_S or (state.fell_with is None and passed >= JUDGED_S)


def _below(state: State, rung: int, ladder: Sequence[tuple[int, int]], sample: Sample, floor: int) -> int:
    """Return the rung to fall to: one down, or at once to what arrives now; to sound only for cause."""
    lower = rung - 1
    if _is_on_trial(state, sample):
        return max(lower, min(floor, _lowest(ladder)))  # where it stood a moment ago
    room = _carries(state, sample)
    while lower > 0 and _need(ladder, lower, sample) > room:
        lower -= 1
    if state.severe_since is None and _queue_ms(state, sample) < QUEUE_QUIET_MS and room == UNKNOWN:
        lower = max(lower, LOWEST)  # loss that repair can mend takes layers, never the picture
    return max(lower, min(floor, _lowest(ladder)))


def _carries(state: State, sample: Sample) -> float:
    """Return what of the video arrives, where there is a sign that the link is full; else UNKNOWN."""
    room = UNKNOWN
    if _is_short(state, sample, SHORT, STILL_S) and sample.estimate_bps is not None:
        room = float(sample.estimate_bps)
    if state.newest_loss >= LOSS_SEVERE or (state.newest_loss >= LOSS_FALL and _queue_ms(state, sample) >= QUEUE_MS):
        room = min(room, sample.sent_bps * (1 - state.newest_loss))
    return room


def _fallen(state: State, rung: int, sample: Sample) -> State:
    wait = min(WAIT_MAX_S, 2 * state.wait_s) if state.is_trial and state.has_fallen else max(WAIT_S, state.wait_s)
    return state._replace(
        rung=rung,
        changed_at=sample.now,
        is_trial=False,
        has_fallen=True,
        wait_s=wait,
        failed=rung + 1 if state.is_trial or state.failed is None else state.failed,
        mild_since=None,
        severe_since=None,
        quiet_since=None,
        fell_with=(state.loss, _queue_ms(state, sample)),
        loss=0.0,
        newest_loss=0.0,
        deaf_until=sample.now + OF_BEFORE_S,
    )


def _climbed(state: State, rung: int, sample: Sample) -> State:
    """Try `rung`; the estimate, which stood still below what it never saw, has its time to grow from now."""
    if not state.rung:
        state = state._replace(returned_at=sample.now, return_s=min(WAIT_MAX_S, 2 * state.return_s))
    return state._replace(rung=rung, changed_at=sample.now, grew_at=sample.now, is_trial=True, fell_with=None)


def _held(state: State, sample: Sample) -> State:
    """A trial that stood long enough is one no more; what failed is forgotten once it stands itself."""
    if state.returned_at is not None and state.rung and sample.now - state.returned_at >= RETURN_FORGOTTEN_S:
        state = state._replace(returned_at=None, return_s=RETURN_S)
    if not state.is_trial or sample.now - state.changed_at < max(HOLD_S, state.wait_s):
        return state
    if state.failed is not None and (state.rung or 0) < state.failed:
        return state._replace(is_trial=False)
    return state._replace(is_trial=False, wait_s=WAIT_S, failed=None)


def _may_climb(state: State, rung: int, ladder: Sequence[tuple[int, int]], sample: Sample) -> bool:
    """Say whether the next rung may be tried: a quiet while, and a report on what is sent now."""
    if rung >= len(ladder) or state.quiet_since is None or sample.reported_at is None:
        return False
    since = max(state.quiet_since, state.changed_at)
    return sample.now - since >= _calm_s(state, rung) and (sample.reported_at > state.changed_at or rung == 0)


def _calm_s(state: State, rung: int) -> float:
    """Return how long the link must have been quiet before `rung` is left upwards."""
    if not rung:
        return state.return_s
    if rung + 1 == state.failed:
        return state.wait_s
    return WAIT_S if state.has_fallen else EARLY_S
