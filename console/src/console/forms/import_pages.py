"""The pages of imports: their list, and one of them with what it changes or what is wrong in its file."""

from http import HTTPStatus
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import Response

from console.acts.lookup import is_id
from console.acts.nouns import NOUNS
from console.acts.permitted import may_call
from console.apis.caller import Answer, Caller, Found, Refused
from console.drawing.page import language_of, render
from console.pages.parts import body_of, filters_of, trouble_of
from console.sign_in.visitor import Visitor
from console.words import catalogue
from console.words.catalogue import mark

WORKBOOK = "workbook"
KINDS = {WORKBOOK: mark("workbook of several sheets")} | {path: noun.many for path, noun in NOUNS.items()}
ROWS = 50
ROWS_COMPARED = 200
"""Of the difference, on a page; the register gives the first 1,000."""
AGAIN_S = "2"
STATES = {
    "running": mark("in progress"),
    "done": mark("stored"),
    "refused": mark("refused"),
    "stopped": mark("stopped before it was stored"),
    "lost": mark("broken off: nothing of it was stored"),
    "reverted": mark("taken back"),
}
PHASES = {
    "reading": mark("reading the file"),
    "checking": mark("checking its rows"),
    "storing": mark("storing its rows"),
    "finished": mark("finished"),
}


async def show_list(
    request: Request, visitor: Visitor, *, mistake: str = "", noun: str = "", answer: Answer | None = None
) -> Response:
    filters = filters_of(request, ("noun", "cursor"))
    query = {"limit": ROWS} | ({"cursor": filters["cursor"]} if filters["cursor"] else {})
    rows = await register_of(request).get(visitor.token, "/v1/imports", query)
    words = catalogue.translations(language_of(request))
    return render(
        request,
        "imports/list.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if mistake else _status_of(answer or rows),
        rows=body_of(rows),
        trouble=trouble_of([each for each in (rows, answer) if each is not None and not isinstance(each, Refused)]),
        mistakes=[words.gettext(mistake)] if mistake else _mistakes_of(request, answer),
        importable=importable_by(visitor),
        noun=noun or filters["noun"],
        kinds=KINDS,
        states=STATES,
        phases=PHASES,
    )


async def show_one(
    request: Request,
    visitor: Visitor,
    import_id: str,
    *,
    refusal: Answer | None = None,
    taken_back: dict[str, Any] | None = None,
) -> Response:
    check_id(import_id)
    answer = await register_of(request).get(visitor.token, f"/v1/imports/{import_id}")
    one = body_of(answer)
    difference = ((one or {}).get("result") or {}).get("rows") or []
    response = render(
        request,
        "imports/one.html",
        status=_status_of(refusal or answer),
        one=one,
        difference=difference[:ROWS_COMPARED],
        more=max(0, len(difference) - ROWS_COMPARED),
        trouble=trouble_of([answer]),
        mistakes=_mistakes_of(request, refusal),
        taken_back=taken_back,
        may_send=one is not None and one["kind"] in importable_by(visitor),
        kinds=KINDS,
        states=STATES,
        phases=PHASES,
    )
    if one is not None and one["state"] == "running":
        response.headers["Refresh"] = AGAIN_S
    return response


def register_of(request: Request) -> Caller:
    caller: Caller = request.app.state.callers["inventory"]
    return caller


def importable_by(visitor: Visitor) -> dict[str, str]:
    """List what files this person may send, each with its word."""
    return {
        path: word
        for path, word in KINDS.items()
        if may_call(visitor.caller, "inventory", "POST", f"/v1/imports/{path}")
    }


def check_id(import_id: str) -> None:
    if not is_id(import_id):
        raise HTTPException(404)


def _status_of(answer: Answer) -> int:
    if isinstance(answer, Found):
        return HTTPStatus.OK
    return answer.status if isinstance(answer, Refused) else HTTPStatus.SERVICE_UNAVAILABLE


def _mistakes_of(request: Request, answer: Answer | None) -> list[str]:
    if not isinstance(answer, Refused):
        return []
    vietnamese = language_of(request) == catalogue.VIETNAMESE
    found = [each.message_vi if vietnamese else each.message for each in answer.mistakes]
    return found or [answer.detail_vi if vietnamese else answer.detail]
