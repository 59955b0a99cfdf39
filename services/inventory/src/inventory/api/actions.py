"""/v1/actions: the change log in the words that all services have for who did what."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Depends, Response
from sqlalchemy import ColumnElement, func, literal, select

from inventory.api.context import Context
from inventory.api.named import name_actors
from inventory.nouns.shown import Acted, Acts
from inventory.storage.queries.sight import fold_column, log_condition
from inventory.storage.tables import Change
from vonggac.auth import guarded_router
from vonggac.database.keyset import keyset_page
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.lists.actions import ActionFilter, ActionResponse, read_filter
from vonggac.http.lists.words import fold

router = guarded_router(prefix="/v1/actions", tags=["changes"])


class NamedAction(ActionResponse, Acted):
    """Who did what, by name and post too."""

    acts: ClassVar[Acts] = {"by": "at"}


LINES = Listing[Change, NamedAction](
    NamedAction, keys={"id": Key(lambda change: change.id, int)}, id_key="id", default_sort="-id"
)
_NAMES = ("code", "number", "name", "title", "full_name")
_STATES = ("status", "state")


@router.get("", summary="Who changed what", responses=LINES.responses, response_model=None)
async def list_actions(
    context: Context,
    page: Annotated[PageQuery[Change, NamedAction], Depends(LINES)],
    wanted: Annotated[ActionFilter, Depends(read_filter)],
) -> Response:
    """List `created`, `changed`, `removed`, newest first; `state` if it moved: `approved`."""
    query = select(Change)
    condition = log_condition(Change.__table__, context.sight, None)
    conditions = [] if condition is None else [condition]
    if wanted.since is not None:
        conditions.append(Change.changed_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Change.changed_at < wanted.until)
    query = query.where(*conditions, *_has_words(wanted.q))
    async with context.read_transaction() as session:
        ordered = keyset_page(query, {"id": Change.__table__.c.id}, page.orderings, page.last, page.limit)
        rows = (await session.scalars(ordered)).all()
        total = None
        if page.wants_total:
            total = await session.scalar(select(func.count()).select_from(query.subquery()))
        found = page.page(rows, total=total)
        shown = await name_actors(session, [_to_response(row) for row in found.rows])
    return page.answer(found, shown)


def _has_words(q: str | None) -> list[ColumnElement[bool]]:
    sides = (Change.__table__.c.after, Change.__table__.c.before)
    named = [side[name].as_string() for side in sides for name in _NAMES + _STATES]
    texts = func.concat_ws(literal(" "), Change.changed_by, Change.noun, Change.action, Change.reason, *named)
    return [fold_column(texts).contains(word, autoescape=True) for word in fold(q or "").split()]


def _to_response(change: Change) -> NamedAction:
    before, after = change.before or {}, change.after or {}
    known = after or before
    state = next((after[name] for name in _STATES if after.get(name) not in {None, before.get(name)}), None)
    return NamedAction(
        id=str(change.id),
        at=change.changed_at,
        by=change.changed_by,
        action=change.action,
        noun=change.noun,
        thing_id=change.thing_id,
        name=_name(known),
        state=state,
        camera_ids=[UUID(known["camera_id"])] if known.get("camera_id") else [],
        reason=change.reason,
    )


def _name(known: Mapping[str, Any]) -> str | None:
    return " · ".join(str(known[name]) for name in _NAMES if known.get(name)) or None
