"""Who decides what: one table of acts and roles. Whoever owes a duty asks, and never settles it.

An act is what changes a duty, or what is counted of it. `MATRIX` is the table; `refuse_act` is the whole rule, and
docs/reference/permissions.md is made of both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from vonggac.auth.rights import OWES, Principal, Right, Role
from vonggac.events.inventory import Act

REQUESTS = "/v1/decision-requests"
"""Where inventory takes requests, and shows those that wait."""


class Part(StrEnum):
    """What a role has to say in an act."""

    DECIDES = "decides"
    ASKS = "asks"


@dataclass(frozen=True, slots=True)
class Words:
    """What an act is called."""

    english: str
    vietnamese: str


WORDS: Mapping[Act, Words] = MappingProxyType(
    {
        Act.SETTLEMENT: Words(
            "settling, waiving or reopening an obligation", "Ghi nhận hoàn thành, miễn hoặc mở lại nghĩa vụ"
        ),
        Act.DEADLINE: Words("setting a deadline", "Đặt hoặc gia hạn thời hạn"),
        Act.DIRECTIVE: Words("entering, changing or removing a directive", "Ghi, sửa hoặc xóa văn bản chỉ đạo"),
        Act.OBLIGATION: Words("entering, changing or removing an obligation", "Giao, sửa hoặc xóa nghĩa vụ"),
        Act.EXCEPTION: Words("an exception from the connection plan", "Cho ngoại lệ về phương án kết nối"),
        Act.MAINTENANCE: Words(
            "agreeing to maintenance, before it begins", "Thống nhất lịch bảo trì, trước khi bảo trì bắt đầu"
        ),
        Act.CLOSING: Words(
            "closing, suspending, reopening or ending a facility, or dating its founding anew",
            "Đóng, tạm dừng, mở lại, kết thúc hiệu lực hoặc sửa ngày thành lập của cơ sở",
        ),
        Act.SWITCHING_OFF: Words(
            "taking a camera or a delivery out of what is counted", "Cho camera hoặc luồng gửi ra khỏi phần thống kê"
        ),
        Act.APPROVAL: Words(
            "approving or returning a survey, a proposal, a plan or a report",
            "Duyệt hoặc trả lại phiếu khảo sát, đề xuất, phương án, báo cáo",
        ),
        Act.FREEZING: Words("freezing a report", "Chốt báo cáo"),
        Act.ASSIGNMENT: Words("assigning the operator of a province", "Phân công đơn vị vận hành của tỉnh"),
        Act.PURGE: Words("purging the data of a closed facility", "Xóa dữ liệu của cơ sở đã đóng khi hết hạn lưu"),
        Act.APPROVAL_RULE: Words("allowing that who wrote approves", "Cho phép người lập tự duyệt, hoặc thôi cho phép"),
        Act.URGING: Words("urging a party, or changing how parties are urged", "Đôn đốc, hoặc sửa cách đôn đốc"),
        Act.TARGET: Words("setting a target of availability", "Đặt chỉ tiêu hoạt động liên tục"),
        Act.ISSUE: Words("recording a paper as issued", "Ghi nhận văn bản đã ban hành"),
        Act.ASSESSMENT: Words(
            "recording an inspection, or whether an area has enough cameras", "Ghi nhận kiểm tra, hoặc mức đủ camera"
        ),
        Act.PROOF: Words(
            "changing the code or role of a centre, the proof that it demands or where it is read back",
            "Sửa mã, vai trò, bằng chứng yêu cầu hoặc nơi đọc lại của trung tâm",
        ),
        Act.PLACEMENT: Words(
            "changing the type, unit or managing agency of a facility, by which its duties go",
            "Sửa loại hình, đơn vị hoặc cơ quan quản lý của cơ sở",
        ),
    }
)

_DECIDES, _ASKS = Part.DECIDES, Part.ASKS
DECIDERS = frozenset({Role.PROVINCE_LEAD, Role.DECIDER})
"""Who decides: the lead, and who is named for it."""
_DECIDERS = dict.fromkeys(sorted(DECIDERS), _DECIDES)
_ALL_ASK = {**_DECIDERS, Role.OPERATOR: _ASKS, Role.MANAGING_AGENCY: _ASKS, Role.FACILITY: _ASKS}
MATRIX: Mapping[Act, Mapping[Role, Part]] = MappingProxyType(
    {
        Act.SETTLEMENT: _ALL_ASK,
        Act.DEADLINE: _ALL_ASK,
        Act.DIRECTIVE: _DECIDERS,
        Act.OBLIGATION: _DECIDERS,
        Act.EXCEPTION: _ALL_ASK,
        Act.MAINTENANCE: _ALL_ASK,
        Act.CLOSING: _ALL_ASK,
        Act.SWITCHING_OFF: _ALL_ASK,
        Act.APPROVAL: _DECIDERS,
        Act.FREEZING: _DECIDERS,
        Act.ASSIGNMENT: _DECIDERS,
        Act.APPROVAL_RULE: _DECIDERS,
        Act.PURGE: _ALL_ASK,
        Act.URGING: _DECIDERS,
        Act.TARGET: _DECIDERS,
        Act.ISSUE: _DECIDERS,
        Act.ASSESSMENT: _DECIDERS,
        Act.PROOF: _DECIDERS,
        Act.PLACEMENT: _DECIDERS,
    }
)
"""The matrix. A role that is not there has no part in the act."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a caller does not decide: which duty, who holds it, what would be right."""

    code: str
    detail: str
    detail_vi: str


