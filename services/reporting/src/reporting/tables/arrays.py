"""Rows as Arrow arrays, a column each: a cell costs some tens of nanoseconds, and the formats share them."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reporting.domain.percentages import TO_HUNDREDTHS
from reporting.tables.stamp import Stamp
from reporting.tables.table import Column, Kind, Repeated, Rows, Table, Woven

type Array = Any
"""A pyarrow.Array; pyarrow carries no types."""

_INSTANTS = pa.timestamp("ms", tz="UTC")


def stored_type(column: Column, time_zone: str) -> Any:
    """Return the Arrow type of a column in a Parquet file."""
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


def arrays_of(table: Table, stamp: Stamp, rows: Rows) -> list[Array]:
    """Build an array of each column that is written. Raises ValueError naming a column with values not of its kind."""
    stamps = zip(table.stamps, stamp.values(table), strict=True)
    made = [pa.repeat(_array(column, [value], stamp)[0], len(rows)) for column, value in stamps]
    for column, array in zip(table.columns, _columns(table.columns, stamp, rows), strict=True):
        made.append(array)
        if column.kind is Kind.PERCENT:
            made.append(rounded_percents(array))
    return made


def _columns(columns: Sequence[Column], stamp: Stamp, rows: Rows) -> Iterator[Array]:
    if not isinstance(rows, Woven):
        cells: Sequence[Sequence[Any]] = [*zip(*rows, strict=True)] if rows else [()] * len(columns)
        for column, values in zip(columns, cells, strict=True):
            yield _array(column, values, stamp)
        return
    for part in rows.parts:
        whole = part.values if isinstance(part, Repeated) else part
        mine, columns = columns[: len(whole[0])], columns[len(whole[0]) :]
        arrays = _columns(mine, stamp, whole)
        if isinstance(part, Repeated):
            which = pa.array(part.which, pa.int32())
            arrays = (array.take(which) for array in arrays)
        yield from arrays


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


def rounded_percents(percents: Array) -> Array:
    """Two places, half up, as `domain.percentages.rounded`."""
    return pc.divide(pc.floor(pc.add(pc.multiply(percents, TO_HUNDREDTHS), 0.5)), 100.0)
