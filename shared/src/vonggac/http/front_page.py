"""`/` of a service: what it is, and where to go from here. Plain HTML for a browser, JSON for anything else."""

from html import escape

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel

LINKS = (
    ("docs", "Tài liệu API", "API documentation"),
    ("openapi.json", "Mô tả API (OpenAPI)", "OpenAPI document"),
    ("readyz", "Trạng thái sẵn sàng", "readiness"),
    ("livez", "Tiến trình còn sống", "liveness"),
    ("metrics", "Số đo Prometheus", "Prometheus metrics"),
)
"""Relative addresses, so that the page stands behind any prefix; what is there, in Vietnamese and English."""


class ServiceResponse(BaseModel):
    """What `/` says."""

    service: str
    description: str
    version: str
    links: dict[str, str]


def add_front_page(app: FastAPI) -> None:
    """Add the route `/` to an app. It needs no caller and says nothing that `/docs` does not."""
    shown = ServiceResponse(
        service=app.title,
        description=app.description,
        version=app.version,
        links={english: address for address, _, english in LINKS},
    )

    @app.get("/", include_in_schema=False)
    async def front_page(request: Request) -> Response:
        headers = {"Vary": "Accept"}
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(_page(shown), headers=headers)
        return JSONResponse(shown.model_dump(), headers=headers)


def _page(shown: ServiceResponse) -> str:
    rows = "\n".join(
        f'<li><a href="{escape(address)}">{escape(vietnamese)}</a> ({escape(english)})</li>'
        for address, vietnamese, english in LINKS
    )
    return f"""<!DOCTYPE html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(shown.service)}</title>
<link rel="icon" href="docs/favicon.png">
</head>
<body>
<h1>{escape(shown.service)}</h1>
<p lang="en">{escape(shown.description)}</p>
<ul>
{rows}
</ul>
<p>Phiên bản (version) {escape(shown.version)}</p>
</body>
</html>
"""
