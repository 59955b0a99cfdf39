"""`/pictures/stream`: the pictures of a page of many, in one stream for all its tiles."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from gettext import NullTranslations
from typing import Any

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from console.drawing.page import language_of
from console.drawing.pictures import TILES, draw, draw_refusal
from console.live.open_streams import OpenStreams, StreamsEndedError
from console.live.pictures import Wanted, delivery_of, prober_of
from console.sign_in.required import SignedIn
from console.words import catalogue

router = APIRouter()

WALL_WIDTH, ROUND_S = 320, 15.0
ALONE_WIDTH, ALONE_EVERY_S = 640, 10.0
"""Of one tile: in place of live pictures, where a browser or a centre cannot."""
STREAMS = 16
"""Open at a time in this process."""


class WantedTiles(BaseModel):
    """Of a page."""

    model_config = ConfigDict(extra="forbid")

    tiles: list[Wanted] = Field(min_length=1, max_length=TILES)


@router.post("/pictures/stream")
async def view_many(request: Request, visitor: SignedIn, wanted: WantedTiles) -> Response:
    """Send a line of JSON for each picture, round after round, until the prober ends it or the page is left."""
    if request.app.state.picture_streams.is_full:
        return PlainTextResponse("too many pages of pictures are open", status_code=503, headers={"Retry-After": "30"})
    tiles = [(str(each.camera), delivery_of(each)) for each in wanted.tiles]
    width, every_s = (ALONE_WIDTH, ALONE_EVERY_S) if len(tiles) == 1 else (WALL_WIDTH, ROUND_S)
    stream = prober_of(request).view_many(visitor.token, tiles, width, every_s)
    language = language_of(request)
    lines = _lines(request, stream, language, catalogue.translations(language))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"}
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


async def _lines(request: Request, stream: Any, language: str, words: NullTranslations) -> AsyncIterator[bytes]:
    """Yield what the prober says of each picture, as tiles need it; a last line where it refuses or is away."""
    streams: OpenStreams = request.app.state.picture_streams
    unix_s = request.app.state.unix_s
    with streams.count():
        try:
            async with AsyncExitStack() as opening:
                answer = await streams.wait(opening.enter_async_context(stream))
                if answer.status_code != 200:
                    body = await streams.wait(answer.aread())
                    yield _line(draw_refusal(body, answer.status_code, language, words))
                    return
                async for line in streams.until_ended(answer.aiter_lines()):
                    found = json.loads(line)
                    drawn = draw(found, language, words, unix_s())
                    yield _line({"camera": found["camera_id"], "delivery": found["delivery_id"], **drawn})
        except StreamsEndedError:
            return
        except (httpx.HTTPError, ValueError):
            yield _line(draw_refusal(b"", 503, language, words))


def _line(drawn: dict[str, Any]) -> bytes:
    return json.dumps(drawn, ensure_ascii=False).encode() + b"\n"
