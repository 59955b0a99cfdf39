"""/v1/changes: the change log (R25)."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select

from inventory.api.context import Context, Reader
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf
from inventory.storage.lists import fetch_page
from inventory.storage.tables import Change

router = APIRouter(prefix="/v1/changes", tags=["changes"])

type Noun = Literal["agency", "unit", "facility", "focal_point", "destination", "camera", "delivery"]
type Action = Literal["created", "changed", "removed"]


class ChangeShown(BaseModel):
    """One line of the log; `before` and `after` hold every field but secrets."""

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


@router.get("", summary="List changes, newest first")
async def list_changes(
    context: Context,
    _caller: Reader,
    noun: Noun | None = None,
    thing_id: UUID | None = None,
    action: Action | None = None,
    changed_by: str | None = None,
    request_id: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PageOf[ChangeShown]:
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
    async with context.read_transaction() as session:
        found = await fetch_page(session, query, Change.id, cursor=cursor, limit=limit, newest_first=True)
    return PageOf[ChangeShown](items=[ChangeShown.model_validate(row) for row in found.items], next=found.next)
