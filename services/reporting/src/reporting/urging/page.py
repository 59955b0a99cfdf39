"""An official letter on A4 as Decree 30/2020/NĐ-CP, Annex I, lays it out; the same content makes the same bytes."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

FONT = "Times New Roman"
BODY, HEAD, TABLE, COPY_HEAD, COPY = 14, 13, 12, 12, 11
"""Points: body 13 to 14, head 12 to 13, «Nơi nhận» 12 with its list at 11."""
PAGE_MM, MARGINS_MM = (210, 297), (20, 20, 30, 15)
"""Margins: top, bottom 20 to 25; left 30 to 35; right 15 to 20."""
TEXT_MM = PAGE_MM[0] - MARGINS_MM[2] - MARGINS_MM[3]
LEFT_MM = 60
FIRST_LINE_MM = 12.7
COUNTRY, MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"
MOTTO_MM = 64
"""Width of the motto at 14 points, bold: the rule below it is as long."""
SIGNER = "QUYỀN HẠN, CHỨC VỤ CỦA NGƯỜI KÝ"
CENTRE, JUSTIFY, LEFT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY, WD_ALIGN_PARAGRAPH.LEFT
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class Page:
    """One letter that is being written."""

    def __init__(self, title: str) -> None:
        self._document = Document()
        properties = self._document.core_properties
        properties.title, properties.author, properties.comments, properties.language = title, "", "", "vi-VN"
        style = self._document.styles["Normal"]
        style.font.name, style.font.size = FONT, Pt(BODY)
        for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
            style.element.rPr.rFonts.set(qn(kind), FONT)
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(0)
        self._set_page()

    def head(self, *, parent: str | None, issuer: str, symbol: str, subject: str, place: str) -> None:
        """Names, number and subject on the left; the country, its motto, place and date on the right."""
        left, right = self._table((LEFT_MM, TEXT_MM - LEFT_MM)).rows[0].cells
        if parent is not None:
            _line(left, parent.upper(), HEAD)
        _line(left, issuer.upper(), HEAD, bold=True)
        _rule(left, LEFT_MM, LEFT_MM * 0.4)
        _line(left, f"Số:          /{symbol}", HEAD)
        _line(left, subject, HEAD, before=6)
        _line(right, COUNTRY, HEAD, bold=True)
        _line(right, MOTTO, BODY, bold=True)
        _rule(right, TEXT_MM - LEFT_MM, MOTTO_MM)
        _line(right, f"{place}, ngày       tháng       năm", BODY, italic=True)
        for cell in (left, right):
            _drop(cell.paragraphs[0])

    def addressee(self, name: str) -> None:
        """«Kính gửi»."""
        paragraph = self._paragraph(CENTRE, before=18, after=12)
        _write(paragraph, f"Kính gửi: {name}", BODY)

    def text(self, text: str) -> None:
        """A paragraph of the body."""
        paragraph = self._paragraph(JUSTIFY, before=6)
        paragraph.paragraph_format.first_line_indent = Mm(FIRST_LINE_MM)
        _write(paragraph, text, BODY)

    def rows(self, headings: Sequence[str], widths_mm: Sequence[float], rows: Sequence[Sequence[str]]) -> None:
        """A table with rules; its headings stand on every page that it reaches."""
        self._paragraph(LEFT, after=4).paragraph_format.line_spacing = Pt(4)
        table = self._table(widths_mm, count=len(rows) + 1)
        table.style = "Table Grid"
        for index, row in enumerate((headings, *rows)):
            for cell, text in zip(table.rows[index].cells, row, strict=True):
                cell.paragraphs[0].alignment = CENTRE if index == 0 else LEFT
                _write(cell.paragraphs[0], text, TABLE, bold=index == 0)
            _mark(table.rows[index], "w:cantSplit")
        _mark(table.rows[0], "w:tblHeader")

    def foot(self, recipients: Sequence[str]) -> None:
        """«Nơi nhận» on the left, room for the signature on the right."""
        self._paragraph(LEFT, before=6)
        table = self._table((TEXT_MM / 2, TEXT_MM / 2))
        _mark(table.rows[0], "w:cantSplit")
        left, right = table.rows[0].cells
        _line(left, "Nơi nhận:", COPY_HEAD, bold=True, italic=True, alignment=LEFT)
        for one in recipients:
            _line(left, f"- {one}", COPY, alignment=LEFT)
        _line(right, SIGNER, BODY, bold=True)
        for cell in (left, right):
            _drop(cell.paragraphs[0])
        for _ in range(4):
            _line(right, "", BODY)

    def docx(self) -> bytes:
        """The file. Parts are packed anew without the time, which python-docx writes into them."""
        made, packed = BytesIO(), BytesIO()
        self._document.save(made)
        with ZipFile(made) as parts, ZipFile(packed, "w", ZIP_DEFLATED) as target:
            for part in parts.infolist():
                info = ZipInfo(part.filename, ZIP_TIME)
                info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
                target.writestr(info, parts.read(part))
        return packed.getvalue()

    def _set_page(self) -> None:
        section = self._document.sections[0]
        section.page_width, section.page_height = map(Mm, PAGE_MM)
        section.top_margin, section.bottom_margin = Mm(MARGINS_MM[0]), Mm(MARGINS_MM[1])
        section.left_margin, section.right_margin = Mm(MARGINS_MM[2]), Mm(MARGINS_MM[3])
        section.header_distance = Mm(10)
        section.different_first_page_header_footer = True
        paragraph = section.header.paragraphs[0]
        paragraph.alignment = CENTRE
        run = paragraph.add_run()
        run.font.size = Pt(HEAD)
        for name, kind in (("w:fldChar", "begin"), ("w:instrText", None), ("w:fldChar", "end")):
            element = OxmlElement(name)
            if kind is None:
                element.text = "PAGE"
            else:
                element.set(qn("w:fldCharType"), kind)
            run._r.append(element)  # python-docx has no fields of its own

    def _table(self, widths_mm: Sequence[float], *, count: int = 1) -> Any:
        table = self._document.add_table(rows=count, cols=len(widths_mm))
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        for column, width in zip(table.columns, widths_mm, strict=True):
            column.width = Mm(width)
        for row in table.rows:
            for cell, width in zip(row.cells, widths_mm, strict=True):
                cell.width = Mm(width)
        return table

    def _paragraph(self, alignment: Any, *, before: float = 0, after: float = 2) -> Any:
        paragraph = self._document.add_paragraph()
        paragraph.alignment = alignment
        paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(after)
        return paragraph


def _line(
    cell: Any, text: str, size: float, *, bold: bool = False, italic: bool = False, before: float = 0,
    alignment: Any = CENTRE,
) -> None:  # fmt: skip
    paragraph = cell.add_paragraph()
    paragraph.alignment = alignment
    paragraph.paragraph_format.space_before = Pt(before)
    _write(paragraph, text, size, bold=bold, italic=italic)


def _rule(cell: Any, width_mm: float, length_mm: float) -> None:
    """A solid line in the middle of the cell."""
    paragraph = cell.add_paragraph()
    shape = paragraph.paragraph_format
    shape.left_indent = shape.right_indent = Mm((width_mm - length_mm) / 2)
    shape.space_after, shape.line_spacing = Pt(4), Pt(4)
    borders, line = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)
    # The schema has borders before spacing, indents and alignment.
    paragraph._p.get_or_add_pPr().insert(0, borders)


def _write(paragraph: Any, text: str, size: float, *, bold: bool = False, italic: bool = False) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.font.name = Pt(size), FONT
    run.bold, run.italic = bold, italic


def _drop(paragraph: Any) -> None:
    """Take away the empty paragraph that a new cell begins with."""
    paragraph._element.getparent().remove(paragraph._element)


def _mark(row: Any, name: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement(name))
