"""Pages from Jinja2 templates, everything escaped, in the language of the visitor."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.acts.declared import service_of
from console.acts.fields import Field, Kind
from console.acts.inputs import write_instant
from console.acts.permitted import may_act
from console.acts.uploads import may_upload
from console.acts.words import FIELDS, name_choice, name_field, name_value
from console.drawing import signs, strips
from console.drawing.places import done_of, places_of
from console.words import catalogue, dates, states
from vonggac.decree.naming import name_person

TEMPLATES = Path(__file__).parents[1] / "templates"


@cache
def environment(language: str) -> Environment:
    """Build the templates with the words of a language. What a template misses is an error, never an empty place."""
    words = catalogue.translations(language)
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined] # of the extension

    def since(text: str | None, now: datetime) -> str:
        moment = dates.parse_time(text)
        return "" if moment is None else dates.write_duration(now - moment, words)

    made.globals.update(
        language=language,
        sign=signs.pair,
        figure_sign=signs.pair_within,
        bar=strips.connection_bar,
        state_word=lambda key: states.name_in(states.STATES, key, words),
        connection_word=lambda key: states.name_in(states.CONNECTIONS, key, words),
        compliance_word=lambda key: states.name_in(states.COMPLIANCE, key, words),
        delivery_word=lambda key: states.name_in(states.DELIVERIES, key, words),
        service_word=lambda key: states.name_in(states.SERVICES, key, words),
        role_word=lambda key: states.name_in(states.ROLES, key, words),
        cause_word=lambda cause: states.name_cause(cause, language, words),
        advice=lambda cause: states.advise(cause, language),
        since=since,
        duration=lambda seconds: dates.write_duration(timedelta(seconds=seconds), words),
        day=lambda text: "" if text is None else dates.write_day(datetime.fromisoformat(text)),
        moment=lambda text: "" if text is None else dates.write_time(datetime.fromisoformat(text)),
        amount=lambda number, digits=0: dates.write_amount(number, language, digits),
        query=query,
        who=name_person,
        actor=name_actor,
        label=lambda field: name_field(field, language, words),
        plain_label=lambda name: name_field(Field(name, Kind.TEXT), language, words),
        choice_word=lambda choice: name_choice(choice, language, words),
        value_word=lambda field, value: name_value(field, value, language, words),
        known_fields=FIELDS,
        call_outcomes=states.CALLS,
        new_key=partial(secrets.token_urlsafe, 18),
        service_of=service_of,
    )
    made.filters["local_instant"] = local_instant
    return made


def query(given: dict[str, str], **changed: str | None) -> str:
    """Build the query of the address with some parameters changed; None takes one away."""
    kept = {name: value for name, value in {**given, **changed}.items() if value}
    return "?" + urlencode(kept) if kept else "?"


def name_actor(record: Mapping[str, Any], field: str) -> str:
    """Who did it, of a record of the register: name and post as they were then, with the login."""
    login: str = record[field]
    person = (record.get("named") or {}).get(field)
    return name_person(login, person["name"], person["post"]) if person is not None else login


def without_done(request: Request) -> str:
    """Build the address to come back to."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "done"]
    return request.url.path + (f"?{urlencode(kept)}" if kept else "")


def local_instant(text: str) -> str:
    """Format an instant as the input of a browser has it; anything else stays as it is."""
    try:
        return write_instant(text) if datetime.fromisoformat(text).tzinfo is not None else text
    except ValueError:
        return text


def language_of(request: Request) -> str:
    """Of the address, where it says one, else of the cookie."""
    given = getattr(request.state, "language", None)
    return catalogue.choose_language(given or request.cookies.get(request.app.state.cookies.language))


def render(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Render the page of a template; `values` are its own, beside who is signed in, where, and when."""
    visitor = getattr(request.state, "visitor", None)
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    caller = visitor.caller if visitor is not None else None
    common = {
        "may": partial(may_act, caller),
        "may_upload": partial(may_upload, caller),
        "places": places_of(caller) if visitor is not None else [],
        "was_done": done_of(request.query_params.get("done", "")),
        "address_plain": without_done(request),
        "home": getattr(request.state, "home", "/"),
        "visitor_name": visitor.name if visitor is not None else None,
        "province": request.app.state.settings.province,
        "path": request.url.path,
        "address": address,
        "now": datetime.fromtimestamp(request.app.state.unix_s(), dates.LOCAL),
    }
    text = environment(language_of(request)).get_template(template).render(common | values)
    return HTMLResponse(text, status_code=status, headers={"Content-Language": language_of(request)})
