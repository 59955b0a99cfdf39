"""`/survey/{language}/`: the page itself, without a word about anybody, and the service worker that keeps it.

The page is the same for everyone, signed in or not: what a browser keeps of it says nothing of anybody. Whatever is
about surveys and people comes by `sheets`, and lies in the browser's database until its person signs out.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from console.drawing.page import TEMPLATES, language_of, render
from console.words import catalogue
from console.words.catalogue import mark

router = APIRouter()

STATIC = Path(__file__).parents[1] / "static"
SCOPE = "/survey/"
PERMISSIONS = "camera=(), microphone=(), geolocation=(self), payment=()"
"""This page alone may ask for the position; its photos come by the phone's own camera app."""
WORDS = {
    "nothing_waits": mark("Nothing waits to be sent."),
    "waits": mark("{n} waiting to be sent"),
    "offline": mark("No network: what you fill in is kept on this phone, and sent by itself later."),
    "away": mark("The server does not answer now; what waits is sent again by itself."),
    "sending": mark("Sending…"),
    "ready": mark("This page opens without a network. Surveys on this phone: {n}."),
    "not_ready": mark("Not ready for work without a network yet: stay connected until this line changes."),
    "sign_in": mark("Your sign-in has ended. What you filled in stays on this phone: sign in, then it is sent."),
    "not_yours": mark("Your account may not fill in surveys."),
    "of_others": mark("{n} of another person stay on this phone until that person signs in."),
    "saved": mark("Saved on this phone at {time}."),
    "not_saved": mark("This could not be saved: the phone has no room. Free some, and type it again."),
    "draft": mark("being filled in"),
    "waiting": mark("waiting to be sent"),
    "attempted": mark("was sent, the answer is still missing: it is asked for again"),
    "refused": mark("refused: open, correct, send again"),
    "sent": mark("submitted at {time}"),
    "photos_left": mark("photos still to send: {n}"),
    "photos_lacking": mark("photos that lie on another phone: {n}"),
    "open": mark("Open it"),
    "fill_in": mark("Fill in"),
    "go_on": mark("Continue"),
    "delete": mark("Delete"),
    "delete_sure": mark("Delete what was filled in, with its photos? It was not sent."),
    "needed": mark("needed"),
    "needed_here": mark("This is needed."),
    "nothing": mark("(nothing)"),
    "yes": mark("yes"),
    "no": mark("no"),
    "one_a_line": mark("One a line."),
    "add_row": mark("Add"),
    "remove_row": mark("Remove row {n}"),
    "caption": mark("What photo {n} shows"),
    "remove_photo": mark("Remove photo {n}"),
    "photo": mark("Photo {n}"),
    "photo_before": mark("{name}: handed in already"),
    "photo_full": mark("This photo does not fit on the phone any more. What you typed is kept. Free some room."),
    "photo_broken": mark("This is no picture that the browser can read."),
    "photo_twice": mark("This photo is there already."),
    "photo_many": mark("More photos do not fit into one survey."),
    "position_asked": mark("Asking for the position…"),
    "position_failed": mark("The phone gave no position. The survey is complete without it."),
    "elsewhere": mark("This survey was sent or deleted in another window."),
}


@router.get("/survey")
@router.get("/survey/")
async def choose_shell(request: Request) -> Response:
    """Choose the page in the language of the browser's cookie."""
    return RedirectResponse(f"{SCOPE}{language_of(request)}/", status_code=303)


@router.get("/survey/worker.js")
async def give_worker() -> Response:
    """Send the service worker; another one as soon as anything that it keeps is another."""
    return Response(_worker(), media_type="text/javascript", headers={"Cache-Control": "no-cache"})


@router.get("/survey/{language}/")
async def show_shell(request: Request, language: str) -> Response:
    """Show the page, which its script fills."""
    if language not in catalogue.LANGUAGES:
        raise HTTPException(404)
    request.state.language = language
    words = catalogue.translations(language)
    response = render(
        request, "survey/shell.html", texts={name: words.gettext(text) for name, text in WORDS.items()}, scope=SCOPE
    )
    response.headers["Permissions-Policy"] = PERMISSIONS
    return response


@cache
def _worker() -> bytes:
    script = (STATIC / "service_worker.js").read_bytes()
    scripts = sorted((STATIC / "survey").glob("*.js"))
    files = [STATIC / "console.css", STATIC / "icon.svg", *scripts]
    digest = hashlib.sha256(script)
    for path in (*files, TEMPLATES / "base.html", TEMPLATES / "survey" / "shell.html", catalogue.FOLDER / "vi.po"):
        digest.update(path.read_bytes())
    kept = [f"{SCOPE}{language}/" for language in catalogue.LANGUAGES]
    kept += [f"/static/{path.relative_to(STATIC).as_posix()}" for path in files]
    head = f'const VERSION = "survey-{digest.hexdigest()[:16]}";\nconst KEPT = {json.dumps(kept)};\n'
    return head.encode() + script
