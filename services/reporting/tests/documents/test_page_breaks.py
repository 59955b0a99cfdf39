"""Where tables may break over pages: no sum stands on another page than all that it is of."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from docx import Document
from openpyxl import load_workbook
from pikepdf import Dictionary, Name, Pdf

from reporting.documents.letter.blocks import Grid, Text
from reporting.documents.letter.content import paper
from reporting.documents.office.as_xlsx import PRINTED, as_xlsx
from reporting.documents.pdf import as_pdf
from reporting.tables.xlsx_file import A3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reporting.reports.snapshot.report import Report

pytestmark = pytest.mark.heavy


def nodes(element: Any) -> Iterator[Any]:
    """An element of the structure with all that is below it."""
    if isinstance(element, pikepdf.Array):
        for one in element:
            yield from nodes(one)
    elif isinstance(element, Dictionary):
        yield element
        if "/K" in element:
            yield from nodes(element.K)


def rows_of_tables(file: Pdf) -> list[list[int]]:
    """For each table the page of each of its rows, the headings first."""
    numbers = {one.obj.objgen: number for number, one in enumerate(file.pages)}
    tables = [one for one in nodes(file.Root.StructTreeRoot.K) if one.get("/S") == Name.Table]
    rows = [[one for one in nodes(table) if one.get("/S") == Name.TR] for table in tables]
    return [
        [numbers[next(one for one in nodes(row) if "/Pg" in one).Pg.objgen] for row in of_table] for of_table in rows
    ]


@pytest.mark.parametrize("more", [0, 4, 8])
def test_no_page_of_the_pdf_has_only_the_sum_of_a_table_or_ends_with_the_head_of_others(
    report: Report, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    """The first appendix with facilities whose lines end at different heights of its page."""
    content = paper(report)
    first, *others = content.appendices
    (grid,) = first.blocks
    assert isinstance(grid, Grid)
    strong = frozenset({*(row for row in grid.strong if row < more), *(more + row for row in grid.strong)})
    longer = replace(grid, rows=[*grid.rows[:more], *grid.rows], strong=strong)
    changed = replace(content, appendices=[replace(first, blocks=[longer]), *others])
    monkeypatch.setattr(as_pdf, "paper", lambda _: changed)
    with Pdf.open(io.BytesIO(as_pdf.as_pdf(report))) as file:
        found = rows_of_tables(file)
        for pages in found:
            assert pages.count(pages[-1]) >= min(3, len(pages)), pages
        of_facilities = [pages for pages in found if len(pages) == 1 + len(longer.rows)]
        assert of_facilities, "the second appendix has as many lines as the first one where nothing was added"
        heads = [row + 1 for row in strong if row + 1 < len(longer.rows)]
        for pages in of_facilities:
            assert [row for row in heads if pages[row] != pages[row + 1]] == []


def test_the_last_rows_of_a_table_stay_together_in_word(docx: bytes) -> None:
    for table in Document(io.BytesIO(docx)).tables:
        if table.style is None or table.style.name != "Table Grid":
            continue
        kept = [row.cells[0].paragraphs[0].paragraph_format.keep_with_next is True for row in table.rows]
        bold = [row.cells[0].paragraphs[0].runs[0].bold is True for row in table.rows]
        assert kept[-3:] == [True, True, False]
        assert all(stays for stays, strong in zip(kept[:-1], bold[:-1], strict=True) if strong)


def test_no_row_of_the_pdf_breaks_over_pages_unless_it_is_longer_than_one(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first appendix with notes of every length, and one of 2,000 characters among the rows that stay together."""
    content = paper(report)
    first, *others = content.appendices
    (grid,) = first.blocks
    assert isinstance(grid, Grid)
    notes = ["Chưa giám sát: " + "hành lang tầng một; " * (row % 5 * 3) for row in range(2 * len(grid.rows))]
    notes[-2] = "dài lắm " * 250
    rows = [[*row[:-1], note] for row, note in zip([*grid.rows, *grid.rows], notes, strict=True)]
    changed = replace(content, appendices=[replace(first, blocks=[replace(grid, rows=rows)]), *others])
    monkeypatch.setattr(as_pdf, "paper", lambda _: changed)
    with Pdf.open(io.BytesIO(as_pdf.as_pdf(report))) as file:
        numbers = {one.obj.objgen: number for number, one in enumerate(file.pages)}
        tables = [one for one in nodes(file.Root.StructTreeRoot.K) if one.get("/S") == Name.Table]
        (made,) = (
            found
            for found in ([one for one in nodes(table) if one.get("/S") == Name.TR] for table in tables)
            if len(found) == 1 + len(rows)
        )
        pages = [{numbers[one.Pg.objgen] for one in nodes(row) if "/Pg" in one} for row in made]
    broken = [index - 1 for index, on in enumerate(pages) if len(on) > 1]
    assert broken == [len(rows) - 2], "the others stand on one page, and nothing of the long one is cut off"


