"""`/requests`: what waits for a decision, in front of who decides it; what was decided, and why."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.acts.declared import OTHERS
from console.acts.lookup import Lookup
from console.acts.permitted import decides
from console.apis.caller import Found
from console.pages.parts import body_of, filters_of, inventory_of, page, reporting_of
from console.sign_in.required import SignedIn
from console.words.catalogue import mark

router = APIRouter()

ACTS = {
    "settlement": mark("Settle, waive or reopen an obligation"),
    "deadline": mark("Set or extend a deadline"),
    "exception": mark("An exception from the connection plan"),
    "maintenance": mark("Agree to maintenance"),
    "closing": mark("Close, suspend or reopen a facility"),
    "switching_off": mark("Switch a camera or a delivery off"),
    "purge": mark("Purge the data of a closed facility"),
}
STATUS = {
    "waiting": mark("Waiting"),
    "granted": mark("Granted"),
    "refused": mark("Refused"),
    "withdrawn": mark("Withdrawn"),
    "lapsed": mark("Lapsed"),
}
ASKED_STATES = {
    "done": mark("Done in time"),
    "done_late": mark("Done late"),
    "waived": mark("Waived"),
    "open": mark("Open"),
    "suspended": mark("Suspended"),
    "closed": mark("Closed"),
    "active": mark("Active"),
}
_NOUNS = {
    "obligation_id": "obligations", "facility_id": "facilities", "camera_id": "cameras", "delivery_id": "deliveries",
    "directive_id": "directives",
}  # fmt: skip


@router.get("/requests")
async def list_requests(request: Request, visitor: SignedIn) -> Response:
    """Those that wait, the oldest first, unless the address asks for others."""
    inventory, token = inventory_of(request), visitor.token
    filters = filters_of(request, ("status", "act", "facility_id", "cursor"))
    status = filters.get("status", "waiting")
    asked: dict[str, str | int] = {**filters, "status": status, "limit": 50, "total": "true"}
    if status == "all":
        del asked["status"]
    rows, freshness = await asyncio.gather(
        inventory.caller.get(token, "/v1/decision-requests", asked), reporting_of(request).read_freshness(token)
    )
    items: list[dict[str, Any]] = rows.body["items"] if isinstance(rows, Found) else []
    about = {
        (noun, str(each["asked"][name])) for each in items for name, noun in _NOUNS.items() if each["asked"].get(name)
    }
    names = await Lookup(inventory.caller, token).name_ids(about)
    return page(
        request,
        "pages/requests.html",
        answers=[rows],
        freshness=freshness,
        filters=filters,
        status_shown=status,
        acts_words=ACTS,
        asked_states=ASKED_STATES,
        variants=OTHERS["add_decision_request"].variants,
        status_words=STATUS,
        nouns=_NOUNS,
        names=names,
        decided_here={each["id"] for each in items if decides(visitor.caller, each["act"])},
        subject=visitor.caller.subject if visitor.caller is not None else "",
        rows=body_of(rows),
    )
