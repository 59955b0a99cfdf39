"""`/live`: the stream of a page; the filters of its address narrow what it listens to."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from console.live.events import Listeners
from console.sign_in.required import SignedInOrScreen, is_still_known

router = APIRouter()

SCOPE = ("unit", "agency", "type", "facility")


@router.get("/live")
async def listen(
    request: Request,
    visitor: SignedInOrScreen,
    version: Annotated[str | None, Query(max_length=100)] = None,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Ages every two seconds, and `changed` when the page should load itself again."""
    listeners: Listeners = request.app.state.listeners
    if listeners.is_full:
        return PlainTextResponse("too many pages are open", status_code=503, headers={"Retry-After": "5"})
    filters = {name: value for name in SCOPE if (value := request.query_params.get(name))}
    return StreamingResponse(
        listeners.stream(
            visitor.token, visitor.expires_at_s, filters, last_event_id or version, partial(is_still_known, request)
        ),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
