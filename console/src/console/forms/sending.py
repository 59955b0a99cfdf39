"""Sending a form: once, with what was typed as the service takes it; a refusal comes back to its fields."""

from typing import Any

from fastapi import Request

from console.acts.fields import Kind
from console.acts.inputs import changed_fields
from console.acts.nouns import NOUNS
from console.acts.reading import Mistake, read_body, references
from console.apis.caller import Answer, Found, Refused
from console.forms.form import Form, defaults_of, fill_path, load_record
from console.sign_in.required import own_path
from console.sign_in.visitor import Visitor
from console.words.catalogue import mark

NOTHING = mark("Nothing was changed.")
OVERTAKEN = frozenset({409, 412})


async def send_form(form: Form, visitor: Visitor) -> Answer | None:
    """Send the form; None instead of the answer: what was typed cannot be sent, and the form has its mistakes."""
    fields = changed_fields(form.fields, form.before if form.is_change else defaults_of(form), form.typed)
    if not form.is_change:
        # What stands as the service has it by itself is left to it.
        fields = [each for each in form.fields if each.required or each in fields or form.before]
    ids = await form.lookup.find_ids(references([*fields, *form.asked], form.typed))
    body, mistakes = read_body(fields, form.typed, ids)
    asked, more = read_body(form.asked, form.typed, ids)
    form.mistakes = mistakes + more
    if form.is_change and not fields and not form.mistakes:
        form.mistakes.append(Mistake("", NOTHING))
    if form.mistakes:
        return None
    if form.is_change:
        _empty_fields(form, fields, body)
        if form.mistakes:
            return None
    headers = {}
    if "Idempotency-Key" in form.operation.headers:
        headers["Idempotency-Key"] = form.key
    if "If-Match" in form.operation.headers:
        headers["If-Match"] = form.etag
    query = {name: _in_query(value) for name, value in asked.items()} | _query_of(form)
    answer = await form.caller.send(
        visitor.token,
        form.operation.method,
        form.path,
        query=query,
        body=body if form.operation.body is not None else None,
        headers=headers,
    )
    if isinstance(answer, Refused):
        await _take_refusal(form, answer, visitor)
    elif not isinstance(answer, Found):
        form.refusal = answer
    return answer


def _query_of(form: Form) -> dict[str, str]:
    """Parameters that the address gives: the version of a report."""
    named = form.operation.parameters.keys() & {"version"}
    return {name: form.values[name] for name in named if form.values.get(name)}


def _in_query(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _empty_fields(form: Form, fields: list[Any], body: dict[str, Any]) -> None:
    """Set what was emptied to null, or to an empty list."""
    for each in fields:
        if each.name not in body:
            lists = {Kind.CHOICES, Kind.LINES, Kind.ROWS, Kind.REFERENCES}
            body[each.name] = [] if each.kind in lists and not each.nullable else None


async def _take_refusal(form: Form, answer: Refused, visitor: Visitor) -> None:
    form.refusal = answer
    if answer.status not in OVERTAKEN or "If-Match" not in form.operation.headers:
        return
    sent, opened = form.etag, form.before
    if await load_record(form, visitor.token) is None and form.etag != sent:
        # Somebody else was first: their record, and what the person saw and typed, side by side.
        form.theirs = form.before
    form.before = opened


def place_mistakes(form: Form, language: str, names: list[str]) -> tuple[dict[str, str], list[str]]:
    """Place what the service said at the input that it is about; what is about none comes after."""
    at: dict[str, str] = {}
    general: list[str] = []
    if not isinstance(form.refusal, Refused):
        return at, general
    vietnamese = language == "vi"
    for mistake in form.refusal.mistakes:
        text = mistake.message_vi if vietnamese else mistake.message
        name = find_input(mistake.field, names)
        if name is None:
            general.append(f"{mistake.field}: {text}")
        else:
            at[name] = f"{at[name]} {text}" if name in at else text
    if not form.refusal.mistakes:
        general.append(form.refusal.detail_vi if vietnamese else form.refusal.detail)
    return at, general


def find_input(field: str, names: list[str]) -> str | None:
    """Find the input that a service's path of a field is about: itself, the one it stands in, or its first part."""
    parts = field.replace("[", ".").replace("]", "").removeprefix("body.").split(".")
    while parts:
        name = ".".join(parts)
        if name in names:
            return name
        if (within := next((each for each in names if each.startswith(name + ".")), None)) is not None:
            return within
        parts.pop()
    return None


def lead_to(request: Request, form: Form, answer: Found) -> str:
    """Where a person goes after the act: back, or to what was made; with what was done in the address."""
    back = "" if form.operation.method == "DELETE" else form.values.get("back", "")
    values = {
        **form.values,
        **{name: str(value) for name, value in answer.body.items() if isinstance(value, str | int)},
    }
    if "thing_id" in form.values:
        values.setdefault("id", form.values["thing_id"])
    path = own_path(back) if back else fill_path(form.act.after or "/", values)
    if "{" in path:
        path = "/"
    return f"{path}{'&' if '?' in path else '?'}done={form.operation.name}"


def noun_of(form: Form) -> str:
    """Find the path of the noun that an act is about, "" for none."""
    parts = form.operation.path.split("/")
    return parts[2] if form.operation.service == "inventory" and parts[2] in NOUNS else ""
