"""`/pictures`: a page of many tiles by any filter of the address."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.drawing.pictures import TILES, WALL_OF, Tile, may_view, wall_tile
from console.pages.parts import SCOPE, body_of, filters_of, page, reporting_of
from console.sign_in.required import SignedIn

router = APIRouter()


@router.get("/pictures")
async def show_wall(request: Request, visitor: SignedIn) -> Response:
    """Tiles of cameras by any filter of the address; their pictures come when they are asked for."""
    reporting = reporting_of(request)
    filters = filters_of(request, (*SCOPE, "q", "destination", "delivery", "of", "cursor"))
    of = filters["of"] if filters["of"] in WALL_OF else "national"
    asked = {name: value for name, value in filters.items() if name != "of"}
    rows, freshness = await asyncio.gather(
        reporting.list_cameras(visitor.token, {"sort": "camera_code", **asked}, limit=TILES),
        reporting.read_freshness(visitor.token),
    )
    body = body_of(rows)
    return page(
        request,
        "pages/pictures.html",
        answers=[rows],
        freshness=freshness,
        filters=filters,
        of=of,
        choices=WALL_OF,
        rows=body,
        may_view=may_view(visitor.caller),
        tiles=_tiles_of(body, of),
    )


def _tiles_of(body: dict[str, Any] | None, of: str) -> list[Tile]:
    return [wall_tile(row, of) for row in body["items"]] if body is not None else []
