"""Maintenance windows (R08): agreed to by who decides, or declared and waiting for it."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, cast
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator
from sqlalchemy import select

from inventory.domain.mandate.decision_request import RequestFields, RequestStatus
from inventory.domain.mandate.maintenance_window import HEADINGS, MaintenanceWindowFields, Span, is_agreed, refusal
from inventory.nouns.noun import Noun
from inventory.nouns.parties import new_request
from inventory.nouns.shown import Acted, Acts, Shown
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import invalid
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, DecisionRequest, MaintenanceWindow, Thing
from vonggac.auth.policy.duties import refuse_act
from vonggac.events.inventory import Act, MaintenanceWindowV1
from vonggac.http import ProblemError


class MaintenanceWindowResponse(Shown, Acted):
    """One window. A cancelled one keeps its line; `ends_at` says where it was cut."""

    acts: ClassVar[Acts] = {"agreed_by": None, "declared_by": "created_at", "cancelled_by": "cancelled_at"}

    camera_id: UUID | None
    facility_id: UUID | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    purpose: str
    agreed: bool = Field(description="False: declared alone; it takes nothing out of the percentages.")
    agreed_by: str | None = Field(description="Subject of the token that agreed to it, before it began.")
    declared_by: str | None = Field(description="Subject of the token that entered it, where another one agrees.")
    confirmed_at: AwareDatetime | None = Field(description="When it was agreed to, where it was declared before.")
    cancelled_at: AwareDatetime | None
    cancelled_by: str | None

    @model_validator(mode="before")
    @classmethod
    def _nobody_agreed(cls, values: Any) -> Any:
        """Show no name while nobody has agreed: the column then has who declared it."""
        return {**values, "agreed_by": None} if isinstance(values, Mapping) and not values["agreed"] else values


def span_of(window: MaintenanceWindow) -> Span:
    """Return what the rules see of a window."""
    return Span(window.camera_id or window.facility_id, window.starts_at, window.ends_at, window.cancelled_at)


class _Writer(Writer):
    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Of who decides it is agreed, if it lies ahead; of others it is declared, and asks for agreement."""
        window = kind(**fields.model_dump(), **agreement(writing, cast("MaintenanceWindowFields", fields).starts_at))
        await writing.transaction.add_thing(window)
        await ask_to_agree(writing, cast("MaintenanceWindow", window))
        return window

    async def change(self, writing: Write, thing: Thing, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Change it; another time is another agreement. Raises ProblemError 422 when what has been would change."""
        if patch.keys() & {"cancelled_at", "confirmed_at"}:
            await writing.transaction.change_thing(thing, patch)
            return
        window = cast("MaintenanceWindow", thing)
        values = merge(fields, thing, patch).model_dump()
        _refuse(thing, type(thing)(**values, cancelled_at=None), writing)
        if _is_another(window, values, writing.transaction.now):
            values |= agreement(writing, values["starts_at"])
        await writing.transaction.change_thing(thing, values)
        await ask_to_agree(writing, window)


def agreement(writing: Write, starts_at: datetime) -> dict[str, Any]:
    """Build the columns of a window that the caller enters now."""
    actor, now = writing.transaction.actor, writing.transaction.now
    by_decider = refuse_act(Act.MAINTENANCE, writing.caller) is None
    agreed = is_agreed(by_decider=by_decider, starts_at=starts_at, now=now)
    return {
        "agreed": agreed,
        "agreed_by": actor.subject,
        "declared_by": None if agreed else actor.subject,
        "confirmed_at": None,
    }


async def ask_to_agree(writing: Write, window: MaintenanceWindow) -> None:
    """Lay a declared window that has not begun before who decides, once."""
    transaction = writing.transaction
    if window.agreed or window.starts_at <= transaction.now:
        return
    waiting = select(DecisionRequest.id).where(
        DecisionRequest.window_id == window.id, DecisionRequest.status == RequestStatus.WAITING
    )
    if await transaction.session.scalar(waiting) is not None:
        return
    facility_id = window.facility_id
    if facility_id is None:
        camera = await transaction.session.get_one(Camera, window.camera_id)
        facility_id = camera.facility_id
    subject = {"camera_id": window.camera_id} if window.camera_id is not None else {"facility_id": window.facility_id}
    asked = RequestFields.model_validate(
        {
            "act": Act.MAINTENANCE,
            "reason": window.purpose,
            "starts_at": window.starts_at,
            "ends_at": window.ends_at,
            **subject,
        }
    )
    await transaction.add_thing(new_request(writing, asked, facility_id=facility_id, window_id=window.id))


def _is_another(window: MaintenanceWindow, values: Mapping[str, Any], now: datetime) -> bool:
    """Whether what was agreed to becomes something else: cutting it short excuses less, and needs nobody."""
    if window.starts_at <= now:
        return False
    same = all(values[name] == getattr(window, name) for name in ("camera_id", "facility_id", "purpose"))
    return not same or values["starts_at"] < window.starts_at or values["ends_at"] > window.ends_at


def _refuse(before: Any, after: Any, writing: Write) -> None:
    refused = refusal(span_of(before) if before is not None else None, span_of(after), writing.transaction.now)
    if refused is not None:
        raise invalid(*refused)


async def _keep_line(_transaction: WriteTransaction, _before: Any, after: Any) -> None:
    """Raise ProblemError 409 when a window would be removed."""
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
    shown=MaintenanceWindowResponse,
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
