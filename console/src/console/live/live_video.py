"""`/pictures/live`: what a centre gives back, as the prober plays it, passed on to the tile of a page."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from uuid import UUID

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict
from starlette.types import Receive, Scope, Send

from console.drawing.page import language_of
from console.drawing.pictures import draw_refusal
from console.live.open_streams import OpenStreams, StreamsEndedError
from console.live.pictures import prober_of
from console.sign_in.required import SignedIn
from console.words import catalogue

router = APIRouter()

LIVE_STREAMS = 32
"""Open at a time in this process, apart from pages."""


class WantedLive(BaseModel):
    """Of a tile."""

    model_config = ConfigDict(extra="forbid")

    camera: UUID
    delivery: UUID


class LiveVideo(StreamingResponse):
    """Closes the connection to the prober whatever ends the answer, so that the last viewer's centre is hung up on.

    It reads on only when the browser has taken what was read: who is slow loses groups of pictures at the prober.
    """

    def __init__(self, answer: httpx.Response, lives: OpenStreams, closing: AsyncExitStack) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"}
        super().__init__(_pieces(answer, lives), media_type=answer.headers["content-type"], headers=headers)
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._closing:
            await super().__call__(scope, receive, send)


@router.post("/pictures/live")
async def view_live(request: Request, visitor: SignedIn, wanted: WantedLive) -> Response:
    """Pass video on as it comes; where there is none, say why, with the prober's status and `code`.

    The prober judges the right `view`, and records.
    """
    lives: OpenStreams = request.app.state.lives
    if lives.is_full:
        return _refuse(request, b"", 503, {"Retry-After": "30"})
    async with AsyncExitStack() as opening:
        opening.enter_context(lives.count())
        stream = prober_of(request).view_live(visitor.token, str(wanted.camera), str(wanted.delivery))
        try:
            answer = await lives.wait(opening.enter_async_context(stream))
            if answer.status_code != 200:
                return _refuse(request, await lives.wait(answer.aread()), answer.status_code)
        except (httpx.HTTPError, StreamsEndedError):
            return _refuse(request, b"", 503)
        return LiveVideo(answer, lives, opening.pop_all())


async def _pieces(answer: httpx.Response, lives: OpenStreams) -> AsyncIterator[bytes]:
    """Yield what comes until the prober ends it or is gone, or this process stops."""
    with suppress(httpx.HTTPError):
        async for piece in lives.until_ended(answer.aiter_raw()):
            yield piece


def _refuse(request: Request, body: bytes, status: int, headers: dict[str, str] | None = None) -> Response:
    language = language_of(request)
    drawn = draw_refusal(body, status, language, catalogue.translations(language))
    with suppress(ValueError):
        drawn["code"] = json.loads(body or b"{}").get("code")
    return JSONResponse(drawn, status_code=status, headers={"Cache-Control": "no-store", **(headers or {})})
