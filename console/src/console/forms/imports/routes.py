"""`/register/imports`: a file of many rows is checked, compared field by field, stored, stopped and taken back."""

import secrets
from http import HTTPStatus
from typing import Any

import httpx
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from console.acts.lookup import is_id
from console.acts.nouns import NOUNS
from console.acts.permitted import may_call
from console.apis.caller import Answer, Caller, Found, Refused
from console.drawing.page import language_of, render
from console.forms.form import read_typed
from console.forms.imports.sent import Sent, read_sent
from console.pages.parts import body_of, filters_of, trouble_of
from console.sign_in.required import SignedIn
from console.sign_in.visitor import Visitor
from console.words import catalogue
from console.words.catalogue import mark

router = APIRouter()

WORKBOOK = "workbook"
KINDS = {WORKBOOK: mark("workbook of several sheets")} | {path: noun.many for path, noun in NOUNS.items()}
ROWS = 50
ROWS_COMPARED = 200
"""Of the difference, on a page; the register gives the first 1,000."""
AGAIN_S = "2"
NO_FILE = mark("Choose a file.")
NO_NOUN = mark("Choose what the file has rows of.")
OTHER_FILE = mark("This is another file than the one that was checked: check it first.")
NO_MISTAKES = mark("The register found no mistake in this file.")
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


@router.get("/register/imports")
async def list_imports(request: Request, visitor: SignedIn) -> Response:
    """The imports that the person sees, the newest first, and the form for another one."""
    return await _show_list(request, visitor)


@router.post("/register/imports")
async def hand_in_file(request: Request, visitor: SignedIn) -> Response:
    """Check a file, store one that was checked, or have its mistakes marked in it."""
    sent = read_sent(request.headers.get("content-type", ""), await request.body())
    noun, step = sent.fields.get("noun", ""), sent.fields.get("step", "check")
    if noun not in _importable(visitor):
        return await _show_list(request, visitor, mistake=NO_NOUN)
    if not sent.content:
        return await _show_list(request, visitor, mistake=NO_FILE, noun=noun)
    if step == "mark":
        return await _mark_mistakes(request, visitor, noun, sent)
    stores = step == "store"
    if stores and sent.fields.get("checked") != sent.sha256:
        return await _show_list(request, visitor, mistake=OTHER_FILE, noun=noun)
    headers = {"Prefer": "respond-async", **sent.headers}
    if stores:
        headers["Idempotency-Key"] = sent.fields.get("key") or secrets.token_urlsafe(18)
    answer = await _register(request).send(
        visitor.token,
        "POST",
        f"/v1/imports/{noun}",
        query=_reason(sent.fields.get("reason", "")) | {"dry_run": "false" if stores else "true"},
        content=sent.content,
        headers=headers,
    )
    if not isinstance(answer, Found):
        return await _show_list(request, visitor, answer=answer, noun=noun)
    return RedirectResponse(f"/register/imports/{answer.body['id']}", status_code=303)


@router.get("/register/imports/{import_id}")
async def show_import(request: Request, import_id: str, visitor: SignedIn) -> Response:
    """How far it is, what it would change or has changed, or what is wrong with the file."""
    return await _show_one(request, visitor, import_id)


@router.post("/register/imports/{import_id}/stop")
async def stop_import(request: Request, import_id: str, visitor: SignedIn) -> Response:
    """Stop it before it stores."""
    _check_id(import_id)
    answer = await _register(request).send(visitor.token, "POST", f"/v1/imports/{import_id}/stop")
    if not isinstance(answer, Found):
        return await _show_one(request, visitor, import_id, refusal=answer)
    return RedirectResponse(f"/register/imports/{import_id}", status_code=303)


@router.post("/register/imports/{import_id}/revert")
async def take_back(request: Request, import_id: str, visitor: SignedIn) -> Response:
    """Take it back; what somebody changed since is named."""
    _check_id(import_id)
    typed = read_typed(await request.body())
    key = (typed.get("key") or [""])[0] or secrets.token_urlsafe(18)
    answer = await _register(request).send(
        visitor.token,
        "POST",
        f"/v1/imports/{import_id}/revert",
        query=_reason((typed.get("reason") or [""])[0]),
        headers={"Idempotency-Key": key},
    )
    if not isinstance(answer, Found):
        return await _show_one(request, visitor, import_id, refusal=answer)
    return await _show_one(request, visitor, import_id, taken_back=answer.body)


async def _show_list(
    request: Request, visitor: Visitor, *, mistake: str = "", noun: str = "", answer: Answer | None = None
) -> Response:
    filters = filters_of(request, ("noun", "cursor"))
    query = {"limit": ROWS} | ({"cursor": filters["cursor"]} if filters["cursor"] else {})
    rows = await _register(request).get(visitor.token, "/v1/imports", query)
    words = catalogue.translations(language_of(request))
    return render(
        request,
        "imports/list.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if mistake else _status_of(answer or rows),
        rows=body_of(rows),
        trouble=trouble_of([each for each in (rows, answer) if each is not None and not isinstance(each, Refused)]),
        mistakes=[words.gettext(mistake)] if mistake else _mistakes_of(request, answer),
        importable=_importable(visitor),
        noun=noun or filters["noun"],
        kinds=KINDS,
        states=STATES,
        phases=PHASES,
    )


async def _show_one(
    request: Request,
    visitor: Visitor,
    import_id: str,
    *,
    refusal: Answer | None = None,
    taken_back: dict[str, Any] | None = None,
) -> Response:
    _check_id(import_id)
    answer = await _register(request).get(visitor.token, f"/v1/imports/{import_id}")
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
        may_send=one is not None and one["kind"] in _importable(visitor),
        kinds=KINDS,
        states=STATES,
        phases=PHASES,
    )
    if one is not None and one["state"] == "running":
        response.headers["Refresh"] = AGAIN_S
    return response


async def _mark_mistakes(request: Request, visitor: Visitor, noun: str, sent: Sent) -> Response:
    """The file with its mistakes beside their cells."""
    query = _reason(sent.fields.get("reason", "")) | {"dry_run": "true", "answer": "file"}
    answer = await _register(request).send_for_file(
        visitor.token, f"/v1/imports/{noun}", query=query, content=sent.content, headers=sent.headers
    )
    if not isinstance(answer, httpx.Response):
        return await _show_list(request, visitor, answer=answer, noun=noun)
    if answer.is_success:
        return await _show_list(request, visitor, mistake=NO_MISTAKES, noun=noun)
    named = answer.headers.get("content-disposition", "attachment")
    headers = {"Content-Type": answer.headers["content-type"], "Content-Disposition": named}
    return Response(answer.content, headers=headers)


def _register(request: Request) -> Caller:
    caller: Caller = request.app.state.callers["inventory"]
    return caller


def _importable(visitor: Visitor) -> dict[str, str]:
    """What files this person may send, each with its word."""
    return {
        path: word
        for path, word in KINDS.items()
        if may_call(visitor.caller, "inventory", "POST", f"/v1/imports/{path}")
    }


def _check_id(import_id: str) -> None:
    if not is_id(import_id):
        raise HTTPException(404)


def _reason(reason: str) -> dict[str, str]:
    return {"reason": reason.strip()} if reason.strip() else {}


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
