"""Sums over groups of cameras: the province, units, agencies, types and facilities, a table each."""

from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import partial
from operator import attrgetter

from reporting.reports.availability.figures import totals_of
from reporting.reports.totals import CameraCounts, Group, Totals
from reporting.tables.catalogue.columns import AVAILABILITY, CAMERA_LENGTHS, COMPLIANCE, percent_values
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions, in_portions
from reporting.tables.table import Column, Kind, Row, Table

_COUNTS = {
    "total": ("Số camera", "Cameras that existed in the period."),
    "up": ("Đang hoạt động", "Up now."),
    "down": ("Đang mất", "Down now."),
    "maintenance": ("Đang bảo trì", "In maintenance now."),
    "unknown": ("Đang không rõ", "Unknown now."),
    "out_of_scope": ("Đang ngoài phạm vi", "Out of scope now."),
    "national_connected": ("Đang tới trung ương", "Connected to the national centre now."),
    "provincial_connected": ("Đang tới tỉnh", "Connected to a provincial centre now."),
    "both": ("Đang tới cả hai", "Connected to both now."),
    "national_only": ("Đang chỉ tới trung ương", "Connected to the national centre alone now."),
    "provincial_only": ("Đang chỉ tới tỉnh", "Connected to a provincial centre alone now."),
    "neither": ("Đang không tới đâu", "Connected to neither now."),
    "connection_unknown": ("Đang không rõ kết nối", "Not known now to which it is connected."),
    "compliant": ("Đang đạt", "Compliant now."),
}


def _count(name: str, heading: str, description: str, amount: str) -> Column:
    return Column(name, Kind.INTEGER, heading, description, amount=amount)


FIGURES = (
    _count("facilities", "Số cơ sở", "Facilities counted at some moment of the period.", "facilities"),
    _count("facilities_with_cameras", "Cơ sở có camera", "Those with cameras.", "facilities"),
    _count("facilities_without_cameras", "Cơ sở chưa có camera", "Those without.", "facilities"),
    *(
        _count(f"cameras_{name}", heading, text if name == "total" else f"{text} Empty for a past period.", "cameras")
        for name, (heading, text) in _COUNTS.items()
    ),
    *CAMERA_LENGTHS,
    *AVAILABILITY,
    *COMPLIANCE,
)


def _declared(name: str, title_vi: str, title_en: str, of: str, *, with_id: bool = True) -> Table:
    named = (
        Column("id", Kind.TEXT, "ID", f"Id of the {of}.", required=True),
        Column("code", Kind.TEXT, "Mã", "Its code; empty while only the id is known.", required=not with_id),
        Column("name", Kind.TEXT, "Tên", "Its name."),
    )
    chosen = named if with_id else named[1:]
    about = f"A row for each {of}, also one without cameras: how its cameras stand, and where their time went."
    return Table(name, title_vi, title_en, about, (*chosen, *FIGURES), (chosen[0].name,))


TOTALS = Table(
    "totals",
    "Toàn tỉnh",
    "Totals",
    "One row: all that was asked for.",
    (Column("scope", Kind.TEXT, "Phạm vi", "Always `all`.", required=True), *FIGURES),
    ("scope",),
)
UNITS = _declared("units", "Đơn vị hành chính", "Administrative units", "administrative unit")
AGENCIES = _declared("agencies", "Cơ quan quản lý", "Managing agencies", "managing agency")
TYPES = _declared("facility_types", "Loại cơ sở", "Types of facilities", "type of facility", with_id=False)
FACILITIES = _declared("facilities", "Cơ sở", "Facilities", "facility")


async def _rows(
    chosen: Callable[[Totals], Sequence[Group]], name: Callable[[Group], Row], asked: Selection
) -> Portions:
    totals = await totals_of(asked.session, asked.question, asked.scope)
    current = asked.question.current
    async for rows in in_portions([(*name(group), *_figures(group, current=current)) for group in chosen(totals)]):
        yield rows


def _figures(group: Group, *, current: bool) -> Row:
    counts = _counts(group.cameras)
    time = group.durations
    return (
        group.facilities,
        group.facilities_with_cameras,
        group.facilities - group.facilities_with_cameras,
        *(counts if current else (counts[0], *(None,) * (len(counts) - 1))),
        *time.lengths,
        *percent_values(time.up, time.down, time.unknown),
        *percent_values(time.compliant, time.non_compliant, time.compliance_unknown),
    )


_counts: Callable[[CameraCounts], tuple[int, ...]] = astuple
_by_id: Callable[[Group], Row] = lambda group: (str(group.id), group.code, group.name)  # noqa: E731
_by_code: Callable[[Group], Row] = attrgetter("code", "name")


def _whole(totals: Totals) -> list[Group]:
    return [totals.total]


SOURCES = (
    Source(TOTALS, partial(_rows, _whole, lambda _group: ("all",))),
    Source(UNITS, partial(_rows, attrgetter("by_unit"), _by_id)),
    Source(AGENCIES, partial(_rows, attrgetter("by_agency"), _by_id)),
    Source(TYPES, partial(_rows, attrgetter("by_type"), _by_code)),
    Source(FACILITIES, partial(_rows, attrgetter("by_facility"), _by_id)),
)