def part_of(act: Act, caller: Principal) -> Part | None:
    """Choose the best that the token gives; who holds a role that owes asks, whatever else the token says."""
    if not caller.may(Right.READ):
        return None
    given = {MATRIX[act].get(role) for role in caller.roles}
    if Part.DECIDES in given and caller.may(Right.DECIDE):
        return Part.DECIDES
    return Part.ASKS if Part.ASKS in given else None


def refuse_act(act: Act, caller: Principal, *, owed_by: UUID | None = None, by_lead: bool = False) -> Refusal | None:
    """Why the caller does not decide this act; None: it does.

    `owed_by`: the agency that owes the duty; `by_lead`: that agency is the lead.
    """
    part, words = part_of(act, caller), WORDS[act]
    if part is not Part.DECIDES:
        return _not_the_decider(act, words, caller, part)
    owes = owed_by is not None and owed_by == caller.agency
    if not owes and not (by_lead and caller.agency is None and Role.PROVINCE_LEAD in caller.roles):
        return None
    return Refusal(
        "owes_the_duty",
        f"{words.english} is not for the agency that owes the duty, and the token speaks for that agency; another one "
        "decides it: who is named for it above the lead, with a token of the role 'decider'",
        f"{words.vietnamese}: cơ quan chịu trách nhiệm thực hiện không tự quyết định cho mình; phải do người được giao "
        "quyền quyết định của cơ quan khác (vai trò 'decider') thực hiện",
    )


def _not_the_decider(act: Act, words: Words, caller: Principal, part: Part | None) -> Refusal:
    roles = ", ".join(f"'{role}'" for role in sorted(caller.roles)) or "none"
    right = f"ask for it with a reason: POST {REQUESTS} with the act '{act}'"
    right_vi = f"hãy gửi đề nghị kèm lý do: POST {REQUESTS}, act '{act}'"
    if part is None:
        right = "let one of them do it with a token of their own"
        right_vi = "hãy để một trong hai bên đó thực hiện bằng tài khoản của mình"
    both = ""
    both_vi = ""
    if caller.roles & OWES and caller.roles & DECIDERS:
        both = "; a token that also has the role of somebody who owes duties decides none"
        both_vi = "; tài khoản có cả vai trò của bên thực hiện thì không được quyết định"
    return Refusal(
        "forbidden",
        f"{words.english} needs the right 'decide': it is for the province lead (Sở TT&TT, role 'province_lead') or "
        f"who is named for it (role 'decider'), and the token has {roles}{both}; {right}",
        f"{words.vietnamese} thuộc quyền của đơn vị chủ trì của tỉnh (Sở TT&TT, vai trò 'province_lead') hoặc người "
        f"được giao quyền quyết định (vai trò 'decider'); tài khoản này có vai trò {roles}{both_vi}; {right_vi}",
    )
