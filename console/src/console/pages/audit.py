"""`/audit`: who did what, when and why, from the audit trails of all services; who approved what they wrote."""

import asyncio
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.acts.lookup import Lookup
from console.acts.nouns import NOUNS
from console.acts.permitted import may_call
from console.apis.caller import Answer, Caller, Found
from console.drawing.page import render
from console.pages.parts import Filters, body_of, filters_of, inventory_of, trouble_of
from console.sign_in.required import SignedIn
from console.words.catalogue import mark

router = APIRouter()

FILTERS = ("of", "q", "since", "until", "cursor")
SHOWN = 50
CAMERAS_NAMED = 3
"""Of one act."""
DELIVERY = "delivery"
"""Its acts name no thing: it is called by its camera and its centre."""
OPERATIONS = {each.operation: each for each in NOUNS.values()}
SERVICES = {
    "inventory": mark("Register"),
    "reporting": mark("Urging and reports"),
    "prober": mark("Pictures and probes"),
    "forwarder": mark("Deliveries"),
}
"""Whose acts can be read alone."""
ACTIONS = {
    "created": mark("entered"),
    "changed": mark("changed"),
    "removed": mark("removed"),
    "view": mark("viewed the picture of"),
    "probe": mark("had probed"),
    "scan": mark("had scanned"),
    "read_back": mark("had read back"),
    "stopped": mark("stopped"),
    "started": mark("started"),
    "urged": mark("urged"),
    "answered": mark("recorded the answer of"),
    "frozen": mark("froze"),
    "approved": mark("approved"),
    "issued": mark("recorded as issued"),
}
WORDS = {each.operation: each.one for each in NOUNS.values()} | {
    "decision_request": mark("request to decide"),
    "self_approval": mark("approval of one's own writing"),
    "urge": mark("agency"),
    "answer": mark("agency"),
    "report": mark("report"),
    "paper": mark("paper"),
    "target": mark("target"),
    "regime": mark("reporting rhythm"),
    "rule": mark("urging rule"),
    "channel": mark("channel"),
    "webhook": mark("webhook"),
    "calendar": mark("calendar"),
    "address": mark("address"),
}
"""What the trails name: the nouns that have pages, and those that are seen elsewhere."""
STATES = {
    "approved": mark("approved"),
    "returned": mark("returned"),
    "agreed": mark("agreed"),
    "rejected": mark("rejected"),
    "done": mark("done in time"),
    "done_late": mark("done late"),
    "waived": mark("waived"),
    "open": mark("open again"),
    "active": mark("in operation"),
    "suspended": mark("suspended"),
    "closed": mark("closed"),
    "refused": mark("refused: too many"),
}
"""States that somebody decided; others are on the record's page."""
PATHS = {each.operation: f"/register/{each.path}/" for each in NOUNS.values()} | {"report": "/reports/"}


@router.get("/audit")
async def list_acts(request: Request, visitor: SignedIn) -> Response:
    """List the acts of all services, the newest first; those of one service in pages."""
    inventory, token = inventory_of(request), visitor.token
    filters = filters_of(request, FILTERS)
    callers: dict[str, Caller] = request.app.state.callers
    asked = {name: SERVICES[name] for name in SERVICES if may_call(visitor.caller, name, "GET", "/v1/actions")}
    of = filters["of"] if filters["of"] in asked else ""
    query = _query(filters, with_cursor=bool(of))
    *answers, own = await asyncio.gather(
        *(callers[name].get(token, "/v1/actions", query) for name in asked if of in {"", name}),
        inventory.caller.get(token, "/v1/self-approvals", {"limit": 20}),
    )
    rows = _merge(answers)
    names, centres = await _name_things(Lookup(inventory.caller, token), rows)
    pages = [each.body["next"] for each in answers if isinstance(each, Found)]
    return render(
        request,
        "pages/audit.html",
        status=200 if pages else 503,
        filters=filters,
        of=of,
        services=asked,
        trouble=trouble_of(answers),
        rows=rows if pages else None,
        following=pages[0] if of and pages else None,
        has_more=not of and (len(rows) < sum(len(each.body["items"]) for each in answers if isinstance(each, Found))),
        names=names,
        centres=centres,
        own=body_of(own),
        actions=ACTIONS,
        words=WORDS,
        states=STATES,
        paths=PATHS,
        most=CAMERAS_NAMED,
    )


def _query(filters: Filters, *, with_cursor: bool) -> dict[str, str | int]:
    """Days of the address as the services take them: from the first instant of the one to the last of the other."""
    query: dict[str, str | int] = {"limit": SHOWN}
    if filters["q"]:
        query["q"] = filters["q"]
    if filters["since"]:
        query["since"] = _begin_of(filters["since"], 0)
    if filters["until"]:
        query["until"] = _begin_of(filters["until"], 1)
    if with_cursor and filters["cursor"]:
        query["cursor"] = filters["cursor"]
    return query


def _begin_of(day: str, later: int) -> str:
    """Compute the beginning of a day, or of the day after; what is no day goes to the service, which says so."""
    try:
        return f"{(date.fromisoformat(day) + timedelta(days=later)).isoformat()}T00:00:00+07:00"
    except (ValueError, OverflowError):
        return day


def _merge(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    found = [row for each in answers if isinstance(each, Found) for row in each.body["items"]]
    return sorted(found, key=lambda row: str(row["at"]), reverse=True)[:SHOWN]


async def _name_things(lookup: Lookup, rows: list[dict[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """«CODE — name» of the cameras and centres of acts whose thing has no name of its own, and each delivery's centre.

    A delivery that was removed is on record no more: its acts name the camera alone.
    """
    nameless = [row for row in rows if not row["name"]]
    deliveries = {row["thing_id"] for row in nameless if row["noun"] == DELIVERY and row["thing_id"]}
    found = await lookup.read_records(("deliveries", each) for each in deliveries)
    centres = {delivery: str(record["destination_id"]) for delivery, record in found.items()}
    cameras = {camera for row in nameless for camera in row["camera_ids"][:CAMERAS_NAMED]}
    names = await asyncio.gather(
        lookup.name_ids(("cameras", each) for each in cameras),
        lookup.name_ids(("destinations", each) for each in centres.values()),
    )
    return names[0] | names[1], centres
