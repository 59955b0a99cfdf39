"""The rules of every write of a noun: references exist, states follow the machine, reasons are given."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, inspect

from inventory.api.nouns.assigned import check_assigned
from inventory.api.nouns.two_eyes import check_two_eyes
from inventory.domain.mandate.acts import find_acts
from inventory.domain.states import REASON, Refusal, StateMachine
from inventory.domain.text import LOGIN_ADVICE, holds_login
from inventory.nouns.noun import Noun
from inventory.nouns.registry import mentioning, noun_named, referring
from inventory.nouns.writer import Write
from inventory.storage.conflicts import invalid, reason_missing, unknown_reference
from inventory.storage.queries.codes import refuse_alike_code
from inventory.storage.queries.references import is_mentioned, refuse_while_referred
from inventory.storage.queries.sight import sees
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Agency, Thing
from vonggac.auth.dependencies import demand_act
from vonggac.events.inventory import AgencyRole
from vonggac.http import FieldError, ProblemError
from vonggac.http.problems import refuse_fields

_ADDRESSES = frozenset({"url", "sub_url", "url_template", "read_back_url_template"})
"""Their logins are split off and sealed."""


async def make_thing(writing: Write, noun: Noun, fields: BaseModel) -> Thing:
    """Store a new thing. Raises ProblemError."""
    _refuse_logins({name: getattr(fields, name) for name in fields.model_fields_set})
    await _check_references(writing.transaction, noun, {name: getattr(fields, name) for name in noun.references})
    await refuse_alike_code(writing.transaction.session, noun.table, dict(fields), None)
    thing = await noun.writer.make(writing, noun.table, fields)
    await check_acts(writing, noun, None, thing)
    await check_assigned(writing, noun, None, thing)
    _check_reason(writing.transaction, noun, None, thing)
    await _call_hooks(writing.transaction, noun, None, thing)
    await check_two_eyes(writing, noun, None, thing)
    await _check_seen(writing.transaction, thing)
    return thing


async def patch_thing(writing: Write, noun: Noun, thing: Thing, patch: Mapping[str, Any]) -> Thing:
    """Change a thing. Raises ProblemError, or ValidationError of its fields as a whole."""
    transaction, before = writing.transaction, copy_of(thing)
    _refuse_logins(patch)
    await _check_references(transaction, noun, {name: patch[name] for name in noun.references if name in patch})
    fields = {name: getattr(before, name, None) for name in noun.fields.model_fields}
    await refuse_alike_code(transaction.session, noun.table, fields | dict(patch), before)
    await noun.writer.change(writing, thing, noun.fields, patch)
    await check_acts(writing, noun, before, thing)
    await check_assigned(writing, noun, before, thing)
    await _check_transition(transaction, noun, before, thing)
    _check_reason(transaction, noun, before, thing)
    await _call_hooks(transaction, noun, before, thing)
    await check_two_eyes(writing, noun, before, thing)
    await _check_seen(transaction, thing)
    return thing


async def remove_thing(writing: Write, noun: Noun, thing: Thing) -> None:
    """Remove a thing that nothing refers to. Raises ProblemError."""
    transaction = writing.transaction
    await check_acts(writing, noun, thing, None)
    if transaction.actor.reason is None:
        raise reason_needed(f"removing the {noun.singular}")
    for other, field in referring(noun):
        if other.name not in noun.owns:
            refers: ColumnElement[bool] = other.table.__table__.c[field] == thing.id
            await refuse_while_referred(transaction.session, other.table, other.label, refers)
    for other, where in mentioning(noun):
        refers = is_mentioned(other.table, where, thing.id)
        await refuse_while_referred(transaction.session, other.table, other.label, refers)
    before = copy_of(thing)
    await noun.writer.remove(writing, thing)
    await _call_hooks(transaction, noun, before, None)


def _refuse_logins(values: Mapping[str, Any]) -> None:
    """Refuse new text that holds a login; what is on record already stays as it is."""
    errors = [
        FieldError(field=path, message=LOGIN_ADVICE)
        for name, value in values.items()
        if name not in _ADDRESSES
        for path, text in _texts(name, value)
        if holds_login(text)
    ]
    if errors:
        raise refuse_fields(errors)


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, BaseModel):
        yield from _texts(path, dict(value))
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _texts(f"{path}.{name}", each)
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from _texts(f"{path}.{place}", each)


async def check_acts(writing: Write, noun: Noun, before: Any | None, after: Any | None) -> None:
    """Raise ProblemError 403 when the write is an act that its caller does not decide (`vonggac.auth.policy`)."""
    for act in sorted(find_acts(noun.name, before, after)):
        owner = await _owner_of(writing, noun, before)
        owed_by = owner.id if owner is not None else None
        by_lead = owner is not None and owner.role is AgencyRole.LEAD
        demand_act(f"/v1/{noun.path}", writing.caller, act, owed_by=owed_by, by_lead=by_lead)


async def _owner_of(writing: Write, noun: Noun, thing: Any) -> Agency | None:
    """Find the agency that owes an obligation on record; of anything else nobody is asked."""
    if noun.name != "obligation" or thing is None:
        return None
    return await writing.transaction.session.get(Agency, thing.responsible_agency_id)


def copy_of[T: Thing](thing: T) -> T:
    """Copy the thing as it is now, for what compares it later; the copy belongs to no transaction."""
    return type(thing)(**{column.key: getattr(thing, column.key) for column in inspect(type(thing)).columns})


def reason_needed(what: str) -> ProblemError:
    """Build the 422 of a change that an official will be asked about."""
    return invalid("reason", f"is missing: {reason_missing(what)}")


async def _check_references(transaction: WriteTransaction, noun: Noun, values: Mapping[str, Any]) -> None:
    for field, value in values.items():
        other = noun_named(noun.references[field])
        if value is None:
            continue
        found = await transaction.session.get(other.table, value)
        if found is None or not await sees(transaction.session, other.table, value):
            raise unknown_reference(field, other.name)


async def _check_seen(transaction: WriteTransaction, thing: Thing) -> None:
    """Check that the writer sees what he wrote: nobody puts a record where he cannot follow it."""
    if transaction.actor.sight.is_everything:
        return
    await transaction.flush_changes()
    if not await sees(transaction.session, type(thing), thing.id):
        msg = (
            f"the {thing.noun.replace('_', ' ')} would be outside what the token is for: outside its scope, or in a "
            "restricted facility; keep it within, or ask somebody whose token covers both"
        )
        raise ProblemError(HTTPStatus.FORBIDDEN, "outside_scope", msg)


async def _check_transition(transaction: WriteTransaction, noun: Noun, before: Any, after: Any) -> None:
    if noun.machine is None or before.status == after.status:
        return
    met = set(await noun.guards(transaction, after, after.status)) if noun.guards is not None else set()
    asked = REASON in noun.machine.transitions[before.status].get(after.status, ())
    if asked and transaction.actor.reason is None:
        raise reason_needed(f"the change from {before.status} to {after.status}")
    refusal = noun.machine.check(before.status, after.status, met | {REASON})
    if refusal is not None:
        raise _transition_refused(refusal)


def refuse_to_stay(machine: StateMachine[Any], current: Any, to: Any) -> None:
    """Raise ProblemError 409 for a transition from a state to itself: no table has one."""
    if current == to and (refusal := machine.check(current, to)) is not None:
        raise _transition_refused(refusal)


def _transition_refused(refusal: Refusal) -> ProblemError:
    """Says where it may go, or what it needs."""
    error = FieldError(field="status", message=refusal.detail, message_vi=refusal.vietnamese)
    return ProblemError(HTTPStatus.CONFLICT, "transition_not_allowed", refusal.detail, [error])


def _check_reason(transaction: WriteTransaction, noun: Noun, before: Thing | None, after: Thing) -> None:
    what = noun.asks_reason(before, after)
    if what is not None and transaction.actor.reason is None:
        raise reason_needed(what)


async def _call_hooks(transaction: WriteTransaction, noun: Noun, before: Thing | None, after: Thing | None) -> None:
    if noun.check is not None:
        await noun.check(transaction, before, after)
    if noun.after_change is not None:
        await noun.after_change(transaction, before, after)
