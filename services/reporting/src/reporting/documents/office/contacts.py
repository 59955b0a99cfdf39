"""The list of whom to call about each facility of a report or letter: made for one reader, of the day it is made.

It is no part of a frozen report: nothing of it is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from reporting.documents.letter.figures import is_counted, rows_of, word
from reporting.documents.letter.responsible import responsible_of
from reporting.reports.snapshot.report import Report
from vonggac.decree.letter_page import LetterPage
from vonggac.decree.measures import BETWEEN_PT
from vonggac.decree.word_page import CENTRE, LEFT, Grid

COLUMNS = ("TT", "Cơ sở", "Nghĩa vụ quá hạn (cơ quan chịu trách nhiệm)", "Đầu mối: họ và tên", "Chức vụ", "Điện thoại")
WIDTHS = (9, 38, 36, 31, 25, 26)
WITHOUT_PEOPLE = (
    "Người lập không có quyền xem thông tin cá nhân (read_people): danh sách chỉ nêu cơ quan, không nêu họ tên, chức "
    "vụ và số điện thoại của đầu mối."
)
NOBODY = "Chưa cử đầu mối"
NONE = "-"
"""In a cell that has nothing to say, as in the reports."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Who is in office."""

    full_name: str
    position: str
    phone: str

    @property
    def phone_unbroken(self) -> str:
        """As it is printed: in one line."""
        return self.phone.replace(" ", "\u00a0")


@dataclass(frozen=True, slots=True)
class Line:
    """One facility. `place`: its number in appendix I; None outside the scope of the whole period. `contacts`: None:
    the reader may not see people."""

    place: int | None
    facility_id: str
    facility_code: str
    facility_name: str
    agency_name: str
    overdue: tuple[str, ...]
    contacts: tuple[Contact, ...] | None


def lines_of(report: Report, people: Mapping[str, Sequence[Contact]] | None) -> list[Line]:
    """List facilities, a line each, by managing agency. `people`: by the facility's id; None: not to be seen."""
    overdue: dict[str, list[str]] = {}
    for row in rows_of(report, "obligations"):
        if row["state"] == "overdue" and row["facility_id"] is not None:
            overdue.setdefault(word(row, "facility_id"), []).append(
                f"{word(row, 'obligation_code')} ({responsible_of(row)})"
            )
    lines, place = [], 0
    for row in rows_of(report, "facilities"):
        counted, facility_id = is_counted(row), word(row, "facility_id")
        place += counted
        known = None if people is None else tuple(people.get(facility_id, ()))
        duties = tuple(sorted(overdue.get(facility_id, ())))
        name, code = word(row, "facility_name"), word(row, "facility_code")
        lines.append(Line(place if counted else None, facility_id, code, name, word(row, "agency_name"), duties, known))
    return sorted(lines, key=lambda one: (one.agency_name, one.place is None, one.place or 0, one.facility_code))


def contact_list(report: Report, lines: Sequence[Line], made_at: str) -> bytes:
    """Write the list as DOCX. `made_at`: day and time as printed."""
    page = LetterPage("Danh sách đầu mối")
    page.paragraph("DANH SÁCH ĐẦU MỐI CỦA CÁC CƠ SỞ", CENTRE, bold=True)
    about = f"(Kèm theo Báo cáo mã {report.header.id}, phiên bản {report.header.version}; số thứ tự theo Phụ lục I)"
    page.paragraph(about, CENTRE, italic=True)
    hidden = any(one.contacts is None for one in lines)
    said = (
        WITHOUT_PEOPLE
        if hidden
        else (
            f"Đầu mối đang giữ nhiệm vụ lúc {made_at}, theo sổ đăng ký. Chỉ dùng để liên hệ thực hiện các nghĩa vụ của "
            "báo cáo; không thuộc số liệu đã chốt và không lưu cùng báo cáo."
        )
    )
    page.paragraph(said, LEFT, before=BETWEEN_PT)
    rows: list[list[str]] = []
    strong: set[int] = set()
    for agency, of_it in groupby(lines, key=lambda one: one.agency_name):
        strong.add(len(rows))
        rows.append(["", agency or "Chưa rõ cơ quan quản lý", "", "", "", ""])
        rows += [row for one in of_it for row in _rows(one)]
    aligns = (CENTRE, *(LEFT,) * (len(COLUMNS) - 1))
    page.grid(Grid(COLUMNS, WIDTHS, rows, aligns, frozenset(strong), 11))
    return page.saved()


def _rows(one: Line) -> list[list[str]]:
    """Build a row for each person in office; one where there is nobody."""
    begin = ["" if one.place is None else str(one.place), one.facility_name, "; ".join(one.overdue) or "-"]
    if one.contacts is None:
        return [[*begin, "***", "***", "***"]]
    if not one.contacts:
        return [[*begin, NOBODY, NONE, NONE]]
    first, *more = ([each.full_name, each.position, each.phone_unbroken] for each in one.contacts)
    return [[*begin, *first], *(["", "", "", *each] for each in more)]
