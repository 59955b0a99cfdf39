"""Arrow arrays as the texts of cells, and cells as lines: all in Arrow's own loops, none in Python.

The texts are those of CSV with a decimal point and of JSON: 96.875, true, 2026-11-24T07:00:00.000+07:00.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reporting.tables.arrays import Array
from reporting.tables.table import Column, Kind

_HOUR_MINUTES = 60


def once_each(array: Array, texts_of: Callable[[Array], Array]) -> Array:
    """`texts_of` the array, made once for each value: most columns repeat few values."""
    encoded = pc.dictionary_encode(array)
    return pc.take(texts_of(encoded.dictionary), encoded.indices)


def plain(column: Column, array: Array) -> Array:
    """Format all values that are no text themselves as texts; text stays as it is. Null stays null."""
    if column.name.endswith("_percent_rounded"):
        return _two_places(array)
    match column.kind:
        case Kind.TEXT:
            return array
        case Kind.INSTANT:
            return _instants(array)
        case Kind.NUMBER | Kind.PERCENT:
            return _numbers(array)
        case Kind.DURATION if column.unit == "s":
            return _numbers(array)
        case _:
            return pc.cast(array, pa.string())


def _numbers(array: Array) -> Array:
    """Shortest text that gives the same double, always with a point or an exponent: a reader sees no integers."""
    texts = pc.cast(array, pa.string())
    whole = pc.match_substring_regex(texts, r"^-?[0-9]+$")
    return pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts)


def _two_places(array: Array) -> Array:
    hundredths = pc.cast(pc.cast(pc.round(pc.multiply(array, 100.0)), pa.int64()), pa.string())
    padded = pc.utf8_lpad(hundredths, 3, padding="0")
    return pc.replace_substring_regex(padded, r"^(.+)(..)$", r"\1.\2")


def _instants(array: Array) -> Array:
    """ISO 8601 with milliseconds and the offset of the zone at that moment."""
    local = pc.local_timestamp(array)
    texts = pc.replace_substring(pc.cast(local, pa.string()), " ", "T")
    minutes = pc.divide(pc.subtract(pc.cast(local, pa.int64()), pc.cast(array, pa.int64())), 60_000)
    kinds = pc.unique(pc.drop_null(minutes))
    if len(kinds) == 0:
        return texts
    if len(kinds) == 1:
        return pc.binary_join_element_wise(texts, _offset(kinds[0].as_py()), "")
    names = pa.array([_offset(kind) for kind in kinds.to_pylist()])
    return pc.binary_join_element_wise(texts, pc.take(names, pc.index_in(minutes, kinds)), "")


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), _HOUR_MINUTES)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def lines(cells: Sequence[Any], between: str, after: str) -> bytes:
    """Join the bytes of all lines: each one's cells with `between` between them and `after` behind. Null is nothing."""
    if len(cells[0]) == 0:
        return b""
    first, rest = cells[:-1], cells[-1]
    last = pc.binary_join_element_wise(rest, after, "", null_handling="replace", null_replacement="")
    joined = pc.binary_join_element_wise(*first, last, between, null_handling="replace", null_replacement="")
    return whole(joined)


def whole(texts: Array) -> bytes:
    """All texts of an array without nulls, one behind the other: the array's own memory."""
    combined = texts.cast(pa.large_string())
    _, offsets, data = combined.buffers()
    if data is None:
        return b""
    at = memoryview(offsets).cast("q")
    start, end = at[combined.offset], at[combined.offset + len(combined)]
    return bytes(memoryview(data)[start:end])
