"""Columns that many tables share, with the values that a row gives for them."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from uuid import UUID

from reporting.domain.instants import Millis
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES
from reporting.domain.percentages import percentages
from reporting.domain.scope import Camera, Delivery, Facility
from reporting.tables.table import Column, Kind, Row
from vonggac.events.inventory import DestinationRole, FacilityType, PlanBasis, RequiredProof

TEXT, PERCENT = Kind.TEXT, Kind.PERCENT

UNIT = (
    Column("unit_id", TEXT, "ID đơn vị hành chính", "Id of the administrative unit.", required=True),
    Column("unit_code", TEXT, "Mã đơn vị hành chính", "Its code; empty while only the id is known."),
    Column("unit_name", TEXT, "Đơn vị hành chính", "Its name."),
)
AGENCY = (
    Column("agency_id", TEXT, "ID cơ quan quản lý", "Id of the managing agency.", required=True),
    Column("agency_code", TEXT, "Mã cơ quan quản lý", "Its code; empty while only the id is known."),
    Column("agency_name", TEXT, "Cơ quan quản lý", "Its name."),
)
FACILITY = (
    Column("facility_id", TEXT, "ID cơ sở", "Id of the facility where the camera stood last.", required=True),
    Column("facility_code", TEXT, "Mã cơ sở", "Its code.", required=True),
    Column("facility_name", TEXT, "Cơ sở", "Its name.", required=True),
    Column("facility_type", TEXT, "Loại cơ sở", "Its type.", choices=[*FacilityType], required=True),
    Column("facility_restricted", Kind.BOOLEAN, "Hạn chế", "Whether it is a military site.", required=True),
)
PLACE = (*UNIT, *AGENCY, *FACILITY)
CAMERA = (
    Column("camera_id", TEXT, "ID camera", "Id of the camera; empty in the row of a facility without cameras."),
    Column("camera_code", TEXT, "Mã camera", "Its code."),
    Column("camera_name", TEXT, "Camera", "Its name."),
)
SHARED_DEVICE = (
    Column("shared_device_reason", TEXT, "Lý do dùng chung thiết bị", "Why another camera has the same device."),
)
PLAN = (
    Column(
        "plan", TEXT, "Căn cứ kết nối", "What it runs under: agreed plan, exception or nothing.", choices=[*PlanBasis]
    ),
    Column("plan_exception", TEXT, "Lý do ngoại lệ", "Why it runs without an agreed plan."),
)
"""Flags: in a table beside what they are of."""
DELIVERY = (
    Column("delivery_id", TEXT, "ID kết nối", "Id of the delivery; empty in the row of a camera without deliveries."),
    Column("destination_id", TEXT, "ID trung tâm", "Id of the monitoring centre."),
    Column("destination_code", TEXT, "Mã trung tâm", "Its code."),
    Column(
        "destination_role",
        TEXT,
        "Vai trò trung tâm",
        "Whether it is the national or a provincial one.",
        choices=[*DestinationRole],
    ),
    Column(
        "required_proof",
        TEXT,
        "Mức xác nhận yêu cầu",
        "What the centre demands, and what counts as connected.",
        choices=[*RequiredProof],
    ),
)

LENGTHS = {
    "period": ("Độ dài kỳ", "The whole time."),
    "up": ("Hoạt động", "A true, moving picture arrived."),
    "down": ("Mất", "No picture arrived, or none that is true."),
    "maintenance": ("Bảo trì", "Agreed before it began."),
    "unknown": ("Không rõ", "Nobody measured it, or no read-back has spoken since the last match."),
    "out_of_scope": (
        "Ngoài phạm vi",
        "Not counted: not there, switched off, being connected, facility not active.",
    ),
    "compliant": ("Đạt yêu cầu", "Up, and connected to both centres as each demands."),
    "non_compliant": ("Không đạt", "Certainly not compliant."),
    "compliance_unknown": ("Không rõ có đạt", "Not known whether it was compliant."),
    "both": ("Kết nối cả hai", "Connected to the national and a provincial centre."),
    "national_only": ("Chỉ trung ương", "Connected to the national centre alone."),
    "provincial_only": ("Chỉ tỉnh", "Connected to a provincial centre alone."),
    "neither": ("Không trung tâm nào", "Connected to neither."),
    "connection_unknown": ("Không rõ kết nối", "Not known to which it was connected."),
    "connected": ("Đã kết nối", "The centre received it as it demands; `verified`: between two matching read-backs."),
    "not_connected": ("Mất kết nối", "It did not, or from the beginning of a read-back that failed or differed."),
}


def length(name: str) -> Column:
    """Build the column of one sum of time."""
    heading, description = LENGTHS[name]
    return Column(f"{name}_ms", Kind.DURATION, f"{heading} (ms)", description)


CAMERA_LENGTHS = tuple(length(name) for name in DURATION_NAMES)
DELIVERY_LENGTHS = tuple(length(name) for name in LEDGER_NAMES)

_PERCENTAGES = {
    "measured": ("đo được", "of the measured time"),
    "strict": ("chặt", "where unknown counts as bad"),
    "lenient": ("lỏng", "where unknown counts as good"),
    "coverage": ("có số liệu", "how much of the time was measured"),
}


def percent_columns(name: str, heading: str, description: str) -> tuple[Column, ...]:
    """Build the four percentages of good, bad and unknown time."""
    return tuple(
        Column(f"{name}_{form}_percent", PERCENT, f"{heading} {vietnamese} (%)", f"{description}, {english}.")
        for form, (vietnamese, english) in _PERCENTAGES.items()
    )


AVAILABILITY = percent_columns("availability", "Tỷ lệ hoạt động", "Share of the time up")
COMPLIANCE = percent_columns("compliance", "Tỷ lệ đạt yêu cầu", "Share of the time compliant")
CONNECTION = percent_columns("connection", "Tỷ lệ kết nối", "Share of the time connected")


def place_values(facility: Facility) -> Row:
    """Return the values of PLACE."""
    unit, agency = facility.unit, facility.agency
    return (
        str(unit.id),
        unit.code,
        unit.name,
        str(agency.id),
        agency.code,
        agency.name,
        str(facility.id),
        facility.code,
        facility.name,
        facility.type,
        facility.restricted,
    )


class Places:
    """The values of facilities, made once for all their cameras."""

    def __init__(self, make: Callable[[Facility], Row] = place_values) -> None:
        self._make = make
        # By identity: each version of a facility is one object, and hashing one costs as much as an account.
        self._numbers: dict[int, int] = {}
        self.made: list[Row] = []

    def of(self, facility: Facility) -> Row:
        return self.made[self.number(facility)]

    def number(self, facility: Facility) -> int:
        """Find the place of its values in `made`."""
        found = self._numbers.get(id(facility))
        if found is None:
            found = self._numbers[id(facility)] = len(self.made)
            self.made.append(self._make(facility))
        return found


def camera_values(camera: Camera) -> Row:
    """Return the values of CAMERA."""
    return camera.id, camera.code, camera.name


def delivery_values(delivery: Delivery) -> Row:
    """Return the values of DELIVERY."""
    to = delivery.destination
    return delivery.id, _text(to.id), to.code, delivery.role, delivery.required_proof


def plan_values(delivery: Delivery) -> Row:
    """Return the values of PLAN."""
    return delivery.plan, delivery.plan_exception


@lru_cache(maxsize=1024)
def _text(destination: UUID) -> str:
    """Its id as text: a few destinations have all the deliveries."""
    return str(destination)


def percent_values(good: Millis, bad: Millis, unknown: Millis) -> Row:
    """Compute the values of four percentages."""
    return percentages(good, bad, unknown)


def nothing(columns: Sequence[Column]) -> Row:
    """No values for `columns`."""
    return (None,) * len(columns)
