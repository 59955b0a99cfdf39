"""A Word document on A4: paragraphs, tables with rules, cells without, sections, page numbers. Knows no letter."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from vonggac.decree.archive import packed
from vonggac.decree.measures import (
    BETWEEN_PT,
    BODY,
    BOTTOM_MM,
    FONT,
    HEAD,
    LEFT_MM,
    LONG_CELL,
    PAGE_MM,
    RIGHT_MM,
    SHORT_TABLE,
    TABLE,
    TEXT_MM,
    TIED_ROWS,
    TOP_MM,
    WIDE_TABLE,
    WIDE_TEXT_MM,
)
from vonggac.decree.symbols import UNBROKEN_HYPHEN, keep_symbols

CENTRE, JUSTIFY, LEFT, RIGHT = (
    WD_ALIGN_PARAGRAPH.CENTER,
    WD_ALIGN_PARAGRAPH.JUSTIFY,
    WD_ALIGN_PARAGRAPH.LEFT,
    WD_ALIGN_PARAGRAPH.RIGHT,
)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with rules. `widths` are shares of the page's width; rows in `strong` are sums, set bold."""

    columns: Sequence[str]
    widths: Sequence[float]
    rows: Sequence[Sequence[str]]
    aligns: Sequence[Any] = ()
    """Of each column; () is all to the left."""
    strong: frozenset[int] = frozenset()
    size: float | None = None
    """In points; None is the usual size of a table."""


_TITLE_SIGNS = 255
_NARROW_TWIPS = 60


class WordPage:
    """One document that is being written. `keeps_symbols`: no line ends within the symbol of a document."""

    def __init__(self, title: str = "", *, keeps_symbols: bool = True) -> None:
        self.keeps_symbols = keeps_symbols
        self.document = Document()
        properties = self.document.core_properties
        properties.author, properties.comments, properties.language = "", "", "vi-VN"
        self.entitle(title)
        style = self.document.styles["Normal"]
        style.font.name, style.font.size = FONT, Pt(BODY)
        for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
            style.element.rPr.rFonts.set(qn(kind), FONT)
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(0)
        style.paragraph_format.line_spacing = 1.0
        self._shape(self.document.sections[0], wide=False)

    def entitle(self, title: str) -> None:
        """Write the title among the properties of the file, which have room for so much of it."""
        self.document.core_properties.title = title[:_TITLE_SIGNS]

    def wide_section(self) -> None:
        """Pages on the long side, numbered from 1 anew."""
        self._shape(self.document.add_section(WD_SECTION.NEW_PAGE), wide=True)

    def paragraph(
        self,
        text: str,
        alignment: Any = JUSTIFY,
        *,
        size: float = BODY,
        bold: bool = False,
        italic: bool = False,
        before: float = 0,
        indent: float = 0,
        keep: bool = False,
    ) -> None:
        """Write a paragraph of the body; sizes and distances in points, the first line's indent in millimetres."""
        paragraph = self.document.add_paragraph()
        paragraph.alignment = alignment
        shape = paragraph.paragraph_format
        shape.space_before, shape.keep_with_next = Pt(before), keep
        if indent:
            shape.first_line_indent = Mm(indent)
        _write(paragraph, keep_symbols(text) if self.keeps_symbols else text, size, bold=bold, italic=italic)

    def picture(self, png: bytes, width_mm: float, words: str) -> None:
        """Put a picture in the middle; `words` are read to who cannot see it."""
        paragraph = self.document.add_paragraph()
        paragraph.alignment = CENTRE
        paragraph.paragraph_format.keep_with_next, paragraph.paragraph_format.space_before = True, Pt(BETWEEN_PT)
        shape = paragraph.add_run().add_picture(BytesIO(png), width=Mm(width_mm))
        shape._inline.docPr.set("descr", words)

    def cells(self, widths_mm: Sequence[float], count: int = 1) -> list[Sequence[Any]]:
        """Rows of cells without rules and without room at their sides."""
        table = self.table(self.document, widths_mm, count)
        margins = OxmlElement("w:tblCellMar")
        for side in ("left", "right"):
            margin = OxmlElement(f"w:{side}")
            margin.set(qn("w:w"), "0")
            margin.set(qn("w:type"), "dxa")
            margins.append(margin)
        # The schema has the margins before the last child, the style.
        table._tbl.tblPr.find(qn("w:tblLook")).addprevious(margins)
        for row in table.rows:
            _mark(row, "w:cantSplit")
        return [list(row.cells) for row in table.rows]

    def grid(self, grid: Grid, *, wide: bool = False) -> None:
        """Write a table with rules; its headings stand on every page it reaches."""
        room, usual = (WIDE_TEXT_MM, WIDE_TABLE) if wide else (TEXT_MM, TABLE)
        size = usual if grid.size is None else grid.size
        whole = sum(grid.widths)
        table = self.table(self.document, [room * one / whole for one in grid.widths], len(grid.rows) + 1)
        table.style = "Table Grid"
        if grid.size is not None:
            _narrow_cells(table)
        aligns = grid.aligns or [LEFT] * len(grid.columns)
        made: dict[tuple[Any, bool, bool], Any] = {}
        for index, (row, texts) in enumerate(zip(table.rows, (grid.columns, *grid.rows), strict=True)):
            strong = index == 0 or index - 1 in grid.strong
            # `row.cells` of python-docx walks the whole row for each cell; the elements are at hand.
            # Each row with the next one: of a short table all, of a long one the last, and a sum that heads others.
            first_tied = 0 if len(grid.rows) <= SHORT_TABLE else len(grid.rows) - TIED_ROWS + 1
            # A row that takes most of a page is broken: kept whole, it would leave the page before it empty.
            long = index > 0 and max(map(len, texts)) > LONG_CELL
            together = index < len(grid.rows) and (strong or index >= first_tied) and not long
            for cell, text, align in zip(row._tr.tc_lst, texts, aligns, strict=True):
                shape = CENTRE if index == 0 else align, strong, together
                if shape not in made:
                    made[shape] = _cell_paragraph(*shape, size)
                paragraph = deepcopy(made[shape])
                _fill(paragraph[-1], keep_symbols(text) if self.keeps_symbols else text)
                cell.replace(cell.p_lst[0], paragraph)
            if not long:
                _mark(row, "w:cantSplit")
        _mark(table.rows[0], "w:tblHeader")

    def rule(self, place: Any, width_mm: float, length_mm: float) -> None:
        """Draw a solid line in the middle of `place`."""
        paragraph = place.add_paragraph()
        shape = paragraph.paragraph_format
        shape.left_indent = shape.right_indent = Mm((width_mm - length_mm) / 2)
        shape.space_after, shape.line_spacing = Pt(4), Pt(4)
        borders, line = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
        for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
        # The schema has borders before spacing, indents and alignment.
        paragraph._p.get_or_add_pPr().insert(0, borders)

    @staticmethod
    def cell_line(
        cell: Any,
        text: str,
        size: float,
        alignment: Any = CENTRE,
        *,
        bold: bool = False,
        italic: bool = False,
        before: float = 0,
    ) -> None:
        """Write a paragraph in a cell; the first one takes the place of the empty one that a cell begins with."""
        first = cell.paragraphs[0]
        paragraph = first if not first.runs and len(cell.paragraphs) == 1 else cell.add_paragraph()
        paragraph.alignment = alignment
        if before:
            paragraph.paragraph_format.space_before = Pt(before)
        _write(paragraph, text, size, bold=bold, italic=italic)

    def saved(self) -> bytes:
        """Return the file. python-docx writes the time into it: its parts are packed anew."""
        file = BytesIO()
        self.document.save(file)
        with ZipFile(file) as archive:
            return packed({name: archive.read(name) for name in archive.namelist()})

    @staticmethod
    def table(place: Any, widths_mm: Sequence[float], count: int, width_mm: float | None = None) -> Any:
        """Put a table of python-docx in the middle of a place, its columns as wide as said."""
        arguments = {} if width_mm is None else {"width": Mm(width_mm)}
        table = place.add_table(rows=count, cols=len(widths_mm), **arguments)
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        table.autofit = False
        for column, one in zip(table.columns, widths_mm, strict=True):
            column.width = Mm(one)
        return table

    def _shape(self, section: Any, *, wide: bool) -> None:
        width, height = reversed(PAGE_MM) if wide else PAGE_MM
        section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = Mm(width), Mm(height)
        section.top_margin, section.bottom_margin = Mm(TOP_MM), Mm(BOTTOM_MM)
        section.left_margin, section.right_margin = Mm(LEFT_MM), Mm(RIGHT_MM)
        section.header_distance = Mm(10)
        section.different_first_page_header_footer = True
        section.header.is_linked_to_previous = False
        if section._sectPr.find(qn("w:pgNumType")) is None:  # a new section begins as a copy of the one before
            start = OxmlElement("w:pgNumType")
            start.set(qn("w:start"), "1")
            section._sectPr.find(qn("w:pgMar")).addnext(start)
        paragraph = section.header.paragraphs[0]
        paragraph.alignment = CENTRE
        run = paragraph.add_run()
        run.font.size = Pt(HEAD)
        for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
            run._r.append(_field(kind, text))  # python-docx has no fields of its own