@pytest.mark.parametrize("more", [6, 7, 8])
def test_the_signature_stands_on_a_page_with_what_is_signed(
    report: Report, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    """Bodies that end at different heights of their last page."""
    content = paper(report)
    body = [*content.body[:-1], *[Text("Kiến nghị dài. " * 22)] * more, content.body[-1]]
    changed = replace(content, body=body)
    monkeypatch.setattr(as_pdf, "paper", lambda _: changed)
    with Pdf.open(io.BytesIO(as_pdf.as_pdf(report))) as file:
        numbers = {one.obj.objgen: number for number, one in enumerate(file.pages)}
        elements = [one for one in nodes(file.Root.StructTreeRoot.K) if one.get("/S") == Name.P and "/Pg" in one]
        of_fields = [
            number
            for number, page in enumerate(file.pages)
            for one in page.get("/Annots", [])
            if one.get("/FT") == Name.Sig
        ]
        (signed,) = set(of_fields)
    post_and_words = [one for one in elements if numbers[one.Pg.objgen] == signed]
    assert len(post_and_words) > 1


def test_the_signature_stands_with_what_is_signed_in_word(docx: bytes) -> None:
    paragraphs = Document(io.BytesIO(docx)).paragraphs
    (signed,) = (index for index, one in enumerate(paragraphs) if one.text.endswith("./."))
    assert [one.paragraph_format.keep_with_next for one in paragraphs[signed : signed + 2]] == [True, True]


def test_a_sheet_that_people_print_is_wide_as_a_page_that_they_can_read(report: Report) -> None:
    """It is scaled to the width of one page; what a column has no room for goes on in the next line."""
    book = load_workbook(io.BytesIO(as_xlsx(report)))
    sheets = [
        book[f"Phụ lục {one.number}"] for one in paper(report).appendices if one.number in {"I", "II", "III", "IV"}
    ]
    assert len(sheets) == 4
    for sheet in sheets:
        widths = [
            one.width for one in sheet.column_dimensions.values() for _ in range(one.min or 0, (one.max or 0) + 1)
        ]
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value]
        assert len(widths) == sheet.max_column
        assert sum(widths) <= PRINTED + len(widths), "A4 holds 140 of them, so this is seven tenths of it"
        assert all(cell.alignment is not None and cell.alignment.wrap_text for cell in cells)
        assert "'-" not in {cell.value for cell in cells}, "a dash alone is no formula"


def test_every_sheet_of_the_workbook_is_printed_in_a_size_that_people_read_below_its_titles(report: Report) -> None:
    """Seven points of eleven, on the paper that it asks for: A4 across holds 140 characters of eleven, A3 207."""
    wide = []
    for sheet in load_workbook(io.BytesIO(as_xlsx(report))).worksheets:
        setup, page = sheet.sheet_properties.pageSetUpPr, sheet.page_setup
        assert page.orientation == "landscape", sheet.title
        assert sheet.print_title_rows == ("$1:$1" if sheet.title != "Thông tin" else None), sheet.title
        held = 207 if page.paperSize == A3 else 140
        if setup is not None and setup.fitToPage:
            assert (page.fitToWidth, page.fitToHeight) == (None, 0), sheet.title
            width = sum(
                one.width for one in sheet.column_dimensions.values() for _ in range(one.min or 0, (one.max or 0) + 1)
            )
            assert 11 * held / width >= 6.9, (sheet.title, width)
        else:
            assert page.scale is not None
            assert 11 * page.scale / 100 >= 7, sheet.title
            assert (page.pageOrder, sheet.print_options.headings) == ("overThenDown", True), sheet.title
            wide.append(sheet.title)
    assert "tiến độ" in wide
