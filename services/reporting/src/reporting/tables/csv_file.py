"""A table as CSV: `rfc4180` for programs, `excel-vi` for a Vietnamese spreadsheet."""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reporting.tables.arrays import Array, arrays_of
from reporting.tables.cells import lines, once_each, plain
from reporting.tables.stamp import Stamp
from reporting.tables.table import Column, Kind, Rows, Table
from vonggac.http.formulas import FORMULA_STARTS

BOM = "\ufeff"
LINE_END = "\r\n"
_MUST_BE_QUOTED = r'[",;\r\n]|^[ ]|[ ]$'
_FORMULA = f"^[{re.escape(FORMULA_STARTS)}]"
_DECIMAL = frozenset({Kind.NUMBER, Kind.PERCENT, Kind.DURATION})


class Dialect(StrEnum):
    """Forms of a file. `rfc4180`: commas, decimal points, technical names. `excel-vi`: BOM, semicolons, decimal
    commas, Vietnamese headings, có and không."""

    RFC4180 = "rfc4180"
    EXCEL_VI = "excel-vi"


class CsvFile:
    """Writes portions of rows as bytes; keeps nothing."""

    def __init__(self, table: Table, stamp: Stamp, dialect: Dialect = Dialect.RFC4180) -> None:
        self._table, self._stamp = table, stamp
        self._excel = dialect is Dialect.EXCEL_VI
        self._between = ";" if self._excel else ","

    def begin(self) -> bytes:
        """Write the line of headings."""
        named = [column.heading if self._excel else column.name for column in self._table.written]
        cells = [_text(pa.array([name])) for name in named]
        return (BOM if self._excel else "").encode() + lines(cells, self._between, LINE_END)

    def write(self, rows: Rows) -> bytes:
        """Write the lines of `rows`."""
        arrays = arrays_of(self._table, self._stamp, rows)
        pairs = zip(self._table.written, arrays, strict=True)
        cells = [once_each(array, partial(self._cells, column)) for column, array in pairs]
        return lines(cells, self._between, LINE_END)

    def end(self) -> Iterator[bytes]:
        """Nothing follows the last line."""
        return iter(())

    def close(self) -> None:
        """Nothing is held."""

    def _cells(self, column: Column, array: Array) -> Array:
        if column.kind is Kind.TEXT:
            return _text(array)
        if not self._excel:
            return plain(column, array)
        if column.kind is Kind.BOOLEAN:
            return pc.if_else(array, "có", "không")
        if column.kind is Kind.DATE:
            return pc.strftime(array, "%d/%m/%Y")
        texts = plain(column, array)
        return pc.replace_substring(texts, ".", ",") if column.kind in _DECIMAL else texts


def _text(array: Array) -> Array:
    """Texts that no spreadsheet runs as a formula, in quotation marks where a reader needs them."""
    harmful = pc.match_substring_regex(array, _FORMULA)
    if _any(harmful):
        array = pc.if_else(harmful, pc.binary_join_element_wise("'", array, ""), array)
    special = pc.match_substring_regex(array, _MUST_BE_QUOTED)
    if _any(special):
        doubled = pc.replace_substring(array, '"', '""')
        array = pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), array)
    return array


def _any(mask: Any) -> bool:
    return bool(pc.any(mask).as_py())
