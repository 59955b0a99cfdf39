"""No line of a paper ends within the symbol of a document, and a reader of the file finds it as it is written."""

from __future__ import annotations

import io

import pytest
from docx import Document

from vonggac.decree.letter_page import LetterPage
from vonggac.decree.symbols import UNBROKEN_HYPHEN, keep_symbols
from vonggac.decree.word_page import Grid

SYMBOLS = ["1742/UBND-VX", "1407/BTTTT-CVT", "597/CĐ-BCĐ", "4403/CV-BCĐ", "41/2019/QĐ-UBND", "05/BC-STTTT"]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_symbol_has_no_hyphen_at_which_a_line_may_end(symbol: str) -> None:
    assert "-" not in keep_symbols(f"theo Công văn số {symbol}, ngày")


@pytest.mark.parametrize(
    "text", ["KCL-01-C02", "24/24h", "10/5/2021", "rtsp://a/b-c", "12/VERYLONGISSUER-OFALETTER", "Đo lường - Lao Bảo"]
)
def test_what_is_no_symbol_or_too_long_for_a_column_stays(text: str) -> None:
    assert keep_symbols(text) == text


def test_word_gets_a_hyphen_that_breaks_no_line_in_paragraphs_and_cells() -> None:
    page = LetterPage("Thư")
    page.text("Thực hiện Công văn số 1742/UBND-VX ngày 07/5/2021.")
    page.grid(Grid(("Văn bản",), (1,), [("1742/UBND-VX",)]))
    document = Document(io.BytesIO(page.saved()))
    marks = document.element.body.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}noBreakHyphen")
    assert len(list(marks)) == 2
    assert document.paragraphs[-1].text == "Thực hiện Công văn số 1742/UBND-VX ngày 07/5/2021."
    assert document.tables[0].cell(1, 0).text == "1742/UBND-VX"
    assert UNBROKEN_HYPHEN not in document.paragraphs[-1].text
