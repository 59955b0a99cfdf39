"""The routes that read a noun: list, item, history."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from operator import itemgetter
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, FromClause, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.changes import CHANGES, changes_of
from inventory.api.context import Context, RequestContext
from inventory.api.named import name_actors, name_actors_of
from inventory.api.nouns.clocks import AsOf, ValidOn
from inventory.api.nouns.derived import LATEST, Row, read_item
from inventory.api.nouns.models import Models, bare
from inventory.api.nouns.signatures import QueryParameters, with_parameters
from inventory.domain.fields import LONGEST_CODE
from inventory.nouns.noun import Noun
from inventory.nouns.registry import searched_through
from inventory.storage.queries.clocks import in_force, read_one_instant, settled_instant
from inventory.storage.queries.lists import Recorded, listed, matches_search
from inventory.storage.tables.base import NAME_ORDER
from vonggac.database.keyset import keyset_page
from vonggac.http.lists import Key, Listing, PageQuery

type Rows = PageQuery[Row, Any]

_SEARCH = Annotated[
    str | None, Query(max_length=200, description="Words to find; diacritics, case and đ/d do not matter.")
]


def add_reading(router: APIRouter, noun: Noun, models: Models) -> None:
    """Add the routes that read `noun`."""
    _add_list(router, noun, models)
    _add_item(router, noun, models)
    _add_history(router, noun)


def _add_list(router: APIRouter, noun: Noun, models: Models) -> None:
    listing = _listing(noun, models)

    async def list_things(
        context: Context, page: Any, filters: Any, as_of: AsOf = None, valid_on: ValidOn = None
    ) -> Response:
        return await _list(noun, models, context, page, filters, as_of=as_of, valid_on=valid_on)

    endpoint = with_parameters(
        list_things,
        named=f"list_{noun.path.replace('-', '_')}",
        doc="All filters must match. A page and those after it show one instant: the cursor holds it.",
        page=Annotated[Any, Depends(listing)],
        filters=Annotated[Any, Depends(QueryParameters(_filters(noun)))],
    )
    summary = f"List {noun.path.replace('-', ' ')}"
    router.get("", summary=summary, responses=listing.responses, response_model=None)(endpoint)


def _listing(noun: Noun, models: Models) -> Listing[Row, Any]:
    columns = noun.table.__table__.columns
    names = dict.fromkeys((*noun.sorts, "changed_at", "id"))
    kinds: dict[str, type] = {name: columns[name].type.python_type for name in names}
    keys = {
        name: Key[Row](itemgetter(_sorted_by(noun, name)), _kind(kind), _longest(name, kind))
        for name, kind in kinds.items()
    }
    return Listing(models.shown, keys=keys, id_key="id", default_sort=noun.sorts[0])


def _sorted_by(noun: Noun, name: str) -> str:
    """Return the column that a list is sorted by: of a name the key of Vietnamese order."""
    return NAME_ORDER if name == noun.table.ordered else name


def _longest(name: str, python_type: type) -> int | None:
    """Characters of the longest value, where they are few."""
    return LONGEST_CODE if name == "code" or issubclass(python_type, Enum) else None


def _kind(python_type: type) -> type:
    return str if issubclass(python_type, Enum) else python_type


def _filters(noun: Noun) -> dict[str, Any]:
    named: dict[str, Any] = {"q": _SEARCH} if "search" in noun.table.__table__.columns else {}
    for name in noun.filters:
        named[name] = bare(noun.fields.model_fields[name].annotation) | None
    for name, more in noun.more_filters.items():
        named[name] = more.kind | None
    return named


async def _list(
    noun: Noun,
    models: Models,
    context: RequestContext,
    page: Rows,
    filters: Mapping[str, Any],
    *,
    as_of: datetime | None,
    valid_on: date | None,
) -> Response:
    instant = page.as_of or as_of

    def query(at: datetime | None) -> tuple[FromClause, list[ColumnElement[bool]]]:
        recorded = context.recorded(at, valid_on)
        things = listed(noun.table, recorded)
        return things, _conditions(noun, things, filters, recorded)

    async with context.read_transaction() as session:
        await read_one_instant(session)
        things, conditions = query(instant)
        rows = await _rows(session, noun, page, things, conditions)
        if instant is None and len(rows) > page.limit:
            # The pages after this one show the same instant.
            latest, instant = await session.scalar(LATEST), await settled_instant(session)
            if instant != latest:
                things, conditions = query(instant)
                rows = await _rows(session, noun, page, things, conditions)
        counted = select(func.count()).select_from(things).where(*conditions)
        total = await session.scalar(counted) if page.wants_total else None
        found = page.page(rows, total=total, as_of=instant)
        # A dict is validated in half the time of a row.
        shown = await name_actors(session, [models.shown.model_validate(dict(row)) for row in found.rows])
    return page.answer(found, shown)


async def _rows(
    session: AsyncSession, noun: Noun, page: Rows, things: FromClause, conditions: Sequence[ColumnElement[bool]]
) -> Sequence[Row]:
    query: Select[Any] = select(things).where(*conditions)
    columns = {ordering.name: things.c[_sorted_by(noun, ordering.name)] for ordering in page.orderings}
    ordered = keyset_page(query, columns, page.orderings, page.last, page.limit)
    return cast("Sequence[Row]", (await session.execute(ordered)).mappings().all())


def _conditions(
    noun: Noun, things: FromClause, filters: Mapping[str, Any], recorded: Recorded
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name, value in filters.items():
        if name == "q":
            found.append(matches_search(things, value, searched_through(noun), recorded))
        elif name in noun.more_filters:
            found.append(noun.more_filters[name].condition(things, value, recorded))
        else:
            found.append(things.c[name] == value)
    if recorded.valid_on is not None:
        found.append(in_force(things, recorded.valid_on))
    return found


def _add_item(router: APIRouter, noun: Noun, models: Models) -> None:
    async def get_thing(thing_id: UUID, context: Context, as_of: AsOf = None, valid_on: ValidOn = None) -> BaseModel:
        recorded = context.recorded(as_of, valid_on)
        async with context.read_transaction() as session:
            row = await read_item(session, noun.table, recorded, thing_id)
            more = await noun.expand(session, row, recorded) if noun.expand is not None else {}
            shown = await name_actors_of(session, item.model_validate({**row, **more}))
        if as_of is None:
            context.response.headers["ETag"] = row["etag"]
            if noun.shows_others:
                context.response.headers["Cache-Control"] = "no-store"
        return shown

    item = noun.item or models.shown
    endpoint = with_parameters(
        get_thing,
        named=f"get_{noun.name}",
        doc="The ETag is its revision. 410 when it was removed; with `as_of`, 404 when it was not on record then.",
    )
    router.get("/{thing_id}", summary=f"One {noun.singular}", response_model=item)(endpoint)


def _add_history(router: APIRouter, noun: Noun) -> None:
    async def get_history(thing_id: UUID, context: Context, page: Any) -> Response:
        return await changes_of(context, page, noun.name, thing_id)

    endpoint = with_parameters(
        get_history,
        named=f"list_changes_of_{noun.name}",
        doc="Who changed what, when and why, newest first; also of one that was removed.",
        page=Annotated[Any, Depends(CHANGES)],
    )
    summary = f"The changes of one {noun.singular}"
    router.get("/{thing_id}/history", summary=summary, responses=CHANGES.responses, response_model=None)(endpoint)
