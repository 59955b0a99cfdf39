"""Obligations: what a directive demands, of whom, for which facilities and until when (R05, R06)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Fields, Line, Name
from inventory.domain.mandate.deadline import DueBefore, Instant, is_in_time
from inventory.domain.states import REASON, StateMachine
from vonggac.events.inventory import FacilityType, ObligationKind, ObligationStatus

HEADINGS: Mapping[str, str] = {
    "code": "Mã nghĩa vụ",
    "name": "Tên nghĩa vụ",
    "kind": "Loại nghĩa vụ",
    "directive_id": "Mã văn bản giao",
    "responsible_agency_id": "Mã cơ quan chịu trách nhiệm",
    "due_before": "Trước thời điểm",
    "facility_types": "Loại hình cơ sở",
    "managing_agency_id": "Mã cơ quan quản lý",
    "unit_id": "Mã đơn vị hành chính",
    "with_cameras": "Cơ sở có camera",
    "facility_ids": "Danh sách cơ sở",
    "every_days": "Lặp lại sau số ngày",
    "due_after_days": "Số ngày của cơ sở phát sinh sau",
    "note": "Ghi chú",
    **PERIOD_HEADINGS,
}
MAX_LISTED = 500
IN_TIME, TOO_LATE = "completed_before_due", "completed_after_due"

MACHINE = StateMachine(
    noun="obligation",
    states=ObligationStatus,
    initial=ObligationStatus.OPEN,
    transitions={
        ObligationStatus.OPEN: {
            ObligationStatus.DONE: (IN_TIME,),
            ObligationStatus.DONE_LATE: (TOO_LATE,),
            ObligationStatus.WAIVED: (REASON,),
        },
        ObligationStatus.DONE: {ObligationStatus.OPEN: (REASON,)},
        ObligationStatus.DONE_LATE: {ObligationStatus.OPEN: (REASON,), ObligationStatus.WAIVED: (REASON,)},
        ObligationStatus.WAIVED: {ObligationStatus.OPEN: (REASON,)},
    },
    vietnamese={
        ObligationStatus.OPEN: "đang thực hiện",
        ObligationStatus.DONE: "hoàn thành đúng hạn",
        ObligationStatus.DONE_LATE: "hoàn thành quá hạn",
        ObligationStatus.WAIVED: "được miễn",
    },
    guards={
        IN_TIME: "it was completed before its deadline",
        TOO_LATE: "it was completed at its deadline or later",
    },
    vietnamese_guards={
        IN_TIME: "hoàn thành trước hạn",
        TOO_LATE: "hoàn thành đúng thời điểm hết hạn hoặc sau đó",
    },
)


def guards_met(completed_at: datetime | None, due_before: datetime | None, reason: str | None) -> set[str]:
    """Which guards of MACHINE hold. `completed_at`: of the transition."""
    met = {REASON} if reason else set()
    if completed_at is not None:
        met.add(IN_TIME if is_in_time(completed_at, due_before) else TOO_LATE)
    return met


class ObligationFields(Dated):
    """An obligation.

    With `facility_ids` it is about exactly these facilities; else about every one that fits all the others that are
    given: type, managing agency, unit, with or without cameras. With none of them, about every facility.
    """

    code: Code
    name: Name
    kind: ObligationKind
    directive_id: UUID = Field(description="The directive that demands it.")
    responsible_agency_id: UUID
    due_before: DueBefore | None = Field(
        default=None, description="The first deadline; null where there is none. Later ones are entries of their own."
    )
    facility_types: tuple[FacilityType, ...] = ()
    managing_agency_id: UUID | None = None
    unit_id: UUID | None = None
    with_cameras: bool | None = Field(default=None, description="true: facilities with cameras; false: those without.")
    facility_ids: Annotated[tuple[UUID, ...], Field(max_length=MAX_LISTED)] = ()
    every_days: int | None = Field(
        default=None, ge=1, le=366, description="It is due again so many days after it was done last."
    )
    due_after_days: int | None = Field(
        default=None,
        ge=1,
        le=3660,
        description="A facility that comes under it after the directive's day has so many days of its own, from the "
        "day on which its cameras were installed, or it was approved or founded. None: no deadline of its own.",
    )
    note: Line | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "ObligationFields":
        described = (self.facility_types, self.managing_agency_id, self.unit_id)
        if self.facility_ids and (any(described) or self.with_cameras is not None):
            msg = "either list facility_ids, or describe the facilities by type, agency, unit and cameras"
            raise ValueError(msg)
        if len(set(self.facility_ids)) < len(self.facility_ids):
            msg = "facility_ids names a facility twice"
            raise ValueError(msg)
        return self


class Completion(Fields):
    """The body of a transition of an obligation."""

    to: ObligationStatus
    completed_at: Instant | None = Field(
        default=None, description="When it was completed, an instant or a plain day; needed for done."
    )
    reason: Line | None = Field(default=None, description="Needed to waive it and to open it again.")
