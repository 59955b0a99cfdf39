"""Visits of a team to a facility: planned and actual, with epidemic safety (R14, R16, R21).

Safety is ticks; medical results are kept nowhere.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from inventory.domain.days import day_of
from inventory.domain.fields import PERIOD_HEADINGS, Dated, Line, Name, Phone
from inventory.domain.paper import PAPER_HEADINGS, Paper
from inventory.domain.people.own_word import ACCESS_HEADINGS, BRIEFING_HEADINGS, Access, BriefingDocument
from inventory.domain.states import REASON, StateMachine
from vonggac.events.inventory import VisitPurpose, VisitStatus

HEADINGS: Mapping[str, str] = {
    "facility_id": "Mã cơ sở",
    "team_id": "Mã tổ",
    "purpose": "Mục đích",
    "remote": "Làm từ xa",
    "planned_from": "Dự kiến từ",
    "planned_to": "Dự kiến đến",
    "gate_contact": "Người đón tại cổng",
    "gate_phone": "Điện thoại người đón",
    "escort": "Người dẫn",
    **ACCESS_HEADINGS,
    "entered_at": "Giờ vào",
    "left_at": "Giờ ra",
    "zones": "Khu vực đã vào",
    "protection": "Bảo hộ đã dùng",
    "health_declared": "Đã khai báo y tế",
    "briefed_by": "Người hướng dẫn an toàn",
    "briefed_at": "Giờ hướng dẫn an toàn",
    **BRIEFING_HEADINGS,
    "rules_acknowledged": "Quy định đã xác nhận",
    "tools_disinfected": "Đã khử khuẩn dụng cụ",
    "available_from": "Tổ làm việc lại từ ngày",
    "obstruction": "Vướng mắc khi vào",
    "note": "Ghi chú",
    **PAPER_HEADINGS,
    **PERIOD_HEADINGS,
}


class Protection(StrEnum):
    """Protective equipment that was worn."""

    MASK = "mask"
    GLOVES = "gloves"
    FACE_SHIELD = "face_shield"
    GOWN = "gown"
    COVERALL = "coverall"
    SHOE_COVERS = "shoe_covers"


BRIEFED, ACKNOWLEDGED, DECLARED, FREE = "briefed", "rules_acknowledged", "health_declared", "team_free"
LEFT, OBSTRUCTED, DISINFECTED = "left", "obstruction_noted", "tools_disinfected"

MACHINE = StateMachine(
    noun="visit",
    states=VisitStatus,
    initial=VisitStatus.PLANNED,
    transitions={
        VisitStatus.PLANNED: {
            VisitStatus.IN_PROGRESS: (BRIEFED, ACKNOWLEDGED, DECLARED, FREE),
            VisitStatus.OBSTRUCTED: (OBSTRUCTED,),
            VisitStatus.CANCELLED: (REASON,),
        },
        VisitStatus.IN_PROGRESS: {VisitStatus.DONE: (LEFT, DISINFECTED), VisitStatus.OBSTRUCTED: (OBSTRUCTED,)},
        VisitStatus.OBSTRUCTED: {VisitStatus.PLANNED: (REASON,), VisitStatus.CANCELLED: (REASON,)},
        VisitStatus.DONE: {},
        VisitStatus.CANCELLED: {},
    },
    vietnamese={
        VisitStatus.PLANNED: "đã lên lịch",
        VisitStatus.IN_PROGRESS: "đang thực hiện",
        VisitStatus.DONE: "đã xong",
        VisitStatus.OBSTRUCTED: "bị cản trở",
        VisitStatus.CANCELLED: "đã hủy",
    },
    guards={
        BRIEFED: "the facility has briefed the team on safety (briefed_by and briefed_at)",
        ACKNOWLEDGED: "the team has acknowledged at least one rule set (rules_acknowledged)",
        DECLARED: "the team has declared its health (health_declared)",
        FREE: "no visit elsewhere keeps the team away until a later day (available_from)",
        LEFT: "the team has entered and left (entered_at and left_at)",
        DISINFECTED: "its tools are disinfected (tools_disinfected)",
        OBSTRUCTED: "what stands in the way is written down (obstruction)",
    },
    vietnamese_guards={
        BRIEFED: "cơ sở đã phổ biến an toàn cho đoàn (briefed_by, briefed_at)",
        ACKNOWLEDGED: "đoàn đã xác nhận ít nhất một bộ quy định (rules_acknowledged)",
        DECLARED: "đoàn đã khai báo y tế (health_declared)",
        FREE: "không lượt làm việc nào ở cơ sở khác còn giữ đoàn đến một ngày sau (available_from)",
        LEFT: "đã ghi giờ vào và giờ ra (entered_at, left_at)",
        DISINFECTED: "dụng cụ đã khử khuẩn (tools_disinfected)",
        OBSTRUCTED: "đã ghi điều cản trở (obstruction)",
    },
)


class VisitFields(Dated, Paper, BriefingDocument, Access):
    """A visit. Nobody enters for a remote one: its safety guards hold by themselves, but for the acknowledgement."""

    facility_id: UUID
    team_id: UUID
    purpose: VisitPurpose
    remote: bool = Field(default=False, description="Done from outside, as far as that is possible.")
    planned_from: AwareDatetime
    planned_to: AwareDatetime
    gate_contact: Name | None = Field(default=None, description="Who lets the team in.")
    gate_phone: Phone | None = None
    escort: Name | None = None
    entered_at: AwareDatetime | None = None
    left_at: AwareDatetime | None = None
    zones: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    protection: tuple[Protection, ...] = ()
    health_declared: bool = Field(default=False, description="A tick; what was declared is not kept.")
    briefed_by: Name | None = None
    briefed_at: AwareDatetime | None = None
    rules_acknowledged: Annotated[tuple[Name, ...], Field(max_length=20)] = Field(
        default=(), description="Each rule set with its version, e.g. 'BCĐ Quốc gia 4403/CV-BCĐ'."
    )
    tools_disinfected: bool = False
    available_from: date | None = Field(default=None, description="The team works elsewhere again from this day on.")
    obstruction: Line | None = None
    note: Line | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "VisitFields":
        pairs = (("planned_from", "planned_to"), ("entered_at", "left_at"), ("briefed_at", "entered_at"))
        for first, second in pairs:
            start, end = getattr(self, first), getattr(self, second)
            if start is not None and end is not None and end < start:
                msg = f"{second} must not be before {first}"
                raise ValueError(msg)
        if self.left_at is not None and self.entered_at is None:
            msg = "left_at needs entered_at"
            raise ValueError(msg)
        if (self.briefed_by is None) != (self.briefed_at is None):
            msg = "briefed_by and briefed_at go together"
            raise ValueError(msg)
        return self


def guards_met(visit: Any, reason: str | None, *, is_kept_away: bool = False) -> set[str]:
    """Which guards of MACHINE hold for the visit. `visit`: anything with the fields of VisitFields.

    `is_kept_away`: another visit says that its team works elsewhere from a later day on (R16, the aftermath).
    """
    holds = {
        REASON: bool(reason),
        BRIEFED: visit.remote or visit.briefed_at is not None,
        ACKNOWLEDGED: bool(visit.rules_acknowledged),
        DECLARED: visit.remote or visit.health_declared,
        FREE: visit.remote or not is_kept_away,
        LEFT: visit.remote or (visit.entered_at is not None and visit.left_at is not None),
        DISINFECTED: visit.remote or visit.tools_disinfected,
        OBSTRUCTED: visit.obstruction is not None,
    }
    return {name for name, held in holds.items() if held}


_BEGUN = frozenset(MACHINE.needed(VisitStatus.PLANNED, VisitStatus.IN_PROGRESS))
_NEEDED = {
    VisitStatus.IN_PROGRESS: _BEGUN,
    VisitStatus.DONE: _BEGUN | set(MACHINE.needed(VisitStatus.IN_PROGRESS, VisitStatus.DONE)),
}
"""What a visit in this state has met, and goes on to say."""


def lost(before: Any, after: Any) -> list[str]:
    """Guards that the visit met on its way to where it stands, and would not meet any more."""
    if before.status != after.status:
        return []
    return sorted((_NEEDED.get(after.status, frozenset()) & guards_met(before, None)) - guards_met(after, None))


class Load(NamedTuple):
    """What one team was to do on one day, and what it did (R14)."""

    planned: int
    done: int
    obstructed: int
    cancelled: int


def workload(visits: Iterable[Any]) -> dict[tuple[UUID, date], Load]:
    """Per team and day of the province: planned versus actual. A visit counts on the day that it was planned for."""
    loads: dict[tuple[UUID, date], Load] = {}
    for visit in visits:
        key = (visit.team_id, day_of(visit.planned_from))
        before = loads.get(key, Load(0, 0, 0, 0))
        loads[key] = Load(
            before.planned + 1,
            before.done + (visit.status == VisitStatus.DONE),
            before.obstructed + (visit.status == VisitStatus.OBSTRUCTED),
            before.cancelled + (visit.status == VisitStatus.CANCELLED),
        )
    return dict(sorted(loads.items(), key=lambda one: (one[0][1], str(one[0][0]))))
