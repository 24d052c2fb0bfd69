"""Static files: what a browser may have, under which address, and what it may not."""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from broker.edge.assets import (
    FACE_WORKER,
    FACES,
    FONT,
    GOVUK_CSS,
    MODULES,
    Assets,
    NotInstalled,
    find_root,
    without_crown,
)

CSS = (
    '@font-face{font-family:GDS Transport;src:url(/assets/fonts/a.woff2) format("woff2")}'
    ".a{font-family:GDS Transport,arial,sans-serif;color:red}"
    ".logo:before{background:url(/assets/images/govuk-crest.svg);width:1px}.b{color:blue}"
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree of our own files and of the packages that pages use."""

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    for path in MODULES.values():
        write(f"node_modules/{path}", f"export const from = '{path}';")
    write(f"node_modules/{GOVUK_CSS}", CSS)
    write(f"node_modules/{FONT}/wght.css", "@font-face{}")
    write(f"node_modules/{FONT}/files/next-latin-wght-normal.woff2", "font")
    write("web/family/main.js", "import { t } from '../lib/text.js';" + "//" * 500)
    write("web/lib/text.js", "export const t = 1;")
    write("web/.secret.js", "no")
    write("web/notes.md", "no")
    write("supervisor_console/monitor/main.js", "import '../../web/lib/text.js';")
    write("secret.json", "{}")
    return tmp_path


@pytest.fixture
async def client(tree: Path):
    app = web.Application()
    app.add_routes([Assets(tree).route()])
    async with TestClient(TestServer(app)) as client:
        yield client


def test_an_address_carries_a_hash_of_the_whole_tree(tree):
    before = Assets(tree).url("web/family/main.js")
    (tree / "supervisor_console/monitor/main.js").write_text("export {};")
    after = Assets(tree).url("web/family/main.js")

    assert re.fullmatch(r"/static/[0-9a-f]{16}/web/family/main\.js", before)
    assert before != after


def test_the_same_tree_has_the_same_address_on_every_node(tree):
    assert Assets(tree).url("web/lib/text.js") == Assets(tree).url("web/lib/text.js")


@pytest.mark.parametrize("name", ["web/none.js", "web/.secret.js", "web/notes.md", "secret.json", "web/../secret.json"])
def test_a_name_that_is_not_served_has_no_address(tree, name):
    with pytest.raises(KeyError):
        Assets(tree).url(name)


async def test_a_file_is_kept_for_a_year_under_its_own_address(tree, client):
    answer = await client.get(Assets(tree).url("web/family/main.js"))

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_page_that_outlived_a_restart_gets_todays_file_but_may_not_keep_it(client):
    answer = await client.get("/static/0123456789abcdef/web/lib/text.js")

    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize(
    "name",
    ["web/%2e%2e/secret.json", "web/..%2fsecret.json", "%2fetc/passwd", "vendor/%00", "web/.secret.js", "web", "web/"],
)
async def test_nothing_outside_the_tree_is_served(tree, client, name):
    answer = await client.get(f"/static/{Assets(tree).version}/{name}")

    assert answer.status == 404


async def test_text_travels_compressed_where_the_browser_takes_it(tree, client):
    client.session._auto_decompress = False
    url = Assets(tree).url("web/family/main.js")
    zipped = await client.get(url, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(url, headers={"Accept-Encoding": "identity"})

    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(await zipped.read()) == await plain.read()


async def test_every_name_of_the_import_map_is_served(tree, client):
    imports = json.loads(Assets(tree).import_map())["imports"]

    assert set(MODULES) | {"web/", "console/"} == set(imports)
    for name in MODULES:
        assert (await client.get(imports[name])).status == 200


def test_the_policy_allows_exactly_this_import_map(tree):
    before = Assets(tree).import_map_hash()
    (tree / "web/lib/text.js").write_text("export const t = 2;")

    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", before)
    assert before != Assets(tree).import_map_hash()


def test_the_crown_and_its_typeface_are_left_out():
    assert without_crown(CSS) == ".a{font-family:arial,sans-serif;color:red}.b{color:blue}"


def test_missing_packages_are_named_with_the_command_that_installs_them(tree):
    (tree / "node_modules" / GOVUK_CSS).unlink()

    with pytest.raises(NotInstalled, match=r"dev\.py setup"):
        Assets(tree)


def test_the_installed_packages_hold_no_crown():
    root = Path(__file__).resolve().parents[2]
    assets = Assets(root)
    css = assets._files[f"vendor/{GOVUK_CSS}"].body.decode()

    assert "GDS Transport" not in css
    assert "crest" not in css
    assert "url(/assets" not in css
    assert ".govuk-button" in css


def test_the_wheel_carries_every_file_that_pages_need():
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    wanted = {"web", "supervisor_console", *(f"node_modules/{path}" for path in (*MODULES.values(), GOVUK_CSS, FONT))}

    assert carried == {name: f"broker/pages/{name}" for name in wanted}


def test_the_tree_is_whole_without_the_detector_of_faces_and_with_it_carries_its_model(tree):
    names = [f"vendor/{path}" for path in FACES]
    for name in names:
        with pytest.raises(KeyError):
            Assets(tree).url(name)
    for path in FACES:
        (tree / "node_modules" / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / "node_modules" / path).write_bytes(b"model")
    assert [Assets(tree).url(name).rpartition("/static/")[2][17:] for name in names] == names


def test_the_worker_that_counts_faces_is_where_the_policy_looks_for_it_and_asks_for_what_is_served():
    source = (find_root() / FACE_WORKER).read_text(encoding="utf-8")
    folders = {path.rpartition("/")[0] for path in FACES}
    assert "../../vendor/@vladmandic/human/dist/human.esm.js" in source
    assert all(f"{folder}/" in source for folder in folders)
