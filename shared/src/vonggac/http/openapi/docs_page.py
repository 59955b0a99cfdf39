"""`/docs`, `/openapi.json` and its groups, without the internet: the page's parts are a wheel's, through the service.

The page has no script of its own in it, so that a browser may be forbidden to run any (`Content-Security-Policy`).
"""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse

from vonggac.http.conditional import weak_etag_of
from vonggac.http.openapi.groups import choose_group, list_groups
from vonggac.http.problems import not_found

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
FILE_NAME = "openapi.json"
_KEPT_FOR = {"Cache-Control": "public, max-age=86400"}
_SCRIPT = """window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  defaultModelsExpandDepth: -1,
  showExtensions: true,
  showCommonExtensions: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""


_PIECE_BYTES = 64 << 10


class _Bytes(NamedTuple):
    """The document, as it is sent again and again."""

    plain: bytes
    compressed: bytes
    etag: str


class _Document:
    """Read once, from the file that `make generate` writes into the package: anybody may ask for it.

    Making inventory's takes seconds of CPU and 23 MiB of memory that is kept.
    """

    def __init__(self, app: FastAPI, package: str | None) -> None:
        self._app, self._package = app, package
        self._read: _Bytes | None = None
        self._groups: dict[str, _Bytes] = {}
        self._names: tuple[str, ...] | None = None
        self._reading = asyncio.Lock()

    async def get(self) -> _Bytes:
        async with self._reading:
            if self._read is None:
                self._read = await asyncio.to_thread(self._prepare)
        return self._read

    async def get_group(self, name: str) -> _Bytes:
        """Return the document of one group. Raises ProblemError 404. For an unknown name nothing is read again."""
        whole = await self.get()
        async with self._reading:
            if name not in self._groups and (self._names is None or name in self._names):
                await asyncio.to_thread(self._prepare_group, whole, name)
        if name not in self._groups:
            raise not_found("group of operations", name)
        return self._groups[name]

    def _prepare(self) -> _Bytes:
        plain = self._generated() or json.dumps(self._app.openapi(), ensure_ascii=False).encode()
        return _of(plain)

    def _prepare_group(self, whole: _Bytes, name: str) -> None:
        document = json.loads(whole.plain)
        self._names = list_groups(document)
        if name in self._names:
            self._groups[name] = _of(json.dumps(choose_group(document, name), ensure_ascii=False).encode())

    def _generated(self) -> bytes:
        """Without its line breaks and indents, which no text of JSON has; nothing when the app has no such package.

        Line by line: a hundred thousand of them at once take ten times the memory of the document.
        """
        if self._package is None:
            return b""
        written = io.BytesIO()
        with (files(self._package) / FILE_NAME).open("rb") as lines:
            for line in lines:
                written.write(line.strip())
        return written.getvalue()


def _of(plain: bytes) -> _Bytes:
    return _Bytes(plain, gzip.compress(plain), weak_etag_of(plain))


def _answer(request: Request, document: _Bytes) -> Response:
    headers = {"Vary": "Accept-Encoding", "Cache-Control": "no-cache", "ETag": document.etag}
    body = document.plain
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers = document.compressed, headers | {"Content-Encoding": "gzip"}
    headers["Content-Length"] = str(len(body))
    return StreamingResponse(_pieces(body), media_type="application/json", headers=headers)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """Send piece by piece: the server copies what it is given, and fifty slow callers would hold fifty documents."""
    for at in range(0, len(body), _PIECE_BYTES):
        yield body[at : at + _PIECE_BYTES]


def add_documentation(app: FastAPI, package: str | None = None) -> None:
    """Routes of the document and of its page. Addresses in the page are relative: it stands behind any prefix.

    `package` holds the document; without one it is made of the app.
    """
    folder = Path(str(files("fastapi_offline"))) / "static"
    document = _Document(app, package)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi_json(request: Request) -> Response:
        return _answer(request, await document.get())

    @app.get("/openapi/{group}.json", include_in_schema=False)
    async def openapi_of_group(group: str, request: Request) -> Response:
        return _answer(request, await document.get_group(group))

    @app.get("/docs", include_in_schema=False)
    async def docs_page() -> HTMLResponse:
        return HTMLResponse(_PAGE.format(title=escape(app.title)))

    @app.get("/docs/start.js", include_in_schema=False)
    async def docs_script() -> Response:
        return Response(_SCRIPT, media_type="text/javascript", headers=_KEPT_FOR)

    @app.get("/docs/{name}", include_in_schema=False)
    async def docs_asset(name: str) -> Response:
        if name not in ASSETS:
            raise not_found("page part", name)
        return FileResponse(folder / name, media_type=ASSETS[name], headers=_KEPT_FOR)
