"""The compliance report as a table: one row per camera and delivery, written in portions.

UTF-8 with BOM, so that Excel shows Vietnamese names. `rfc4180` has commas and decimal points, `excel-vi` semicolons and
decimal commas. A text cell that a spreadsheet would take for a formula gets an apostrophe in front. A camera without
deliveries has one row with empty delivery cells.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import lru_cache

from reporting.domain.compliance import RULE_VERSION
from reporting.domain.instants import Millis, millis, shown
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES, DeliveryDurations
from reporting.domain.percentages import percentages, rounded
from reporting.domain.scope import Delivery, Facility
from reporting.reports.accounts import CameraAccount, Now, Question

BOM = "\ufeff"
LINE_END = "\r\n"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Dialect(StrEnum):
    """Forms of the file."""

    RFC4180 = "rfc4180"
    EXCEL_VI = "excel-vi"


_PERCENTAGES = ("measured", "strict", "lenient", "coverage")
COLUMNS = (
    "period_from", "period_to", "generated_at", "rule_version",
    "unit_id", "unit_code", "unit_name", "agency_id", "agency_code", "agency_name",
    "facility_id", "facility_code", "facility_name", "facility_type", "facility_restricted",
    "camera_id", "camera_code", "camera_name", "out_of_scope_reason", "out_of_scope_by", "out_of_scope_why",
    "camera_state", "camera_cause", "camera_since", "camera_confirmed_state", "camera_confirmed_since",
    "camera_compliant",
    *(f"camera_{name}_s" for name in DURATION_NAMES),
    *(f"availability_{name}_percent{form}" for name in _PERCENTAGES for form in ("", "_rounded")),
    *(f"compliance_{name}_percent{form}" for name in _PERCENTAGES for form in ("", "_rounded")),
    "delivery_id", "destination_id", "destination_code", "destination_name", "destination_role", "required_proof",
    "delivery_enabled", "delivery_state", "delivery_cause", "delivery_since", "delivery_connected",
    *(f"delivery_{name}_s" for name in LEDGER_NAMES),
    "delivery_verified_at", "delivery_delay_s",
)  # fmt: skip
DELIVERY_COLUMNS = len(COLUMNS) - COLUMNS.index("delivery_id")


class ComplianceTable:
    """Writes header and rows as bytes; holds nothing but what many rows share.

    A row is put together from finished pieces: what the rows of a facility or a camera share is written once. Whatever
    may hold text goes through the csv module, which knows what must be quoted; numbers and times need no quotes.
    """

    def __init__(self, question: Question, dialect: Dialect) -> None:
        self._comma = dialect is Dialect.EXCEL_VI
        self._delimiter = ";" if self._comma else ","
        # A writer returns what its file's write() returns: here the line itself.
        self._written: Callable[[Iterable[str | None]], str] = csv.writer(
            _Line(), delimiter=self._delimiter, lineterminator=LINE_END
        ).writerow
        period = question.period
        self._same = self._text([shown(period.start), shown(period.end), shown(question.now), RULE_VERSION])
        self._without_delivery = (self._delimiter * (DELIVERY_COLUMNS - 1) + LINE_END).encode()
        self._known: dict[tuple[object, ...], str] = {}
        self._facility: Facility | None = None
        self._place = b""

    def header(self) -> bytes:
        return (BOM + self._written(COLUMNS)).encode()

    def rows(self, accounts: Sequence[CameraAccount]) -> bytes:
        """The rows of one portion."""
        pieces: list[bytes] = []
        for one in accounts:
            if one.camera.facility is not self._facility:
                self._facility = one.camera.facility
                self._place = (self._same + self._text(_place(self._facility))).encode()
            camera = self._camera(one)
            if not one.camera.deliveries:
                pieces += (self._place, camera, self._without_delivery)
            nothing = (None,) * len(one.camera.deliveries)
            states = one.now.deliveries if one.now is not None else nothing
            connections = one.now.connected if one.now is not None else nothing
            for planned, now, connected, time in zip(
                one.camera.deliveries, states, connections, one.account.deliveries, strict=True
            ):
                pieces += (self._place, camera, self._delivery(planned, now, connected, time))
        return b"".join(pieces)

    def _camera(self, one: CameraAccount) -> bytes:
        camera, time = one.camera, one.account.camera
        now = one.now.camera if one.now is not None else None
        between = self._delimiter
        names = self._text((text(camera.code), text(camera.name), *_absence(one)))
        compliant = _truth(one.now.compliant if one.now is not None else None)
        availability = percentages(time.up, time.down, time.unknown)
        compliance = percentages(time.compliant, time.non_compliant, time.compliance_unknown)
        figures = self._numbers([
            *map(_seconds, time.lengths),
            *[_percent(percent, between) for percent in (*availability, *compliance)],
        ])  # fmt: skip
        return (
            f"{camera.id}{between}{names}{self._status(now)}{between}"
            f"{self._confirmed(one)}{between}{compliant}{between}{figures}{between}"
        ).encode()

    def _delivery(self, planned: Delivery, now: Now | None, connected: bool | None, time: DeliveryDurations) -> bytes:
        between = self._delimiter
        lengths = (time.connected, time.not_connected, time.maintenance, time.unknown, time.out_of_scope)
        figures = self._numbers([*map(_seconds, lengths)])
        verified_at = shown(millis(planned.verified_at)) if planned.verified_at is not None else ""
        delay = self._numbers([repr(planned.delay_s)]) if planned.delay_s is not None else ""
        return (
            f"{planned.id}{between}{self._destination(planned)}{self._status(now)}{between}"
            f"{_truth(connected)}{between}{figures}{between}{verified_at}{between}{delay}{LINE_END}"
        ).encode()

    def _destination(self, planned: Delivery) -> str:
        key = (planned.destination, planned.role, planned.required_proof, planned.enabled)
        known = self._known.get(key)
        if known is None:
            (id_, code, name), role, proof, enabled = key
            known = self._known[key] = self._text([str(id_), text(code), text(name), role, proof, _truth(enabled)])
        return known

    def _status(self, now: Now | None) -> str:
        """State, cause and since, without the delimiter behind; empty for a past period."""
        if now is None:
            return self._delimiter * 2
        key = (now.state, now.cause)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._text(key)
        return known + (shown(now.since) or "")

    def _confirmed(self, one: CameraAccount) -> str:
        """State and since, without the delimiter behind."""
        if one.now is None:
            return self._delimiter
        return f"{one.now.confirmed.state}{self._delimiter}{shown(one.now.confirmed.since) or ''}"

    def _text(self, cells: Iterable[str | None]) -> str:
        """Cells, quoted where needed, with a delimiter behind each."""
        return self._written(cells)[: -len(LINE_END)] + self._delimiter

    def _numbers(self, cells: Sequence[str]) -> str:
        """Numbers in the form of the dialect, with a delimiter between them."""
        line = self._delimiter.join(cells)
        return line.replace(".", ",") if self._comma else line


def _absence(one: CameraAccount) -> tuple[str | None, str | None, str | None]:
    """Of the last time in the period that the camera was out of scope: reason, who, why."""
    if not one.account.camera.out_of_scope or not (absences := one.camera.absences):
        return None, None, None
    reason, by, why = absences[-1].value
    return reason.value, text(by), text(why)


class _Line:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _place(facility: Facility) -> list[str | None]:
    unit, agency = facility.unit, facility.agency
    return [
        str(unit.id), text(unit.code), text(unit.name),
        str(agency.id), text(agency.code), text(agency.name),
        str(facility.id), text(facility.code), text(facility.name), facility.type, _truth(facility.restricted),
    ]  # fmt: skip


# Of a camera's lengths and percentages most are the same: all, nothing, or one another's.
@lru_cache(maxsize=4096)
def _seconds(length: Millis) -> str:
    return repr(length / 1000)


@lru_cache(maxsize=4096)
def _percent(percent: float | None, delimiter: str) -> str:
    """Two cells: unrounded and rounded."""
    return delimiter if percent is None else f"{percent!r}{delimiter}{rounded(percent)}"


def text(value: str | None) -> str | None:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value is not None and value.startswith(_FORMULA) else value


def _truth(value: bool | None) -> str:
    return "" if value is None else "true" if value else "false"
