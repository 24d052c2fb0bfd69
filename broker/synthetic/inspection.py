"""The inspected call of check-call: one call on which every rule is tried that a running service must keep."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from broker.domain.codes import Post
from broker.protocol import client
from broker.synthetic.caller import Caller
from broker.synthetic.figures import Report
from broker.synthetic.peer import Peer
from broker.synthetic.site import Browser, Denied
from broker.synthetic.staff import Monitor, StaffMember
from broker.synthetic.stage import WITHIN_S, Booked, Ends, Receivers, Stage, ends_of, is_person, refused, shows, sounds
from broker.synthetic.talk import Closed, TookTooLong, new_key, until

LOOK_S = 1.5  # how long a "nothing happens" is watched
SETTLE_S = 0.3  # packets on their way when a hold was acknowledged have arrived by then


async def inspect(stage: Stage, booked: Booked, report: Report) -> None:
    """Try every promise on `booked`; both posts are staffed when it returns. Raises TookTooLong, Refused, Closed."""
    await _posts(stage, report)
    async with ends_of(stage, booked, 0) as ends:
        await _before_the_start(stage, ends, report)
        await _who_sees_whom(stage, ends, report)
        await _security_pause(stage, ends, report)
        await _technical_pause(stage, ends, report)
        await _the_end(stage, ends, report)


async def _posts(stage: Stage, report: Report) -> None:
    """The monitor takes its post and may not have the other; nor the other way round."""
    cast = stage.cast
    stage.monitor.verifies = stage.supervisor.verifies = lambda call: False
    await stage.monitor.take_post(cast.establishment)
    await stage.monitor.connect_wall()
    wanted = stage.monitor.sign_on_to(Post.SUPERVISOR, cast.establishment, cast.hall_id)
    first = await refused(stage.monitor, wanted)
    await stage.supervisor.take_post(cast.establishment, cast.hall_id)
    other = stage.supervisor.sign_on_to(Post.MONITOR, cast.establishment)
    report.promise("same_person_refused_both_posts", bool(first and await refused(stage.supervisor, other)))


async def _before_the_start(stage: Stage, ends: Ends, report: Report) -> None:
    """Nothing flows until everyone has consented, been verified, and both posts are there."""
    call_id, monitor, supervisor = ends.booked.call_id, stage.monitor, stage.supervisor
    await ends.family.connect_socket()
    await asyncio.sleep(SETTLE_S)
    seen = monitor.lines_of(call_id)
    report.promise("nothing_before_consent_and_lobby", not any(line.packets for line in seen))
    await ends.family.walk_to_lobby()
    await ends.laptop.arrive()
    await _waits(supervisor, ends, ends.booked.prisoner_leg)
    await supervisor.verify(call_id, ends.booked.prisoner_leg)
    await asyncio.sleep(LOOK_S)
    report.promise("prisoner_not_seen_before_family_verified", ends.packets() == 0 and monitor.phase(call_id) != "live")
    await supervisor.leave_post()
    await _waits(monitor, ends, ends.booked.family_leg)
    await monitor.verify(call_id, ends.booked.family_leg)
    await asyncio.sleep(LOOK_S)
    unstarted = ends.packets() == 0 and monitor.phase(call_id) != "live"
    await supervisor.take_post(stage.cast.establishment, stage.cast.hall_id)
    await monitor.call_is(call_id, "live")
    await ends.media("media at both ends of the inspected call")
    report.promise("two_posts_demanded", unstarted)


async def _waits(post: StaffMember, ends: Ends, leg_id: str) -> None:
    """Wait until a post knows that a leg is connected and waits to be verified."""
    await until(lambda: post.waits(ends.booked.call_id, leg_id), WITHIN_S, "a leg in the lobby")


async def _who_sees_whom(stage: Stage, ends: Ends, report: Report) -> None:
    """Each end and the console see and hear the right person; the supervisor's page has no media at all."""
    monitor, booked = stage.monitor, ends.booked
    prisoner, family = ends.numbers
    await monitor.focus(booked.call_id)
    legs = {booked.prisoner_leg: prisoner, booked.family_leg: family}
    await until(
        lambda: all(monitor.line_of(kind, leg) for leg in legs for kind in ("audio", "video")),
        WITHIN_S,
        "lines for the focused call",
    )
    at_family, at_laptop = ends.family.tap(), ends.laptop.tap()
    wall = {(kind, leg): monitor.tap(kind, leg) for leg in legs for kind in ("audio", "video")}
    for peer in (*monitor.peers.values(), ends.family.peer, ends.laptop.peer):
        if peer is not None:
            peer.ask_for_keyframes()
    taps = [*at_family.values(), *at_laptop.values(), *(tap for tap in wall.values() if tap is not None)]
    await until(lambda: all(len(tap.frames) >= 30 for tap in taps), WITHIN_S, "frames to look at")
    report.promise("family_saw_and_heard_the_right_prisoner", await is_person(at_family, prisoner))
    report.promise("prisoner_saw_and_heard_the_right_family", await is_person(at_laptop, family))
    report.promise("console_saw_both_ends", all([await shows(wall["video", leg], who) for leg, who in legs.items()]))
    report.promise("console_heard_both_ends", all([await sounds(wall["audio", leg], who) for leg, who in legs.items()]))
    offered = client.MediaOffer(key=new_key(), sdp=Peer().offer())
    report.promise("supervisor_received_no_media", bool(await refused(stage.supervisor, offered)))


