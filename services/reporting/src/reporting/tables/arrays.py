"""Rows as Arrow arrays, a column each: a cell costs some tens of nanoseconds, and the formats share them."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reporting.tables.stamp import Stamp
from reporting.tables.table import Column, Kind, Row, Table

type Array = Any
"""A pyarrow.Array; pyarrow carries no types."""

_INSTANTS = pa.timestamp("ms", tz="UTC")


def stored_type(column: Column, time_zone: str) -> Any:
    """The Arrow type of a column in a Parquet file."""
    if column.kind is Kind.DURATION:
        return pa.int64() if column.unit == "ms" else pa.float64()
    if column.kind is Kind.INSTANT:
        return pa.timestamp("ms", tz=time_zone)
    return _TYPES[column.kind]


_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.PERCENT: pa.float64(),
}


def arrays_of(table: Table, stamp: Stamp, rows: Sequence[Row]) -> list[Array]:
    """An array for each column that is written. Raises ValueError naming a column whose values are not of its kind."""
    stamps = zip(table.stamps, stamp.values(table), strict=True)
    made = [pa.repeat(_array(column, [value], stamp)[0], len(rows)) for column, value in stamps]
    columns: Sequence[Sequence[Any]] = [*zip(*rows, strict=True)] if rows else [()] * len(table.columns)
    for column, values in zip(table.columns, columns, strict=True):
        array = _array(column, values, stamp)
        made.append(array)
        if column.kind is Kind.PERCENT:
            made.append(_rounded(array))
    return made


def _array(column: Column, values: Sequence[Any], stamp: Stamp) -> Array:
    try:
        if column.kind is Kind.INSTANT:
            return pa.array(values, _INSTANTS).cast(pa.timestamp("ms", tz=stamp.time_zone))
        if column.kind is Kind.DURATION:
            lengths = pa.array(values, pa.int64())
            return lengths if column.unit == "ms" else pc.divide(pc.cast(lengths, pa.float64()), 1000.0)
        made = pa.array(values, _TYPES[column.kind])
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
        msg = f"{column.name}: not all values are of the kind {column.kind}: {error}"
        raise ValueError(msg) from error
    if column.kind is Kind.TEXT and pc.any(pc.equal(made, "")).as_py():
        return pc.if_else(pc.equal(made, ""), pa.scalar(None, pa.string()), made)
    return made


def _rounded(percents: Array) -> Array:
    """Two places, half up, as `domain.percentages.rounded`."""
    return pc.divide(pc.floor(pc.add(pc.multiply(percents, 100.0), 0.5)), 100.0)
