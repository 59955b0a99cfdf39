"""A table as JSON: an array of flat objects, one to a line."""

import json
from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from reporting.tables.arrays import Array, arrays_of
from reporting.tables.cells import lines, once_each, plain
from reporting.tables.stamp import Stamp
from reporting.tables.table import Column, Kind, Rows, Table

_BARE = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DURATION, Kind.PERCENT})
_ESCAPED = r'["\\\x00-\x1f]'


class JsonFile:
    """Writes portions of rows as bytes; remembers only whether a row came before."""

    def __init__(self, table: Table, stamp: Stamp) -> None:
        self._table, self._stamp = table, stamp
        self._names = [f'"{column.name}":' for column in table.written]
        self._begun = False

    def begin(self) -> bytes:
        """Write the array's bracket."""
        return b"["

    def write(self, rows: Rows) -> bytes:
        """Write the objects of `rows`."""
        if not rows:
            return b""
        arrays = arrays_of(self._table, self._stamp, rows)
        cells = [
            pc.fill_null(once_each(array, partial(_member, name, column)), f"{name}null")
            for name, column, array in zip(self._names, self._table.written, arrays, strict=True)
        ]
        cells[0] = pc.binary_join_element_wise("{", cells[0], "")
        body = lines(cells, ",", "},\n")[: -len(",\n")]
        before, self._begun = b",\n" if self._begun else b"\n", True
        return before + body

    def end(self) -> Iterator[bytes]:
        """Yield the closing bracket."""
        yield b"\n]\n" if self._begun else b"]\n"

    def close(self) -> None:
        """Nothing is held."""


def _member(name: str, column: Column, array: Array) -> Array:
    return pc.binary_join_element_wise(name, _value(column, array), "")


def _value(column: Column, array: Array) -> Array:
    texts = plain(column, array)
    if column.kind in _BARE:
        return texts
    if column.kind is Kind.TEXT and pc.any(pc.match_substring_regex(texts, _ESCAPED)).as_py():
        return pa.array([None if text is None else json.dumps(text, ensure_ascii=False) for text in texts.to_pylist()])
    return pc.binary_join_element_wise('"', texts, '"', "")
