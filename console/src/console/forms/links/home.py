"""`/f`: what a facility does by its link: answers, visits, focal point, survey form. Nothing else is here."""

import asyncio
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from console.apis.caller import Answer, Found, Refused
from console.drawing.page import render
from console.forms.links.visitor import (
    HOME,
    LinkHolder,
    ask_for_link,
    find_holder,
    forget_link,
    holder_of,
    keep_link,
    read_link,
    refuse_link,
)
from console.pages.parts import inventory_of, reporting_of, trouble_of
from console.words.catalogue import mark
from vonggac.auth.links import is_link_token
from vonggac.telemetry import get_logger

log = get_logger(__name__)
router = APIRouter()

MOST = 50
URGES = 20
"""The newest."""
OPEN_REQUESTS = frozenset({"sent", "answered"})
OPEN_VISITS = frozenset({"planned", "in_progress", "obstructed"})
CLOSED_SURVEYS = frozenset({"submitted", "approved"})
ANSWER = "answer."
PURPOSES = {
    "survey": mark("Survey"),
    "connection": mark("Connection"),
    "installation": mark("Installation"),
    "repair": mark("Repair"),
    "inspection": mark("Inspection"),
}


@router.get("/f")
async def show_facility(request: Request) -> Response:
    """Show what the facility is asked for, the oldest first; without a link the page that takes one."""
    holder = await find_holder(request)
    return holder if isinstance(holder, Response) else await _show(request, holder)


@router.post("/f/enter")
async def enter(request: Request) -> Response:
    """Put the token of the QR code into a cookie; it stands in no address that a server sees."""
    request.state.home = HOME
    token = _typed(await request.body()).get("token", "").strip()
    # Whoever types it may have the whole address.
    token = token.rpartition("#")[2]
    if not is_link_token(token) or len(token) > 200 or not token.isascii() or not token.isprintable():
        return ask_for_link(request, is_over=True, status=403)
    answer = await read_link(request, token)
    if not isinstance(answer, Found):
        return refuse_link(request, answer)
    response = RedirectResponse(HOME, status_code=303)
    holder = holder_of(token, answer.body)
    keep_link(request, response, holder)
    log.info("facility_link_opened", link_id=answer.body["id"], facility_id=answer.body["facility_id"])
    return response


@router.post("/f/leave")
async def leave(request: Request) -> Response:
    """Make this browser forget the link; the link itself stays until it ends or is revoked."""
    response = RedirectResponse(HOME, status_code=303)
    forget_link(request, response)
    return response


@router.post("/f/answers/{request_id}")
async def answer_request(request: Request, request_id: str) -> Response:
    """Send the answers to the questions of one request for information; empty ones are none."""
    holder = await find_holder(request)
    if isinstance(holder, Response):
        return holder
    if not all(each.isalnum() or each == "-" for each in request_id):
        raise HTTPException(404)
    typed = _typed(await request.body())
    answers = {name.removeprefix(ANSWER): text for name, text in typed.items() if name.startswith(ANSWER)}
    given = {key: text.strip() for key, text in answers.items() if text.strip()}
    if not given:
        return await _show(request, holder, typed=typed)
    answer = await inventory_of(request).caller.send(
        holder.token,
        "POST",
        f"/v1/information-requests/{request_id}/answers",
        body={"answers": given},
        headers={"Idempotency-Key": typed.get("_key", "")[:100] or str(uuid4()), "If-Match": "*"},
    )
    if isinstance(answer, Found):
        return RedirectResponse(f"{HOME}?done=answer_information_request", status_code=303)
    return await _show(request, holder, typed=typed, refusal=answer)


async def _show(
    request: Request, holder: LinkHolder, *, typed: dict[str, str] | None = None, refusal: Answer | None = None
) -> Response:
    inventory, token = inventory_of(request).caller, holder.token
    requests, visits, people, surveys, urges = await asyncio.gather(
        *(
            inventory.get(token, f"/v1/{noun}", {"limit": MOST, "sort": sort})
            for noun, sort in (
                ("information-requests", "code"),
                ("visits", "planned_from"),
                ("focal-points", "-valid_from"),
                ("surveys", "code"),
            )
        ),
        reporting_of(request).caller.get(token, "/v1/urges", {"limit": URGES, "sort": "-urged_at"}),
    )
    answers = [requests, visits, people, surveys, urges]
    status = 200 if refusal is None else refusal.status if isinstance(refusal, Refused) else 503
    return render(
        request,
        "links/home.html",
        status=status,
        link=holder.link,
        urges=_unanswered_first(urges),
        requests=_open(requests, lambda each: each["status"] in OPEN_REQUESTS),
        visits=_open(visits, lambda each: each["status"] in OPEN_VISITS),
        people=_open(people, lambda each: each["valid_to"] is None),
        surveys=_open(surveys, lambda each: each["status"] not in CLOSED_SURVEYS),
        purposes=PURPOSES,
        typed=typed or {},
        refusal=refusal if isinstance(refusal, Refused) else None,
        trouble=trouble_of(
            [*answers, *([refusal] if refusal is not None and not isinstance(refusal, Refused) else [])]
        ),
    )


def _open(answer: Answer, is_open: Any) -> list[dict[str, Any]] | None:
    """Those that something is left to do of; None: the register did not answer."""
    return [each for each in answer.body["items"] if is_open(each)] if isinstance(answer, Found) else None


def _unanswered_first(answer: Answer) -> list[dict[str, Any]] | None:
    """Urges about the facility; what it answered stays below, since one may answer again. None: they are not known."""
    return sorted(answer.body["items"], key=lambda each: bool(each["answers"])) if isinstance(answer, Found) else None


def _typed(body: bytes) -> dict[str, str]:
    """Parse the first value of each input. Raises HTTPException for what is no form."""
    try:
        given = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise HTTPException(400) from None
    return {name: values[0] for name, values in given.items()}
