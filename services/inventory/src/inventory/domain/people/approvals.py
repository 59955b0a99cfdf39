"""Two pairs of eyes: who wrote does not approve (decision 0122).

Who wrote is read from the change log, as every change of what is judged stands there: whoever corrected the last line
is one of them, and so is who laid it before the others.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import Fields, Line, ValidTo
from vonggac.events.inventory import PlanStatus, ProposalStatus, SurveyStatus


class ApprovalRuleFields(Fields):
    """One rule for one province in one period. A province without one has two pairs of eyes."""

    unit_id: UUID = Field(description="The province.")
    two_persons: bool = Field(
        description="True: who wrote does not approve, as without a rule. False: the exception; each use of it is on "
        "record (`/v1/self-approvals`) and named in the report."
    )
    valid_from: date = Field(description="First day.")
    valid_to: ValidTo = Field(default=None, description="Last day, included; empty while it is in force.")
    why: Line = Field(description="Why; the report says it beside each use.")


HEADINGS = {
    "unit_id": "Mã tỉnh",
    "two_persons": "Người lập không tự duyệt",
    "valid_from": "Từ ngày",
    "valid_to": "Đến ngày",
    "why": "Lý do",
}
"""Headings of files, by column."""

_FINDINGS = frozenset(
    {"surveyed_on", "participants", "verdict", "verdict_reason", "form", "attachments", "place", "note"}
)
_PLANNED = frozenset({"connections", "connect_by", "responsible_lead", "responsible_operator", "note"})
_PROPOSED = frozenset(
    {
        "areas", "recorder", "line", "power", "estimated_cost_vnd", "lead_time_days", "proposed_connection", "note",
    }
)  # fmt: skip
_EXCEPTED = frozenset({"why", "approved_by", "decided_on", "valid_from", "valid_to"})
_WRITTEN: Mapping[str, frozenset[str]] = {
    "survey": _FINDINGS,
    "connection_plan": _PLANNED,
    "installation_proposal": _PROPOSED,
    "plan_exception": _EXCEPTED,
}
"""What is judged of each noun: not who is sent, nor an agency's word, nor the decision itself."""
_LAID_BEFORE: Mapping[str, frozenset[str]] = {
    "survey": frozenset({SurveyStatus.SUBMITTED.value}),
    "connection_plan": frozenset({PlanStatus.PROPOSED.value}),
    "installation_proposal": frozenset({ProposalStatus.SUBMITTED.value}),
}
_APPROVED: Mapping[str, frozenset[str]] = {
    "survey": frozenset({SurveyStatus.APPROVED.value}),
    "connection_plan": frozenset({PlanStatus.AGREED.value}),
    "installation_proposal": frozenset({ProposalStatus.APPROVED.value, ProposalStatus.FUNDED.value}),
}
WORDS: Mapping[str, tuple[str, str]] = {
    "survey": ("the survey", "Phiếu khảo sát"),
    "connection_plan": ("the connection plan", "Phương án kết nối"),
    "installation_proposal": ("the installation proposal", "Đề xuất lắp đặt"),
    "plan_exception": ("the exception from the connection plan", "Ngoại lệ về phương án kết nối"),
    "decision_request": ("the request", "Đề nghị"),
}
"""What is approved, in English and Vietnamese."""

type State = Mapping[str, Any]
"""A thing as the change log shows it; values are JSON."""


class LoggedChange(NamedTuple):
    """A line of the change log."""

    by: str
    before: State | None
    after: State | None


def writes(noun: str, before: State | None, after: State | None) -> bool:
    """Whether a change wrote something that is judged, or laid it before who judges."""
    if after is None or noun not in _WRITTEN:
        return False
    old = before or {}
    if any((old.get(name) or None) != (after.get(name) or None) for name in _WRITTEN[noun]):
        return True
    return before is not None and old.get("status") != after["status"] in _LAID_BEFORE.get(noun, ())


def find_writers(noun: str, changes: Iterable[LoggedChange]) -> frozenset[str]:
    """Who wrote a thing, by the lines of the change log that are about it."""
    return frozenset(one.by for one in changes if writes(noun, one.before, one.after))


def approves(noun: str, before: State | None, after: State) -> bool:
    """Whether a write approves what it is about.

    An exception is in force when it is on record; one that only ends earlier approves nothing.
    """
    if noun == "plan_exception":
        return before is None or _is_more(before, after)
    if noun not in _APPROVED or before is None:
        return False
    return bool(before["status"] != after["status"] in _APPROVED[noun])


def _is_more(before: State, after: State) -> bool:
    rest = _EXCEPTED - {"valid_to"}
    if any(before.get(name) != after.get(name) for name in rest):
        return True
    old, new = (_day(one.get("valid_to")) for one in (before, after))
    return new > old


def _day(value: Any) -> date:
    if value is None:
        return date.max
    return value if isinstance(value, date) else date.fromisoformat(value)


def refuse_writer(noun: str, label: str, writers: Iterable[str], caller: str) -> tuple[str, str]:
    """Write the refusal of somebody who would approve what he wrote, in English and Vietnamese."""
    english, vietnamese = WORDS[noun]
    who = ", ".join(sorted(writers))
    detail = (
        f"{english} {label} was written by {who}: who wrote does not approve, and the token is of {caller}; somebody "
        "else who decides approves it (role 'province_lead' or 'decider')"
    )
    detail_vi = (
        f"{vietnamese} {label} do {who} lập: người lập không tự duyệt, và tài khoản này là của {caller}; phải do người "
        "khác có quyền quyết định duyệt (vai trò 'province_lead' hoặc 'decider')"
    )
    return detail, detail_vi


def refuse_alone(noun: str, caller: str) -> tuple[str, str]:
    """Write the refusal of who would put an approved exception on record alone, in English and Vietnamese."""
    english, vietnamese = WORDS[noun]
    detail = (
        f"{english} would be written and approved by {caller}: who wrote does not approve; ask for it with a reason "
        "(POST /v1/decision-requests with the act 'exception'), and somebody else who decides grants it (role "
        "'province_lead' or 'decider')"
    )
    detail_vi = (
        f"{vietnamese} do {caller} vừa lập vừa duyệt: người lập không tự duyệt; hãy gửi đề nghị kèm lý do (POST "
        "/v1/decision-requests, act 'exception') để người khác có quyền quyết định chấp thuận (vai trò 'province_lead' "
        "hoặc 'decider')"
    )
    return detail, detail_vi
