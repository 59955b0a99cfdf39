"""`/obligations` and `/urges`: what the directives demand, of whom, before when; who was urged, and what they said."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.apis.caller import Found
from console.pages.parts import Filters, body_of, filters_of, page, reporting_of
from console.sign_in.required import SignedIn
from console.words.catalogue import mark

router = APIRouter()

FILTERS = ("q", "state", "kind", "code", "unit", "agency", "type", "facility", "cursor")
STATES = {
    "open": mark("Open"),
    "due_soon": mark("Due soon"),
    "overdue": mark("Overdue"),
    "done": mark("Done in time"),
    "done_late": mark("Done late"),
    "waived": mark("Waived"),
    "no_deadline": mark("No deadline"),
}
OPEN = frozenset({"open", "due_soon", "overdue", "no_deadline"})
SENDINGS = {
    "pending": mark("waiting"),
    "sent": mark("sent"),
    "failed": mark("failed"),
}


@router.get("/obligations")
async def list_obligations(request: Request, visitor: SignedIn) -> Response:
    """Duties with their deadlines; every count is a link to its rows."""
    reporting, token = reporting_of(request), visitor.token
    filters = filters_of(request, FILTERS)
    rows, freshness = await asyncio.gather(
        reporting.caller.get(token, "/v1/obligations", {**filters, "limit": 50, "total": "true"}),
        reporting.read_freshness(token),
    )
    return page(
        request,
        "pages/obligations.html",
        answers=[rows],
        freshness=freshness,
        filters=filters,
        states=STATES,
        is_open=OPEN,
        rows=body_of(rows),
    )


@router.get("/urges")
async def list_urges(request: Request, visitor: SignedIn) -> Response:
    """Whom the rules urge now, and everybody who was urged, with each answer."""
    reporting, token = reporting_of(request), visitor.token
    filters = filters_of(request, ("q", "agency", "facility", "cursor"))
    one = {"facility": filters["facility"]} if filters["facility"] else None
    rows, due, freshness = await asyncio.gather(
        reporting.caller.get(token, "/v1/urges", {**filters, "limit": 20, "total": "true"}),
        reporting.caller.get(token, "/v1/urges/due", one),
        reporting.read_freshness(token),
    )
    known = {each["agency_id"]: each["agency_name"] for each in (body_of(rows) or {"items": []})["items"]}
    if isinstance(due, Found):
        for each in due.body["items"]:
            named = next((one["responsible_name"] for one in each["items"] if one["responsible_name"]), "")
            known.setdefault(each["agency_id"], named)
    return page(
        request,
        "pages/urges.html",
        answers=[rows, due],
        freshness=freshness,
        filters=filters,
        sendings=SENDINGS,
        names=known,
        rows=body_of(rows),
        due=body_of(due),
    )


@router.get("/urges/rules")
async def list_rules(request: Request, visitor: SignedIn) -> Response:
    """By which rules everybody is urged, and the channels of the parties."""
    reporting, token = reporting_of(request), visitor.token
    rules, channels, freshness = await asyncio.gather(
        reporting.caller.get(token, "/v1/urging/rules"),
        reporting.caller.get(token, "/v1/urging/channels"),
        reporting.read_freshness(token),
    )
    return page(
        request,
        "pages/urging_rules.html",
        answers=[rules, channels],
        freshness=freshness,
        filters=Filters(),
        rules=body_of(rules),
        channels=body_of(channels),
    )
