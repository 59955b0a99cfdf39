"""/v1/changes: the change log (R25)."""

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AfterValidator, AwareDatetime, ConfigDict
from sqlalchemy import Select, func, select

from inventory.api.context import Context, RequestContext
from inventory.api.named import name_actors
from inventory.nouns.registry import NOUNS
from inventory.nouns.shown import Acted, Acts
from inventory.storage.queries.sight import hide_contacts, log_condition
from inventory.storage.tables import Change
from vonggac.auth import guarded_router
from vonggac.database.keyset import keyset_page
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1/changes", tags=["changes"])

_NAMES = [noun.name for noun in NOUNS]


def _check_name(name: str) -> str:
    if name not in _NAMES:
        msg = f"there is no such noun; there are {', '.join(_NAMES)}"
        raise ValueError(msg)
    return name


NounName = Annotated[str, AfterValidator(_check_name), Query(json_schema_extra={"enum": list(_NAMES)})]
type Action = Literal["created", "changed", "removed"]


class ChangeResponse(Acted):
    """One line of the log; `before` and `after` hold every field but secrets."""

    acts: ClassVar[Acts] = {"changed_by": "changed_at"}

    model_config = ConfigDict(from_attributes=True)

    id: int
    changed_at: AwareDatetime
    changed_by: str
    request_id: str
    noun: str
    thing_id: UUID
    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None


CHANGES = Listing[Change, ChangeResponse](
    ChangeResponse,
    keys={"id": Key(lambda change: change.id, int)},
    id_key="id",
    default_sort="-id",
)
type ChangePage = PageQuery[Change, ChangeResponse]


@router.get("", summary="List changes, newest first", responses=CHANGES.responses, response_model=None)
async def list_changes(
    context: Context,
    page: Annotated[ChangePage, Depends(CHANGES)],
    noun: NounName | None = None,
    thing_id: UUID | None = None,
    action: Action | None = None,
    changed_by: str | None = None,
    request_id: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Response:
    """All filters must match; `since` is included, `until` is not."""
    query = select(Change)
    equal = {"noun": noun, "thing_id": thing_id, "action": action, "changed_by": changed_by, "request_id": request_id}
    for name, value in equal.items():
        if value is not None:
            query = query.where(getattr(Change, name) == value)
    if since is not None:
        query = query.where(Change.changed_at >= since)
    if until is not None:
        query = query.where(Change.changed_at < until)
    return await _answer(context, page, query, noun)


async def changes_of(context: RequestContext, page: ChangePage, noun: str, thing_id: UUID) -> Response:
    """Return a page of the changes of one thing."""
    query = select(Change).where(Change.noun == noun, Change.thing_id == thing_id)
    return await _answer(context, page, query, noun)


async def _answer(context: RequestContext, page: ChangePage, query: Select[Change], noun: str | None) -> Response:
    condition = log_condition(Change.__table__, context.sight, noun)
    if condition is not None:
        query = query.where(condition)
    async with context.read_transaction() as session:
        ordered = keyset_page(query, {"id": Change.__table__.c.id}, page.orderings, page.last, page.limit)
        rows = (await session.scalars(ordered)).all()
        total = None
        if page.wants_total:
            total = await session.scalar(select(func.count()).select_from(query.subquery()))
        found = page.page(rows, total=total)
        shown = await name_actors(session, [_to_response(row, people=context.sight.people) for row in found.rows])
    return page.answer(found, shown)


def _to_response(row: Change, *, people: bool) -> ChangeResponse:
    shown = ChangeResponse.model_validate(row)
    if people:
        return shown
    hidden = {side: hide_contacts(values) for side in ("before", "after") if (values := getattr(shown, side))}
    return shown.model_copy(update=hidden)
