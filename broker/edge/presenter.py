"""What staff are told: calls, posts, seats, lines and links, in the words of the wire. It adds nothing of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

from broker.domain.alerts import detectors_on, faces_expected
from broker.domain.attention import flows, limit_s, state_of
from broker.domain.call import Call, Hold, Leg, LegRole, Phase
from broker.domain.checks import Check, CheckStage
from broker.domain.codes import HoldKind, Post
from broker.domain.gate import effective_end
from broker.domain.kinds import KINDS
from broker.domain.plan import Media
from broker.domain.policy import policy
from broker.domain.posts import Holder
from broker.domain.records import NATIONAL_POOL, Device, Seat
from broker.edge.privileged import for_staff
from broker.engine.consoles import SHOWABLE, Console
from broker.engine.engine import Engine, prisoner_leg
from broker.engine.losses import EVERY_S, Losses
from broker.engine.registry import Entry
from broker.ports import EndpointHealth
from broker.protocol.alerts import LossHistory, LossPart
from broker.protocol.attention import AttentionCheck, AttentionPart
from broker.protocol.posts import PostPart
from broker.protocol.server import (
    AttendeePart,
    CallPart,
    HoldPart,
    LegHealth,
    LegPart,
    LinePart,
    SeatPart,
)

SeatState = Literal["out_of_use", "offline", "free", "waiting", "verify", "ready", "live", "paused", "fault", "help"]
GOOD_LOSS = 0.10
POOR_LOSS = 0.15
_FAULTS = frozenset({HoldKind.INTERRUPTED, HoldKind.TECHNICAL, HoldKind.RECOVERED})


class Presenter:
    """Turns what the engine holds into parts of messages. It reads, and changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._names: dict[str, str] = {}  # staff number -> name, of whoever held a post since the start

    def name_of(self, number: str | None) -> str | None:
        """Return the name of a member of staff by number; the number itself where nobody by it was on a post."""
        if number is None:
            return None
        for holder in self._engine.presence.holders:
            self._names[holder.number] = holder.name
        return self._names.get(number, number)

    # --- calls -------------------------------------------------------------------

    def call(self, entry: Entry, now: datetime) -> CallPart:
        """Return a call as staff of its establishment see it."""
        call, facts = entry.actor.call, entry.facts
        prisoner = facts.prisoner
        return CallPart(
            id=call.id,
            seq=call.seq,
            kind=call.kind,
            establishment=call.establishment,
            hall_id=call.hall_id,
            hall=facts.hall.name,
            seat_id=call.seat_id,
            seat=facts.seat.number,
            prisoner_number=prisoner.number,
            prisoner_initials=f"{prisoner.first_name[:1]}{prisoner.last_name[:1]}",
            prisoner_name=facts.name(prisoner.number),
            tier=call.tier,
            tier_reasons=list(call.tier_reasons),
            tier_set_by=self.name_of(call.tier_by),
            first_page=call.tier == 1,
            privileged=for_staff(call, self.name_of, now),
            synthetic=call.synthetic,
            recorded=KINDS[call.kind].recorded,
            phase=call.phase.value,
            holds=[self._hold(call, hold) for hold in call.holds],
            legs=[_leg(entry, leg) for leg in call.legs],
            starts_at=call.starts_at,
            ends_at=effective_end(call, now),
            started_at=call.started_at,
            clock_runs=call.clock_stopped_at is None,
            credited_s=call.credited_s,
            rebook_s=call.rebook_s,
            alarm=_alarm(call),
            help_asked=call.help_asked,
            looked_at=call.looked_at,
            attention=self.attention(call, now),
            outcome=call.outcome,
            end_reason=call.end_reason,
            ended_by=self._ended_by(call),
            detectors=detectors_on(call, policy(call.policy_version)),
            missing=self._engine.missing(call) if call.phase not in (Phase.LIVE, Phase.ENDED) else [],
        )

    def attention(self, call: Call, now: datetime) -> AttentionPart | None:
        """Return how a live call stands to its limit; None where no look is asked."""
        engine, rules = self._engine, policy(call.policy_version)
        limit = limit_s(call, rules)
        if limit is None or call.phase is not Phase.LIVE:
            return None
        counted = engine.presence.attention.of(call, now)
        in_focus = engine.presence.attention.in_focus(call, now)
        state = state_of(call, counted, limit, engine.watch.is_offered(call), rules)
        due_at = now + timedelta(seconds=limit - counted.unwatched_s) if flows(call) and not in_focus else None
        whose = engine.watch.whose(call)
        return AttentionPart(
            limit_s=limit,
            unwatched_s=round(counted.unwatched_s, 1),
            state=state,
            looked_at=counted.look.at if counted.look else call.looked_at,
            due_at=due_at,
            in_focus=in_focus,
            by=whose,
            by_name=self.name_of(whose),
        )

    def _hold(self, call: Call, hold: Hold) -> HoldPart:
        rules = policy(call.policy_version)
        undoable = hold.by is not None and hold.kind is HoldKind.SECURITY
        return HoldPart(
            id=hold.id,
            kind=hold.kind,
            post=hold.post,
            by=self.name_of(hold.by),
            reason=hold.reason,
            placed_at=hold.placed_at,
            undo_until=hold.placed_at + timedelta(seconds=rules.undo_s) if undoable else None,
            relabel_until=hold.placed_at + timedelta(seconds=rules.relabel_s) if undoable else None,
        )

    def _ended_by(self, call: Call) -> str | None:
        if call.ended_by is None or not call.ended_by.startswith("staff:"):
            return None
        return self.name_of(call.ended_by.removeprefix("staff:"))

    # --- posts ---------------------------------------------------------------------

    def posts(
        self, scope: Collection[str], halls: Sequence[tuple[str, str]], session: str, now: datetime
    ) -> list[PostPart]:
        """Return how the monitoring post of each establishment and the technical post of each hall are staffed.

        `halls`: each with its establishment.
        """
        found = [self.post(place, Post.MONITOR, None, session, now) for place in sorted(scope)]
        return found + [self.post(place, Post.SUPERVISOR, hall, session, now) for place, hall in halls]

    def post(self, establishment: str, post: Post, hall: str | None, session: str, now: datetime) -> PostPart:
        """Return one post: the asker's own holding of it first, then one that is there, then one that is lost."""
        holders = [
            holder
            for holder in self._engine.presence.holders
            if holder.post is post and establishment in holder.scope and holder.hall_id == hall
        ]
        if not holders:
            return PostPart(establishment=establishment, hall_id=hall, post=post, state="off")
        holder = min(holders, key=lambda one: (one.session != session, self._lost(one, now), one.since))
        return PostPart(
            establishment=establishment,
            hall_id=hall,
            post=post,
            state="lost" if self._lost(holder, now) else "on",
            name=holder.name,
            since=holder.since,
            you=holder.session == session,
            scope=sorted(holder.scope),
            pool=holder.pool,
        )

    def pool(self, session: str) -> PostPart | None:
        """Return the post of a socket that monitors for the national pool, whatever the pool has now."""
        holder = self._engine.presence.holder(session)
        if holder is None or not holder.pool:
            return None
        return PostPart(
            establishment=NATIONAL_POOL,
            hall_id=None,
            post=holder.post,
            state="on",
            name=holder.name,
            since=holder.since,
            you=True,
            scope=sorted(holder.scope),
            pool=True,
        )

    def _lost(self, holder: Holder, now: datetime) -> bool:
        """Say whether a post's socket is gone, or the hall page is not proven any more."""
        presence = self._engine.presence
        if presence.is_lost(holder.session):
            return True
        if holder.post is Post.MONITOR:
            return False  # a wall is proven call by call: a call's own alarm says it
        stale = self._engine.policy.supervisor_stale_s
        age = presence.supervisor_age_s(holder.session, now)
        return (now - holder.since).total_seconds() > stale and (age is None or age > stale)

    # --- seats -----------------------------------------------------------------------

    def seat(self, seat: Seat, devices: Sequence[Device], online: frozenset[str]) -> SeatPart:
        """Return a seat with its one state. `online`: the laptops that have a socket."""
        here = [device for device in devices if device.seat_id == seat.id and device.revoked_at is None]
        device = next((one for one in here if one.id in online), here[0] if here else None)
        entry = self._call_at(seat)
        connected = device is not None and device.id in online
        return SeatPart(
            id=seat.id,
            hall_id=seat.hall_id,
            number=seat.number,
            state=seat_state(seat, entry.actor.call if entry else None, connected),
            asset_tag=device.asset_tag if device else None,
            call_id=entry.actor.call.id if entry else None,
        )

    def _call_at(self, seat: Seat) -> Entry | None:
        entries = self._engine.entries(seat.establishment)
        return next(
            (e for e in entries if e.actor.call.seat_id == seat.id and e.actor.call.phase is not Phase.ENDED), None
        )

    # --- lines and links -----------------------------------------------------------------

    def lines(self, console: Console) -> list[LinePart]:
        """Return what a console's receive lines carry: pictures of every call it shows, sound of the one in focus."""
        parts: list[LinePart] = []
        for entry in self._engine.within(console.actor.asker.held):
            call = entry.actor.call
            observed = any(observer.session == console.actor.session for observer in call.observers)
            if observed and call.phase in SHOWABLE:
                home = self._engine.media.home(call.id)
                parts += _video_lines(call, console, home)
                if console.hears == call.id:
                    parts += _audio_lines(call, console, home)
        return parts

    def health(self, entry: Entry) -> list[LegHealth]:
        """Return how each leg's link does."""
        call = entry.actor.call
        return [leg_health(call, leg, self._engine.media.health(leg.id)) for leg in call.active]


