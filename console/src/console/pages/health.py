"""`/health`: whether every service can do its work, how old what it knows is, and what nobody could handle."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.acts.permitted import may_call
from console.apis.caller import Caller
from console.pages.parts import Filters, body_of, page, reporting_of
from console.sign_in.required import SignedIn
from console.words.catalogue import mark

router = APIRouter()

KINDS = {"prober": mark("Probers"), "forwarder": mark("Forwarders")}


@router.get("/health")
async def show_health(request: Request, visitor: SignedIn) -> Response:
    """Show the services, the workers' signs of life, the streams and the messages that failed for good."""
    callers: dict[str, Caller] = request.app.state.callers
    freshness, *ready = await asyncio.gather(
        reporting_of(request).read_freshness(visitor.token), *(each.read_readiness() for each in callers.values())
    )
    letters = None
    if may_call(visitor.caller, "inventory", "GET", "/v1/dead-letters"):
        letters = await callers["inventory"].get(visitor.token, "/v1/dead-letters", {"limit": 50})
    return page(
        request,
        "pages/health.html",
        answers=[freshness, *([letters] if letters is not None else [])],
        freshness=freshness,
        filters=Filters(),
        services=dict(zip(callers, ready, strict=True)),
        fresh=body_of(freshness),
        letters=body_of(letters) if letters is not None else None,
        kinds=KINDS,
    )
