"""Maintenance windows (R08)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from inventory.domain.mandate.maintenance_window import HEADINGS, MaintenanceWindowFields, Span, refusal
from inventory.nouns.noun import Noun
from inventory.nouns.shown import Shown
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import invalid
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import MaintenanceWindow, Thing
from vonggac.events.inventory import MaintenanceWindowV1
from vonggac.http import ProblemError


class MaintenanceWindowShown(Shown):
    """One window. A cancelled one keeps its line; `ends_at` says where it was cut."""

    camera_id: UUID | None
    facility_id: UUID | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    purpose: str
    agreed_by: str = Field(description="Subject of the token that entered it.")
    cancelled_at: AwareDatetime | None
    cancelled_by: str | None


def span_of(window: MaintenanceWindow) -> Span:
    """What the rules see of a window."""
    return Span(window.camera_id or window.facility_id, window.starts_at, window.ends_at, window.cancelled_at)


class _Writer(Writer):
    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Raises ProblemError 422 when it begins before now."""
        window = kind(**fields.model_dump(), agreed_by=writing.transaction.actor.subject)
        _refuse(None, window, writing)
        await writing.transaction.add_thing(window)
        return window

    async def change(self, writing: Write, thing: Thing, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Raises ProblemError 422 when what has been would change."""
        if "cancelled_at" in patch:
            await writing.transaction.change_thing(thing, patch)
            return
        values = merge(fields, thing, patch).model_dump()
        _refuse(thing, type(thing)(**values, cancelled_at=None), writing)
        await writing.transaction.change_thing(thing, values)


def _refuse(before: Any, after: Any, writing: Write) -> None:
    refused = refusal(span_of(before) if before is not None else None, span_of(after), writing.transaction.now)
    if refused is not None:
        raise invalid(*refused)


async def _keep_line(_transaction: WriteTransaction, _before: Any, after: Any) -> None:
    """Raises ProblemError 409 when a window would be removed."""
    if after is None:
        msg = "a window keeps its line: cancel it with POST /v1/maintenance-windows/{id}/cancel"
        raise ProblemError(HTTPStatus.CONFLICT, "cancel_instead", msg)


MAINTENANCE_WINDOW = Noun(
    name="maintenance_window",
    path="maintenance-windows",
    vietnamese="lịch bảo trì",
    group="mandate",
    about="Time agreed beforehand in which a camera, or every camera of a facility, may be down (R08).",
    table=MaintenanceWindow,
    fields=MaintenanceWindowFields,
    shown=MaintenanceWindowShown,
    payload=MaintenanceWindowV1,
    headings=HEADINGS,
    key=("camera_id", "facility_id", "starts_at"),
    label="starts_at",
    references={"camera_id": "camera", "facility_id": "facility"},
    filters=("camera_id", "facility_id"),
    sorts=("starts_at", "ends_at"),
    searched_through=("camera_id", "facility_id"),
    check=_keep_line,
    writer=_Writer(),
)
