"""The draft of an official letter that urges a party (công văn đôn đốc, level 2; level 3 reports to the committee).

Layout of Decree 30/2020/NĐ-CP, Annex I. Number, date and signature are left to the clerk. The same entry of the log
gives the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reporting.documents.letter.wording import cause_name
from reporting.domain.instants import VIETNAM, Millis, moment
from reporting.urging.digest import day_shown
from vonggac.decree import Grid, LetterPage

OBLIGATION_COLUMNS = ("TT", "Mã", "Nội dung", "Cơ sở", "Trước ngày", "Tình trạng")
OBLIGATION_WIDTHS = (10, 25, 45, 40, 22, 23)
OUTAGE_COLUMNS = ("TT", "Mã camera", "Cơ sở", "Mất kết nối từ", "Nguyên nhân")
OUTAGE_WIDTHS = (10, 35, 50, 38, 32)
DAY_MS: Millis = 86_400_000
OWN_PARTS = "các phòng, đơn vị trực thuộc"
"""To whom the lead writes about what is its own duty."""


@dataclass(frozen=True, slots=True)
class LetterOf:
    """What a letter is made from: an entry of the log. `issuer` as `issuer_of` has it."""

    reference: str
    agency_name: str
    level: int
    items: Sequence[Mapping[str, Any]]
    issuer: Mapping[str, Any]
    urged_at: Millis


def letter(of: LetterOf) -> bytes:
    """The draft as DOCX."""
    issuer = of.issuer["name"] or "CƠ QUAN CHỦ TRÌ"
    subject = "V/v đôn đốc thực hiện kết nối camera giám sát"
    if of.level > 2:
        subject = "V/v báo cáo tình hình chậm thực hiện kết nối camera giám sát"
    page = LetterPage(f"Công văn {subject}")
    page.head(
        parent=of.issuer["parent"],
        issuer=issuer,
        symbol=of.issuer["code"] or "",
        subject=subject,
        place=of.issuer["place"] or "",
    )
    page.addressees([f"{OWN_PARTS[0].upper()}{OWN_PARTS[1:]} {issuer}" if _own(of) else of.agency_name], before=18)
    _body(page, of, issuer)
    page.closing(_recipients(of))
    return page.saved()


def _body(page: LetterPage, of: LetterOf, issuer: str) -> None:
    at = moment(of.urged_at).astimezone(VIETNAM)
    obligations = [one for one in of.items if not one["outage"]]
    outages = [one for one in of.items if one["outage"]]
    opening = f"Theo số liệu của hệ thống Vọng Gác lúc {at:%H:%M} ngày {day_shown(of.urged_at)}, "
    party = OWN_PARTS if _own(of) else of.agency_name
    if of.level > 2:
        page.text(f"{opening}{issuer} báo cáo {of.agency_name} các nội dung chậm thực hiện sau:")
    else:
        page.text(f"{opening}{issuer} đề nghị {party} khẩn trương thực hiện các nội dung sau:")
    number = 0
    if obligations:
        number += 1
        page.text(f"{number}. Nghĩa vụ quá hạn hoặc sắp đến hạn ({len(obligations)}):", keep=True)
        rows = [_obligation_row(place, one, of.urged_at) for place, one in enumerate(obligations, start=1)]
        page.grid(Grid(OBLIGATION_COLUMNS, OBLIGATION_WIDTHS, rows))
    if outages:
        number += 1
        page.text(f"{number}. Camera đang mất kết nối ({len(outages)}):", keep=True)
        rows = [_outage_row(place, one) for place, one in enumerate(outages, start=1)]
        page.grid(Grid(OUTAGE_COLUMNS, OUTAGE_WIDTHS, rows))
    if of.level > 2:
        page.text(f"Kính đề nghị {of.agency_name} xem xét, chỉ đạo các cơ quan, đơn vị liên quan./.")
        return
    page.text(
        f"Đề nghị {party} xử lý dứt điểm và gửi kết quả về {issuer} để tổng hợp{_reported_to(of)} (số theo "
        f"dõi: {of.reference})./."
    )


def _own(of: LetterOf) -> bool:
    """Whether the lead urges itself."""
    return of.level <= 2 and of.agency_name == of.issuer["name"]


def _reported_to(of: LetterOf) -> str:
    """To whom the issuer reports the result: those whom the directive names (letter 1742: committee and Ministry)."""
    names = of.issuer.get("reports_to") or ()
    return f", báo cáo {', '.join(names[:-1])}{' và ' if len(names) > 1 else ''}{names[-1]}" if names else ""


def _recipients(of: LetterOf) -> list[str]:
    copies = [] if of.level > 2 or of.issuer["parent"] is None else [f"{of.issuer['parent']} (để b/c)"]
    return ["Như trên", *copies, "Lưu: VT"]


def _obligation_row(place: int, one: Mapping[str, Any], at: Millis) -> tuple[str, ...]:
    late = (at - one["since"]) // DAY_MS
    state = "Sắp đến hạn" if one["since"] > at else f"Quá hạn {late} ngày" if late else "Quá hạn"
    return str(place), one["code"], one["title"], _where(one), day_shown(one["since"]), state


def _outage_row(place: int, one: Mapping[str, Any]) -> tuple[str, ...]:
    since = moment(one["since"]).astimezone(VIETNAM)
    return (
        str(place),
        one["code"],
        _where(one),
        f"{since:%H:%M} ngày {day_shown(one['since'])}",
        cause_name(one["title"] or None),
    )


def _where(one: Mapping[str, Any]) -> str:
    return " – ".join(part for part in (one["facility_code"], one["facility_name"]) if part)
