"""The timed calls of check-call: opened, watched, paused, resumed and ended, with a stamp at each."""

from __future__ import annotations

import asyncio

from broker.synthetic.caller import both
from broker.synthetic.figures import Report
from broker.synthetic.stage import WITHIN_S, Booked, Ends, Stage, ends_of, is_person, shows
from broker.synthetic.talk import until

TALK_S = 1.0
HOLD_S = 0.7
LAST_PACKET_S = 0.5  # what is forwarded later than this after a pause is a broken promise, not a figure


async def timed(stage: Stage, booked: Booked, pair: int, report: Report) -> None:
    """Run one call from its link to its end. Raises TookTooLong, Refused, Closed."""
    async with ends_of(stage, booked, pair) as ends:
        async with stage.opening:
            await both(ends.family, ends.laptop)
            opened_at = min(end.opened_at for end in ends.all_of())
            report.open_to_media.append(await ends.media("media at both ends") - opened_at)
        await _watch(stage, ends, report)
        await _pause_and_resume(stage, ends, report)
        await asyncio.sleep(TALK_S / 2)
        await _end(stage, ends, report)
        report.packets_lost += ends.lost()
        report.packets_received += ends.packets()
        report.calls += 1


async def _watch(stage: Stage, ends: Ends, report: Report) -> None:
    """Let them talk, then see who was seen: at each end, and on the wall."""
    prisoner, family = ends.numbers
    legs = ((ends.booked.prisoner_leg, prisoner), (ends.booked.family_leg, family))
    await until(lambda: all(stage.monitor.line_of("video", leg) for leg, _ in legs), WITHIN_S, "the call on the wall")
    at_family, at_laptop = ends.family.tap(), ends.laptop.tap()
    wall = {leg: stage.monitor.tap("video", leg) for leg, _ in legs}
    for peer in (*stage.monitor.peers.values(), ends.family.peer, ends.laptop.peer):
        if peer is not None:
            peer.ask_for_keyframes()
    await asyncio.sleep(TALK_S)
    for line in stage.receivers(ends).lines:
        line.tap = None
    report.promise("family_saw_and_heard_the_right_prisoner", await is_person(at_family, prisoner))
    report.promise("prisoner_saw_and_heard_the_right_family", await is_person(at_laptop, family))
    report.promise("console_saw_both_ends", all([await shows(wall[leg], who) for leg, who in legs]))


async def _pause_and_resume(stage: Stage, ends: Ends, report: Report) -> None:
    receivers = stage.receivers(ends)
    hold_id, paused_at = await stage.monitor.pause(ends.booked.call_id)
    await asyncio.sleep(LAST_PACKET_S)
    report.pause_to_silence.append(max(0.0, receivers.last_at() - paused_at))
    before = receivers.packets()
    await asyncio.sleep(HOLD_S)
    report.promise("nothing_crossed_while_held", receivers.packets() == before)
    ends.mark()
    cleared_at = await stage.monitor.clear(ends.booked.call_id, hold_id)
    report.resume_to_media.append(await ends.media("media after a pause") - cleared_at)
    report.promise("media_came_back_after_the_pause", True)


async def _end(stage: Stage, ends: Ends, report: Report) -> None:
    receivers = stage.receivers(ends)
    ended_at = await stage.monitor.end(ends.booked.call_id)
    await asyncio.sleep(LAST_PACKET_S)
    report.end_to_silence.append(max(0.0, receivers.last_at() - ended_at))
    before = receivers.packets()
    await until(lambda: ends.family.screen == "ended", WITHIN_S, "the end on the family's page")
    report.promise("ended_is_silent", receivers.packets() == before)
