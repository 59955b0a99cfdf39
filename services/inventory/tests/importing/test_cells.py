"""A value that goes out as a cell comes back as the same value, and no spreadsheet runs it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.importing import cells


@given(st.text())
def test_escaping_is_undone(text: str) -> None:
    assert cells.unescape(cells.escape(text)) == text


@given(st.text())
def test_an_escaped_cell_never_begins_as_a_formula(text: str) -> None:
    assert cells.escape(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_numbers_survive_in_either_notation(value: float, decimal_comma: bool) -> None:
    cell = cells.unescape(cells.to_cell(value, decimal_comma=decimal_comma))
    assert float(cells.decimal_point(cell) if "e" not in cell else cell.replace(",", ".")) == value


@pytest.mark.parametrize(
    ("cell", "value"), [("7/5/2021", "2021-05-07"), ("07-05-2021", "2021-05-07"), ("2021-05-07", "2021-05-07")]
)
def test_dates_as_vietnamese_offices_write_them(cell: str, value: str) -> None:
    assert date.fromisoformat(cells.iso_date(cell)) == date.fromisoformat(value)


@pytest.mark.parametrize(("cell", "value"), [("có", "true"), ("Không", "false"), ("x", "true"), ("TRUE", "true")])
def test_yes_and_no(cell: str, value: str) -> None:
    assert cells.true_or_false(cell) == value
