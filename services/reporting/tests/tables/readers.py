"""The readers of analysts, called without arguments, and what they say each column holds."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from math import isclose
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import polars as pl

from reporting.tables import Column, Format, Kind, Table
from vonggac.http.formulas import unescape_formula

type Frame = Mapping[str, tuple[str, Sequence[Any]]]
"""Of each column: the type that the reader saw, and the values."""

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def by_pandas(path: Path) -> Frame:
    read: dict[str, Callable[[Path], Any]] = {
        ".csv": pd.read_csv, ".json": pd.read_json, ".xlsx": pd.read_excel, ".parquet": pd.read_parquet,
    }  # fmt: skip
    frame = read[path.suffix](path)
    return {
        str(name): (str(frame[name].dtype), [None if pd.isna(value) else value for value in frame[name]])
        for name in frame.columns
    }


def by_polars(path: Path) -> Frame:
    read: dict[str, Callable[[Path], Any]] = {
        ".csv": pl.read_csv, ".json": pl.read_json, ".xlsx": pl.read_excel, ".parquet": pl.read_parquet,
    }  # fmt: skip
    frame = read[path.suffix](path)
    return {column.name: (str(column.dtype), column.to_list()) for column in frame}


def by_duckdb(path: Path) -> Frame:
    """Its reader of workbooks is an extension that it loads from the internet: not here."""
    with duckdb.connect() as connection:
        found = connection.sql(f"select * from '{path}'")  # noqa: S608 - a path of a test
        names, types = found.columns, [str(one) for one in found.types]
        columns = [*zip(*found.fetchall(), strict=True)] or [()] * len(names)
    return {name: (kind, values) for name, kind, values in zip(names, types, columns, strict=True)}


READERS: Mapping[str, Callable[[Path], Frame]] = {"pandas": by_pandas, "polars": by_polars, "duckdb": by_duckdb}
READ = [(reader, form) for reader in READERS for form in Format if (reader, form) != ("duckdb", Format.XLSX)]
"""Which reader reads which format."""

_TEXT = {"str", "object", "string", "String", "VARCHAR", "UUID"}
_WHOLE = {"int64", "Int64", "BIGINT"}
_REAL = {"float64", "Float64", "DOUBLE"}
_TRUTH = {"bool", "object", "Boolean", "BOOLEAN"}
_INSTANT = ("datetime64", "Datetime", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP")
_DAY = ("Date", "DATE", "datetime64", "object")


def is_declared(column: Column, form: Format, seen: str, values: Sequence[Any]) -> bool:
    """Whether a reader saw the declared type, as far as the format has it.

    CSV and JSON have no types: there pandas and polars leave times as text, and take a code of digits for a number.
    A column without any value says nothing.
    """
    if form is not Format.PARQUET and all(value is None for value in values):
        return True
    typeless = form in {Format.CSV, Format.JSON}
    match column.kind:
        case Kind.TEXT:
            # pandas takes text of digits for a number in a workbook too.
            digits = form is not Format.PARQUET and all(
                value is None or str(value).replace(".", "").isdigit() for value in values
            )
            return seen in _TEXT or digits
        case Kind.INTEGER:
            return seen in _WHOLE or (None in values and seen in _REAL) or (form is Format.XLSX and seen in _REAL)
        case Kind.DURATION if column.unit == "ms":
            return seen in _WHOLE or (None in values and seen in _REAL) or (form is Format.XLSX and seen in _REAL)
        case Kind.BOOLEAN:
            # Where some are null, pandas makes 1.0 and 0.0 of those of JSON and workbooks.
            return seen in _TRUTH or (form in {Format.JSON, Format.XLSX} and None in values and seen in _REAL)
        case Kind.INSTANT:
            return seen.startswith(_INSTANT) or (typeless and seen in _TEXT)
        case Kind.DATE:
            return seen.startswith(_DAY) or (typeless and seen in _TEXT)
        case _:
            # pandas makes whole numbers of those of JSON where all are whole, as a workbook does.
            return seen in _REAL or (form in {Format.JSON, Format.XLSX} and seen in _WHOLE)


def canonical(column: Column, form: Format, value: Any) -> Any:
    """A value as a row gives it, whatever a reader made of it; durations as they are written."""
    if value is None:
        return None
    match column.kind:
        case Kind.TEXT:
            text = str(value)
            return unescape_formula(text) if form in {Format.CSV, Format.XLSX} else text
        case Kind.INSTANT:
            return _millis(value)
        case Kind.DATE:
            return value.date() if isinstance(value, datetime) else date.fromisoformat(str(value)[:10])
        case Kind.BOOLEAN:
            return bool(value)
        case Kind.INTEGER:
            return int(value)
        case _:
            return float(value)


def _millis(value: Any) -> int:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(moment, pd.Timestamp):
        moment = moment.round("ms").to_pydatetime()
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZONE)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def values_of(table: Table, form: Format, frame: Frame) -> list[tuple[Any, ...]]:
    """The rows of a file in canonical values; its columns must be those that are declared, in their order."""
    declared = [column.name for column in table.written]
    # The fields of a JSON object have no order: polars keeps none of many.
    assert (sorted(frame) == sorted(declared)) if form is Format.JSON else ([*frame] == declared)
    columns = [[canonical(column, form, value) for value in frame[column.name][1]] for column in table.written]
    return [*zip(*columns, strict=True)]


def wrongly_seen(table: Table, form: Format, frame: Frame) -> dict[str, str]:
    """Columns of which the reader saw another type than the declared one, with that type."""
    return {
        column.name: frame[column.name][0]
        for column in table.written
        if not is_declared(column, form, *frame[column.name])
    }


def same(found: Sequence[Any], right: Sequence[Any]) -> bool:
    """Equal, numbers to fourteen places: pandas' JSON and workbooks keep no more."""
    return len(found) == len(right) and all(
        isclose(one, other, rel_tol=1e-14) if isinstance(one, float) and other is not None else one == other
        for one, other in zip(found, right, strict=True)
    )


def undated(table: Any, row: Any) -> list[Any]:
    """A row without the moment of its file, which is another for each."""
    moments = {"generated_at", "as_of"}
    return [value for column, value in zip(table.written, row, strict=True) if column.name not in moments]
