"""`/pictures`: one picture for a tile of a page, as its script wants it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from console.apis.prober import Prober
from console.drawing.page import language_of
from console.drawing.pictures import draw_answer
from console.sign_in.required import SignedIn
from console.words import catalogue

router = APIRouter()


class Wanted(BaseModel):
    """Of a tile."""

    model_config = ConfigDict(extra="forbid")

    camera: UUID
    delivery: UUID | None = None
    width: Annotated[int, Field(ge=160, le=1920)] = 960


def prober_of(request: Request) -> Prober:
    found: Prober = request.app.state.prober
    return found


def delivery_of(wanted: Wanted) -> str | None:
    """Of a centre's tile."""
    return None if wanted.delivery is None else str(wanted.delivery)


@router.post("/pictures")
async def view_picture(request: Request, visitor: SignedIn, wanted: Wanted) -> Response:
    """View one picture; the prober judges the right to, and records it."""
    answer = await prober_of(request).view(visitor.token, str(wanted.camera), delivery_of(wanted), wanted.width)
    language = language_of(request)
    drawn = draw_answer(answer, language, catalogue.translations(language), request.app.state.unix_s())
    return JSONResponse(drawn, headers={"Cache-Control": "no-store"})
