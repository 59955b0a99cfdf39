"""`/docs` and `/openapi.json`, without the internet: the page's parts come from a wheel, through the service itself."""

import asyncio
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from vonggac.http.problems import not_found

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_KEPT_FOR = {"Cache-Control": "public, max-age=86400"}


def add_documentation(app: FastAPI) -> None:
    """Routes of the document and of its page. Addresses in the page are relative: it stands behind any prefix."""
    folder = Path(str(files("fastapi_offline"))) / "static"

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi_json() -> Response:
        # Made once, in a thread: it takes longer than media may wait.
        return JSONResponse(await asyncio.to_thread(app.openapi))

    @app.get("/docs", include_in_schema=False)
    async def docs_page() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url="docs/swagger-ui-bundle.js",
            swagger_css_url="docs/swagger-ui.css",
            swagger_favicon_url="docs/favicon.png",
        )

    @app.get("/docs/{name}", include_in_schema=False)
    async def docs_asset(name: str) -> Response:
        if name not in ASSETS:
            raise not_found("page part", name)
        return FileResponse(folder / name, media_type=ASSETS[name], headers=_KEPT_FOR)
