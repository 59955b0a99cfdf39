"""`/audit`: who changed what in the register, when and why; who approved what they wrote themselves."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.acts.lookup import Lookup
from console.acts.nouns import NOUNS
from console.acts.permitted import may_call
from console.apis.prober import Prober
from console.drawing.page import render
from console.pages.parts import body_of, filters_of, inventory_of, trouble_of
from console.sign_in.required import SignedIn
from console.words.catalogue import mark

router = APIRouter()

FILTERS = ("noun", "action", "changed_by", "thing_id", "since", "until", "cursor")
ACTIONS = {
    "created": mark("entered"),
    "changed": mark("changed"),
    "removed": mark("removed"),
}
WORDS = {each.operation: each.one for each in NOUNS.values()} | {
    "decision_request": mark("request to decide"),
    "self_approval": mark("approval of one's own writing"),
}
"""What the log names: the nouns that have pages, and two that are seen elsewhere."""
PATHS = {each.operation: each.path for each in NOUNS.values()}


@router.get("/audit")
async def list_changes(request: Request, visitor: SignedIn) -> Response:
    """The log of changes, the newest first, narrowed by the address."""
    inventory, token = inventory_of(request), visitor.token
    filters = filters_of(request, FILTERS)
    rows, own = await asyncio.gather(
        inventory.caller.get(token, "/v1/changes", {**filters, "limit": 50}),
        inventory.caller.get(token, "/v1/self-approvals", {"limit": 20}),
    )
    # Who viewed pictures is the prober's to say.
    prober: Prober = request.app.state.prober
    may_see = may_call(visitor.caller, "prober", "GET", "/v1/demands")
    views = await prober.list_views(token) if may_see else None
    viewed = (body_of(views) or {"items": []})["items"] if views is not None else []
    names = await Lookup(inventory.caller, token).name_ids(
        ("cameras", each["camera_id"]) for each in viewed if each["camera_id"]
    )
    found = body_of(rows)
    return render(
        request,
        "pages/audit.html",
        status=200 if found is not None else 503 if not hasattr(rows, "status") else rows.status,
        filters=filters,
        trouble=trouble_of([rows, *([views] if views is not None else [])]),
        views=body_of(views) if views is not None else None,
        names=names,
        rows=found,
        own=body_of(own),
        actions=ACTIONS,
        words=WORDS,
        paths=PATHS,
    )
