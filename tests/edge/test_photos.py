"""Photos on file: who is served one, when, and what is taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from broker.demo.portraits import portrait
from broker.domain.codes import Code, Refused
from broker.domain.photos import media_type
from broker.domain.records import Photo, Role
from broker.engine.importer import contact_id
from tests.edge.post_pages import on_post, signed_in
from tests.edge.wire import Wire, wire
from tests.office import Desk

PNG = portrait("c1-HRD")
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)


def path(call_id: str, person: str = "c1-HRD") -> str:
    return f"/calls/{call_id}/photos/{person}"


@pytest.mark.feature("F13")
async def test_a_photo_is_served_to_a_monitor_on_post_alone_and_kept_by_no_browser() -> None:
    async with wire() as w:
        w.desk.directory.take([Photo("c1-HRD", "HRD", "image/png", PNG)])
        visit = await w.visit()
        family = await w.family(visit)
        await w.to_lobby(family, f"{visit.id}.2", consents=True)

        assert (await w.browser.get("monitor", path(visit.id))).status == 303  # nobody is signed in
        await w.desk.person("idle", "HRD-idle", Role.MONITOR)
        await signed_in(w, "idle")
        assert (await w.browser.get("monitor", path(visit.id))).status == 404
        await on_post(w, "mona", Role.MONITOR)
        found = await _bytes(w, path(visit.id))
        assert found == (200, "image/png", "no-store", PNG)
        assert (await w.browser.get("monitor", path(visit.id, "c2-HRD"))).status == 404  # none on file
        assert (await w.browser.get("monitor", path(visit.id, "c3-HRD"))).status == 404  # not expected at this call
        assert (await w.browser.get("family", path(visit.id))).status == 404
        await on_post(w, "olga", Role.MONITOR, "SKB")
        assert (await w.browser.get("monitor", path(visit.id))).status == 404
        assert "denied" in w.desk.types("establishment:SKB")


async def _bytes(w: Wire, where: str) -> tuple[int, str, str, bytes]:
    config = w.browser.config
    host = config.chair_host("monitor")
    cookie = "; ".join(f"{name}={value}" for name, value in w.browser.cookies[host].items())
    async with w.browser.client.get(where, headers={"Host": host, "Cookie": cookie}) as answer:
        return answer.status, answer.content_type, answer.headers["Cache-Control"], await answer.read()


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg onload=alert(1)>", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + bytes(200_000), PNG[1:]],
)
def test_whatever_is_no_small_jpeg_or_png_is_no_photo(data: bytes) -> None:
    with pytest.raises(Refused) as why:
        media_type(data, 200_000)
    assert why.value.code is Code.BAD_PHOTO


def test_a_photo_is_known_by_its_first_bytes() -> None:
    assert (media_type(PNG, 200_000), media_type(JPEG, 200_000)) == ("image/png", "image/jpeg")


@pytest.mark.parametrize("wrong", [{"C-9": JPEG}, {"C-1": b"no photo"}])
async def test_of_a_folder_with_one_wrong_file_nothing_is_taken(wrong: dict[str, bytes]) -> None:
    desk = Desk()
    _listed(desk)
    result = await desk.office.photos.take("HRD", {"C-1": PNG, **wrong}, "operator")
    assert (result.taken, bool(result.unknown or result.bad)) == (0, True)
    assert desk.types("establishment:HRD") == []


async def test_a_folder_of_photos_is_taken_on_record_and_again_changes_nothing() -> None:
    desk = Desk()
    _listed(desk)
    first = await desk.office.photos.take("HRD", {"C-1": PNG}, "operator")
    again = await desk.office.photos.take("HRD", {"C-1": PNG}, "operator")
    assert ((first.taken, first.unchanged), (again.taken, again.unchanged)) == ((1, 0), (0, 1))
    assert desk.types("establishment:HRD") == ["photo.saved"]


def _listed(desk: Desk) -> None:
    contact: Any = next(row for (_, key), row in desk.directory.rows.items() if key == ("c1-HRD",))
    desk.directory.take([type(contact)(**{**_fields(contact), "id": contact_id("HRD", "C-1")})])


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).__dataclass_fields__}