def check_message(check: Check, stage: CheckStage | None) -> AttentionCheck:
    """Return an attention check as its console shows it."""
    return AttentionCheck(
        check_id=check.id, call_id=check.call_id, letter=check.letter, asked_at=check.asked_at, stage=stage
    )


def _leg(entry: Entry, leg: Leg) -> LegPart:
    return LegPart(
        id=leg.id,
        role=leg.role.value,
        people=[
            AttendeePart(
                id=person,
                name=entry.facts.name(person),
                child=person in leg.children,
                main_caller=person == leg.main_caller,
                verified=person in leg.verified,
                relationship=entry.facts.relationship(person),
                age=entry.facts.age(person),
            )
            for person in leg.people
        ],
        step=leg.step,
        consented=leg.consented is not None or not leg.needs_consent,
        verified=bool(leg.verified),
        connected=leg.connected,
        sends=sorted(kind.value for kind in leg.sends),
        raised=leg.raised,
        faces=faces_expected(entry.actor.call, leg, policy(entry.actor.call.policy_version)),
    )


def _alarm(call: Call) -> Literal["unmonitored", "unsupervised"] | None:
    if Post.MONITOR in call.alarms:
        return "unmonitored"
    return "unsupervised" if Post.SUPERVISOR in call.alarms else None


