"""`/pictures`: a page of many tiles by any filter of the address; `/pictures/still`: one picture without scripts."""

import asyncio
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from console.drawing.page import language_of, render
from console.drawing.page_headers import POLICY
from console.drawing.pictures import TILES, WALL_OF, Tile, draw_answer, may_view, name_kind, tiles_of, wall_tile
from console.live.pictures import Wanted, delivery_of, prober_of
from console.pages.cameras import FOUND_BY_CODE, find_row
from console.pages.parts import SCOPE, body_of, filters_of, page, reporting_of
from console.sign_in.required import SignedIn
from console.words import catalogue

router = APIRouter()

STILL_POLICY = POLICY.replace("img-src 'self'", "img-src 'self' data:")
"""Of the one page that carries its picture within itself: the console keeps none to link to."""


class WantedStill(Wanted):
    """Of a tile's form; `code`: the camera's, to come back to its page."""

    code: Annotated[str, Field(max_length=200)]


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


@router.post("/pictures/still")
async def show_still(request: Request, visitor: SignedIn) -> Response:
    """View one picture, as a page: the prober judges the right to, and records it."""
    try:
        wanted = WantedStill.model_validate(dict(parse_qsl((await request.body()).decode())))
    except ValueError:
        raise HTTPException(400) from None
    camera, delivery = str(wanted.camera), delivery_of(wanted)
    answer, rows = await asyncio.gather(
        prober_of(request).view(visitor.token, camera, delivery, wanted.width),
        reporting_of(request).list_cameras(visitor.token, {"q": wanted.code}, limit=FOUND_BY_CODE),
    )
    language = language_of(request)
    words = catalogue.translations(language)
    drawn = draw_answer(answer, language, words, request.app.state.unix_s())
    kind, text = name_kind(drawn, words)
    row = find_row(rows, camera)
    tile = next((each for each in tiles_of(row) if each.delivery == delivery), None) if row is not None else None
    values: dict[str, Any] = {"wanted": wanted, "drawn": drawn, "kind": kind, "text": text, "tile": tile}
    response = render(request, "pages/still.html", **values)
    response.headers["Content-Security-Policy"] = STILL_POLICY
    return response


@router.get("/pictures/still")
async def leave_still() -> Response:
    """Lead on from an address that is a form's: a picture is viewed by a press of its button alone."""
    return RedirectResponse("/pictures", status_code=303)


def _tiles_of(body: dict[str, Any] | None, of: str) -> list[Tile]:
    return [wall_tile(row, of) for row in body["items"]] if body is not None else []
