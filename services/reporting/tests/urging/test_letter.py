"""The draft of a letter: Decree 30/2020's layout, the clerk's parts left open, the same bytes always."""

from __future__ import annotations

import time
from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from docx import Document

from reporting.documents.office.contacts import Contact
from reporting.domain.instants import VIETNAM, millis
from reporting.urging.letter import LetterOf, letter

pytestmark = pytest.mark.heavy

AT = millis(datetime(2021, 5, 12, 8, 30, tzinfo=VIETNAM))
DEADLINE = datetime(2021, 5, 10, tzinfo=VIETNAM)
STOPPED = datetime(2021, 5, 6, 2, 5, tzinfo=VIETNAM)
ISSUER = {
    "name": "Sở Thông tin và Truyền thông",
    "code": "STTTT",
    "parent": "Ủy ban nhân dân tỉnh Quảng Trị",
    "place": "Quảng Trị",
}


def item(code: str, since: datetime, *, outage: bool = False) -> dict[str, Any]:
    return {
        "key": code,
        "outage": outage,
        "since": millis(since),
        "responsible": None,
        "managing": None,
        "kind": "connection",
        "code": code,
        "title": "timeout" if outage else "Kết nối camera về Bộ TT&TT",
        "facility_code": "KCL-01",
        "facility_name": "Khu cách ly Lao Bảo",
    }


def of(level: int = 2, **given: Any) -> LetterOf:
    known: dict[str, Any] = {
        "reference": "0a4c7b1e",
        "agency_name": "Sở Y tế",
        "level": level,
        "issuer": ISSUER,
        "urged_at": AT,
        "items": [item("NV-1742-2", DEADLINE), item("CAM-01", STOPPED, outage=True)],
    }
    return LetterOf(**known | given)


def paragraphs(content: bytes) -> list[str]:
    document = Document(BytesIO(content))
    cells = [
        paragraph.text
        for table in document.tables
        for row in table.rows
        for cell in row.cells
        for paragraph in cell.paragraphs
    ]
    return [*(paragraph.text for paragraph in document.paragraphs), *cells]


def test_the_letter_has_the_decrees_head_and_leaves_number_date_and_signature_to_the_clerk() -> None:
    found = paragraphs(letter(of()))
    for text in (
        "UBND TỈNH QUẢNG TRỊ",
        "SỞ THÔNG TIN VÀ TRUYỀN THÔNG",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Số:        /STTTT",
        "Quảng Trị, ngày      tháng      năm        ",
        "V/v đôn đốc thực hiện kết nối camera giám sát",
        "Kính gửi: Sở Y tế",
        "QUYỀN HẠN, CHỨC VỤ CỦA NGƯỜI KÝ",
        "Nơi nhận:",
        "- Như trên;",
        "- Lưu: VT.",
    ):
        assert text in found


def test_the_letter_says_what_is_late_with_the_decrees_days() -> None:
    found = paragraphs(letter(of()))
    assert {"NV-1742-2", "10/5/2021", "Quá hạn 2 ngày", "CAM-01", "02:05 ngày 06/5/2021"} <= set(found)
    assert "Không trả lời trong thời hạn" in found, "a cause in words, not its code"
    assert "timeout" not in found
    assert any(text.startswith("Theo số liệu của hệ thống Vọng Gác lúc 08:30 ngày 12/5/2021") for text in found)


def test_level_three_reports_to_the_committee_instead_of_urging_it() -> None:
    found = "\n".join(paragraphs(letter(of(3, agency_name="Ủy ban nhân dân tỉnh"))))
    assert "báo cáo Ủy ban nhân dân tỉnh các nội dung chậm thực hiện" in found
    assert "khẩn trương" not in found


