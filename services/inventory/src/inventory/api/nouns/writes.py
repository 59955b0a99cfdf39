"""The routes that write a noun: create, change, remove."""

from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Reason, ReasonNeeded, WriteContext
from inventory.api.named import name_actors, name_actors_of
from inventory.api.nouns.models import Models, given
from inventory.api.nouns.rules import make_thing, patch_thing, remove_thing
from inventory.api.nouns.signatures import with_parameters
from inventory.nouns.noun import Noun
from inventory.nouns.writer import Write
from inventory.storage.queries.lists import Recorded
from inventory.storage.queries.sight import select_visible, sight_of
from inventory.storage.tables import Thing
from vonggac.auth import Caller
from vonggac.http.conditional import IfMatch
from vonggac.http.idempotency import KeptAnswer

NOTHING = KeptAnswer(HTTPStatus.NO_CONTENT, {}, b"")


def add_write_routes(router: APIRouter, noun: Noun, models: Models) -> None:
    """Add the routes that write `noun`, but for those that it has written by hand."""
    if "create" not in noun.hand_written:
        _add_create(router, noun, models)
    if "change" not in noun.hand_written:
        _add_change(router, noun, models)
    if "remove" not in noun.hand_written:
        _add_remove(router, noun)


def _add_create(router: APIRouter, noun: Noun, models: Models) -> None:
    async def add_thing(body: Any, context: WriteContext, caller: Caller, reason: Reason = None) -> Response:
        async def work(writing: Write) -> Thing:
            return await make_thing(writing, noun, body)

        async def answer(session: AsyncSession, thing: Thing) -> KeptAnswer:
            return await answer_with(session, noun, models, thing.id, created=True)

        return await context.write(caller, work, answer, reason=reason)

    endpoint = with_parameters(
        add_thing,
        named=f"add_{noun.name}",
        doc="With an Idempotency-Key it is safe to send again. 422 names what does not fit, 409 what is taken.",
        body=models.new,
    )
    router.post(
        "",
        status_code=HTTPStatus.CREATED,
        summary=f"Add {noun.one}",
        response_model=noun.item or models.shown,
    )(endpoint)


def _add_change(router: APIRouter, noun: Noun, models: Models) -> None:
    async def change_thing(
        thing_id: UUID, body: Any, context: WriteContext, caller: Caller, if_match: IfMatch, reason: Reason = None
    ) -> Response:
        async def work(writing: Write) -> Thing:
            thing = await writing.transaction.get_thing(noun.table, thing_id)
            if_match.check(thing.revision)
            return await patch_thing(writing, noun, thing, given(body))

        async def answer(session: AsyncSession, thing: Thing) -> KeptAnswer:
            return await answer_with(session, noun, models, thing.id)

        return await context.write(caller, work, answer, reason=reason)

    endpoint = with_parameters(
        change_thing,
        named=f"change_{noun.name}",
        doc="What is left out stays; null empties. If-Match has the ETag as it was read: nobody's change is lost.",
        body=models.patch,
    )
    router.patch("/{thing_id}", summary=f"Change {noun.one}", response_model=noun.item or models.shown)(endpoint)


def _add_remove(router: APIRouter, noun: Noun) -> None:
    async def remove(
        thing_id: UUID, context: WriteContext, caller: Caller, if_match: IfMatch, reason: ReasonNeeded = None
    ) -> Response:
        async def work(writing: Write) -> None:
            thing = await writing.transaction.get_thing(noun.table, thing_id)
            if_match.check(thing.revision)
            await remove_thing(writing, noun, thing)

        async def answer(_session: AsyncSession, _nothing: None) -> KeptAnswer:
            return NOTHING

        return await context.write(caller, work, answer, reason=reason)

    endpoint = with_parameters(
        remove,
        named=f"remove_{noun.name}",
        doc="For what was entered by mistake: the history keeps it. 409 while something refers to it.",
    )
    router.delete("/{thing_id}", status_code=HTTPStatus.NO_CONTENT, summary=f"Remove {noun.one}", response_model=None)(
        endpoint
    )


async def answer_with(
    session: AsyncSession, noun: Noun, models: Models, thing_id: UUID, *, created: bool = False
) -> KeptAnswer:
    """Build the answer about one thing as it is on record now."""
    recorded = Recorded(partial(select_visible, as_of=None, sight=sight_of(session)))
    things = recorded(noun.table)
    row: Any = (await session.execute(select(things).where(things.c.id == thing_id))).mappings().one()
    more: Mapping[str, Any] = {}
    if noun.expand is not None:
        more = await noun.expand(session, row, recorded)
    shown = await name_actors_of(session, (noun.item or models.shown).model_validate({**row, **more}))
    headers = {"ETag": row["etag"]} | ({"Location": f"/v1/{noun.path}/{thing_id}"} if created else {})
    status = HTTPStatus.CREATED if created else HTTPStatus.OK
    return KeptAnswer(status, headers, shown.model_dump_json().encode())


async def answer_with_all(
    session: AsyncSession, noun: Noun, shape: type[BaseModel], models: Models, ids: Sequence[UUID], status: HTTPStatus
) -> KeptAnswer:
    """Build the answer about several things, in the order of `ids`."""
    things = select_visible(noun.table, None, sight_of(session))
    rows = (await session.execute(select(things).where(things.c.id.in_(ids)))).mappings().all()
    shown = await name_actors(session, [models.shown.model_validate(row) for row in rows])
    by_id = {one.id: one for one in shown}
    return KeptAnswer(status, {}, shape.model_construct(items=[by_id[each] for each in ids]).model_dump_json().encode())
