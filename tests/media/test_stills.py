"""Stills: what the tap hands out, and a real key frame on its way through the relay to a JPEG."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from broker.domain.plan import Media
from broker.media.album import EVERY_S, Album
from broker.media.darkroom import nal_units
from broker.media.forward.api import Codec
from broker.media.forward.state import Gate
from broker.media.forward.tap import KeyFrameTap
from broker.media.stills import MAX_WAITING, StillMaker
from tests.media.support import Stage, plan, stage, vp8

pytestmark = pytest.mark.feature("F45")

LEG = "family"


def tap() -> tuple[KeyFrameTap, list[list[bytes]]]:
    """Return a tap behind an open gate, and what it hands out."""
    found: list[list[bytes]] = []
    gate = Gate()
    gate.deadline = 100.0
    return KeyFrameTap(Codec.VP8, gate, lambda codec, parts: found.append(parts)), found


def begin(body: bytes) -> bytes:
    """Return the first packet of a key frame."""
    return vp8(body, 5, 6, key=True)


def more(body: bytes) -> bytes:
    """Return a packet that goes on with a frame: no start of a partition (RFC 7741 §4.2)."""
    return b"\x00" + body


def bodies(found: list[list[bytes]]) -> list[bytes]:
    """Return the frames without what `vp8` puts in front of a body."""
    return [b"".join(parts)[-6:] for parts in found]


def test_a_whole_key_frame_is_handed_out_in_order():
    looks, found = tap()
    looks.take(10, 900, 0, begin(b"on"), 1.0)
    looks.take(11, 900, 0, more(b"tw"), 1.0)
    looks.take(12, 900, 1, more(b"th"), 1.0)
    assert bodies(found) == [b"ontwth"]


@pytest.mark.parametrize("second", [(12, 900), (11, 901)], ids=["a gap", "another frame"])
def test_a_frame_with_a_hole_is_given_up(second):
    looks, found = tap()
    looks.take(10, 900, 0, begin(b"on"), 1.0)
    looks.take(*second, 1, more(b"th"), 1.0)
    assert found == []


def test_a_frame_that_the_gate_shut_upon_is_never_handed_out():
    looks, found = tap()
    looks.take(10, 900, 0, begin(b"on"), 99.0)
    looks.take(11, 900, 0, more(b"tw"), 100.0)
    looks.gate.deadline = 200.0
    looks.take(12, 900, 1, more(b"th"), 101.0)
    assert found == []


def test_frames_between_key_frames_are_passed_over():
    looks, found = tap()
    looks.take(10, 900, 1, vp8(b"no", 5, 6, key=False), 1.0)
    assert found == []


def test_the_units_of_h264_are_put_together():
    single, aggregate = b"\x67sps", b"\x78\x00\x04\x68pps\x00\x02\x06s"
    fragments = [b"\x7c\x85id", b"\x7c\x05r-", b"\x7c\x45end"]
    assert nal_units([single, aggregate, *fragments]) == [b"\x67sps", b"\x68pps", b"\x06s", b"\x65idr-end"]
    assert nal_units([b"", b"\x78\x00", b"\x7c", b"\x78\x00\xff\x68"]) == [b"\x68"]


# --- with the real process --------------------------------------------------------


def key_frame(luma: int) -> bytes:
    """Return a VP8 key frame of one shade, 320×180."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 320, 180, "yuv420p", Fraction(1, 15)
    frame = av.VideoFrame(320, 180, "yuv420p")
    for plane, value in zip(frame.planes, (luma, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def shade(jpeg: bytes) -> tuple[int, int]:
    """Return a JPEG's width and the luma in its middle."""
    (picture,) = av.CodecContext.create("mjpeg", "r").decode(av.Packet(jpeg))
    luma = picture.planes[0]
    return picture.width, bytes(luma)[picture.height // 2 * luma.line_size + picture.width // 2]


async def arrival(found: list[object], count: int) -> None:
    """Wait for the maker's process."""
    async with asyncio.timeout(20):
        while len(found) < count:
            await asyncio.sleep(0.01)


def show(endpoint, frame: bytes) -> None:
    """Send a key frame in two packets."""
    sender = endpoint.senders[Media.VIDEO]
    sender.timestamp += 6000
    half = len(frame) // 2
    first = endpoint.rtp(Media.VIDEO, b"\x10" + frame[:half], marker=0)
    endpoint.send_raw(endpoint.protect(first))
    endpoint.send_raw(endpoint.protect(endpoint.rtp(Media.VIDEO, b"\x00" + frame[half:])))


@pytest.fixture
async def relay():
    """A relay with one publisher."""
    there = await stage()
    yield there
    await there.close()


@pytest.mark.flow
async def test_a_leg_is_seen_by_stills_while_its_plan_says_so(relay: Stage):
    told: list[tuple[str, bytes]] = []
    relay.plane.watch_stills(lambda leg, jpeg: told.append((leg, jpeg)))
    family = await relay.enter(LEG, receives=())
    wanted = replace(plan(set(), valid_for_s=60), stills=frozenset({LEG}))

    show(family, key_frame(200))
    await family.fence()
    await relay.plane.apply(wanted)
    show(family, key_frame(60))
    await arrival(told, 1)
    leg, jpeg = told[0]
    assert leg == LEG
    width, luma = shade(jpeg)
    assert width == 320
    assert abs(luma - 60) <= 25, "the first frame came before the gate opened"

    relay.clock.at += EVERY_S
    await relay.plane.apply(plan(set()))
    show(family, key_frame(200))
    await family.fence()
    await relay.plane.apply(wanted)
    show(family, key_frame(120))
    await arrival(told, 2)
    assert abs(shade(told[1][1])[1] - 120) <= 25, "what was shown during the pause is never seen"


@pytest.mark.flow
async def test_the_maker_survives_rubbish_and_its_own_death():
    made: list[tuple[int, bytes]] = []
    maker = StillMaker(lambda number, jpeg: made.append((number, jpeg)))
    maker.make(Codec.VP8, [b"rubbish" * 20])
    maker.make(Codec.H264, [b"\x65" + b"rubbish" * 20])
    good = maker.make(Codec.VP8, [key_frame(90)])
    await arrival(made, 1)
    assert [number for number, _ in made] == [good]

    assert maker._process is not None
    process = maker._process
    environ = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert environ.replace(b"LC_CTYPE=C.UTF-8\0", b"") == b""
    process.kill()
    async with asyncio.timeout(20):
        while len(made) < 2:
            maker.make(Codec.VP8, [key_frame(90)])
            await asyncio.sleep(0.05)
    await maker.close()
    await process.wait()
    assert not os.path.exists(f"/proc/{process.pid}/exe")


async def test_a_still_that_was_in_the_making_when_its_plan_ended_is_shown_to_nobody():
    told: list[str] = []
    album = Album(lambda leg, jpeg: told.append(leg))
    album._maker._task = asyncio.get_running_loop().create_future()  # so that no process is started
    album.want("call", frozenset({LEG}))
    album.found(LEG, Codec.VP8, [b"before"], 10.0)
    album.want("call", frozenset())
    album.want("call", frozenset({LEG}))
    album.found(LEG, Codec.VP8, [b"after"], 11.0)
    album._made(1, b"before")
    assert told == []
    album._made(2, b"after")
    assert told == [LEG]
    await album.close()


async def test_what_the_maker_cannot_take_is_dropped():
    maker = StillMaker(lambda number, jpeg: None)
    maker._task = asyncio.get_running_loop().create_future()  # so that no process is started
    assert [maker.make(Codec.VP8, [b"x"]) is not None for _ in range(MAX_WAITING + 1)] == [True] * MAX_WAITING + [False]
    assert maker.make(Codec.VP8, [bytes(1 << 20)]) is None
    await maker.close()
