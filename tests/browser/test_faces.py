"""Counting faces in Chromium with the real model: portraits before the cameras of a stand-in broker's calls."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from broker.protocol import client
from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.wall import DESK, Wall, on_post
from tests.web.support.fake_console import World, served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

t = catalogue("en")
PICTURES = Path(__file__).resolve().parents[1] / "faces"
LONG_MS = 120_000  # the model loads and looks are rare on a busy machine
PUT = """async ([line, names, pictures]) => {
  const load = async (name) => {
    const image = new Image();
    image.src = pictures[name];
    await image.decode();
    return image;
  };
  (window.people ??= {})[line] = await Promise.all(names.map(load));
}"""
PRISONER, FAMILY = 0, 1  # lines of the first call


def watched(*expected: int) -> World:
    """Return a wall of one call whose two ends should show that many faces."""
    world = World(1, lobby=0)
    call = world.calls["v0000"]
    call["detectors"] = True
    for leg, faces in zip(call["legs"], expected, strict=False):
        leg["faces"] = faces
    return world


async def put(wall: Wall, line: int, *names: str) -> None:
    """Put these people before the camera of a line."""
    pictures = {
        name: f"data:image/jpeg;base64,{b64encode((PICTURES / f'{name}.jpg').read_bytes()).decode()}" for name in names
    }
    await wall.page.evaluate(PUT, [line, list(names), pictures])


def advice(wall: Wall, leg_id: str) -> list[tuple[str, bool]]:
    """Return what was said of an end so far: the code, and whether it stands."""
    said = [one for one in wall.of(client.Advice) if one.leg_id == leg_id and one.code.startswith("faces")]
    return [(one.code, one.since is not None) for one in said]


async def says(wall: Wall, leg_id: str, wanted: tuple[str, bool]) -> None:
    """Wait until that is the last that was said of an end and that code: an empty picture has fewer faces, too."""
    async with asyncio.timeout(LONG_MS / 1000):
        while [said for said in advice(wall, leg_id) if said[0] == wanted[0]][-1:] != [wanted]:
            await asyncio.sleep(0.1)


def line(wall: Wall) -> Any:
    return wall.page.locator("[data-faces]")


@pytest.mark.feature("F78")
async def test_a_second_face_and_an_empty_picture_are_told_and_are_over_when_they_are_over(sitting: Sitting):
    world = watched(1, 2)
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, DESK)
        await put(wall, PRISONER, "portrait-3", "portrait-6")
        await put(wall, FAMILY, "portrait-1", "portrait-2")
        await says(wall, "v0000.1", ("faces_more", True))
        await expect(line(wall)).to_have_text(t("monitor.faces.counting"))
        await put(wall, PRISONER, "portrait-3")
        await says(wall, "v0000.1", ("faces_more", False))
        assert advice(wall, "v0000.2") == []

        await put(wall, FAMILY)
        await says(wall, "v0000.2", ("faces_none", True))
        await put(wall, FAMILY, "portrait-2")
        await says(wall, "v0000.2", ("faces_none", False))
        await says(wall, "v0000.2", ("faces_fewer", True))
        await put(wall, FAMILY, "portrait-1", "portrait-2")
        await says(wall, "v0000.2", ("faces_fewer", False))


@pytest.mark.feature("F78")
@pytest.mark.parametrize("missing", ["blazeface.bin", "faces/worker.js", "human.esm.js", "simd.wasm"])
async def test_without_its_model_the_wall_says_not_available_and_never_no_face(sitting: Sitting, missing: str):
    world = watched(1, 1)
    world.not_served = {missing}
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, DESK)
        await put(wall, PRISONER)
        await put(wall, FAMILY)
        await expect(line(wall)).to_have_attribute("data-faces", "unavailable", timeout=LONG_MS)
        await expect(line(wall)).to_contain_text("Faces: not available.")
        news = len(wall.of(client.WallProof))
        await wall.says(client.WallProof, news + 8)
        assert advice(wall, "v0000.1") == advice(wall, "v0000.2") == []


@pytest.mark.feature("F78")
async def test_where_no_faces_are_expected_no_worker_is_started(sitting: Sitting):
    world = watched()
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, DESK)
        await wall.says(client.WallProof, 4)
        assert wall.page.workers == []
        await expect(line(wall)).to_have_count(0)


@pytest.mark.feature("F78")
async def test_who_leaves_the_post_looks_at_nobody(sitting: Sitting):
    world = watched(1, 1)
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, DESK)
        await put(wall, PRISONER, "portrait-3")
        await expect(line(wall)).to_have_attribute("data-faces", "counting", timeout=LONG_MS)
        assert len(wall.page.workers) == 1
        world.held = None
        await world.tell(world.snapshot())
        async with asyncio.timeout(LONG_MS / 1000):
            while wall.page.workers:
                await asyncio.sleep(0.1)
