"""The layout of Decree 30/2020/NĐ-CP, Annex I, on A4: margins, type sizes, head, page numbers, signatures."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.section import WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

FONT = "Times New Roman"
BODY, SMALL, TABLE = 14, 13, 12
"""Sizes in points: body 13 to 14, head 12 to 13."""
PAGE_MM = (210, 297)
TOP_MM, BOTTOM_MM, LEFT_MM, RIGHT_MM = 20, 20, 30, 15
"""Allowed: 20 to 25, 20 to 25, 30 to 35, 15 to 20."""
TEXT_MM = PAGE_MM[0] - LEFT_MM - RIGHT_MM
FIRST_LINE_MM = 12.7
LEFT_HEAD_MM, RIGHT_HEAD_MM = 60, TEXT_MM - 60
COUNTRY = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
_MOTTO_MM = 64
"""Width of the motto at 14 points, bold: the rule below it is as long."""
CENTRE, JUSTIFY, LEFT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY, WD_ALIGN_PARAGRAPH.LEFT


class Page:
    """One document that is being written."""

    def __init__(self, title: str) -> None:
        self._document = Document()
        self._document.core_properties.title = title
        self._document.core_properties.author = ""
        self._document.core_properties.language = "vi-VN"
        self._set_font()
        self._set_page()

    def head(self, *, parent: str | None, issuer: str, symbol: str) -> None:
        """Names on the left, the country on the right; the clerk fills in the number."""
        table = self._table((LEFT_HEAD_MM, RIGHT_HEAD_MM))
        left, right = table.rows[0].cells
        lines = [(parent, False)] if parent is not None else []
        for text, bold in (*lines, (issuer, True)):
            self._line(left, text, SMALL, bold=bold)
        self._rule(left, LEFT_HEAD_MM, LEFT_HEAD_MM * 0.4)
        self._line(left, f"Số:        /{symbol}", SMALL)
        self._line(right, COUNTRY, SMALL, bold=True)
        self._line(right, MOTTO, BODY, bold=True)
        self._rule(right, RIGHT_HEAD_MM, _MOTTO_MM)
        for cell in (left, right):
            _drop(cell.paragraphs[0])

    def name(self, name: str, subject: str) -> None:
        """The kind of document and what it is about."""
        self._paragraph(name, CENTRE, bold=True, before=18)
        self._paragraph(subject, CENTRE, bold=True)
        self._rule(self._document, TEXT_MM, TEXT_MM * 0.35)

    def heading(self, text: str) -> None:
        """A part of the document."""
        self._paragraph(text, JUSTIFY, bold=True, before=6, indent=FIRST_LINE_MM, keep=True)

    def text(self, text: str) -> None:
        """A paragraph of the body."""
        self._paragraph(text, JUSTIFY, before=6, indent=FIRST_LINE_MM)

    def rows(self, headings: Sequence[str], widths_mm: Sequence[float], rows: Sequence[Sequence[str]]) -> None:
        """A table with rules; its headings stand on every page it reaches."""
        table = self._table(widths_mm, count=len(rows) + 1)
        table.style = "Table Grid"
        for index, row in enumerate((headings, *rows)):
            cells = table.rows[index].cells
            for cell, text in zip(cells, row, strict=True):
                paragraph = cell.paragraphs[0]
                paragraph.alignment = CENTRE if index == 0 else LEFT
                _write(paragraph, text, TABLE, bold=index == 0)
            _mark(table.rows[index], "w:cantSplit")
        _mark(table.rows[0], "w:tblHeader")

    def signatures(self, titles: Sequence[str]) -> None:
        """Two beside each other, with room to sign."""
        self._paragraph("", LEFT, size=8)
        count = (len(titles) + 1) // 2
        table = self._table((TEXT_MM / 2, TEXT_MM / 2), count=count)
        for row in table.rows:
            row.height = Mm(38)
            _mark(row, "w:cantSplit")
        for index, title in enumerate(titles):
            cell = table.rows[index // 2].cells[index % 2]
            self._line(cell, title, BODY, bold=True)
            self._line(cell, "(Ký, ghi rõ họ tên)", SMALL, italic=True)
            _drop(cell.paragraphs[0])

    def recipients(self, lines: Sequence[str]) -> None:
        """«Nơi nhận», at the foot on the left."""
        self._paragraph("Nơi nhận:", LEFT, size=12, bold=True, italic=True, before=6, keep=True)
        for line in lines:
            self._paragraph(f"- {line}", LEFT, size=11)

    def docx(self) -> bytes:
        """The document as a file."""
        file = BytesIO()
        self._document.save(file)
        return file.getvalue()

    def _set_font(self) -> None:
        style = self._document.styles["Normal"]
        style.font.name, style.font.size = FONT, Pt(BODY)
        fonts = style.element.rPr.rFonts
        for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
            fonts.set(qn(kind), FONT)
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(0)
        style.paragraph_format.line_spacing = 1.0

    def _set_page(self) -> None:
        section = self._document.sections[0]
        section.start_type = WD_SECTION.NEW_PAGE
        section.page_width, section.page_height = map(Mm, PAGE_MM)
        section.top_margin, section.bottom_margin = Mm(TOP_MM), Mm(BOTTOM_MM)
        section.left_margin, section.right_margin = Mm(LEFT_MM), Mm(RIGHT_MM)
        section.header_distance = Mm(10)
        section.different_first_page_header_footer = True
        paragraph = section.header.paragraphs[0]
        paragraph.alignment = CENTRE
        run = paragraph.add_run()
        run.font.size = Pt(SMALL)
        for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
            run._r.append(_field(kind, text))  # python-docx has no fields of its own

    def _table(self, widths_mm: Sequence[float], *, count: int = 1) -> Any:
        table = self._document.add_table(rows=count, cols=len(widths_mm))
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        table.autofit = False
        for column, width in zip(table.columns, widths_mm, strict=True):
            column.width = Mm(width)
        for row in table.rows:
            for cell, width in zip(row.cells, widths_mm, strict=True):
                cell.width = Mm(width)
        return table

    def _paragraph(
        self, text: str, alignment: Any, *, size: float = BODY, bold: bool = False, italic: bool = False,
        before: float = 0, indent: float = 0, keep: bool = False,
    ) -> None:  # fmt: skip
        paragraph = self._document.add_paragraph()
        paragraph.alignment = alignment
        shape = paragraph.paragraph_format
        shape.space_before, shape.space_after, shape.keep_with_next = Pt(before), Pt(2), keep
        if indent:
            shape.first_line_indent = Mm(indent)
        _write(paragraph, text, size, bold=bold, italic=italic)

    @staticmethod
    def _line(cell: Any, text: str, size: float, *, bold: bool = False, italic: bool = False) -> None:
        paragraph = cell.add_paragraph()
        paragraph.alignment = CENTRE
        _write(paragraph, text, size, bold=bold, italic=italic)

    @staticmethod
    def _rule(place: Any, width_mm: float, length_mm: float) -> None:
        """A solid line in the middle of `place`."""
        paragraph = place.add_paragraph()
        shape = paragraph.paragraph_format
        shape.left_indent = shape.right_indent = Mm((width_mm - length_mm) / 2)
        shape.space_after = Pt(4)
        shape.line_spacing = Pt(4)
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


def _field(kind: str | None, text: str | None) -> Any:
    if kind is not None:
        mark = OxmlElement("w:fldChar")
        mark.set(qn("w:fldCharType"), kind)
        return mark
    code = OxmlElement("w:instrText")
    code.set(qn("xml:space"), "preserve")
    code.text = text
    return code
