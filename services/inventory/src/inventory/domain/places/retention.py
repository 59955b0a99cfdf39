"""How long what a closed facility leaves behind is kept, and what is purged then (R23).

Purged is what is about people, and what opens something: names, posts, phones and addresses of its focal points, visits
and surveys, photos and sketches, links, logins of its cameras. What was decided, measured and reported stays.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from inventory.domain.days import day_of

ERASED = "(đã xóa)"
"""In place of what was purged."""
PERSONAL = frozenset(
    {
        "full_name", "position", "phone", "email", "contact", "login_held_by", "lead_name", "lead_phone", "briefed_by",
        "acknowledged_by", "gate_contact", "gate_phone", "escort", "access_given_by", "for_whom",
    }
)  # fmt: skip
"""Fields of people, wherever they stand in the records of a facility."""


class Kind(StrEnum):
    """What is counted of a purge."""

    FOCAL_POINTS = "focal_points"
    VISITS = "visits"
    SURVEYS = "surveys"
    SURVEY_FILES = "survey_files"
    LINKS = "links"
    CAMERA_LOGINS = "camera_logins"


KIND_WORDS: Mapping[Kind, str] = {
    Kind.FOCAL_POINTS: "cán bộ đầu mối",
    Kind.VISITS: "lượt làm việc có tên người",
    Kind.SURVEYS: "phiếu khảo sát có tên người",
    Kind.SURVEY_FILES: "ảnh, sơ đồ, tệp khảo sát",
    Kind.LINKS: "liên kết của cơ sở",
    Kind.CAMERA_LOGINS: "tài khoản camera",
}


STAYS_VI: Mapping[str, str] = {
    "free_text": "chữ tự do do người nhập viết (ghi chú, lý do, câu trả lời): không dò tìm tên người",
    "import_rows": "các dòng của tệp đã nhập, lưu cùng đợt nhập",
    "actors": "tên và chức vụ của người đã thao tác, bên tài khoản: là hồ sơ của việc đã làm",
    "reporting": "bản sao tại dịch vụ báo cáo và sổ theo dõi trong báo cáo đã chốt: theo thời hạn riêng",
    "backups": "các bản sao lưu: hết theo vòng lưu của chúng",
}
"""What a purge does not reach and may name people, by what it is; whoever decides one reads it."""


class Retention(NamedTuple):
    """How long the register keeps what is purged, in days after the closing, and who says so."""

    days: int
    source: str


DEFAULT_RETENTION = Retention(365, "")
"""Of a register without settings."""


def find_due_day(closed_at: datetime, retention: Retention) -> date:
    """Find the first day on which the data of a facility is due for its purge."""
    return day_of(closed_at) + timedelta(days=retention.days)


def erase_people(value: Any) -> Any:
    """JSON values with every field of a person erased; what is empty stays empty."""
    if isinstance(value, Mapping):
        return {
            name: ERASED if name in PERSONAL and isinstance(inner, str) else erase_people(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [erase_people(inner) for inner in value]
    return value