def may_be_shown(call: Call, leg: Leg) -> bool:
    """Say whether a console's line is given to this leg now: as the gate's rule for the lobby, and always in a call."""
    if leg.left:
        return False
    if call.phase is Phase.LIVE:
        return True
    return leg.present and (leg.role is not LegRole.PRISONER or bool(leg.verified))


def _video_lines(call: Call, console: Console, home: int) -> list[LinePart]:
    placed = ((leg, console.line_on(call, leg.id, home)) for leg in call.legs)
    return [
        LinePart(kind="video", index=line, home=home, call_id=call.id, leg_id=leg.id)
        for leg, line in placed
        if line is not None and Media.VIDEO in leg.sends and may_be_shown(call, leg)
    ]


def _audio_lines(call: Call, console: Console, home: int) -> list[LinePart]:
    """One line per leg: line n is leg n of the call in focus (gate.plan_for)."""
    if not KINDS[call.kind].audio_to_staff or home not in console.lines:
        return []
    return [
        LinePart(kind="audio", index=number, home=home, call_id=call.id, leg_id=leg.id)
        for number, leg in enumerate(call.legs)
        if number < console.lines[home].audio and Media.AUDIO in leg.sends and may_be_shown(call, leg)
    ]


def leg_health(call: Call, leg: Leg, health: EndpointHealth | None) -> LegHealth:
    """Return a link's health in one word: by the worse of the losses in both directions."""
    if health is None or not leg.connected:
        return LegHealth(leg_id=leg.id, call_id=call.id, health="none")
    loss = max(health.loss_in, health.loss_out)
    word: Literal["good", "poor", "bad"] = "good" if loss < GOOD_LOSS else "poor" if loss < POOR_LOSS else "bad"
    return LegHealth(
        leg_id=leg.id,
        call_id=call.id,
        health=word,
        level=0.0 if call.privileged else min(1.0, max(0.0, health.audio_level)),  # who speaks is told of no such call
        loss=round(loss, 3),
        sends_audio=health.sends_audio,
        sends_video=health.sends_video,
        picture=health.picture,
    )


def loss_history(losses: Losses, call: Call) -> LossHistory:
    """Return what each link of a call lost over the last minutes."""
    legs = [LossPart(leg_id=leg_id, percent=percent) for leg_id, percent in losses.of(call).items()]
    return LossHistory(call_id=call.id, every_s=EVERY_S, until=losses.at or call.starts_at, legs=legs)


def seat_state(seat: Seat, call: Call | None, online: bool) -> SeatState:
    """Return the one state of a seat (features F29): what staff must act on comes first."""
    if not seat.in_use:
        return "out_of_use"
    if call is None or call.phase is Phase.SCHEDULED:
        return "free" if online else "offline"
    if call.help_asked:
        return "help"
    if call.phase is Phase.LIVE and call.holds:
        return "fault" if all(hold.kind in _FAULTS for hold in call.holds) else "paused"
    if not online:
        return "fault" if call.phase is Phase.LIVE else "offline"
    leg = prisoner_leg(call)
    if call.phase is Phase.LIVE:
        return "live"
    if not leg.present:
        return "waiting"  # the lobby is open and the prisoner is expected here
    return "ready" if leg.verified else "verify"
