"""The made-up province: districts as they were in 2021, facilities of the kinds that the decisions of 2021 name.

No person is named. Facilities are schools, barracks and hotels of the region with made-up cameras.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

from reporting.domain.scope import Camera, Delivery, Facility, Named

NAMESPACE = UUID("6c1f4f0e-8a53-4d0e-9b6e-1742000052a1")
"""Of every id of the example."""

_UNITS = {
    "461": "Thành phố Đông Hà",
    "464": "Huyện Vĩnh Linh",
    "465": "Huyện Hướng Hóa",
    "466": "Huyện Gio Linh",
    "467": "Huyện Đa Krông",
    "468": "Huyện Cam Lộ",
    "469": "Huyện Triệu Phong",
    "470": "Huyện Hải Lăng",
}
_AGENCIES = {"BCHQS": "Bộ Chỉ huy Quân sự tỉnh", "SYT": "Sở Y tế", "UBND-H": "UBND các huyện, thị xã, thành phố"}
_POSITIONS = ("Cổng chính", "Sân trước", "Hành lang tầng 1", "Hành lang tầng 2", "Khu tiếp nhận", "Sảnh tầng 1")


class Site(NamedTuple):
    """A facility of the example: how many cameras, and on which day of the period they are installed."""

    facility: Facility
    cameras: int
    installed_on: int


def _site(unit: str, code: str, name: str, kind: str, agency: str, cameras: int, installed_on: int = 0) -> Site:
    facility = Facility(
        id=uuid5(NAMESPACE, f"facility/{code}"),
        code=code,
        name=name,
        type=kind,
        restricted=kind == "military",
        unit=Named(uuid5(NAMESPACE, f"unit/{unit}"), unit, _UNITS[unit]),
        agency=Named(uuid5(NAMESPACE, f"agency/{agency}"), agency, _AGENCIES[agency]),
    )
    return Site(facility, cameras, installed_on)


SITES: Sequence[Site] = (
    _site("461", "KCL-01", "Khách sạn cách ly Đông Hà", "hotel", "SYT", 4),
    _site("461", "KCL-02", "Trung tâm Y tế thành phố Đông Hà", "health", "SYT", 3, 1),
    _site("464", "KCL-03", "Doanh trại huấn luyện Vĩnh Linh", "military", "BCHQS", 4),
    _site("465", "KCL-04", "Trạm Đo lường - Thử nghiệm Lao Bảo", "public_building", "UBND-H", 3, 2),
    _site("465", "KCL-05", "Doanh trại Lao Bảo", "military", "BCHQS", 5),
    _site("466", "KCL-06", "Trường Dạy nghề Gio Linh", "school", "UBND-H", 2, 4),
    _site("467", "KCL-07", "Trường Dân tộc nội trú Đakrông", "dormitory", "UBND-H", 4, 1),
    _site("468", "KCL-08", "Trường Tiểu học Cam An", "school", "UBND-H", 3, 3),
    _site("469", "KCL-09", "Trường Tiểu học Triệu Thượng", "school", "UBND-H", 3, 5),
    _site("470", "KCL-10", "Trường Tiểu học Hải Lăng", "school", "UBND-H", 3, 2),
    _site("470", "KCL-11", "Nhà đa năng xã Hải Lăng", "public_building", "UBND-H", 0),
    _site("464", "KCL-12", "Ký túc xá Hồ Xá", "dormitory", "UBND-H", 0),
)
_DESTINATIONS = (("national", "D1", "Hệ thống giám sát tập trung của Bộ"), ("provincial", "D2", "IOC Quảng Trị"))


def cameras() -> list[tuple[Site, Camera]]:
    """All cameras with their sites, without a plan of their time."""
    return [(site, _camera(site.facility, number)) for site in SITES for number in range(1, site.cameras + 1)]


def _camera(facility: Facility, number: int) -> Camera:
    code = f"{facility.code}-C{number:02d}"
    deliveries = tuple(
        Delivery(
            str(uuid5(NAMESPACE, f"delivery/{code}/{role}")),
            Named(uuid5(NAMESPACE, f"destination/{short}"), short, name),
            role,
            "acknowledged",
            True,
        )
        for role, short, name in _DESTINATIONS
    )
    return Camera(str(uuid5(NAMESPACE, f"camera/{code}")), code, _POSITIONS[number - 1], facility, deliveries)
