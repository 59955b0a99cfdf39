"""`/docs` and `/openapi.json`, without the internet: the page's parts come from a wheel, through the service itself.

The page has no script of its own in it, so that a browser may be told to run none (`Content-Security-Policy`).
"""

import asyncio
import gzip
import json
from html import escape
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from vonggac.http.problems import not_found

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_KEPT_FOR = {"Cache-Control": "public, max-age=86400"}
_SCRIPT = """window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  layout: "BaseLayout",
  deepLinking: true,
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


class _Document:
    """The document as bytes, made once: anybody may read it, and making it takes longer than media may wait."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._made: tuple[bytes, bytes] | None = None

    async def get(self) -> tuple[bytes, bytes]:
        """Plain and compressed."""
        if self._made is None:
            self._made = await asyncio.to_thread(self._make)
        return self._made

    def _make(self) -> tuple[bytes, bytes]:
        body = json.dumps(self._app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
        return body, gzip.compress(body)


def add_documentation(app: FastAPI) -> None:
    """Routes of the document and of its page. Addresses in the page are relative: it stands behind any prefix."""
    folder = Path(str(files("fastapi_offline"))) / "static"
    document = _Document(app)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi_json(request: Request) -> Response:
        plain, compressed = await document.get()
        headers = {"Vary": "Accept-Encoding", "Cache-Control": "no-cache"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(compressed, media_type="application/json", headers=headers | {"Content-Encoding": "gzip"})
        return Response(plain, media_type="application/json", headers=headers)

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
