"""The lifecycle of a facility (R23): planned, approved by a decision, active, suspended, closed."""

from collections.abc import Iterator
from datetime import date

from inventory.domain.states import REASON, StateMachine
from vonggac.events.inventory import FacilityStatus

DECISION = "decision"
FOCAL_POINT = "focal_point"

FACILITY = StateMachine(
    noun="facility",
    states=FacilityStatus,
    initial=FacilityStatus.PLANNED,
    transitions={
        FacilityStatus.PLANNED: {
            FacilityStatus.APPROVED: (DECISION,),
            FacilityStatus.CLOSED: (REASON,),
        },
        FacilityStatus.APPROVED: {
            FacilityStatus.ACTIVE: (DECISION, FOCAL_POINT),
            FacilityStatus.CLOSED: (REASON,),
        },
        FacilityStatus.ACTIVE: {
            FacilityStatus.SUSPENDED: (REASON,),
            FacilityStatus.CLOSED: (REASON,),
        },
        FacilityStatus.SUSPENDED: {
            FacilityStatus.ACTIVE: (REASON, FOCAL_POINT),
            FacilityStatus.CLOSED: (REASON,),
        },
        FacilityStatus.CLOSED: {FacilityStatus.ACTIVE: (REASON, FOCAL_POINT)},
    },
    vietnamese={
        FacilityStatus.PLANNED: "dự kiến",
        FacilityStatus.APPROVED: "đã có quyết định",
        FacilityStatus.ACTIVE: "đang hoạt động",
        FacilityStatus.SUSPENDED: "tạm dừng",
        FacilityStatus.CLOSED: "đã đóng",
    },
    guards={
        DECISION: "the number and the date of its decision are on record",
        FOCAL_POINT: "a focal point is in office (R17)",
    },
    vietnamese_guards={
        DECISION: "có số và ngày của quyết định",
        FOCAL_POINT: "có cán bộ đầu mối đang phụ trách (R17)",
    },
)


def met_guards(
    *, decision_number: str | None, decision_date: date | None, in_office: int, reason: str | None
) -> Iterator[str]:
    """Guards that hold. `in_office`: focal points of the facility whose term holds today."""
    if decision_number and decision_date:
        yield DECISION
    if in_office:
        yield FOCAL_POINT
    if reason:
        yield REASON
