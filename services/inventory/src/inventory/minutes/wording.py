"""How Vietnamese documents write times, amounts and the words of the register (Decree 30/2020/NĐ-CP)."""

from datetime import datetime

from inventory.domain.mandate.surveying.form import Coverage, SystemKind
from inventory.domain.places.areas import Area

AREAS = {
    Area.CORRIDOR: "Hành lang nhìn thấy cửa các phòng cách ly",
    Area.FLOOR_LOBBY: "Sảnh các tầng",
    Area.YARD: "Sân",
    Area.SAMPLING: "Khu lấy mẫu",
    Area.RECEPTION: "Khu tiếp nhận",
    Area.MEDICAL_CHECK: "Khu khám, theo dõi sức khỏe",
    Area.HANDOVER: "Khu giao nhận thuốc, hàng hóa",
    Area.OUTSIDE_TOILET: "Bên ngoài nhà tắm, nhà vệ sinh chung",
    Area.GATE: "Cổng ra vào",
    Area.OTHER_PUBLIC: "Khu vực công cộng khác",
}
COVERAGES = {
    Coverage.COVERED: "Đã có camera",
    Coverage.NOT_COVERED: "Chưa có camera",
    Coverage.NOT_APPLICABLE: "Không áp dụng",
}
SYSTEMS = {
    SystemKind.NONE: "chưa có hệ thống camera",
    SystemKind.ANALOG: "camera tương tự (analog)",
    SystemKind.IP: "camera IP",
    SystemKind.MIXED: "camera tương tự và camera IP",
}


def clock_time(instant: datetime) -> str:
    """`14 giờ 05`; of an instant in local time."""
    return f"{instant.hour:02d} giờ {instant.minute:02d}"


def amount(number: float) -> str:
    """`1.234.567` or `97,5`: points between thousands, a comma before decimals."""
    text = f"{number:,}" if isinstance(number, int) else f"{number:,.10g}"
    return text.translate(str.maketrans(",.", ".,"))


def yes_no(value: bool | None) -> str:
    """`Có`, `Không`, or nothing when it was not noted."""
    return {True: "Có", False: "Không", None: ""}[value]


def heading_name(name: str) -> str:
    """Format an agency's name for the head of a document: capitals, `UBND` for Ủy ban nhân dân."""
    return name.upper().replace("ỦY BAN NHÂN DÂN", "UBND").replace("UỶ BAN NHÂN DÂN", "UBND")
