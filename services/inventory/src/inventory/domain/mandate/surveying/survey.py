"""Surveys: who, when, what was found, and the way from `not_started` to `approved` (R03, R16, R19, R20)."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from inventory.domain.fields import Code, Fields, Line, Name, Phone
from inventory.domain.mandate.surveying.attachments import Attachment, check_attachments
from inventory.domain.mandate.surveying.form import SurveyForm, Text
from inventory.domain.paper import PAPER_HEADINGS, Paper
from inventory.domain.people.own_word import BRIEFING_HEADINGS, BriefingDocument
from inventory.domain.states import REASON, StateMachine
from vonggac.events.inventory.people import AgencyRole
from vonggac.events.inventory.surveys import SurveyStatus, SurveyVerdict

MAX_PARTICIPANTS = 50

MACHINE = StateMachine(
    noun="survey",
    states=SurveyStatus,
    initial=SurveyStatus.NOT_STARTED,
    transitions={
        SurveyStatus.NOT_STARTED: {SurveyStatus.ASSIGNED: ("lead_named",)},
        SurveyStatus.ASSIGNED: {SurveyStatus.SCHEDULED: ("day_agreed",), SurveyStatus.NOT_STARTED: (REASON,)},
        SurveyStatus.SCHEDULED: {
            SurveyStatus.IN_PROGRESS: ("briefing_done", "rules_acknowledged"),
            SurveyStatus.ASSIGNED: (REASON,),
        },
        SurveyStatus.IN_PROGRESS: {
            SurveyStatus.SUBMITTED: ("form_complete", "verdict_given", "participants_named", "attachments_complete"),
            SurveyStatus.SCHEDULED: (REASON,),
        },
        SurveyStatus.SUBMITTED: {
            SurveyStatus.APPROVED: ("by_the_lead",),
            SurveyStatus.RETURNED: (REASON, "by_the_lead"),
        },
        SurveyStatus.RETURNED: {
            SurveyStatus.SUBMITTED: ("form_complete", "verdict_given", "participants_named", "attachments_complete"),
            SurveyStatus.SCHEDULED: (),
        },
        SurveyStatus.APPROVED: {},
    },
    vietnamese={
        SurveyStatus.NOT_STARTED: "chưa khảo sát",
        SurveyStatus.ASSIGNED: "đã giao",
        SurveyStatus.SCHEDULED: "đã hẹn lịch",
        SurveyStatus.IN_PROGRESS: "đang khảo sát",
        SurveyStatus.SUBMITTED: "đã nộp",
        SurveyStatus.RETURNED: "trả lại",
        SurveyStatus.APPROVED: "đã duyệt",
    },
    guards={
        "lead_named": "lead_name says who leads it",
        "day_agreed": "scheduled_on has the day",
        "briefing_done": "the facility has given the safety briefing (briefed_by, briefed_at; R16)",
        "rules_acknowledged": (
            "the team has acknowledged the rules against the epidemic "
            "(rules_version, acknowledged_by, acknowledged_at; R16)"
        ),
        "form_complete": "the form has all its parts and judges every required area",
        "verdict_given": "verdict and verdict_reason are given (R20)",
        "participants_named": (
            "participants has, each with a day that has come, one of the lead (Sở TT&TT), one of the operator "
            "(Viettel) and one of a managing agency (Sở Y tế; R19)"
        ),
        "attachments_complete": "every attachment is uploaded",
        "by_the_lead": "the province lead decides it",
    },
    vietnamese_guards={
        "lead_named": "có người phụ trách (lead_name)",
        "day_agreed": "có ngày hẹn (scheduled_on)",
        "briefing_done": "cơ sở đã phổ biến an toàn (briefed_by, briefed_at; R16)",
        "rules_acknowledged": (
            "đoàn đã xác nhận quy định phòng dịch (rules_version, acknowledged_by, acknowledged_at; R16)"
        ),
        "form_complete": "phiếu đủ các phần và có nhận định về mọi khu vực bắt buộc",
        "verdict_given": "có kết luận và lý do (verdict, verdict_reason; R20)",
        "participants_named": (
            "thành phần tham gia có Sở TT&TT, Viettel và cơ quan quản lý (Sở Y tế), mỗi người có ngày đã tham gia (R19)"
        ),
        "attachments_complete": "mọi tệp đính kèm đã được gửi",
        "by_the_lead": "đơn vị chủ trì của tỉnh quyết định",
    },
)

VERDICTS: dict[SurveyVerdict, str] = {
    SurveyVerdict.CONNECTABLE: "kết nối được",
    SurveyVerdict.NEEDS_CONFIG: "cần cấu hình",
    SurveyVerdict.NEEDS_REPAIR: "cần sửa chữa",
    SurveyVerdict.NEEDS_REPLACEMENT: "cần thay thế",
    SurveyVerdict.NONE: "chưa có camera",
}

HEADINGS = {
    "code": "Mã khảo sát",
    "facility_id": "Mã cơ sở",
    "status": "Trạng thái",
    "mode": "Hình thức",
    "lead_name": "Trưởng đoàn",
    "lead_phone": "Điện thoại trưởng đoàn",
    "lead_agency_id": "Đơn vị chủ trì",
    "basis": "Căn cứ",
    "scheduled_on": "Ngày hẹn",
    "surveyed_on": "Ngày khảo sát",
    "place": "Địa điểm",
    "briefed_by": "Người hướng dẫn an toàn",
    "briefed_at": "Lúc hướng dẫn an toàn",
    **BRIEFING_HEADINGS,
    "rules_version": "Quy định phòng dịch",
    "acknowledged_by": "Người cam kết",
    "acknowledged_at": "Lúc cam kết",
    "participants": "Thành phần tham gia",
    "verdict": "Kết luận",
    "verdict_reason": "Lý do",
    "form": "Phiếu khảo sát",
    "attachments": "Tệp đính kèm",
    "note": "Ghi chú",
    **PAPER_HEADINGS,
}


class Participant(Fields):
    """A named participant of one agency, and the day on which it was there (R19)."""

    full_name: Name = Field(title="Họ và tên")
    position: Name | None = Field(default=None, title="Chức vụ")
    agency_id: UUID | None = Field(default=None, title="Đơn vị", description="None: of the facility itself.")
    present_on: date | None = Field(default=None, title="Ngày tham gia")


class Findings(Fields):
    """What the team found: the part of a survey that is sent from the field."""

    surveyed_on: date | None = Field(default=None, description="Day of the survey at the site.")
    participants: tuple[Participant, ...] = Field(default=(), max_length=MAX_PARTICIPANTS)
    verdict: SurveyVerdict | None = Field(default=None, description="On the system as it is (R20).")
    verdict_reason: Text | None = None
    form: SurveyForm | None = None
    attachments: tuple[Attachment, ...] = Field(
        default=(), description="Photos, sketches and scans, each by its SHA-256; contents are uploaded apart."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        check_attachments(self.attachments)
        declared = {one.sha256 for one in self.attachments}
        cameras = self.form.system.cameras if self.form is not None and self.form.system is not None else ()
        for camera in cameras:
            if camera.photo_sha256 is not None and camera.photo_sha256 not in declared:
                msg = f"camera {camera.code}: its photo is not among `attachments`"
                raise ValueError(msg)
        if self.verdict is not None and self.verdict_reason is None:
            msg = "verdict: give its verdict_reason too (R20)"
            raise ValueError(msg)
        if self.verdict is not None and self.form is not None and self.form.system is not None:
            found = self.form.system.kind != "none"
            if found is (self.verdict is SurveyVerdict.NONE):
                msg = f"verdict {self.verdict} does not fit a system of kind {self.form.system.kind}"
                raise ValueError(msg)
        return self


class SurveyFields(Findings, Paper, BriefingDocument):
    """A survey of one facility."""

    code: Code
    facility_id: UUID
    mode: Literal["on_site", "remote"] = Field(default="on_site", description="Prefer remote where it suffices (R16).")
    lead_name: Name | None = Field(default=None, description="Who leads the survey.")
    lead_phone: Phone | None = None
    lead_agency_id: UUID | None = Field(default=None, description="The lead's agency.")
    basis: Line | None = Field(default=None, description="The directive it carries out, as the minutes cite it.")
    scheduled_on: date | None = Field(default=None, description="Day agreed with the facility.")
    place: Line | None = Field(default=None, description="Where the minutes are made.")
    briefed_by: Name | None = Field(default=None, description="Who of the facility gave the safety briefing.")
    briefed_at: AwareDatetime | None = None
    rules_version: Line | None = Field(
        default=None, description="The rules that were acknowledged, by number and date."
    )
    acknowledged_by: Name | None = None
    acknowledged_at: AwareDatetime | None = None
    note: Text | None = None


class Guard(StrEnum):
    """Names of the guards of MACHINE."""

    LEAD_NAMED = "lead_named"
    DAY_AGREED = "day_agreed"
    BRIEFING_DONE = "briefing_done"
    RULES_ACKNOWLEDGED = "rules_acknowledged"
    FORM_COMPLETE = "form_complete"
    VERDICT_GIVEN = "verdict_given"
    PARTICIPANTS_NAMED = "participants_named"
    ATTACHMENTS_COMPLETE = "attachments_complete"
    BY_THE_LEAD = "by_the_lead"


def met_guards(
    survey: SurveyFields, *, roles: dict[UUID, AgencyRole], missing: Iterable[str], by_lead: bool, today: date
) -> frozenset[str]:
    """Find the guards that hold. `roles`: of the participants' agencies; `missing`: SHA-256 of contents not uploaded
    yet."""
    holds = {
        Guard.LEAD_NAMED: survey.lead_name is not None,
        Guard.DAY_AGREED: survey.scheduled_on is not None,
        Guard.BRIEFING_DONE: None not in {survey.briefed_by, survey.briefed_at},
        Guard.RULES_ACKNOWLEDGED: None not in {survey.rules_version, survey.acknowledged_by, survey.acknowledged_at},
        Guard.FORM_COMPLETE: survey.form is not None and not survey.form.missing_parts(),
        Guard.VERDICT_GIVEN: None not in {survey.verdict, survey.verdict_reason},
        Guard.PARTICIPANTS_NAMED: present_parties(survey.participants, roles, today) >= PARTIES,
        Guard.ATTACHMENTS_COMPLETE: not tuple(missing),
        Guard.BY_THE_LEAD: by_lead,
    }
    return frozenset(name for name, true in holds.items() if true)


SAFE = frozenset({Guard.BRIEFING_DONE, Guard.RULES_ACKNOWLEDGED})
"""What a team needs to go in (R16)."""
BEFORE_THE_FIELD = frozenset({SurveyStatus.NOT_STARTED, SurveyStatus.ASSIGNED, SurveyStatus.SCHEDULED})
"""States of a survey whose team has not gone in."""
WENT_IN = frozenset({SurveyStatus.IN_PROGRESS, SurveyStatus.RETURNED})
"""States of a survey whose team went in, and whose record may still change."""
PARTIES = frozenset({AgencyRole.LEAD, AgencyRole.OPERATOR, AgencyRole.MANAGING})
"""Whose people a survey needs: Sở TT&TT, Viettel, Sở Y tế (letter 1742, section 3)."""


def present_parties(
    participants: Iterable[Participant], roles: dict[UUID, AgencyRole], today: date
) -> frozenset[AgencyRole]:
    """Roles of the agencies that have a named participant with a day that has come."""
    came = [one for one in participants if one.present_on is not None and one.present_on <= today]
    named = [one for one in came if one.agency_id is not None]
    return frozenset(roles[one.agency_id] for one in named if one.agency_id in roles)


def is_open(status: SurveyStatus) -> bool:
    """Whether its fields may still change: what was submitted is what the lead judges."""
    return status not in {SurveyStatus.SUBMITTED, SurveyStatus.APPROVED}


type Reason = Annotated[str, Field(min_length=1, max_length=500)]
