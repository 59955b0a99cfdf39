"""`/pictures`: a page of many tiles, whose pictures come in one stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from gettext import NullTranslations
from typing import Any

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from console.drawing.page import language_of
from console.pages.parts import SCOPE, body_of, filters_of, page, reporting_of
from console.pictures.routes import Wanted, delivery_of, prober_of
from console.pictures.tiles import WALL_OF, Tile, draw, draw_refusal, may_view, wall_tile
from console.sign_in.required import SignedIn
from console.words import catalogue

router = APIRouter()

TILES = 24
"""Of a page: what a laptop shows, and a line of 2 Mbit/s carries in a round."""
WALL_WIDTH, ROUND_S = 320, 15.0
STREAMS = 16
"""Open at a time in this process; each has a connection to a prober."""


class WantedTiles(BaseModel):
    """Of a page."""

    model_config = ConfigDict(extra="forbid")

    tiles: list[Wanted] = Field(min_length=1, max_length=TILES)


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


@router.post("/pictures/stream")
async def view_many(request: Request, visitor: SignedIn, wanted: WantedTiles) -> Response:
    """A line of JSON for each picture, round after round, until the prober ends it or the page is left."""
    if request.app.state.picture_streams >= STREAMS:
        return PlainTextResponse("too many pages of pictures are open", status_code=503, headers={"Retry-After": "30"})
    tiles = [(str(each.camera), delivery_of(each)) for each in wanted.tiles]
    stream = prober_of(request).view_many(visitor.token, tiles, WALL_WIDTH, ROUND_S)
    language = language_of(request)
    lines = _lines(request, stream, language, catalogue.translations(language))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"}
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


async def _lines(request: Request, stream: Any, language: str, words: NullTranslations) -> AsyncIterator[bytes]:
    """What the prober says of each picture, as tiles need it; a last line where it refuses or is away."""
    state = request.app.state
    state.picture_streams += 1
    try:
        async with stream as answer:
            if answer.status_code != 200:
                yield _line(draw_refusal(await answer.aread(), answer.status_code, language, words))
                return
            async for line in answer.aiter_lines():
                found = json.loads(line)
                drawn = draw(found, language, words, state.unix_s())
                yield _line({"camera": found["camera_id"], "delivery": found["delivery_id"], **drawn})
    except (httpx.HTTPError, ValueError):
        yield _line(draw_refusal(b"", 503, language, words))
    finally:
        state.picture_streams -= 1


def _line(drawn: dict[str, Any]) -> bytes:
    return json.dumps(drawn, ensure_ascii=False).encode() + b"\n"


def _tiles_of(body: dict[str, Any] | None, of: str) -> list[Tile]:
    return [wall_tile(row, of) for row in body["items"]] if body is not None else []
