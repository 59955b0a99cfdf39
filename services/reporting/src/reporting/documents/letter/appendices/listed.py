"""The appendices of the report: every facility with sums by district, every camera, every outage, every proposal."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from reporting.documents.letter import security
from reporting.documents.letter.appendices import proposals
from reporting.documents.letter.appendices.explained import appendix_number, explanation
from reporting.documents.letter.appendices.facilities import TITLE, facility_list
from reporting.documents.letter.blocks import Appendix, Block, Grid, Picture, Text
from reporting.documents.letter.figures import Figures, chart, is_counted, number, rows_of, shown_of, word
from reporting.documents.letter.wording import amount, cause_name, length, percent, short_time
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.report import Report
from reporting.reports.totals import TYPE_NAMES

ROMAN = ("I", "II", "III", "IV", "V", "VI")
OF_PROPOSALS, OF_SECURITY = "V", "VI"
_FACILITIES = (
    "TT", "Tên cơ sở", "Cơ quan quản lý", "Loại hình", "Số camera", "Hoạt động", "Có số liệu", "Cả hai trung tâm",
    "Đạt yêu cầu", "Thời gian mất",
)  # fmt: skip
_CAMERAS = (
    "TT", "Mã camera", "Tên camera", "Cơ sở", "Hoạt động", "Hoạt động (chặt)", "Có số liệu", "Trung tâm của Bộ",
    "IOC của tỉnh", "Đạt yêu cầu", "Thời gian mất",
)  # fmt: skip
_OUTAGES = ("TT", "Mã camera", "Cơ sở", "Từ", "Đến", "Thời gian", "Nguyên nhân", "Ghi chú")


def appendices(report: Report, zone: ZoneInfo) -> list[Appendix]:
    """In the order of the letter: what is there, how it does, what went wrong."""
    strips = Picture(chart(shown_of(report), "strips"), "Các camera mất lâu nhất trong kỳ, ngày cuối của kỳ")
    outages = list(_outages(report, zone))
    found: list[tuple[str, list[Block]]] = [
        *([(TITLE, [facility_list(report, zone)])] if report.has_register else ()),
        (
            "Hoạt động của từng cơ sở" if report.has_register else "Danh sách cơ sở cách ly tập trung",
            [_facility_grid(report)],
        ),
        ("Hoạt động của từng camera", [_camera_grid(report), strips]),
        ("Các lần gián đoạn", [_outage_grid(outages)] if outages else [Text("Không có lần gián đoạn nào.")]),
    ]
    if report.has_security:
        found.append((proposals.TITLE, [proposals.proposal_list(report)]))
        found.append((security.TITLE, [security.security_findings(report, _named_facilities(report), zone)]))
    made = [Appendix(number, title, blocks) for number, (title, blocks) in zip(ROMAN, found, strict=False)]
    return [*made, explanation(report, appendix_number(report), zone)] if report.has_assessment else made


def of_cameras(report: Report) -> str:
    """Return the number of the appendix that has the cameras."""
    return ROMAN[2 if report.has_register else 1]


def _facility_grid(report: Report) -> Grid:
    rows: list[list[str]] = []
    strong: set[int] = set()
    units = {(word(one, "code"), word(one, "name")): one for one in rows_of(report, "units")}
    last: tuple[str, str] | None = None
    place = 0
    for row in rows_of(report, "facilities"):
        unit = word(row, "unit_code"), word(row, "unit_name")
        if unit != last:
            last = unit
            strong.add(len(rows))
            rows.append(["", unit[1] or "Chưa rõ địa bàn", "", "", *_shares(units.get(unit, {}))])
        counted = is_counted(row)
        place += counted
        name = word(row, "facility_name") + ("" if counted else " (ngoài phạm vi trong cả kỳ)")
        type_name = TYPE_NAMES.get(word(row, "facility_type"), word(row, "facility_type"))
        rows.append([str(place) if counted else "", name, word(row, "agency_name"), type_name, *_shares(row)])
    strong.add(len(rows))
    rows.append(["", f"Tổng cộng: {amount(place)} cơ sở", "", "", *_shares(Figures.of(report).row)])
    return Grid(
        _FACILITIES,
        (4, 24, 15, 12, 7, 8, 8, 8, 8, 11),
        ("centre", "left", "left", "left", *("right",) * 6),
        rows,
        frozenset(strong),
    )


def _shares(row: Row) -> list[str]:
    ms = {name: number(row, f"{name}_ms") for name in _SHARED}
    measured = ms["up"] + ms["down"]
    linked = ms["both"] + ms["national_only"] + ms["provincial_only"] + ms["neither"]
    return [
        amount(number(row, "cameras")),
        percent(ms["up"], measured),
        percent(measured, measured + ms["unknown"]),
        percent(ms["both"], linked),
        percent(ms["compliant"], ms["compliant"] + ms["non_compliant"]),
        length(ms["down"]),
    ]


_SHARED = (
    "up", "down", "unknown", "both", "national_only", "provincial_only", "neither", "compliant", "non_compliant",
)  # fmt: skip


def _camera_grid(report: Report) -> Grid:
    rows = []
    for place, row in enumerate(_by_facility(rows_of(report, "cameras")), start=1):
        ms = {name: number(row, f"{name}_ms") for name in _SHARED}
        measured = ms["up"] + ms["down"]
        linked = ms["both"] + ms["national_only"] + ms["provincial_only"] + ms["neither"]
        rows.append(
            [
                str(place),
                word(row, "camera_code"),
                word(row, "camera_name"),
                _with_agency(report, row),
                percent(ms["up"], measured),
                percent(ms["up"], measured + ms["unknown"]),
                percent(measured, measured + ms["unknown"]),
                percent(ms["both"] + ms["national_only"], linked),
                percent(ms["both"] + ms["provincial_only"], linked),
                percent(ms["compliant"], ms["compliant"] + ms["non_compliant"]),
                length(ms["down"]),
            ]
        )
    return Grid(
        _CAMERAS, (4, 10, 14, 20, 7, 8, 7, 8, 8, 8, 10), ("centre", "left", "left", "left", *("right",) * 7), rows
    )


def _with_agency(report: Report, row: Row) -> str:
    """Name the facility, with the agency that manages it and sees to the camera."""
    name, agency = word(row, "facility_name"), word(row, "agency_name")
    return f"{name} ({agency})" if agency and report.has_assessment else name


def _by_facility(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: [word(row, name) for name in ("unit_code", "facility_code", "camera_code")])


def _outage_grid(rows: list[list[str]]) -> Grid:
    aligns = ("centre", "left", "left", "left", "left", "right", "left", "left")
    return Grid(_OUTAGES, (4, 11, 20, 12, 12, 12, 19, 12), aligns, rows)  # type: ignore[arg-type]


def _outages(report: Report, zone: ZoneInfo) -> Iterator[list[str]]:
    facilities = _named_facilities(report)
    for place, row in enumerate(rows_of(report, "outages"), start=1):
        code = word(row, "facility_code")
        yield [
            str(place),
            word(row, "camera_code"),
            facilities.get(code, code),
            short_time(number(row, "from_ms"), zone),
            short_time(number(row, "to_ms"), zone),
            length(number(row, "length_ms")),
            cause_name(word(row, "cause") or None),
            "; ".join(_notes(row)),
        ]


def _named_facilities(report: Report) -> Mapping[str, str]:
    return {word(row, "facility_code"): _with_agency(report, row) for row in rows_of(report, "facilities")}


def _notes(row: Row) -> Iterator[str]:
    if row.get("site_fault_ms") is not None:
        yield "cả cơ sở"
    if row.get("began_before"):
        yield "bắt đầu trước kỳ"
    if not row.get("confirmed"):
        yield "chỉ một lần kiểm tra"
