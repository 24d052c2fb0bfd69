"""What bots do wrong on cue, through real sockets and real media: each shows on the wall or in the alerts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from broker.domain.codes import AttendReason
from broker.domain.training import Misdeed
from broker.synthetic import picture
from broker.synthetic.acting import arriving
from broker.synthetic.caller import both
from broker.synthetic.misdeeds import misbehaving
from broker.synthetic.people import who_is_heard, who_is_seen
from broker.synthetic.stage import Ends, Stage, both_posts, ends_of
from broker.synthetic.steward import Steward
from broker.synthetic.talk import until
from tests.flows.support import stage_in

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

WITHIN_S = 20.0
FRAMES = 30


@asynccontextmanager
async def live_call(folder: Path) -> AsyncIterator[tuple[Stage, Ends]]:
    async with stage_in(folder) as stage:
        await both_posts(stage)
        async with ends_of(stage, stage.cast.calls[0], 0) as ends:
            await both(ends.laptop, ends.family)
            await ends.media("media at both ends")
            yield stage, ends


async def shown(stage: Stage, leg_id: str, kind: str = "video") -> list[bytes]:
    """Return what the wall is sent of a leg from now on: pictures from a keyframe, or sound."""
    if kind == "video":
        for peer in stage.monitor.peers.values():
            peer.ask_for_keyframes()
    tap = stage.monitor.tap(kind, leg_id)
    assert tap is not None
    await until(lambda: len(tap.frames) >= FRAMES, WITHIN_S, "frames on the wall")
    return [frame for _, frame in tap.frames]


def decoded(frames: list[bytes]) -> list[np.ndarray[Any, np.dtype[Any]]]:
    """Return the pictures, grey; whatever comes before the first keyframe is left out."""
    decoder = av.CodecContext.create("vp8", "r")
    pictures = []
    for frame in frames:
        try:
            pictures += [one.to_ndarray(format="gray") for one in decoder.decode(av.Packet(frame))]
        except av.FFmpegError:
            continue
    return pictures


async def looks(stage: Stage, leg_id: str) -> list[np.ndarray[Any, np.dtype[Any]]]:
    """Return the last pictures of a leg on the wall: what was on its way when it changed has passed."""
    found = decoded(await shown(stage, leg_id))
    return found[-8:]


@pytest.mark.feature("F114")
async def test_a_covered_a_frozen_an_empty_picture_and_a_second_person_are_seen_on_the_wall_and_pass(
    tmp_path: Path,
) -> None:
    async with live_call(tmp_path) as (stage, ends):
        leg = ends.booked.family_leg
        async with misbehaving(Misdeed.COVERED, ends.family, ends.laptop):
            assert max(one.mean() for one in await looks(stage, leg)) < 20
        async with misbehaving(Misdeed.FROZEN, ends.family, ends.laptop):
            still = await looks(stage, leg)
            assert all(np.array_equal(one, still[-1]) for one in still)
            assert picture.read_marker(still[-1]) == 1
        middle = np.s_[60:140, 120:200]
        async with misbehaving(Misdeed.EMPTY, ends.family, ends.laptop):
            empty = (await looks(stage, leg))[-1]
            assert abs(empty[middle].std()) < 4
        async with misbehaving(Misdeed.UNLISTED, ends.family, ends.laptop):
            two = (await looks(stage, leg))[-1]
            left, right = two[60:140, 60:140], two[60:140, 200:280]
            assert min(left.std(), right.std()) > 10
        assert {*who_is_seen(await shown(stage, leg))} == {1}


@pytest.mark.feature("F114")
async def test_silence_is_both_ends_and_a_shout_is_louder_than_speech(tmp_path: Path) -> None:
    async with live_call(tmp_path) as (stage, ends):
        await stage.monitor.focus(ends.booked.call_id)
        legs = (ends.booked.family_leg, ends.booked.prisoner_leg)
        await until(lambda: all(stage.monitor.line_of("audio", leg) for leg in legs), WITHIN_S, "sound in focus")
        speech = loudness(await shown(stage, legs[0], "audio"))
        async with misbehaving(Misdeed.SILENCE, ends.family, ends.laptop):
            await asyncio.sleep(0.3)  # what was on its way
            for leg in legs:
                assert who_is_heard(await shown(stage, leg, "audio")) is None
        async with misbehaving(Misdeed.LOUD, ends.family, ends.laptop):
            await asyncio.sleep(0.3)
            assert loudness(await shown(stage, legs[0], "audio")) > 1.5 * speech
        assert {one.person.number for one in ends.all_of()} == {0, 1}


def loudness(frames: list[bytes]) -> float:
    decoder = av.CodecContext.create("libopus", "r")
    decoder.format = "s16"
    samples = np.concatenate([one.to_ndarray().ravel() for frame in frames for one in decoder.decode(av.Packet(frame))])
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


@pytest.mark.feature("F114")
async def test_a_hand_and_a_second_device_are_alerts_and_leave_the_call_alone(tmp_path: Path) -> None:
    async with live_call(tmp_path) as (stage, ends):

        def codes() -> set[str]:
            return {str(one.code) for one in stage.monitor.alerts if one.call_id == ends.booked.call_id}

        async with misbehaving(Misdeed.HAND, ends.family, ends.laptop):
            await until(lambda: "hand" in codes(), WITHIN_S, "the raised hand")
        async with misbehaving(Misdeed.SECOND_DEVICE, ends.family, ends.laptop):
            await until(lambda: "link_elsewhere" in codes(), WITHIN_S, "the second device")
        assert stage.monitor.phase(ends.booked.call_id) == "live"
        assert stage.monitor.holds(ends.booked.call_id) == []


@pytest.mark.feature("F114")
async def test_a_caller_that_drops_holds_the_call_and_the_call_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async with live_call(tmp_path) as (stage, ends):
        call_id = ends.booked.call_id
        async with misbehaving(Misdeed.DROPPED, ends.family, ends.laptop):
            await until(lambda: bool(stage.monitor.holds(call_id)), WITHIN_S, "the hold")
            assert ends.family.stays_away
        ends.mark()
        await until(lambda: not stage.monitor.holds(call_id), WITHIN_S, "the end of the hold")
        await ends.media("media again", WITHIN_S)


@pytest.mark.feature("F114")
async def test_a_hall_that_is_deaf_to_a_call_tells_it_once_and_answers_others(tmp_path: Path) -> None:
    async with live_call(tmp_path) as (stage, ends):
        call_id, ignored = ends.booked.call_id, list[str]()
        steward = Steward(ignored.append)
        steward.deaf.add(call_id)
        answering = asyncio.create_task(steward.run(stage.supervisor))
        try:
            await stage.monitor.ask_to_attend(call_id, AttendReason.WELFARE)
            await until(lambda: ignored == [call_id], WITHIN_S, "the request that is ignored")
            assert stage.monitor.entries(call_id, "attend")[0].acknowledged_at is None
            steward.deaf.clear()
            await until(
                lambda: stage.monitor.entries(call_id, "attend")[0].acknowledged_at is not None, WITHIN_S, "the answer"
            )
            assert ignored == [call_id]
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


def test_who_arrives_as_they_should_holds_up_a_card_and_a_stranger_looks_otherwise() -> None:
    bare, carded = arriving(1, "Anna Vale", Misdeed.NO_DOCUMENT), arriving(1, "Anna Vale", None)
    stranger = arriving(1, "Anna Vale", Misdeed.WRONG_PERSON)
    first, second = (decoded(list(one.video[:2]))[0] for one in (bare, carded))

    assert second[160:210, 10:150].mean() > first[160:210, 10:150].mean() + 20
    assert stranger.number != 1
    assert picture.look(stranger.number).skin != picture.look(1).skin
    assert picture.look(stranger.number).hair != picture.look(1).hair
