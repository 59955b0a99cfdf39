"""How Vietnamese documents write times, amounts and the words of the report (Decree 30/2020/NĐ-CP)."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from reporting.domain.instants import Millis, moment
from reporting.domain.timeline import CameraState
from vonggac.decree.dates import short_day
from vonggac.events.causes import CAUSE_NAMES
from vonggac.events.inventory import BlockedKind, ObligationKind, PlanStatus, ProposalStatus, SurveyStatus

_MS_PER_MINUTE, _MS_PER_HOUR = 60_000, 3_600_000

STATES: Mapping[str, str] = {
    CameraState.UP.value: "Hoạt động",
    CameraState.DOWN.value: "Mất",
    CameraState.MAINTENANCE.value: "Bảo trì",
    CameraState.UNKNOWN.value: "Không rõ",
    CameraState.OUT_OF_SCOPE.value: "Ngoài phạm vi",
}
AREAS: Mapping[str, str] = {
    "corridor": "hành lang",
    "floor_lobby": "sảnh tầng",
    "yard": "sân",
    "sampling": "nơi lấy mẫu",
    "reception": "nơi tiếp nhận",
    "medical_check": "nơi khám",
    "handover": "nơi giao nhận",
    "outside_toilet": "bên ngoài nhà vệ sinh",
    "gate": "cổng",
    "other_public": "khu vực công cộng khác",
}
BLOCKED: Mapping[str, str] = {
    BlockedKind.OBSOLETE_EQUIPMENT: "thiết bị cũ, lạc hậu",
    BlockedKind.SECURITY_LOCK: "hệ thống bị khóa bảo mật",
    BlockedKind.NON_COOPERATION: "đơn vị chưa phối hợp",
    BlockedKind.NEEDS_NEW_INVESTMENT: "cần đầu tư mới",
    BlockedKind.NEEDS_REPAIR: "cần sửa chữa",
    BlockedKind.NEEDS_SUPPLEMENT: "cần bổ sung",
    BlockedKind.OTHER: "khác",
}
SURVEYS: Mapping[str, str] = {
    SurveyStatus.NOT_STARTED: "chưa bắt đầu",
    SurveyStatus.ASSIGNED: "đã giao",
    SurveyStatus.SCHEDULED: "đã hẹn",
    SurveyStatus.IN_PROGRESS: "đang làm",
    SurveyStatus.SUBMITTED: "chờ duyệt",
    SurveyStatus.RETURNED: "bị trả lại",
    SurveyStatus.APPROVED: "đã duyệt",
}
PLANS: Mapping[str, str] = {
    PlanStatus.DRAFT: "Dự thảo",
    PlanStatus.PROPOSED: "Đã đề xuất",
    PlanStatus.AGREED: "Đã thống nhất",
    PlanStatus.SUPERSEDED: "Đã thay",
    PlanStatus.REJECTED: "Bị từ chối",
}
PROPOSALS: Mapping[str, str] = {
    ProposalStatus.DRAFT: "Dự thảo",
    ProposalStatus.SUBMITTED: "Đã trình",
    ProposalStatus.RETURNED: "Trả lại",
    ProposalStatus.APPROVED: "Đã duyệt",
    ProposalStatus.FUNDED: "Đã cấp kinh phí",
    ProposalStatus.INSTALLED: "Đã lắp đặt",
    ProposalStatus.CONNECTED: "Đã kết nối",
}
SOURCES: Mapping[str, str] = {"camera": "camera", "nvr_channel": "đầu ghi", "vendor_cloud": "máy chủ của hãng"}
DUTIES: Mapping[str, str] = {
    ObligationKind.SURVEY_AND_PLAN: "khảo sát và phương án",
    ObligationKind.CONNECTION: "kết nối",
    ObligationKind.PROPOSAL: "đề xuất lắp đặt",
    ObligationKind.INSTALLATION: "lắp đặt",
    ObligationKind.COVERAGE: "đủ camera",
    ObligationKind.FOCAL_POINT: "đầu mối",
    ObligationKind.INSPECTION: "kiểm tra",
    ObligationKind.REPORT: "báo cáo",
    ObligationKind.OTHER: "việc khác",
}
DUE_STATES: Mapping[str, str] = {
    "overdue": "quá hạn",
    "due_soon": "sắp đến hạn",
    "open": "chưa đến hạn",
    "done_late": "xong trễ",
    "done": "xong",
    "waived": "được miễn",
}


def clock_time(instant: datetime) -> str:
    """`14 giờ 05 phút`; of an instant in local time."""
    return f"{instant.hour:02d} giờ {instant.minute:02d} phút"


def local(instant: Millis, zone: ZoneInfo) -> datetime:
    """Convert the instant to the report's time zone."""
    return moment(instant).astimezone(zone)


def point_in_time(instant: Millis, zone: ZoneInfo) -> str:
    """`00 giờ 00 phút ngày 10/5/2021`."""
    at = local(instant, zone)
    return f"{clock_time(at)} ngày {short_day(at)}"


def short_time(instant: Millis, zone: ZoneInfo) -> str:
    """`07/5/2021 14:05`, for tables."""
    at = local(instant, zone)
    return f"{short_day(at)} {at.hour:02d}:{at.minute:02d}"


def amount(number: int) -> str:
    """`1.234.567`: points between thousands."""
    return f"{number:,}".replace(",", ".")


def percent(part: int, whole: int) -> str:
    """`97,50%`, two places, half up; `-` where there is nothing to divide by. Exact: both are integers."""
    if not whole:
        return "-"
    hundredths = (20_000 * part + whole) // (2 * whole)
    return f"{hundredths // 100},{hundredths % 100:02d}%"


def ratio(part: int, whole: int) -> Fraction | None:
    """Compute the exact share, None where there is nothing to divide by."""
    return Fraction(part, whole) if whole else None


def length(duration: Millis) -> str:
    """`12 giờ 05 phút`, minutes half up; `dưới 1 phút` for what would be none."""
    minutes = (2 * duration + _MS_PER_MINUTE) // (2 * _MS_PER_MINUTE)
    if minutes == 0:
        return "0 phút" if duration == 0 else "dưới 1 phút"
    hours, rest = divmod(minutes, 60)
    return f"{amount(hours)} giờ {rest:02d} phút" if hours else f"{rest} phút"


def hours(duration: Millis) -> str:
    """`12,5`: hours with one place, half up, for tables."""
    tenths = (20 * duration + _MS_PER_HOUR) // (2 * _MS_PER_HOUR)
    return f"{amount(tenths // 10)},{tenths % 10}"


def cause_name(cause: str | None) -> str:
    """Name a cause in words."""
    return "Không ghi nhận" if cause is None else CAUSE_NAMES.get(cause, cause)
