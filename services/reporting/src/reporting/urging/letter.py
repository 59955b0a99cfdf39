"""The draft of an official letter that urges a party (công văn đôn đốc, level 2; level 3 reports to the committee).

Layout of Decree 30/2020/NĐ-CP, Annex I. Number, date and signature are left to the clerk. The same entry of the log
gives the same bytes, with the same people in office. What several facilities owe alike is one row; rows stand below who
owes them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from reporting.documents.letter.wording import amount, cause_name
from reporting.documents.office.contacts import NOBODY, NONE, WITHOUT_PEOPLE, Contact
from reporting.domain.instants import VIETNAM, Millis, moment
from reporting.urging.decision import CENTRE_NOT_ASKING, OBSTRUCTION
from reporting.urging.digest import RESTRICTED, day_shown, state_shown, visible_to
from vonggac.decree.letter_page import LetterPage
from vonggac.decree.measures import SIGNER
from vonggac.decree.word_page import Grid

OBLIGATION_COLUMNS = ("TT", "Mã", "Nội dung", "Trước ngày", "Tình trạng", "Cơ sở")
OBLIGATION_WIDTHS = (10, 26, 33, 22, 22, 52)
OUTAGE_COLUMNS = ("TT", "Cơ sở", "Số camera", "Mã camera", "Sớm nhất từ", "Nguyên nhân")
OUTAGE_WIDTHS = (10, 42, 20, 35, 25, 33)
CONTACT_COLUMNS = ("Cơ sở", "Họ và tên", "Chức vụ", "Điện thoại")
CONTACT_WIDTHS = (60, 45, 35, 25)
OWN_PARTS = "các phòng, đơn vị trực thuộc"
"""To whom the lead writes about what is its own duty."""

type Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LetterOf:
    """What a letter is made from: an entry of the log. `issuer` as `issuer_of` has it."""

    reference: str
    agency_name: str
    level: int
    items: Sequence[Item]
    issuer: Mapping[str, Any]
    urged_at: Millis
    agency_id: str | None = None
    contacts: Mapping[str, Sequence[Contact]] | None = None
    """Who is in office now, by the code of the facility; None: no list."""
    hides_people: bool = False
    """Whether the reader may not see people, and the letter says so."""


def letter(of: LetterOf) -> bytes:
    """Write the draft as DOCX."""
    issuer = of.issuer["name"] or "CƠ QUAN CHỦ TRÌ"
    subject = "V/v đôn đốc thực hiện kết nối camera giám sát"
    if of.level > 2:
        subject = "V/v báo cáo tình hình chậm thực hiện kết nối camera giám sát"
    page = LetterPage(f"Công văn {subject}")
    page.head(
        parent=of.issuer["parent"],
        issuer=issuer,
        symbol="-".join(part for part in (of.issuer["code"], of.issuer.get("drafting_unit")) if part),
        subject=subject,
        place=of.issuer["place"] or "",
    )
    page.addressees([f"{OWN_PARTS[0].upper()}{OWN_PARTS[1:]} {issuer}" if _own(of) else of.agency_name], before=18)
    _body(page, of, issuer)
    signer = [line for line in (of.issuer.get("signer_authority"), of.issuer.get("signer_title")) if line]
    page.closing(_recipients(of), signer or (SIGNER,), of.issuer.get("signer_name"))
    return page.saved()


def _body(page: LetterPage, of: LetterOf, issuer: str) -> None:
    items = [visible_to(one, of.agency_id) for one in of.items]
    obligations, outages = ([one for one in items if one["outage"] is kind] for kind in (False, True))
    page.text(_opening(of, issuer))
    number = 0
    if obligations:
        number += 1
        page.text(f"{number}. Nghĩa vụ quá hạn hoặc sắp đến hạn ({amount(len(obligations))}):", keep=True)
        for name, owed in _by_responsible(obligations):
            if name is not None:
                page.text(f"Cơ quan chịu trách nhiệm: {name}", keep=True)
            page.grid(Grid(OBLIGATION_COLUMNS, OBLIGATION_WIDTHS, list(_obligation_rows(owed, of.urged_at)), size=11))
    if outages:
        number += 1
        page.text(f"{number}. Camera đang mất kết nối ({amount(len(outages))}):", keep=True)
        for name, owed in _by_responsible(outages):
            if name is not None:
                page.text(f"Cơ quan quản lý cơ sở: {name}", keep=True)
            page.grid(Grid(OUTAGE_COLUMNS, OUTAGE_WIDTHS, list(_outage_rows(owed)), size=11))
        if declared := sum(bool(one.get("declared")) for one in outages):
            page.text(
                f"Trong đó {amount(declared)} camera có bảo trì được khai báo mà không được thống nhất trước khi bắt "
                "đầu; thời gian này vẫn tính là mất kết nối."
            )
    _contacts(page, of, items, number + 1)
    if of.level > 2:
        page.text(f"Kính đề nghị {of.agency_name} xem xét, chỉ đạo các cơ quan, đơn vị liên quan./.")
        return
    page.text(
        f"Đề nghị {_party(of)} xử lý dứt điểm và gửi kết quả về {issuer} để tổng hợp{_reported_to(of)} (số theo "
        f"dõi: {of.reference})./."
    )


def _contacts(page: LetterPage, of: LetterOf, items: Sequence[Item], number: int) -> None:
    """Whom to call at each facility that the letter names."""
    if of.hides_people:
        page.text(f"{number}. {WITHOUT_PEOPLE}")
        return
    named = {one["facility_code"]: one["facility_name"] for one in items if one["facility_code"]}
    if of.contacts is None or not named:
        return
    page.text(f"{number}. Cán bộ đầu mối của các cơ sở:", keep=True)
    rows = []
    for code, name in sorted(named.items()):
        people = [(each.full_name, each.position, each.phone_unbroken) for each in of.contacts.get(code, ())]
        rows += [(f"{code} – {name}", *each) for each in people or [(NOBODY, NONE, NONE)]]
    page.grid(Grid(CONTACT_COLUMNS, CONTACT_WIDTHS, rows, size=11))


def _opening(of: LetterOf, issuer: str) -> str:
    """Write the basis, then the data that the letter is about."""
    at = moment(of.urged_at).astimezone(VIETNAM)
    basis = "; ".join(dict.fromkeys(one["directive"] for one in of.items if one.get("directive")))
    data = f"heo số liệu của hệ thống Vọng Gác lúc {at:%H:%M} ngày {day_shown(of.urged_at)}, "
    begin = f"Thực hiện {basis}; t{data}" if basis else f"T{data}"
    if of.level > 2:
        return f"{begin}{issuer} báo cáo {of.agency_name} các nội dung chậm thực hiện sau:"
    return f"{begin}{issuer} đề nghị {_party(of)} khẩn trương thực hiện các nội dung sau:"


def _own(of: LetterOf) -> bool:
    """Whether the lead urges itself."""
    return of.level <= 2 and of.agency_name == of.issuer["name"]


def _party(of: LetterOf) -> str:
    return OWN_PARTS if _own(of) else of.agency_name


def _reported_to(of: LetterOf) -> str:
    """To whom the issuer reports the result: those whom the directive names (letter 1742: committee and Ministry)."""
    names = of.issuer.get("reports_to") or ()
    return f", báo cáo {', '.join(names[:-1])}{' và ' if len(names) > 1 else ''}{names[-1]}" if names else ""


def _recipients(of: LetterOf) -> list[str]:
    if copies := of.issuer.get("copies"):
        return list(copies)
    parent = [] if of.level > 2 or of.issuer["parent"] is None else [f"{of.issuer['parent']} (để b/c)"]
    unit = of.issuer.get("drafting_unit")
    return ["Như trên", *parent, f"Lưu: VT, {unit}" if unit else "Lưu: VT"]


def _by_responsible(items: Sequence[Item]) -> Iterator[tuple[str | None, list[Item]]]:
    """Each agency with what it owes; those whom an earlier entry of the log does not name come first."""
    ordered = sorted(items, key=lambda one: one.get("responsible_name") or "")
    for name, group in groupby(ordered, key=lambda one: one.get("responsible_name") or ""):
        yield name or None, list(group)


def _obligation_rows(items: Sequence[Item], at: Millis) -> Iterator[tuple[str, ...]]:
    """Yield a row for each obligation and deadline, with all facilities that it is late at."""
    groups: dict[tuple[Millis, str, str], list[Item]] = {}
    for one in items:
        groups.setdefault((one["since"], one["code"], one["title"]), []).append(one)
    for place, ((since, code, title), of_it) in enumerate(sorted(groups.items()), start=1):
        obstructed = of_it[0]["kind"] in {OBSTRUCTION, CENTRE_NOT_ASKING}
        state = f"Từ ngày {day_shown(since)}" if obstructed else state_shown(since, at)
        where, count = _where(of_it), len(of_it)
        yield (
            str(place),
            code,
            title,
            "-" if obstructed else day_shown(since),
            state,
            f"{amount(count)} cơ sở: {where}" if count > 1 else where,
        )


def _outage_rows(items: Sequence[Item]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each facility and cause, with all cameras that it is about."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for one in items:
        groups.setdefault((_where([one]), one["title"]), []).append(one)
    for place, ((where, cause), of_it) in enumerate(sorted(groups.items()), start=1):
        since = min(one["since"] for one in of_it)
        codes = sorted(one["code"] for one in of_it if one["code"] != RESTRICTED)
        at = f"{moment(since).astimezone(VIETNAM):%H:%M} ngày {day_shown(since)}"
        yield str(place), where, amount(len(of_it)), ", ".join(codes), at, cause_name(cause or None)


def _where(items: Sequence[Item]) -> str:
    """Name the facilities, each once; restricted ones as their number."""
    named = (
        " – ".join(part for part in (one["facility_code"], one["facility_name"]) if part)
        for one in items
        if one["facility_name"] != RESTRICTED
    )
    found = sorted({name for name in named if name})
    if hidden := sum(one["facility_name"] == RESTRICTED for one in items):
        found.append(f"{amount(hidden)} {RESTRICTED}")
    return "; ".join(found)
