"""`/f/{service}/{operation}`: the forms of what a link opens; the policy says what that is."""

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from console.forms.form import Form
from console.forms.links.visitor import HOME, find_holder
from console.forms.routes import SERVICES, send, show
from vonggac.auth.policy import POLICY

router = APIRouter()

NOT_ASKED = frozenset(
    {
        "access_document", "access_signed_on", "access_file", "briefing_document", "briefing_signed_on",
        "briefing_file", "answered_at", "document", "document_day", "document_file", "appointment_document",
        "appointment_signed_on", "appointment_file",
    }
)  # fmt: skip
"""A document stands for somebody else's word; a facility gives its own, now."""
GIVEN = frozenset({"facility_id"})


@router.get("/f/{service}/{name}")
async def show_act(request: Request, service: str, name: str) -> Response:
    """Show the form of an act of the facility."""
    holder = await find_holder(request)
    if isinstance(holder, Response):
        return holder
    if request.query_params.get("back") != HOME:
        query = urlencode({**request.query_params, "back": HOME})
        return RedirectResponse(f"{request.url.path}?{query}", status_code=303)
    return await show(request, service, name, holder, narrow=narrow)


@router.post("/f/{service}/{name}")
async def carry_out_act(request: Request, service: str, name: str) -> Response:
    """Send the form, once."""
    holder = await find_holder(request)
    if isinstance(holder, Response):
        return holder
    return await send(request, service, name, holder, narrow=narrow)


def narrow(form: Form) -> None:
    """To what a facility is asked for. Raises HTTPException 404 for an act that no link opens."""
    operation = form.operation
    if operation.service not in SERVICES or (operation.method, operation.path) not in _open_to_links(operation.service):
        raise HTTPException(404)
    form.fields = [each for each in form.fields if each.name not in NOT_ASKED]
    form.asked = []
    form.act = replace(form.act, hidden=form.act.hidden | GIVEN, asks=())
    form.values["back"] = HOME


def _open_to_links(service: str) -> frozenset[tuple[str, str]]:
    return frozenset(entry.key for entry in POLICY[service] if entry.by_link)
