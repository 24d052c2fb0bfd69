"""Static files: our modules and the installed browser packages, in one tree whose address carries a hash of it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

PREFIX = "/static"
OUR_FOLDERS = ("web", "supervisor_console")
TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
PRESSED = {".css", ".js", ".json", ".mjs", ".svg", ".wasm", ".webmanifest"}
YEAR = "public, max-age=31536000, immutable"

# What a module may import by a bare name: name -> file in node_modules (design: house.md, "no bundler").
MODULES = {
    "preact": "preact/dist/preact.mjs",
    "preact/hooks": "preact/hooks/dist/hooks.mjs",
    "htm": "htm/dist/htm.mjs",
    "htm/preact": "htm/preact/index.mjs",
    "@preact/signals": "@preact/signals/dist/signals.mjs",
    "@preact/signals-core": "@preact/signals-core/dist/signals-core.mjs",
    "govuk-frontend": "govuk-frontend/dist/govuk/govuk-frontend.min.js",
}
GOVUK_CSS = "govuk-frontend/dist/govuk/govuk-frontend.min.css"
FONT = "@fontsource-variable/atkinson-hyperlegible-next"
# The detector of faces: a worker of the monitoring console loads them, and without them it is "not available".
FACES = (
    "@vladmandic/human/dist/human.esm.js",
    "@vladmandic/human/models/blazeface.json",
    "@vladmandic/human/models/blazeface.bin",
    "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
)
FACE_WORKER = "supervisor_console/faces/worker.js"

_FONT_FACE = re.compile(r"@font-face\{[^{}]*GDS Transport[^{}]*\}")
_CREST_RULE = re.compile(r"[^{}]*\{[^{}]*govuk-crest[^{}]*\}")


def find_root() -> Path:
    """Return the folder of the pages: inside an installed wheel `broker/pages`, else the checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "pages"
    return inside if inside.is_dir() else package.parent


class NotInstalled(Exception):
    """The browser packages are missing; the text says what to run."""


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is served."""

    content_type: str
    body: bytes
    zipped: bytes | None


class Assets:
    """Every file that a browser may ask for, read once at start; a request names one of them, never a path on disk."""

    def __init__(self, root: Path) -> None:
        """
        Read the files of the tree under `root` (the folder that holds web/ and node_modules/).

        Raises:
            NotInstalled: The browser packages are not there.
        """
        self._files = {name: as_served(name, body) for name, body in (*ours(root), *theirs(root / "node_modules"))}
        total = hashlib.sha256()
        for name in sorted(self._files):
            total.update(name.encode() + b"\0" + hashlib.sha256(self._files[name].body).digest())
        self.version = total.hexdigest()[:16]

    def url(self, name: str) -> str:
        """
        Return the address of a file, for instance of `web/family/main.js`.

        Raises:
            KeyError: There is no such file; a template that names one fails its first test.
        """
        if name not in self._files:
            raise KeyError(f"no static file {name}")
        return f"{PREFIX}/{self.version}/{name}"

    def import_map(self) -> str:
        """Return the JSON of the page's import map: the bare names and the prefixes `web/` and `console/`."""
        imports = {name: self.url(f"vendor/{path}") for name, path in MODULES.items()}
        imports["web/"] = f"{PREFIX}/{self.version}/web/"
        imports["console/"] = f"{PREFIX}/{self.version}/supervisor_console/"
        return json.dumps({"imports": imports}, sort_keys=True)

    def import_map_hash(self) -> str:
        """Return the CSP source that allows exactly this import map in line, `'sha256-…'`."""
        return f"'sha256-{base64.b64encode(hashlib.sha256(self.import_map().encode()).digest()).decode()}'"

    async def handler(self, request: web.Request) -> web.Response:
        """
        Serve `/static/{version}/{name}`.

        A page that outlives a restart may ask under an old version: it gets today's file, which nobody may keep.
        """
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        current = request.match_info["version"] == self.version
        headers = {
            "Content-Type": file.content_type,
            "Cache-Control": YEAR if current else "no-store",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if file.zipped is None:
            return web.Response(body=file.body, headers=headers)
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=file.zipped, headers={**headers, "Content-Encoding": "gzip"})
        return web.Response(body=file.body, headers=headers)

    def route(self) -> web.RouteDef:
        """Return the route to add to an application."""
        return web.get(PREFIX + "/{version:[0-9a-f]{16}}/{name:.+}", self.handler)


def ours(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield our own files by their name in the tree; dot files, links and unknown kinds are left out."""
    for folder in OUR_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root)
            if path.suffix in TYPES and path.is_file() and not any(part.startswith(".") for part in name.parts):
                yield name.as_posix(), path.read_bytes()


def theirs(modules: Path) -> Iterator[tuple[str, bytes]]:
    """
    Yield the few files of the installed packages that pages use.

    GOV.UK's own typeface and crest are for its own domains only, so neither is served nor named.
    """
    try:
        for path in MODULES.values():
            yield f"vendor/{path}", (modules / path).read_bytes()
        css = (modules / GOVUK_CSS).read_text(encoding="utf-8")
        yield f"vendor/{GOVUK_CSS}", without_crown(css).encode()
        font = modules / FONT
        yield f"vendor/{FONT}/wght.css", (font / "wght.css").read_bytes()
        for face in sorted((font / "files").glob("*-wght-normal.woff2")):
            yield f"vendor/{FONT}/files/{face.name}", face.read_bytes()
        for path in FACES:
            if (modules / path).exists():
                yield f"vendor/{path}", (modules / path).read_bytes()
    except FileNotFoundError as error:
        raise NotInstalled(f"{error.filename} is missing; run: python3 scripts/dev.py setup") from error


def without_crown(css: str) -> str:
    """Return GOV.UK's style sheet without its typeface and its crest."""
    css = _CREST_RULE.sub("", _FONT_FACE.sub("", css))
    return re.sub(r'"?GDS Transport"?,\s*', "", css)


def as_served(name: str, body: bytes) -> File:
    """Return a file with its type and, where that helps, its compressed form."""
    suffix = Path(name).suffix
    zipped = gzip.compress(body, compresslevel=6, mtime=0) if suffix in PRESSED else None
    return File(TYPES[suffix], body, zipped if zipped and len(zipped) < len(body) else None)
