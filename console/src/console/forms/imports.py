"""`/register/imports`: a file of many rows is checked, compared field by field, stored, stopped and taken back."""

import secrets

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from console.acts.sent_forms import Sent, read_sent
from console.apis.caller import Found
from console.forms.form import read_typed
from console.forms.import_pages import check_id, importable_by, register_of, show_list, show_one
from console.sign_in.required import SignedIn
from console.sign_in.visitor import Visitor
from console.words.catalogue import mark

router = APIRouter()

NO_FILE = mark("Choose a file.")
NO_NOUN = mark("Choose what the file has rows of.")
OTHER_FILE = mark("This is another file than the one that was checked: check it first.")
NO_MISTAKES = mark("The register found no mistake in this file.")


@router.get("/register/imports")
async def list_imports(request: Request, visitor: SignedIn) -> Response:
    """List the imports that the person sees, the newest first, with the form for another one."""
    return await show_list(request, visitor)


@router.post("/register/imports")
async def hand_in_file(request: Request, visitor: SignedIn) -> Response:
    """Check a file, store one that was checked, or have its mistakes marked in it."""
    sent = read_sent(request.headers.get("content-type", ""), await request.body())
    noun, step = sent.fields.get("noun", ""), sent.fields.get("step", "check")
    if noun not in importable_by(visitor):
        return await show_list(request, visitor, mistake=NO_NOUN)
    if not sent.content:
        return await show_list(request, visitor, mistake=NO_FILE, noun=noun)
    if step == "mark":
        return await _mark_mistakes(request, visitor, noun, sent)
    stores = step == "store"
    if stores and sent.fields.get("checked") != sent.sha256:
        return await show_list(request, visitor, mistake=OTHER_FILE, noun=noun)
    headers = {"Prefer": "respond-async", **sent.headers}
    if stores:
        headers["Idempotency-Key"] = sent.fields.get("key") or secrets.token_urlsafe(18)
    answer = await register_of(request).send(
        visitor.token,
        "POST",
        f"/v1/imports/{noun}",
        query=_reason(sent.fields.get("reason", "")) | {"dry_run": "false" if stores else "true"},
        content=sent.content,
        headers=headers,
    )
    if not isinstance(answer, Found):
        return await show_list(request, visitor, answer=answer, noun=noun)
    return RedirectResponse(f"/register/imports/{answer.body['id']}", status_code=303)


@router.get("/register/imports/{import_id}")
async def show_import(request: Request, import_id: str, visitor: SignedIn) -> Response:
    """How far it is, what it would change or has changed, or what is wrong with the file."""
    return await show_one(request, visitor, import_id)


@router.post("/register/imports/{import_id}/stop")
async def stop_import(request: Request, import_id: str, visitor: SignedIn) -> Response:
    """Stop it before it stores."""
    check_id(import_id)
    answer = await register_of(request).send(visitor.token, "POST", f"/v1/imports/{import_id}/stop")
    if not isinstance(answer, Found):
        return await show_one(request, visitor, import_id, refusal=answer)
    return RedirectResponse(f"/register/imports/{import_id}", status_code=303)


@router.post("/register/imports/{import_id}/revert")
async def take_back(request: Request, import_id: str, visitor: SignedIn) -> Response:
    """Take it back; what somebody changed since is named."""
    check_id(import_id)
    typed = read_typed(await request.body())
    key = (typed.get("key") or [""])[0] or secrets.token_urlsafe(18)
    answer = await register_of(request).send(
        visitor.token,
        "POST",
        f"/v1/imports/{import_id}/revert",
        query=_reason((typed.get("reason") or [""])[0]),
        headers={"Idempotency-Key": key},
    )
    if not isinstance(answer, Found):
        return await show_one(request, visitor, import_id, refusal=answer)
    return await show_one(request, visitor, import_id, taken_back=answer.body)


async def _mark_mistakes(request: Request, visitor: Visitor, noun: str, sent: Sent) -> Response:
    """Mark the mistakes of the file beside their cells."""
    query = _reason(sent.fields.get("reason", "")) | {"dry_run": "true", "answer": "file"}
    answer = await register_of(request).send_for_file(
        visitor.token, f"/v1/imports/{noun}", query=query, content=sent.content, headers=sent.headers
    )
    if not isinstance(answer, httpx.Response):
        return await show_list(request, visitor, answer=answer, noun=noun)
    if answer.is_success:
        return await show_list(request, visitor, mistake=NO_MISTAKES, noun=noun)
    named = answer.headers.get("content-disposition", "attachment")
    headers = {"Content-Type": answer.headers["content-type"], "Content-Disposition": named}
    return Response(answer.content, headers=headers)


def _reason(reason: str) -> dict[str, str]:
    return {"reason": reason.strip()} if reason.strip() else {}
