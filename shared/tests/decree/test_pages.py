"""A document in the layout of Decree 30/2020/NĐ-CP: its parts in order, its sizes, the same bytes at another time."""

from __future__ import annotations

import time
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from docx import Document

from vonggac.decree.letter_page import LetterPage
from vonggac.decree.word_page import CENTRE, LEFT, RIGHT, Grid

pytestmark = pytest.mark.heavy

if TYPE_CHECKING:
    import pytest

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe0def46b8"
    "0000000049454e44ae426082"
)
"""One white dot."""


def made(**given: Any) -> bytes:
    page = LetterPage("Công văn")
    head = {"parent": "UBND tỉnh Quảng Trị", "issuer": "Sở Thông tin và Truyền thông", "symbol": "STTTT-BCVT"}
    page.head(**head | {"subject": "V/v đôn đốc", "place": "Quảng Trị"} | given)
    page.name("BÁO CÁO", "Kết quả")
    page.addressees(["Ủy ban nhân dân tỉnh Quảng Trị", "Bộ Thông tin và Truyền thông"])
    page.heading("I. KẾT QUẢ")
    page.text("Đã kết nối.")
    page.grid(Grid(("TT", "Số"), (1, 3), [("1", "12"), ("2", "30"), ("", "42")], (CENTRE, RIGHT), frozenset({2})))
    page.picture(PNG, 40, "Biểu đồ 1")
    page.caption("Biểu đồ 1", keep=False)
    page.closing(["Như trên", "Lưu: VT"], ["TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH"])
    page.signatures(["ĐẠI DIỆN SỞ", "ĐẠI DIỆN CƠ SỞ"])
    page.recipients(["Như thành phần tham gia", "Lưu: VT"])
    page.wide_section()
    page.paragraph("Phụ lục I", CENTRE, bold=True)
    return page.saved()


def lines(content: bytes) -> list[str]:
    body = Document(BytesIO(content)).element.body
    texts = ("".join(node.text or "" for node in each.iter("{*}t")) for each in body.iter("{*}p"))
    return [text for text in texts if text]


def test_the_parts_stand_in_the_order_of_the_annex_and_the_clerks_are_left_open() -> None:
    found = lines(made())
    order = [
        "UBND TỈNH QUẢNG TRỊ", "SỞ THÔNG TIN VÀ TRUYỀN THÔNG", "Số:        /STTTT-BCVT", "V/v đôn đốc",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc",
        "Quảng Trị, ngày      tháng      năm        ", "BÁO CÁO", "Kết quả", "Kính gửi:",
        "- Ủy ban nhân dân tỉnh Quảng Trị;", "- Bộ Thông tin và Truyền thông.", "I. KẾT QUẢ", "Đã kết nối.",
        "TT", "Biểu đồ 1", "Nơi nhận:", "- Như trên;", "- Lưu: VT.", "TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH",
        "ĐẠI DIỆN SỞ", "(Ký, ghi rõ họ tên)", "Phụ lục I",
    ]  # fmt: skip
    assert [found.index(each) for each in order] == sorted(found.index(each) for each in order)


def test_a_head_without_parent_subject_and_place_has_no_empty_lines() -> None:
    found = lines(made(parent=None, subject=None, place=None))
    assert found[0] == "SỞ THÔNG TIN VÀ TRUYỀN THÔNG"
    assert not any(line.startswith(("V/v", "Quảng Trị,")) for line in found)


def test_sections_have_the_decrees_margins_and_numbers_from_the_second_page_on() -> None:
    letter, appendix = Document(BytesIO(made())).sections
    for section in (letter, appendix):
        margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
        assert [round(one.mm) for one in margins if one is not None] == [20, 25, 30, 15]
        assert section.different_first_page_header_footer
        assert "PAGE" in section.header._element.xml
    assert [round(one.page_width.mm) for one in (letter, appendix) if one.page_width is not None] == [210, 297]


def test_a_table_repeats_its_headings_and_a_picture_has_words() -> None:
    document = Document(BytesIO(made()))
    (grid,) = [table for table in document.tables if table.style is not None and table.style.name == "Table Grid"]
    assert [cell.text for cell in grid.rows[3].cells] == ["", "42"]
    assert "w:tblHeader" in grid.rows[0]._tr.xml
    assert "<w:b/>" in grid.rows[3]._tr.xml
    assert "<w:b/>" not in grid.rows[2]._tr.xml
    (picture,) = document.element.body.iter("{*}docPr")
    assert picture.get("descr") == "Biểu đồ 1"
    assert LEFT != RIGHT


def test_the_same_document_has_the_same_bytes_at_another_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first, later = made(), time.time() + 86_400 * 400
    monkeypatch.setattr(time, "time", lambda: later)
    assert made() == first
    with ZipFile(BytesIO(first)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_title_of_any_length_is_taken() -> None:
    """The minutes are called after their facility, whose name may be long; the properties of a file take 255 signs."""
    page = LetterPage("Biên bản khảo sát tại " + "Trường Tiểu học " * 20)
    document = Document(BytesIO(page.saved()))
    assert document.core_properties.title.startswith("Biên bản khảo sát tại Trường Tiểu học")
    assert len(document.core_properties.title) == 255
