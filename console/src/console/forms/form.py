"""One form: what it is about, its fields and what stands in them, and how it is sent."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request

from console.acts.contracts import Contract, Contracts, Operation
from console.acts.declared import Act, act_of
from console.acts.fields import SIMPLE, VALUES, Choice, Field, Kind, choose, fields_of
from console.acts.inputs import ids_in, write_record
from console.acts.lookup import Lookup, is_id
from console.acts.nouns import REFERRED
from console.acts.reading import Mistake, Typed
from console.apis.caller import Answer, Away, Caller, Found, Loading, Refused
from console.sign_in.visitor import Visitor

KEY, ETAG, BEFORE, MORE = "_key", "_etag", "_before", "_more"
"""Inputs of the form itself."""
BACK = "back"
_OWN = frozenset({KEY, ETAG, BEFORE, MORE})
_CODED = frozenset({"PATCH", "PUT"})


@dataclass(slots=True)
class Form:
    """A form of one act, for one person, at one address."""

    act: Act
    operation: Operation
    fields: list[Field]
    asked: list[Field]
    """Of the query."""
    values: dict[str, str]
    """Of the address: what its path needs, and what is given ahead."""
    caller: Caller
    lookup: Lookup
    typed: dict[str, list[str]] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    """What stood in a record when its form was opened."""
    record: dict[str, Any] | None = None
    etag: str = ""
    key: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    mistakes: list[Mistake] = field(default_factory=list)
    refusal: Refused | Away | Loading | None = None
    theirs: dict[str, list[str]] | None = None
    """What stands in the record now, where somebody else has changed it meanwhile."""
    options: dict[str, list[str]] = field(default_factory=dict)
    more: bool = False

    @property
    def all_fields(self) -> list[Field]:
        return [*self.fields, *self.asked]

    @property
    def path(self) -> str:
        return fill_path(self.operation.path, self.values)

    @property
    def is_change(self) -> bool:
        return self.operation.method == "PATCH"


def fill_path(path: str, values: Mapping[str, str]) -> str:
    """Fill in the parts of a path; what is no plain word stays out of it."""
    for name, value in values.items():
        if value and all(each.isalnum() or each in "-_." for each in value) and set(value) != {"."}:
            path = path.replace(f"{{{name}}}", value)
    return path


async def open_form(request: Request, service: str, name: str, visitor: Visitor) -> Form | Answer | None:
    """Open the form at an address, with what its record has; None: there is no such act."""
    contracts: Contracts = request.app.state.contracts
    contract = await contracts.find(service, visitor.token)
    if not isinstance(contract, Contract):
        return contract
    operation = contract.operations.get(name)
    act = act_of(operation) if operation is not None else None
    if operation is None or act is None:
        return None
    values = {key: value[:200] for key, value in request.query_params.items()}
    caller: Caller = request.app.state.callers[service]
    form = Form(
        act,
        operation,
        _fields(act, operation, contract, values),
        choose(_query_fields(operation, contract), act.asks) if act.asks else [],
        values,
        caller,
        Lookup(request.app.state.callers["inventory"], visitor.token),
    )
    refused = await load_record(form, visitor.token)
    if refused is not None:
        return refused
    return form


def _fields(act: Act, operation: Operation, contract: Contract, values: Mapping[str, str]) -> list[Field]:
    every = fields_of(operation.body, contract.schemas, REFERRED)
    variant = act.variants.get(values.get("act", ""))
    chosen = choose(every, variant.fields if variant is not None else act.fields)
    if variant is None or not variant.states:
        return chosen
    states = contract.schemas[variant.states]
    words = states.get(VALUES, {})
    choices = tuple(Choice(value, words.get(value, "")) for value in states["enum"])
    return [
        Field(each.name, Kind.CHOICE, each.vietnamese, choices=choices, required=True) if each.name == "to" else each
        for each in chosen
    ]


def _query_fields(operation: Operation, contract: Contract) -> list[Field]:
    schema = {"properties": operation.parameters}
    return fields_of(schema, contract.schemas, REFERRED)


async def load_record(form: Form, token: str) -> Answer | None:
    """Load the record that the form changes: the form begins with what stands in it. Else return why there is none."""
    path = form.operation.path
    if "{" not in path:
        return None
    one = path[: path.index("}") + 1]
    if form.operation.method not in _CODED and "If-Match" not in form.operation.headers:
        return None
    answer = await form.caller.get(token, fill_path(one, form.values))
    if not isinstance(answer, Found):
        return answer
    form.record = answer.body
    form.etag = str(answer.body.get("etag") or answer.etag or "")
    if form.operation.method in _CODED and path == one:
        codes = await form.lookup.name_ids(ids_in(form.fields, answer.body))
        form.before = write_record(form.fields, answer.body, codes)
    return None


async def fill_form(form: Form) -> None:
    """With what stands in the record, and what its address gives ahead."""
    form.typed = dict(form.before)
    if not form.before:
        form.typed = defaults_of(form)
    given = {each.name: form.values[each.name] for each in form.fields if form.values.get(each.name)}
    nouns = [
        (each.noun, given[each.name])
        for each in form.fields
        if each.kind is Kind.REFERENCE and is_id(given.get(each.name, ""))
    ]
    codes = await form.lookup.name_ids(nouns)
    form.typed |= {name: [codes.get(value, value)] for name, value in given.items()}


def defaults_of(form: Form) -> dict[str, list[str]]:
    """Write what the service takes by itself, as it stands in the inputs."""
    defaults = {each.name: each.default for each in form.fields if each.default is not None}
    return write_record(form.fields, defaults, {})


async def list_options(form: Form) -> None:
    """List what may be chosen for each reference."""
    form.options = await form.lookup.list_options(_nouns(form.all_fields))


def _nouns(fields: list[Field]) -> list[str]:
    found = []
    for each in fields:
        if each.kind in SIMPLE and each.noun:
            found.append(each.noun)
        found += _nouns([*each.fields])
    return found


def read_typed(body: bytes) -> dict[str, list[str]]:
    """Parse what a browser sent of a form. Raises ValueError for what is no form."""
    return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20_000)


def take_typed(form: Form, typed: dict[str, list[str]]) -> None:
    """Take over what was typed, and what the form itself noted when it was opened."""
    form.key = (typed.get(KEY) or [form.key])[0][:100] or form.key
    form.etag = (typed.get(ETAG) or [form.etag])[0][:200]
    form.more = MORE in typed
    form.before = _read_before((typed.get(BEFORE) or ["{}"])[0])
    form.typed = {name: values for name, values in typed.items() if name not in _OWN}


def _read_before(text: str) -> dict[str, list[str]]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(given, dict):
        return {}
    return {str(name): [str(each) for each in values] for name, values in given.items() if isinstance(values, list)}


def before_of(form: Form) -> str:
    """Write what stood in the record, as the form carries it along."""
    filled = {name: values for name, values in form.before.items() if any(values)}
    return json.dumps(filled, ensure_ascii=False, separators=(",", ":")) if form.is_change else "{}"


def differing(form: Form) -> list[tuple[Field, str, str, str]]:
    """Of a lost update: each field that differs, before, theirs and yours."""
    theirs: Typed = form.theirs or {}

    def text(values: Typed, name: str) -> str:
        parts = [each for key in sorted(values) if key == name or key.startswith(name + ".") for each in values[key]]
        return "\n".join(each for each in parts if each)

    rows = [
        (each, text(form.before, each.name), text(theirs, each.name), text(form.typed, each.name))
        for each in form.fields
    ]
    return [row for row in rows if not row[1] == row[2] == row[3]]
