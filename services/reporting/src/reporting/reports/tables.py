"""The compliance report as a table: one row per camera and delivery, written in portions.

UTF-8 with BOM, so that Excel shows Vietnamese names. `rfc4180` has commas and decimal points, `excel-vi` semicolons and
decimal commas. A text cell that a spreadsheet would take for a formula gets an apostrophe in front. A camera without
deliveries has one row with empty delivery cells.
"""

import csv
import io
from collections.abc import Sequence
from enum import StrEnum

from reporting.domain.compliance import DURATION_NAMES, DeliveryDurations
from reporting.domain.instants import millis, shown
from reporting.domain.percentages import percentages, rounded
from reporting.domain.rule import RULE_VERSION
from reporting.reports.accounts import CameraAccount, Now, Question
from reporting.storage.plan import Delivery

BOM = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Dialect(StrEnum):
    """Forms of the file."""

    RFC4180 = "rfc4180"
    EXCEL_VI = "excel-vi"


_PERCENTAGES = ("measured", "strict", "lenient", "coverage")
COLUMNS = (
    "period_from", "period_to", "generated_at", "rule_version",
    "district_id", "district_code", "district_name", "agency_id", "agency_code", "agency_name",
    "facility_id", "facility_code", "facility_name", "facility_type", "facility_restricted",
    "camera_id", "camera_code", "camera_name", "camera_state", "camera_cause", "camera_since", "camera_compliant",
    *(f"camera_{name}_s" for name in DURATION_NAMES),
    *(f"availability_{name}_percent{form}" for name in _PERCENTAGES for form in ("", "_rounded")),
    *(f"compliance_{name}_percent{form}" for name in _PERCENTAGES for form in ("", "_rounded")),
    "delivery_id", "destination_id", "destination_code", "destination_name", "destination_role", "required_proof",
    "delivery_enabled", "delivery_state", "delivery_cause", "delivery_since", "delivery_connected",
    "delivery_connected_s", "delivery_not_connected_s", "delivery_maintenance_s", "delivery_unknown_s",
    "delivery_verified_at", "delivery_delay_s",
)  # fmt: skip
DELIVERY_COLUMNS = len(COLUMNS) - COLUMNS.index("delivery_id")


class ComplianceTable:
    """Writes header and rows as bytes; holds nothing but what is the same in every row."""

    def __init__(self, question: Question, dialect: Dialect) -> None:
        period = question.period
        self._same = [shown(period.start), shown(period.end), shown(question.now), RULE_VERSION]
        self._comma = dialect is Dialect.EXCEL_VI
        self._buffer = io.StringIO()
        self._writer = csv.writer(self._buffer, delimiter=";" if self._comma else ",", lineterminator="\r\n")

    def header(self) -> bytes:
        self._writer.writerow(COLUMNS)
        return BOM.encode() + self._taken()

    def rows(self, accounts: Sequence[CameraAccount]) -> bytes:
        """The rows of one portion."""
        for one in accounts:
            camera = self._same + self._camera(one)
            if not one.camera.deliveries:
                self._writer.writerow(camera + [""] * DELIVERY_COLUMNS)
            for index, planned in enumerate(one.camera.deliveries):
                now, connected = one.deliveries_now[index], one.connected_now[index]
                cells = self._delivery(planned, now, connected, one.account.deliveries[index])
                self._writer.writerow(camera + cells)
        return self._taken()

    def _camera(self, one: CameraAccount) -> list[str | None]:
        camera, facility, time = one.camera, one.camera.facility, one.account.camera
        return [
            str(facility.district.id), text(facility.district.code), text(facility.district.name),
            str(facility.agency.id), text(facility.agency.code), text(facility.agency.name),
            str(facility.id), text(facility.code), text(facility.name), facility.type, _truth(facility.restricted),
            str(camera.id), text(camera.code), text(camera.name),
            one.now.state, one.now.cause, shown(one.now.since), _truth(one.compliant_now),
            *(self._number(length / 1000) for length in time.lengths),
            *self._percentages(time.up, time.down, time.unknown),
            *self._percentages(time.compliant, time.non_compliant, time.compliance_unknown),
        ]  # fmt: skip

    def _delivery(
        self, planned: Delivery, now: Now, connected: bool | None, time: DeliveryDurations
    ) -> list[str | None]:
        destination = planned.destination
        return [
            str(planned.id), str(destination.id), text(destination.code), text(destination.name), planned.role,
            planned.required_proof, _truth(planned.enabled),
            now.state, now.cause, shown(now.since), _truth(connected),
            self._number(time.connected / 1000), self._number(time.not_connected / 1000),
            self._number(time.maintenance / 1000), self._number(time.unknown / 1000),
            shown(millis(planned.verified_at)) if planned.verified_at is not None else None,
            self._number(planned.delay_s),
        ]  # fmt: skip

    def _percentages(self, good: int, bad: int, unknown: int) -> list[str | None]:
        cells: list[str | None] = []
        for percent in percentages(good, bad, unknown):
            short = rounded(percent)
            cells += [self._number(percent), short.replace(".", ",") if short and self._comma else short]
        return cells

    def _number(self, value: float | None) -> str | None:
        if value is None:
            return None
        return repr(value).replace(".", ",") if self._comma else repr(value)

    def _taken(self) -> bytes:
        taken = self._buffer.getvalue().encode()
        self._buffer.seek(0)
        self._buffer.truncate()
        return taken


def text(value: str | None) -> str | None:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value is not None and value.startswith(_FORMULA) else value


def _truth(value: bool | None) -> str:
    return "" if value is None else "true" if value else "false"
