"""Many things in one request, all or nothing: create, change, remove, with one list of all mistakes."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, create_model
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Reason, ReasonNeeded, WriteContext
from inventory.api.nouns.models import MAX_BULK, BulkRemoval, Models, given
from inventory.api.nouns.rules import make_thing, patch_thing, remove_thing
from inventory.api.nouns.signatures import with_parameters
from inventory.api.nouns.writes import NOTHING, answer_with_all
from inventory.importing.mistakes.translated import translate
from inventory.nouns.noun import Noun
from inventory.nouns.writer import Write
from inventory.storage.queries.codes import free_codes
from inventory.storage.tables import Thing
from vonggac.auth import Caller
from vonggac.http import FieldError, ProblemError
from vonggac.http.conditional import etag_of
from vonggac.http.idempotency import KeptAnswer
from vonggac.http.openapi import problems
from vonggac.http.problems import MOST_ERRORS, name_of, refuse_fields, sentence_of
from vonggac.telemetry import redact

_ONE_BY_ONE = Body(min_length=1, max_length=MAX_BULK)
_REFUSED = problems(
    {
        404: "One of the ids is of nothing, or of nothing that the caller sees",
        409: "One contradicts what is on record, or the first request with this key is in progress",
        412: "One has changed since it was read",
    }
)
_WHOSE = frozenset({"id", "etag"})


def add_bulk(router: APIRouter, noun: Noun, models: Models) -> None:
    """Add `/bulk` and `/bulk/remove` of `noun`."""
    items: Any = (_many(models.shown), ...)
    shape: type[BaseModel] = create_model(f"{noun.title}Items", __doc__="In the order of the request.", items=items)
    _add_create(router, noun, models, shape)
    _add_change(router, noun, models, shape)
    _add_remove(router, noun)


def _many(model: type[BaseModel]) -> Any:
    return list[model]  # type: ignore[valid-type] # known at run time


class _Wrong:
    """An item that is none of the kind: refused with the others, so that one answer names the mistakes of all."""

    def __init__(self, error: ValidationError) -> None:
        self.error = error


def _each(model: type[BaseModel]) -> Any:
    """Build the body of a request: any item may be `_Wrong`."""
    return list[Annotated[model, WrapValidator(_read_item)]]  # type: ignore[valid-type] # known at run time


def _read_item(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError as error:
        return _Wrong(error)


def _add_create(router: APIRouter, noun: Noun, models: Models, shape: type[BaseModel]) -> None:
    async def add_things(body: Any, context: WriteContext, caller: Caller, reason: Reason = None) -> Response:
        async def work(writing: Write) -> list[UUID]:
            return [
                thing.id for thing in await do_each(writing, body, lambda fields: make_thing(writing, noun, fields))
            ]

        async def answer(session: AsyncSession, ids: list[UUID]) -> KeptAnswer:
            return await answer_with_all(session, noun, shape, models, ids, HTTPStatus.CREATED)

        return await context.write(caller, work, answer, reason=reason)

    endpoint = with_parameters(
        add_things,
        named=f"add_many_{noun.path.replace('-', '_')}",
        doc=f"All or nothing, {MAX_BULK} at most; the answer to a mistake names every one, by its place in the array.",
        body=Annotated[_each(models.new), _ONE_BY_ONE],
    )
    summary = f"Add many {noun.path.replace('-', ' ')}"
    router.post("/bulk", status_code=HTTPStatus.CREATED, summary=summary, response_model=shape, responses=_REFUSED)(
        endpoint
    )


def _add_change(router: APIRouter, noun: Noun, models: Models, shape: type[BaseModel]) -> None:
    async def change_things(body: Any, context: WriteContext, caller: Caller, reason: Reason = None) -> Response:
        async def work(writing: Write) -> list[UUID]:
            read: set[UUID] = set()
            codes = {item.id: item.code for item in body if getattr(item, "code", None) is not None}
            held = await free_codes(writing.transaction.session, noun.table, codes) if codes else ()

            async def change(item: Any) -> Thing:
                thing = await _read(writing, noun, item, read)
                patch = {name: value for name, value in given(item).items() if name not in _WHOSE}
                return await patch_thing(writing, noun, thing, patch)

            changed = await do_each(writing, body, change)
            del held
            return [thing.id for thing in changed]

        async def answer(session: AsyncSession, ids: list[UUID]) -> KeptAnswer:
            return await answer_with_all(session, noun, shape, models, ids, HTTPStatus.OK)

        return await context.write(caller, work, answer, reason=reason)

    endpoint = with_parameters(
        change_things,
        named=f"change_many_{noun.path.replace('-', '_')}",
        doc="Each item has the id, the etag as it was read, and what to change. All or nothing; two may change codes.",
        body=Annotated[_each(models.bulk_patch), _ONE_BY_ONE],
    )
    summary = f"Change many {noun.path.replace('-', ' ')}"
    router.patch("/bulk", summary=summary, response_model=shape, responses=_REFUSED)(endpoint)


def _add_remove(router: APIRouter, noun: Noun) -> None:
    async def remove_things(body: Any, context: WriteContext, caller: Caller, reason: ReasonNeeded = None) -> Response:
        async def work(writing: Write) -> None:
            read: set[UUID] = set()

            async def remove(item: BulkRemoval) -> None:
                await remove_thing(writing, noun, await _read(writing, noun, item, read))

            await do_each(writing, body, remove)

        async def answer(_session: AsyncSession, _nothing: None) -> KeptAnswer:
            return NOTHING

        return await context.write(caller, work, answer, reason=reason)

    endpoint = with_parameters(
        remove_things,
        named=f"remove_many_{noun.path.replace('-', '_')}",
        doc="All or nothing. 409 while something refers to one of them.",
        body=Annotated[_each(BulkRemoval), _ONE_BY_ONE],
    )
    router.post(
        "/bulk/remove",
        status_code=HTTPStatus.NO_CONTENT,
        summary=f"Remove many {noun.path.replace('-', ' ')}",
        response_model=None,
        responses=_REFUSED,
    )(endpoint)


async def _read(writing: Write, noun: Noun, item: Any, before: set[UUID]) -> Thing:
    """Read the thing an item is about. Raises ProblemError when it is gone or was changed meanwhile.

    `before`: what earlier items are about; of two about one thing the second was not read after the first.
    """
    if item.id in before:
        message = "an item before this one is about it too: put all that changes into one item"
        raise refuse_fields([FieldError(field="id", message=message)])
    before.add(item.id)
    thing = await writing.transaction.get_thing(noun.table, item.id)
    if item.etag != etag_of(thing.revision):
        message = f"it has changed since you read it: its revision is {thing.revision}; read it again"
        errors = [FieldError(field="etag", message=message)]
        raise ProblemError(HTTPStatus.PRECONDITION_FAILED, "stale", message, errors)
    return thing


async def do_each[I, T](writing: Write, items: Sequence[I], do: Callable[[I], Awaitable[T]]) -> list[T]:
    """Do it to each item; raises ProblemError with the mistakes of all of them."""
    done: list[T] = []
    refused: list[ProblemError] = []
    errors: list[FieldError] = []
    for place, item in enumerate(items):
        try:
            if isinstance(item, _Wrong):
                raise item.error
            async with writing.transaction.session.begin_nested():
                done.append(await do(item))
        except ProblemError as error:
            if error.problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            refused.append(error)
            said = error.problem.detail or error.problem.title
            named = error.problem.errors or [FieldError(field="", message=said, message_vi=error.problem.detail_vi)]
            errors += [_at(place, each.field, each.message, each.message_vi) for each in named]
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False):
                text = translate(redact(sentence_of(each["msg"])), each["type"], each.get("ctx"))
                errors.append(_at(place, name_of([*map(str, each["loc"])]), *text))
    if errors:
        raise _all_of(refused, errors, len(items))
    return done


def _at(place: int, field: str, message: str, message_vi: str | None) -> FieldError:
    where = redact(f"{place}.{field}") if field else str(place)
    return FieldError(field=where, message=message.removeprefix("Value error, "), message_vi=message_vi)


def _all_of(refused: Sequence[ProblemError], errors: list[FieldError], items: int) -> ProblemError:
    """One problem of many: with their status where they have one, else 422."""
    kinds = {(error.problem.status, error.problem.code) for error in refused}
    places = {error.field.partition(".")[0] for error in errors}
    status, code = kinds.pop() if len(kinds) == 1 and len(refused) == len(places) else (422, "invalid")
    detail = f"Nothing was changed: {len(places)} of {items} items do not fit. {errors[0].field}: {errors[0].message}"
    return ProblemError(HTTPStatus(status), code, detail, errors[:MOST_ERRORS])
