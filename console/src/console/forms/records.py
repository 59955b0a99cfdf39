"""`/register`: the nouns; `/register/{noun}`: their records; `/register/{noun}/{id}`: one, its history and its acts."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from console.acts.contracts import Contract, Contracts, Operation
from console.acts.declared import OTHERS
from console.acts.fields import Field, Kind, fields_of
from console.acts.inputs import ids_in
from console.acts.lookup import Lookup
from console.acts.nouns import GROUPS, NOUNS, REFERRED, Noun, head_fields, name_record
from console.acts.permitted import may_call
from console.apis.caller import Answer, Caller, Found, Refused
from console.drawing.page import render
from console.pages.parts import Filters, body_of, filters_of, trouble_of
from console.sign_in.required import SignedIn
from console.sign_in.visitor import Visitor
from console.words.catalogue import mark

router = APIRouter()

ROWS = 50
COLUMNS = 6
TOO_LONG = frozenset({Kind.GROUP, Kind.ROWS, Kind.JSON, Kind.PAIRS, Kind.LONG})
"""Kinds of fields that a list has no column for."""
FILTERS = ("q", "status", "facility_id", "as_of", "valid_on", "cursor")
SHOWN_BESIDE = (
    "status", "agreed", "agreed_by", "declared_by", "approved_by", "approved_at", "cancelled_by", "cancelled_at",
    "settled_by", "access_recorded_by", "briefing_recorded_by", "recorded_by", "written_by", "created_by", "created_at",
    "changed_at", "revision",
)  # fmt: skip
"""Of a record, beside what is written of it."""
DOCUMENTS = {
    "surveys": {"minutes.docx": mark("minutes"), "status-report.docx": mark("report on how it stands")},
    "connection-plans": {"plan.docx": mark("connection plan")},
    "installation-proposals": {"submission.docx": mark("submission")},
}


@router.get("/register")
async def list_nouns(request: Request, visitor: SignedIn) -> Response:
    """Every noun that the person reads, in groups."""
    seen = [each for each in NOUNS.values() if may_call(visitor.caller, "inventory", "GET", f"/v1/{each.path}")]
    return render(
        request,
        "register/nouns.html",
        groups=[(group, [each for each in seen if each.group == group]) for group in GROUPS],
    )


@router.get("/register/{noun}")
async def list_records(request: Request, noun: str, visitor: SignedIn) -> Response:
    """List records of a noun by words, state and facility; of an instant or a day where the address has one."""
    known = _noun(noun)
    inventory: Caller = request.app.state.callers["inventory"]
    contract = await _contract(request, visitor)
    filters = filters_of(request, FILTERS)
    taken = _select_filters(contract, noun, filters)
    answer = await inventory.get(visitor.token, f"/v1/{noun}", {**taken, "limit": ROWS, "total": "true"})
    fields = _fields(contract, known)
    items = answer.body["items"] if isinstance(answer, Found) else []
    columns = choose_columns(fields, items)
    names = await Lookup(inventory, visitor.token).name_ids(
        reference for row in items for reference in ids_in(columns, row)
    )
    return render(
        request,
        "register/records.html",
        status=answer.status if isinstance(answer, Refused) else 200,
        noun=known,
        filters=filters,
        trouble=trouble_of([answer]),
        rows=body_of(answer),
        columns=columns,
        states=_states(contract, known),
        names=names,
        name_record=name_record,
        may_add=_may(visitor, contract, f"add_{known.operation}"),
        may_import=may_call(visitor.caller, "inventory", "POST", f"/v1/imports/{noun}"),
        may_export=may_call(visitor.caller, "inventory", "GET", f"/v1/exports/{noun}.xlsx"),
    )


@router.get("/register/{noun}/{record}")
async def show_record(request: Request, noun: str, record: str, visitor: SignedIn) -> Response:
    """One record: its fields, what may be done with it by this person, and who changed what, when and why."""
    known = _noun(noun)
    inventory: Caller = request.app.state.callers["inventory"]
    filters = filters_of(request, ("as_of",))
    contract, answer, history = await asyncio.gather(
        _contract(request, visitor),
        inventory.get(visitor.token, f"/v1/{noun}/{record}", filters),
        _read_history(inventory, visitor, noun, record),
    )
    fields = _fields(contract, known)
    body = body_of(answer)
    names = await Lookup(inventory, visitor.token).name_ids(ids_in(fields, body)) if body is not None else {}
    return render(
        request,
        "register/record.html",
        status=answer.status if isinstance(answer, Refused) else 200,
        noun=known,
        record=record,
        filters=filters,
        trouble=trouble_of([answer, contract] if not isinstance(contract, Contract) else [answer]),
        found=body,
        title=name_record(body) if body is not None else record,
        fields=[each for each in fields if body is not None and body.get(each.name) not in (None, [], {})],
        beside=[each for each in SHOWN_BESIDE if body is not None and body.get(each) is not None],
        states=_states(contract, known),
        names=names,
        acts=_acts_of(contract, known, visitor),
        documents=DOCUMENTS.get(noun, {}),
        nouns=NOUNS,
        history=history,
        by_name={each.name: each for each in fields},
    )


def choose_columns(fields: Iterable[Field], rows: Sequence[dict[str, Any]]) -> list[Field]:
    """Fields that a list shows beside the head of each row and its state: short ones of which a row has something."""
    return [
        field
        for field in fields
        if field.kind not in TOO_LONG
        and field.name != "status"
        and any(row.get(field.name) and field.name not in head_fields(row) for row in rows)
    ][:COLUMNS]


def _noun(path: str) -> Noun:
    """Find a noun by its path. Raises HTTPException where there is none."""
    if path not in NOUNS:
        raise HTTPException(404)
    return NOUNS[path]


async def _contract(request: Request, visitor: Visitor) -> Contract | Answer:
    contracts: Contracts = request.app.state.contracts
    return await contracts.find("inventory", visitor.token)


async def _read_history(inventory: Caller, visitor: Visitor, noun: str, record: str) -> list[dict[str, Any]] | None:
    """Its changes, the newest first; None where this person reads none."""
    path = f"/v1/{noun}/{{thing_id}}/history"
    if not may_call(visitor.caller, "inventory", "GET", path):
        return None
    answer = await inventory.get(visitor.token, f"/v1/{noun}/{record}/history", {"limit": 50})
    if not isinstance(answer, Found):
        return None
    return [{**each, "changes": _differences(each)} for each in answer.body["items"]]


def _differences(change: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    before, after = change.get("before") or {}, change.get("after") or {}
    passed = {"revision", "etag", "changed_at", "created_at", "id"}
    return [
        (name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if name not in passed and before.get(name) != after.get(name)
    ]


def _fields(contract: Contract | Answer, noun: Noun) -> list[Field]:
    """List what is written of a noun, by the body that adds one."""
    if not isinstance(contract, Contract):
        return []
    operation = contract.operations.get(f"add_{noun.operation}")
    return fields_of(operation.body, contract.schemas, REFERRED) if operation is not None else []


def _states(contract: Contract | Answer, noun: Noun) -> Field | None:
    """Find the states of a noun that has some, with their words."""
    if not isinstance(contract, Contract):
        return None
    operation = contract.operations.get(f"move_{noun.operation}")
    fields = fields_of(operation.body, contract.schemas, REFERRED) if operation is not None else []
    return next((each for each in fields if each.name == "to"), None)


def _select_filters(contract: Contract | Answer, noun: str, filters: Filters) -> dict[str, str]:
    """Those filters of the address that the noun's list has."""
    if not isinstance(contract, Contract):
        return {**filters}
    operation = next(
        (each for each in contract.operations.values() if each.method == "GET" and each.path == f"/v1/{noun}"), None
    )
    return {name: value for name, value in filters.items() if operation is None or name in operation.parameters}


def _acts_of(contract: Contract | Answer, noun: Noun, visitor: Visitor) -> list[tuple[Operation, str]]:
    """List what this person may do with one record, and what it is called; the usual acts first."""
    if not isinstance(contract, Contract):
        return []
    one = f"/v1/{noun.path}/{{thing_id}}"
    usual = {f"change_{noun.operation}": "change", f"move_{noun.operation}": "move"}
    last = {f"remove_{noun.operation}": "remove"}
    found = [
        (each, {**usual, **last}.get(each.name) or OTHERS[each.name].title)
        for each in contract.operations.values()
        if each.method != "GET"
        and each.path.startswith(one)
        and each.path.count("{") == 1
        and (each.name in usual or each.name in last or each.name in OTHERS)
        and may_call(visitor.caller, "inventory", each.method, each.path)
    ]
    order: Iterable[str] = [*usual, "", *last]
    places = {name: place for place, name in enumerate(order)}
    return sorted(found, key=lambda each: places.get(each[0].name, places[""]))


def _may(visitor: Visitor, contract: Contract | Answer, operation: str) -> bool:
    known = contract.operations.get(operation) if isinstance(contract, Contract) else None
    return known is not None and may_call(visitor.caller, "inventory", known.method, known.path)
