"""`/acts/call`: that somebody was called, noted in the journal; the form stands on every page that says whom to call.

Who noted it and when is recorded by the register itself. The note is Vietnamese, as records are.
"""

import secrets

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from nats.errors import Error as NatsError

from console.acts.lookup import is_id
from console.apis.caller import Answer, Found, Refused
from console.drawing.page import render
from console.forms.form import KEY, read_typed
from console.forms.routes import kept_forms
from console.pages.parts import Filters, filters_of, inventory_of, trouble_of
from console.sign_in.required import SignedIn, own_path
from console.sign_in.visitor import SessionsAwayError
from console.words import catalogue
from console.words.states import CALLS

router = APIRouter()

ABOUT = ("about_noun", "about_id", "who", "of")
"""Of the address: what the call was about, and whom; beside them `back`, the page that it was noted on."""
NOUNS = frozenset({"facility", "camera", "destination"})
MOST_TEXT = 500


@router.get("/acts/call")
async def show_call(request: Request, visitor: SignedIn) -> Response:
    """Show the form by itself: after a sign-in, what was typed stands in it again."""
    cookies = request.app.state.cookies
    note, cookie = "", cookies.read(request, cookies.draft)
    if cookie is not None:
        typed = await kept_forms(request).take_draft(cookie)
        note = _first(read_typed(typed), "note") if typed is not None else ""
    response = _show(request, note)
    if cookie is not None:
        cookies.remove(response, cookies.draft)
    return response


@router.post("/acts/call")
async def note_call(request: Request, visitor: SignedIn) -> Response:
    """Note it, once, and go back to the page that it was noted on."""
    try:
        typed = read_typed(await request.body())
    except ValueError:
        raise HTTPException(400) from None
    about, outcome, key = _about(request), _first(typed, "outcome"), _first(typed, KEY)
    note = _first(typed, "note")[:MOST_TEXT]
    if about["about_noun"] not in NOUNS or not is_id(about["about_id"]) or outcome not in CALLS or not key:
        raise HTTPException(400)
    kept, subject = kept_forms(request), visitor.caller.subject if visitor.caller is not None else ""
    back = own_path(about["back"])
    to = f"{back}{'&' if '?' in back else '?'}done=add_journal_entry"
    try:
        if await kept.begin(subject, key) is not None:
            return RedirectResponse(to, status_code=303)
        answer = await inventory_of(request).caller.send(
            visitor.token,
            "POST",
            "/v1/journal-entries",
            body={
                "about_noun": about["about_noun"],
                "about_id": about["about_id"],
                "text": write_call(about["who"], about["of"], outcome, note),
            },
            headers={"Idempotency-Key": key},
        )
        if isinstance(answer, Found):
            await kept.finish(subject, key, to)
            return RedirectResponse(to, status_code=303)
        await kept.release(subject, key)
    except (NatsError, TimeoutError) as error:
        raise SessionsAwayError(type(error).__name__) from None
    return _show(request, note, answer)


def write_call(who: str, of: str, outcome: str, note: str) -> str:
    """Write the note of a call: whom, what about, how it ended and what was said."""
    vietnamese = catalogue.translations(catalogue.VIETNAMESE)
    about = vietnamese.gettext(" about {of}").format(of=of) if of else ""
    text = vietnamese.gettext("Called {who}{about}: {outcome}.").format(
        who=who, about=about, outcome=vietnamese.gettext(CALLS[outcome])
    )
    return f"{text} {note}".strip()


def _show(request: Request, note: str, answer: Answer | None = None) -> Response:
    status = 200 if answer is None else answer.status if isinstance(answer, Refused) else 503
    return render(
        request,
        "forms/call.html",
        status=status,
        about=_about(request),
        note=note,
        key=secrets.token_urlsafe(18),
        trouble=trouble_of([answer]) if answer is not None else [],
    )


def _about(request: Request) -> Filters:
    return Filters({**filters_of(request, ABOUT), "back": own_path(request.query_params.get("back"))})


def _first(typed: dict[str, list[str]], name: str) -> str:
    return (typed.get(name) or [""])[0].strip()