def _write(paragraph: Any, text: str, size: float, *, bold: bool = False, italic: bool = False) -> None:
    run = paragraph.add_run()
    _fill(run._r, text)
    run.font.size, run.font.name = Pt(size), FONT
    run.bold, run.italic = bold, italic


def _cell_paragraph(align: Any, strong: bool, together: bool, size: float) -> Any:
    """Build a cell's paragraph without text, to be copied: a report has tens of thousands of cells, and to build one
    through python-docx takes ten times as long."""
    paragraph: Any = OxmlElement("w:p")
    properties = paragraph.get_or_add_pPr()
    if together:
        properties.append(OxmlElement("w:keepNext"))
    properties.jc_val = align
    run = paragraph.add_r().get_or_add_rPr()
    if strong:
        run.append(OxmlElement("w:b"))
    points = OxmlElement("w:sz")
    points.set(qn("w:val"), str(int(size * 2)))
    run.append(points)
    return paragraph


def _fill(run: Any, text: str) -> None:
    """Put text into a run without any."""
    if UNBROKEN_HYPHEN in text:
        for index, part in enumerate(text.split(UNBROKEN_HYPHEN)):
            if index:
                run.append(OxmlElement("w:noBreakHyphen"))
            words = OxmlElement("w:t")
            words.set(qn("xml:space"), "preserve")
            words.text = part
            run.append(words)
    elif text and text.isprintable() and text == text.strip():
        words = OxmlElement("w:t")
        words.text = text
        run.append(words)
    elif text:
        run.text = text  # knows tabs, line ends and spaces that must stay


def _narrow_cells(table: Any) -> None:
    """Cells with little room beside their text: Word's usual 1.9 mm on each side leaves a small column no word."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(_NARROW_TWIPS))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties = table._tbl.tblPr
    # The schema has them behind the layout, and only tblLook behind them.
    properties.insert(len(properties) - (properties.find(qn("w:tblLook")) is not None), margins)


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
