"""What a browser's encoder sends when a picture comes back after black: frames that a line can carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import AUTOPLAY, Sitting
from tests.browser.relay_room import join, relay_room
from tests.network.pages import camera_and_microphone

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

CAMERA = {"width": 640, "height": 480, "frameRate": 15}
FRAMES = 3
FINE = 4  # of VP8's quantisers 0 to 127: an encoder that goes on from black sends the first frames so, in 200 kB
COARSE = 20
BITRATE = 500_000  # of the larger size: the link has been found to carry it


async def test_the_first_frames_after_black_are_not_of_blacks_quality(launch: Any, tmp_path: Path) -> None:
    sitting = Sitting(await launch(AUTOPLAY, *camera_and_microphone(tmp_path)))
    async with relay_room() as room:
        publisher = await sitting.open(room.url)
        await join(publisher, "publisher", camera=CAMERA)
        quantiser = await publisher.evaluate(
            "(how) => window.room.afterBlack(how)", {"bitrate": BITRATE, "fine": FINE, "frames": FRAMES}
        )
        await sitting.close()
    assert quantiser > COARSE
