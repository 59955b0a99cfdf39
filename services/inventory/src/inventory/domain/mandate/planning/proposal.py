"""Installation proposals: what a facility without enough cameras needs, what it costs, and who decided (R06)."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from inventory.domain.fields import Code, Fields, Line, Name
from inventory.domain.mandate.surveying.form import Text
from inventory.domain.paper import PAPER, PAPER_HEADINGS, Paper
from inventory.domain.places.areas import PublicArea
from inventory.domain.states import REASON, StateMachine
from vonggac.events.inventory.surveys import ProposalStatus

MAX_COST_VND = 10**12

MACHINE = StateMachine(
    noun="installation_proposal",
    states=ProposalStatus,
    initial=ProposalStatus.DRAFT,
    transitions={
        ProposalStatus.DRAFT: {ProposalStatus.SUBMITTED: ("complete", "surveyed")},
        ProposalStatus.SUBMITTED: {
            ProposalStatus.APPROVED: ("decision_recorded", "by_the_lead"),
            ProposalStatus.RETURNED: (REASON, "by_the_lead"),
        },
        ProposalStatus.RETURNED: {ProposalStatus.SUBMITTED: ("complete", "surveyed")},
        ProposalStatus.APPROVED: {
            ProposalStatus.FUNDED: ("funding_recorded",),
            ProposalStatus.RETURNED: (REASON, "by_the_lead"),
        },
        ProposalStatus.FUNDED: {ProposalStatus.INSTALLED: ("installation_recorded",)},
        ProposalStatus.INSTALLED: {ProposalStatus.CONNECTED: ("cameras_connected",)},
        ProposalStatus.CONNECTED: {},
    },
    vietnamese={
        ProposalStatus.DRAFT: "dự thảo",
        ProposalStatus.SUBMITTED: "đã trình",
        ProposalStatus.RETURNED: "trả lại",
        ProposalStatus.APPROVED: "đã duyệt",
        ProposalStatus.FUNDED: "đã cấp kinh phí",
        ProposalStatus.INSTALLED: "đã lắp đặt",
        ProposalStatus.CONNECTED: "đã kết nối",
    },
    guards={
        "complete": ("it has areas, line, power, estimated_cost_vnd, lead_time_days and proposed_connection"),
        "surveyed": "the facility has an approved survey (R03)",
        "decision_recorded": "decision_number and decision_date are given",
        "by_the_lead": "the province lead records it",
        "funding_recorded": "funding_source is given",
        "installation_recorded": "installed_on is given",
        "cameras_connected": (
            "the facility is active, and as many of its cameras as proposed are forwarded under its agreed plan"
        ),
    },
    vietnamese_guards={
        "complete": "có khu vực, đường truyền, nguồn điện, chi phí, thời gian thực hiện và phương án kết nối",
        "surveyed": "cơ sở có phiếu khảo sát đã duyệt (R03)",
        "decision_recorded": "có số và ngày quyết định (decision_number, decision_date)",
        "by_the_lead": "đơn vị chủ trì của tỉnh ghi nhận",
        "funding_recorded": "có nguồn kinh phí (funding_source)",
        "installation_recorded": "có ngày lắp đặt (installed_on)",
        "cameras_connected": "cơ sở đang hoạt động và đủ số camera đề xuất được chuyển theo phương án đã thống nhất",
    },
)

HEADINGS = {
    "code": "Mã đề xuất",
    "facility_id": "Mã cơ sở",
    "status": "Trạng thái",
    "areas": "Khu vực lắp đặt",
    "recorder": "Đầu ghi",
    "line": "Đường truyền",
    "power": "Nguồn điện",
    "estimated_cost_vnd": "Kinh phí dự kiến (đồng)",
    "lead_time_days": "Thời gian thực hiện (ngày)",
    "proposed_connection": "Phương án kết nối đề xuất",
    "decision_number": "Số quyết định",
    "decision_date": "Ngày quyết định",
    "funding_source": "Nguồn kinh phí",
    "installed_on": "Ngày lắp đặt xong",
    "note": "Ghi chú",
    **PAPER_HEADINGS,
}
_COMPLETE = ("areas", "line", "power", "estimated_cost_vnd", "lead_time_days", "proposed_connection")


class CameraType(StrEnum):
    """Kind of camera to install."""

    BULLET = "bullet"
    DOME = "dome"
    PTZ = "ptz"
    FISHEYE = "fisheye"


class ProposedArea(Fields):
    """Cameras for one public area. Rooms, toilets and bathrooms are refused (4403/CV-BCĐ)."""

    area: PublicArea
    cameras: Annotated[int, Field(ge=1, le=1000)]
    type: CameraType = CameraType.BULLET
    position: Line | None = None


class ProposalFields(Paper):
    """What to install at one facility."""

    code: Code
    facility_id: UUID
    areas: Annotated[tuple[ProposedArea, ...], Field(max_length=200)] = ()
    recorder: Line | None = Field(default=None, description="Recorder: model, channels, disk.")
    line: Line | None = Field(default=None, description="Internet line: provider and Mbps up.")
    power: Line | None = Field(default=None, description="Power supply and UPS.")
    estimated_cost_vnd: Annotated[int, Field(gt=0, le=MAX_COST_VND)] | None = Field(
        default=None, description="In đồng."
    )
    lead_time_days: Annotated[int, Field(gt=0, le=3650)] | None = Field(
        default=None, description="Days from funding to connection."
    )
    proposed_connection: Text | None = None
    decision_number: Name | None = None
    decision_date: date | None = None
    funding_source: Line | None = None
    installed_on: date | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _decision_is_whole(self) -> "ProposalFields":
        if (self.decision_number is None) != (self.decision_date is None):
            msg = "decision_number and decision_date go together: give both or neither"
            raise ValueError(msg)
        return self

    @property
    def cameras(self) -> int:
        """Cameras to install, of all areas together."""
        return sum(one.cameras for one in self.areas)


def missing_parts(proposal: ProposalFields) -> tuple[str, ...]:
    """Fields that a proposal needs before it is submitted."""
    return tuple(name for name in _COMPLETE if not getattr(proposal, name))


def met_guards(
    proposal: ProposalFields, *, surveyed: bool, by_lead: bool, active: bool, forwarded_as_planned: int
) -> frozenset[str]:
    """Find the guards that hold. `forwarded_as_planned`: the facility's cameras that run under its agreed plan."""
    holds = {
        "complete": not missing_parts(proposal),
        "surveyed": surveyed,
        "decision_recorded": proposal.decision_number is not None,
        "by_the_lead": by_lead,
        "funding_recorded": proposal.funding_source is not None,
        "installation_recorded": proposal.installed_on is not None,
        "cameras_connected": active and 0 < proposal.cameras <= forwarded_as_planned,
    }
    return frozenset(name for name, true in holds.items() if true)


LATER = frozenset({"decision_number", "decision_date", "funding_source", "installed_on", "note"}) | PAPER
"""What is recorded after a proposal was submitted; all else is what was decided on."""


def is_open(status: ProposalStatus) -> bool:
    """Whether what is proposed may still change."""
    return status in {ProposalStatus.DRAFT, ProposalStatus.RETURNED}
