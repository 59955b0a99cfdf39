"""`/acts/{service}/{operation}`: the form of an act, and its sending."""

import secrets
from collections.abc import Callable, Iterable

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from nats.errors import Error as NatsError

from console.acts.fields import Field, Kind
from console.acts.nouns import name_record
from console.acts.permitted import may_call
from console.acts.reading import BLANK_ROWS, count_rows
from console.apis.caller import Answer, Found, Refused
from console.drawing.page import language_of, render
from console.forms.form import (
    Form,
    before_of,
    differing,
    fill_form,
    list_options,
    open_form,
    read_typed,
    take_typed,
)
from console.forms.sending import lead_to, place_mistakes, send_form
from console.pages.parts import trouble_of
from console.sign_in.kept_forms import KeptForms
from console.sign_in.required import SignedIn, own_path
from console.sign_in.visitor import SessionsAwayError, Visitor
from console.words import catalogue

router = APIRouter()

SERVICES = ("inventory", "reporting")
TYPED = "application/x-www-form-urlencoded"
type Narrow = Callable[[Form], None]


@router.get("/acts/{service}/{name}")
async def show_form(request: Request, service: str, name: str, visitor: SignedIn) -> Response:
    """Show the form, empty or with its record; what was typed before a session ended stands in it again."""
    return await show(request, service, name, visitor)


async def show(request: Request, service: str, name: str, visitor: Visitor, narrow: Narrow | None = None) -> Response:
    """Show the form of an act; `narrow` changes what it asks for, or raises HTTPException."""
    form = await _open(request, service, name, visitor, narrow)
    if not isinstance(form, Form):
        return _show_away(request, form)
    if not may_call(visitor.caller, service, form.operation.method, form.operation.path):
        return render(request, "forms/not_yours.html", status=403, title=_title(request, form))
    cookies = request.app.state.cookies
    typed = None
    if (cookie := cookies.read(request, cookies.draft)) is not None:
        typed = await kept_forms(request).take_draft(cookie)
    if typed is not None:
        take_typed(form, read_typed(typed))
    else:
        await fill_form(form)
    response = await _show(request, form, 200)
    if cookie is not None:
        cookies.remove(response, cookies.draft)
    return response


@router.post("/acts/{service}/{name}")
async def carry_out(request: Request, service: str, name: str, visitor: SignedIn) -> Response:
    """Send the form, once; what is refused comes back with what was typed."""
    return await send(request, service, name, visitor)


async def send(request: Request, service: str, name: str, visitor: Visitor, narrow: Narrow | None = None) -> Response:
    """As `show`. Raises HTTPException for what no form of ours sends."""
    if not request.headers.get("content-type", "").startswith(TYPED):
        raise HTTPException(415)
    try:
        typed = read_typed(await request.body())
    except ValueError:
        raise HTTPException(400) from None
    form = await _open(request, service, name, visitor, narrow)
    if not isinstance(form, Form):
        return _show_away(request, form)
    take_typed(form, typed)
    if form.more:
        return await _show(request, form, 200)
    kept, subject = kept_forms(request), visitor.caller.subject if visitor.caller is not None else ""
    try:
        led_to = await kept.begin(subject, form.key)
        if led_to is not None:
            return RedirectResponse(led_to or "/", status_code=303)
        answer = await send_form(form, visitor)
        if isinstance(answer, Found):
            to = lead_to(request, form, answer)
            await kept.finish(subject, form.key, to)
            if form.act.shows_answer:
                return render(request, "forms/answer.html", title=_title(request, form), answer=answer.body, to=to)
            return RedirectResponse(to, status_code=303)
        await kept.release(subject, form.key)
    except (NatsError, TimeoutError) as error:
        raise SessionsAwayError(type(error).__name__) from None
    if answer is None:
        return await _show(request, form, 422)
    if isinstance(answer, Refused):
        # A service remembers a key with its refusal: what is mended is another form.
        form.key = secrets.token_urlsafe(18)
    return await _show(request, form, answer.status if isinstance(answer, Refused) else 503)


async def _open(
    request: Request, service: str, name: str, visitor: Visitor, narrow: Narrow | None = None
) -> Form | Answer:
    """Open the form of an act. Raises HTTPException where there is none."""
    form = await open_form(request, service, name, visitor) if service in SERVICES else None
    if form is None:
        raise HTTPException(404)
    if narrow is not None and isinstance(form, Form):
        narrow(form)
    return form


def _show_away(request: Request, answer: Answer) -> Response:
    """Show that the record is not there, or that its service is away."""
    status = answer.status if isinstance(answer, Refused) else 503
    return render(request, "forms/away.html", status=status, trouble=trouble_of([answer]))


async def _show(request: Request, form: Form, status: int) -> Response:
    await list_options(form)
    language = language_of(request)
    at, general = place_mistakes(form, language, input_names(form, form.all_fields))
    words = catalogue.translations(language)
    for mistake in form.mistakes:
        if mistake.name:
            at[mistake.name] = words.gettext(mistake.text)
        else:
            general.append(words.gettext(mistake.text))
    return render(
        request,
        "forms/form.html",
        status=status,
        title=_title(request, form),
        form=form,
        about=name_record(form.record) if form.record is not None else "",
        at=at,
        general=general,
        before=before_of(form),
        differing=differing(form) if form.theirs is not None else [],
        trouble=trouble_of([form.refusal])
        if form.refusal is not None and not isinstance(form.refusal, Refused)
        else [],
        text_of=lambda name: (form.typed.get(name) or [""])[0],
        rows_of=lambda name: count_rows(name, form.typed) + BLANK_ROWS * (2 if form.more else 1),
        back=own_path(form.values.get("back")),
    )


def input_names(form: Form, fields: Iterable[Field], prefix: str = "") -> list[str]:
    """Every input of the form, in order."""
    names = []
    for field in fields:
        name = prefix + field.name
        if field.kind is Kind.GROUP:
            names += input_names(form, field.fields, name + ".")
        elif field.kind is Kind.ROWS:
            for row in range(count_rows(name, form.typed) + BLANK_ROWS):
                names += input_names(form, field.fields, f"{name}.{row}.")
        else:
            names.append(name)
    return names


def _title(request: Request, form: Form) -> str:
    words = catalogue.translations(language_of(request))
    noun = words.gettext(form.act.noun) if form.act.noun else ""
    return words.gettext(form.act.title).replace("{noun}", noun)


def kept_forms(request: Request) -> KeptForms:
    """Return the kept forms. Raises SessionsAwayError while NATS has not been reached yet."""
    kept: KeptForms | None = request.app.state.kept
    if kept is None:
        msg = "NATS"
        raise SessionsAwayError(msg)
    return kept