async def _security_pause(stage: Stage, ends: Ends, report: Report) -> None:
    """The monitor pauses: silence everywhere, and only the monitoring post gives it back."""
    call_id, monitor, supervisor = ends.booked.call_id, stage.monitor, stage.supervisor
    receivers = stage.receivers(ends)
    hold_id, _ = await monitor.pause(call_id)
    await _held(receivers, ends, report)
    await until(lambda: hold_id in supervisor.holds(call_id), WITHIN_S, "the hold at the supervisor")
    tried = client.HoldClear(key=new_key(), call_id=call_id, hold_id=hold_id, version=supervisor.calls[call_id].seq)
    report.promise(
        "security_pause_not_cleared_by_the_supervisor",
        bool(await refused(supervisor, tried)) and hold_id in monitor.holds(call_id),
    )
    await _back(ends, report, monitor.clear(call_id, hold_id))


async def _technical_pause(stage: Stage, ends: Ends, report: Report) -> None:
    """The supervisor pauses and calls it technical: then only the technical post gives it back."""
    call_id, monitor, supervisor = ends.booked.call_id, stage.monitor, stage.supervisor
    receivers = stage.receivers(ends)
    hold_id, _ = await supervisor.pause(call_id)
    await supervisor.command(client.HoldRelabel(key=new_key(), call_id=call_id, hold_id=hold_id))
    await _held(receivers, ends, report)
    await until(lambda: hold_id in monitor.holds(call_id), WITHIN_S, "the hold at the monitor")
    tried = client.HoldClear(key=new_key(), call_id=call_id, hold_id=hold_id, version=monitor.calls[call_id].seq)
    report.promise(
        "technical_pause_not_cleared_by_the_monitor",
        bool(await refused(monitor, tried)) and hold_id in supervisor.holds(call_id),
    )
    await _back(ends, report, supervisor.clear(call_id, hold_id))


async def _held(receivers: Receivers, ends: Ends, report: Report) -> None:
    """Watch that nothing crosses while a hold stands, although both callers go on sending."""
    await asyncio.sleep(SETTLE_S)
    before, sent = receivers.packets(), ends.sent()
    await asyncio.sleep(LOOK_S)
    still_sending = all(now > then for then, now in zip(sent, ends.sent(), strict=True))
    report.promise("nothing_crossed_while_held", receivers.packets() == before and still_sending)


async def _back(ends: Ends, report: Report, clearing: Awaitable[float]) -> None:
    """Clear a hold, and see media come back to both ends."""
    ends.mark()
    await clearing
    try:
        await ends.media("media after a pause")
    except TookTooLong:
        report.promise("media_came_back_after_the_pause", False)
        raise
    report.promise("media_came_back_after_the_pause", True)


async def _the_end(stage: Stage, ends: Ends, report: Report) -> None:
    """An ended call is silent, nothing brings it back, and its link opens in no other browser."""
    call_id, monitor = ends.booked.call_id, stage.monitor
    receivers = stage.receivers(ends)
    await monitor.end(call_id)
    await asyncio.sleep(SETTLE_S)
    before = receivers.packets()
    hold = client.HoldClear(key=new_key(), call_id=call_id, hold_id="h1", version=monitor.calls[call_id].seq)
    tried: list[tuple[Monitor | Caller, client.ClientMessage]] = [
        (monitor, hold),
        (monitor, client.CallPause(key=new_key(), call_id=call_id)),
        (ends.family, client.LobbyEnter(key=new_key())),
    ]
    answers = [await _refused_or_closed(caller, message) for caller, message in tried]
    await asyncio.sleep(LOOK_S)
    told = ends.family.screen == "ended" and ends.laptop.screen in ("ended", "none")
    report.promise("ended_is_final", all(answers) and told and monitor.phase(call_id) in ("ended", ""))
    report.promise("ended_is_silent", receivers.packets() == before)
    report.promise("a_used_link_does_not_open_elsewhere", await _denied_elsewhere(stage, ends.booked))


async def _refused_or_closed(caller: Monitor | Caller, message: client.ClientMessage) -> bool:
    try:
        return bool(await refused(caller, message))
    except Closed:
        return True


async def _denied_elsewhere(stage: Stage, booked: Booked) -> bool:
    try:
        await stage.site.post(Browser("family"), "/api/family/redeem", {"token": booked.family_token})
    except Denied as denied:
        return denied.status == 403
    return False
