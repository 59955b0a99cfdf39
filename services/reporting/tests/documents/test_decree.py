"""The layout of Decree 30/2020/NĐ-CP, Annex I, in DOCX and PDF: margins, type, order, dates (mandate R13)."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.shared import Mm

from reporting.documents.letter.content import paper
from reporting.documents.letter.wording import amount, hours, length, percent
from reporting.reports.snapshot.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator


pytestmark = pytest.mark.heavy

TWIP = 635
"""Word keeps lengths in twentieths of a point."""


@pytest.fixture
def document(docx: bytes) -> Any:
    return Document(io.BytesIO(docx))


def paragraphs(document: Any) -> Iterator[Any]:
    """Every paragraph of the body in its order, those in cells too."""
    yield from document.element.body.iter("{*}p")


def lines(document: Any) -> list[str]:
    texts = (
        "".join(
            "-" if node.tag.endswith("noBreakHyphen") else node.text or ""
            for node in each.iter("{*}t", "{*}noBreakHyphen")
        )
        for each in paragraphs(document)
    )
    return [text for text in texts if text.strip()]


def run_of(document: Any, text: str) -> Any:
    """The first run with that text."""
    return next(
        run for run in document.element.body.iter("{*}r") if "".join(t.text or "" for t in run.iter("{*}t")) == text
    )


def size_of(run: Any) -> float:
    return next(int(each.get(each.keys()[0])) / 2 for each in run.iter("{*}sz"))


def test_decree_numbers_have_points_for_thousands_and_a_comma_for_decimals() -> None:
    assert amount(1234567) == "1.234.567"
    assert percent(96875, 100000) == "96,88%"
    assert percent(0, 0) == "-"
    assert percent(1, 3) == "33,33%"
    assert hours(4_500_000) == "1,3"
    assert length(45 * 60_000) == "45 phút"
    assert length(29_000) == "dưới 1 phút"
    assert length(3_600_000 * 1234 + 5 * 60_000) == "1.234 giờ 05 phút"


def test_decree_margins_of_every_section(document: Any) -> None:
    assert len(document.sections) == 8
    for section in document.sections:
        assert {round(section.page_width / 36000), round(section.page_height / 36000)} == {210, 297}
        assert Mm(20) - TWIP <= section.top_margin <= Mm(25)
        assert Mm(20) - TWIP <= section.bottom_margin <= Mm(25)
        assert Mm(30) - TWIP <= section.left_margin <= Mm(35)
        assert Mm(15) - TWIP <= section.right_margin <= Mm(20)
    assert [one.orientation for one in document.sections] == [WD_ORIENT.PORTRAIT, *[WD_ORIENT.LANDSCAPE] * 7]


def test_decree_page_numbers_are_hidden_on_the_first_page_and_begin_anew_in_appendices(document: Any) -> None:
    for section in document.sections:
        assert section.different_first_page_header_footer
        assert "PAGE" in section.header._element.xml
        assert "PAGE" not in section.first_page_header._element.xml
        (start,) = section._sectPr.iter("{*}pgNumType")
        assert start.get(start.keys()[0]) == "1"


def test_decree_type_is_times_new_roman_in_the_sizes_of_the_annex(document: Any) -> None:
    normal = document.styles["Normal"]
    assert (normal.font.name, normal.font.size.pt) == ("Times New Roman", 14)
    sizes = {
        "UBND TỈNH QUẢNG TRỊ": (12, 13),
        "SỞ THÔNG TIN VÀ TRUYỀN THÔNG": (12, 13),
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM": (12, 13),
        "Độc lập - Tự do - Hạnh phúc": (13, 14),
        "BÁO CÁO": (13, 14),
        "Nơi nhận:": (12, 12),
        "- Như trên;": (11, 11),
        "GIÁM ĐỐC": (13, 14),
    }
    for text, (least, most) in sizes.items():
        assert least <= size_of(run_of(document, text)) <= most, text
    (bold_mark,) = run_of(document, "UBND TỈNH QUẢNG TRỊ").iter("{*}b")
    assert bold_mark.get(bold_mark.keys()[0]) == "0"
    for bold in ("SỞ THÔNG TIN VÀ TRUYỀN THÔNG", "Độc lập - Tự do - Hạnh phúc", "BÁO CÁO", "GIÁM ĐỐC"):
        assert list(run_of(document, bold).iter("{*}b")), bold
    assert list(run_of(document, "Nơi nhận:").iter("{*}i"))


def test_decree_order_of_the_parts(document: Any) -> None:
    found = lines(document)
    order = [
        "UBND TỈNH QUẢNG TRỊ",
        "SỞ THÔNG TIN VÀ TRUYỀN THÔNG",
        "Số:        /BC-STTTT",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Quảng Trị, ngày      tháng      năm        ",
        "BÁO CÁO",
        "Kính gửi:",
        "- Ủy ban nhân dân tỉnh Quảng Trị;",
        "- Bộ Thông tin và Truyền thông.",
        "I. KẾT QUẢ THỰC HIỆN",
        "II. TỒN TẠI, NGUYÊN NHÂN",
        "III. ĐỀ XUẤT, KIẾN NGHỊ",
        "Nơi nhận:",
        "- Lưu: VT, BCVT.",
        "GIÁM ĐỐC",
        "Phụ lục I",
        "Phụ lục II",
        "Phụ lục III",
        "Phụ lục IV",
    ]
    assert [found.index(each) for each in order] == sorted(found.index(each) for each in order)


def test_decree_the_body_ends_with_its_sign_and_cites_the_directive_in_full(document: Any) -> None:
    found = lines(document)
    assert found[found.index("Nơi nhận:") - 1].endswith("./.")
    assert any(
        line.startswith("Thực hiện Công văn số 1742/UBND-VX ngày 07/5/2021 của Ủy ban nhân dân tỉnh Quảng Trị về việc")
        for line in found
    )


def test_decree_the_clerk_has_number_date_and_signature(document: Any, report: Report) -> None:
    head = "\n".join(lines(document)[:10])
    assert "2021" not in head.partition("BÁO CÁO")[0]
    assert report.header.author not in "\n".join(lines(document))


def test_decree_every_page_of_the_pdf_is_a4_and_embeds_a_font_of_the_same_widths(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        sizes = {tuple(round(float(each)) for each in page.mediabox[2:]) for page in document.pages}
        fonts = {str(font.BaseFont) for page in document.pages for font in page.Resources.Font.values()}
        embedded = [
            "/FontFile2" in font.DescendantFonts[0].FontDescriptor
            for page in document.pages
            for font in page.Resources.Font.values()
        ]
    assert sizes == {(595, 842), (842, 595)}
    assert {name.partition("+")[2].partition("-")[0] for name in fonts} == {"LiberationSerif"}
    assert all(embedded)


def test_the_pdf_says_that_it_is_pdf_a_2a_and_pdf_ua_1_and_is_tagged_in_vietnamese(pdf: bytes, report: Report) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        with document.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"], metadata["pdfuaid:part"]) == (
                "2",
                "A",
                "1",
            )
            assert metadata["dc:title"] == paper(report).title
        assert str(document.Root.Lang).startswith("vi")
        assert document.Root.MarkInfo.Marked


def test_the_foot_of_both_has_id_digest_and_the_report_before(
    document: Any, correction: Report, report: Report
) -> None:
    foot = "\n".join(node.text or "" for node in document.sections[0].footer._element.iter("{*}t"))
    assert report.header.id in foot
    assert report.sha256 in foot
    assert "không có" in foot
    assert report.sha256 in paper(correction).foot.lines[2]
    assert correction.sha256.upper() in paper(correction).foot.code


type Point = tuple[float, float]


def drawn_on_the_first_page(pdf: bytes) -> tuple[list[tuple[Point, Point]], list[tuple[Point, float]]]:
    """Its lines, and where each text begins, with its size."""
    lines_there, texts, points = list[tuple[Point, Point]](), list[tuple[Point, float]](), list[Point]()
    at, place, stack, size = pikepdf.Matrix(), pikepdf.Matrix(), list[pikepdf.Matrix](), 0.0
    with pikepdf.Pdf.open(io.BytesIO(pdf)) as file:
        instructions: list[Any] = list(pikepdf.parse_content_stream(file.pages[0]))
        numbers = [[float(each) for each in one.operands if isinstance(each, int | Decimal)] for one in instructions]
    for one, given in zip(instructions, numbers, strict=True):
        match str(one.operator):
            case "q":
                stack.append(at)
            case "Q":
                at = stack.pop()
            case "cm":
                at = pikepdf.Matrix(*given) @ at
            case "m":
                points = [(given[0], given[1])]
            case "l":
                points.append((given[0], given[1]))
            case "S" if len(points) == 2:
                lines_there.append((at.transform(points[0]), at.transform(points[1])))
            case "Tf":
                size = given[-1]
            case "Tm":
                place = pikepdf.Matrix(*given)
            case "Tj" | "TJ":
                texts.append(((place @ at).transform((0, 0)), size))
    return lines_there, texts


def test_the_rules_of_the_head_in_the_pdf_touch_no_letter(pdf: bytes) -> None:
    """A descender or a dot below reaches 0.22 of its size under the line that it stands on."""
    rules, texts = drawn_on_the_first_page(pdf)
    for (_, height), _ in rules[:3]:
        above, size = min((y - height, size) for (_, y), size in texts if y > height)
        assert above - 0.22 * size > 1, "more than a point lies between the letters and the rule"
