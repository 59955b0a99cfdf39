"""`/acts/upload/{kind}`: a signed paper, a scan or a photo goes to the service that keeps it."""

import hashlib

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from console.acts.lookup import is_id
from console.acts.sent_forms import read_sent
from console.acts.uploads import METHOD, UPLOADS, Upload, may_upload, media_type_of
from console.apis.caller import Answer, Caller, Found, Refused
from console.drawing.page import language_of, render
from console.pages.parts import trouble_of
from console.sign_in.required import SignedIn, own_path
from console.words import catalogue
from console.words.catalogue import mark

router = APIRouter()

NO_FILE = mark("Choose a file.")
NOT_THIS_KIND = mark("This is no file of a kind that is taken here: choose a PDF{images}.")
IMAGES = mark(", a JPEG or a PNG")


@router.get("/acts/upload/{kind}")
async def ask_for_upload(request: Request, kind: str, visitor: SignedIn) -> Response:
    """Show the form that takes the file."""
    upload, _ = _find(request, kind)
    if not may_upload(visitor.caller, kind):
        title = catalogue.translations(language_of(request)).gettext(upload.title)
        return render(request, "forms/not_yours.html", status=403, title=title)
    return _show(request, upload)


@router.post("/acts/upload/{kind}")
async def hand_in(request: Request, kind: str, visitor: SignedIn) -> Response:
    """Hand the file on as it is. Sent twice it is kept once: its service knows it by its digest."""
    upload, thing_id = _find(request, kind)
    content = read_sent(request.headers.get("content-type", ""), await request.body()).content
    if not content:
        return _show(request, upload, NO_FILE)
    media_type = media_type_of(content)
    if media_type not in upload.media_types:
        return _show(request, upload, NOT_THIS_KIND)
    caller: Caller = request.app.state.callers[upload.service]
    path = upload.path.format(thing_id=thing_id, paper_id=thing_id, sha256=hashlib.sha256(content).hexdigest())
    answer = await caller.send(visitor.token, METHOD, path, content=content, headers={"Content-Type": media_type or ""})
    if not isinstance(answer, Found):
        return _show(request, upload, answer=answer)
    back = request.query_params.get("back")
    return RedirectResponse(own_path(back) if back else upload.after.format(thing_id=thing_id), status_code=303)


def _find(request: Request, kind: str) -> tuple[Upload, str]:
    """Find the kind, and what the file is of. Raises HTTPException for what there is not."""
    upload, thing_id = UPLOADS.get(kind), request.query_params.get("thing_id", "")
    if upload is None or not is_id(thing_id):
        raise HTTPException(404)
    return upload, thing_id


def _show(request: Request, upload: Upload, mistake: str = "", answer: Answer | None = None) -> Response:
    words = catalogue.translations(language_of(request))
    images = words.gettext(IMAGES) if len(upload.media_types) > 1 else ""
    mistakes = [words.gettext(mistake).format(images=images)] if mistake else []
    status = 422 if mistake else 200
    if isinstance(answer, Refused):
        status = answer.status
        vietnamese = language_of(request) == catalogue.VIETNAMESE
        mistakes = [each.message_vi if vietnamese else each.message for each in answer.mistakes]
        mistakes = mistakes or [answer.detail_vi if vietnamese else answer.detail]
    elif answer is not None:
        status = 503
    return render(
        request,
        "forms/upload.html",
        status=status,
        title=words.gettext(upload.title),
        accept=",".join(sorted(upload.media_types)),
        mistakes=mistakes,
        trouble=trouble_of([answer]) if answer is not None and not isinstance(answer, Refused) else [],
        back=own_path(request.query_params.get("back")),
    )
