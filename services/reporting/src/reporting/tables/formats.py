"""The formats of a file, and which one a request asks for."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from reporting.tables.csv_file import CsvFile, Dialect
from reporting.tables.json_file import JsonFile
from reporting.tables.parquet_file import ParquetFile
from reporting.tables.stamp import Stamp
from reporting.tables.table import Rows, Table
from reporting.tables.xlsx_file import XlsxFile


class Format(StrEnum):
    """Forms of a table."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """The registered content type."""
        return MEDIA_TYPES[self]


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}


class TableFile(Protocol):
    """Writes one file: `begin` once, `write` for each portion of rows, then `end`; `close` whatever happened."""

    def begin(self) -> bytes: ...

    def write(self, rows: Rows) -> bytes: ...

    def end(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


def new_file(table: Table, stamp: Stamp, form: Format, dialect: Dialect) -> TableFile:
    """Build a writer of `table` in a format. `dialect` is of CSV and XLSX."""
    match form:
        case Format.JSON:
            return JsonFile(table, stamp)
        case Format.CSV:
            return CsvFile(table, stamp, dialect)
        case Format.XLSX:
            return XlsxFile(table, stamp, dialect)
        case Format.PARQUET:
            return ParquetFile(table, stamp)


def accepted(accept: str) -> Format | None:
    """Find the format that an Accept header prefers; of equals, the first of `Format`; None when it takes none."""
    return accepted_of(accept, MEDIA_TYPES)


def accepted_of[K](accept: str, media_types: Mapping[K, str]) -> K | None:
    """Find the same among other forms, by their media types."""
    weights = {form: _weight(accept, media_type) for form, media_type in media_types.items()}
    best = max(weights, key=lambda form: weights[form])
    return best if weights[best] > 0 else None


def _weight(accept: str, media_type: str) -> float:
    """RFC 9110: the most exact range that fits decides."""
    group = media_type.partition("/")[0]
    found: dict[int, float] = {}
    for part in accept.split(","):
        given, *parameters = [piece.strip().lower() for piece in part.split(";")]
        exactness = {media_type: 2, f"{group}/*": 1, "*/*": 0}.get(given)
        if exactness is not None:
            found[exactness] = _quality(parameters)
    return found[max(found)] if found else 0.0


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