def test_the_lead_urges_itself_through_those_who_work_for_it() -> None:
    found = paragraphs(letter(of(agency_name=ISSUER["name"])))
    assert "Kính gửi: Các phòng, đơn vị trực thuộc Sở Thông tin và Truyền thông" in found
    text = "\n".join(found)
    assert "Sở Thông tin và Truyền thông đề nghị các phòng, đơn vị trực thuộc khẩn trương thực hiện" in text
    assert "Đề nghị các phòng, đơn vị trực thuộc xử lý dứt điểm và gửi kết quả về Sở Thông tin và Truyền thông" in text


def test_the_page_is_a4_with_the_decrees_margins() -> None:
    (section,) = Document(BytesIO(letter(of()))).sections
    sizes = [section.page_width, section.page_height, section.left_margin, section.right_margin]
    assert [round(size.mm) for size in sizes if size is not None] == [210, 297, 30, 15]
    assert section.different_first_page_header_footer


def test_what_introduces_a_table_stands_on_its_page() -> None:
    document = Document(BytesIO(letter(of())))
    heads = [one for one in document.paragraphs if one.text.endswith("):")]
    assert [one.paragraph_format.keep_with_next for one in heads] == [True, True]


def test_the_same_entry_makes_the_same_bytes_at_another_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first = letter(of())
    later = time.time() + 86_400 * 400
    monkeypatch.setattr(time, "time", lambda: later)
    assert letter(of()) == first
    with ZipFile(BytesIO(first)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_register_without_a_lead_agency_leaves_its_name_to_the_clerk() -> None:
    issuer = {"name": None, "code": None, "parent": None, "place": "Quảng Trị"}
    found = paragraphs(letter(of(issuer=issuer)))
    assert {"CƠ QUAN CHỦ TRÌ", "Số:        /"} <= set(found)


def test_the_letter_names_whom_the_result_is_reported_to_as_data() -> None:
    issuer = {**ISSUER, "reports_to": ["Ủy ban nhân dân tỉnh Quảng Trị", "Bộ Khoa học và Công nghệ"]}
    text = "\n".join(paragraphs(letter(of(issuer=issuer))))
    assert "để tổng hợp, báo cáo Ủy ban nhân dân tỉnh Quảng Trị và Bộ Khoa học và Công nghệ (số theo dõi" in text
    assert "để tổng hợp (số theo dõi" in "\n".join(paragraphs(letter(of())))


def many(count: int, **given: Any) -> list[dict[str, Any]]:
    """The same duty at so many facilities."""
    return [
        {**item("NV-1742-2", DEADLINE), "facility_code": f"KCL-{number:02d}", "facility_name": f"Cơ sở {number}"}
        | given
        for number in range(1, count + 1)
    ]


def test_letters_say_a_duty_once_for_all_facilities_that_owe_it() -> None:
    found = paragraphs(letter(of(items=many(31))))
    assert found.count("Kết nối camera về Bộ TT&TT") == 1
    (where,) = [text for text in found if text.startswith("31 cơ sở: ")]
    assert all(f"KCL-{number:02d} – Cơ sở {number}" in where for number in range(1, 32))
    cameras = [item(f"CAM-{number:02d}", STOPPED, outage=True) for number in range(1, 13)]
    assert paragraphs(letter(of(items=cameras))).count("KCL-01 – Khu cách ly Lao Bảo") == 1


def test_letters_cite_the_directive_in_full_and_group_by_who_is_responsible() -> None:
    cited = "Công văn số 1742/UBND-VX ngày 07/5/2021 của Ủy ban nhân dân tỉnh Quảng Trị về việc kết nối camera"
    items = [
        *many(2, responsible_name="Viettel Quảng Trị", directive=cited),
        *many(1, responsible_name="Sở Y tế", directive=cited, code="NV-1742-3"),
    ]
    found = paragraphs(letter(of(3, agency_name="Ủy ban nhân dân tỉnh", items=items)))
    assert any(text.startswith(f"Thực hiện {cited}; theo số liệu của hệ thống Vọng Gác lúc 08:30") for text in found)
    named = [text for text in found if text.startswith("Cơ quan chịu trách nhiệm: ")]
    assert named == ["Cơ quan chịu trách nhiệm: Sở Y tế", "Cơ quan chịu trách nhiệm: Viettel Quảng Trị"]


def test_letters_name_a_restricted_facility_to_its_own_agencies_alone() -> None:
    hidden = many(2, restricted=True, managing="army", responsible="viettel")
    outage = {**item("CAM-07", STOPPED, outage=True), "restricted": True, "managing": "army"}
    for reader, sees in (("army", True), ("committee", False), (None, False)):
        text = "\n".join(paragraphs(letter(of(items=[*hidden, outage], agency_id=reader))))
        assert ("KCL-01" in text) is ("CAM-07" in text) is ("Lao Bảo" in text) is sees
        assert ("2 cơ sở hạn chế" in text) is not sees


def test_letters_name_the_drafting_unit_and_the_signer_with_his_post() -> None:
    signer = {"drafting_unit": "BCVT", "signer_title": "Giám đốc", "signer_name": "Nguyễn Văn Mẫu"}
    found = paragraphs(letter(of(issuer=ISSUER | signer)))
    assert {"Số:        /STTTT-BCVT", "GIÁM ĐỐC", "Nguyễn Văn Mẫu", "- Lưu: VT, BCVT."} <= set(found)


def test_letters_keep_the_signature_with_the_last_paragraph() -> None:
    document = Document(BytesIO(letter(of(items=many(31)))))
    last = [one for one in document.paragraphs if one.text.endswith("./.")][-1]
    assert (last.paragraph_format.keep_with_next, last.paragraph_format.keep_together) == (True, True)


def test_letters_name_whom_to_call_at_each_facility_and_say_where_nobody_is_in_office() -> None:
    people = {"KCL-01": [Contact("Lê Thị Mẫu", "Trưởng trạm", "0912345678")]}
    found = paragraphs(letter(of(items=many(2), contacts=people)))
    assert {"KCL-01 – Cơ sở 1", "Lê Thị Mẫu", "Trưởng trạm", "0912345678"} <= set(found)
    at = found.index("KCL-02 – Cơ sở 2")
    assert found[at : at + 4] == ["KCL-02 – Cơ sở 2", "Chưa cử đầu mối", "-", "-"], "no empty cell"


def test_letters_for_who_may_not_see_people_name_agencies_alone_and_say_so() -> None:
    text = "\n".join(paragraphs(letter(of(items=many(2), contacts={}, hides_people=True))))
    assert "2. Người lập không có quyền xem thông tin cá nhân" in text
    assert "Cán bộ đầu mối" not in text


def test_letters_give_no_contact_of_a_facility_that_they_hide() -> None:
    people = {"KCL-01": [Contact("Lê Thị Mẫu", "Trưởng trạm", "0912345678")]}
    hidden = many(1, restricted=True, managing="army", responsible="viettel")
    assert "0912345678" not in "\n".join(paragraphs(letter(of(items=hidden, agency_id=None, contacts=people))))


def test_letters_say_since_when_a_visit_is_obstructed() -> None:
    title = "Cản trở lượt làm việc ngày 08/5/2021: Cổng khóa"
    obstruction = item("Vướng mắc", DEADLINE) | {"kind": "obstruction", "title": title}
    found = paragraphs(letter(of(items=[obstruction])))
    assert {title, "Từ ngày 10/5/2021"} <= set(found)
    assert not any(text.startswith("Quá hạn") for text in found)


def test_letters_say_that_declared_maintenance_takes_nothing_out() -> None:
    outages = [item("CAM-01", STOPPED, outage=True) | {"declared": True}, item("CAM-02", STOPPED, outage=True)]
    text = "\n".join(paragraphs(letter(of(items=outages))))
    assert "Trong đó 1 camera có bảo trì được khai báo mà không được thống nhất trước" in text
    assert "khai báo" not in "\n".join(paragraphs(letter(of())))
