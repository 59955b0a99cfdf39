"""Rows as CSV, in pieces of constant size."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from inventory.importing.cells.dates import PROVINCE_TIME
from inventory.importing.cells.text import escape_text
from inventory.importing.columns import Column, Kind
from vonggac.http.formulas import escape_formula

FLUSH_AT_CHARACTERS = 64 * 1024


class CsvFormat(StrEnum):
    """`rfc4180`: commas, decimal points, technical headings. `excel-vi`: BOM, semicolons, decimal commas,
    Vietnamese headings, for a Vietnamese Excel."""

    RFC4180 = "rfc4180"
    EXCEL_VI = "excel-vi"


def to_cell(value: object, kind: Kind = Kind.TEXT, *, decimal_comma: bool = False) -> str:
    """Convert a value to a cell; the import reads the same value from it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return ("có" if value else "không") if decimal_comma else ("true" if value else "false")
    if isinstance(value, float):
        shown = f"{value:.15g}" if float(f"{value:.15g}") == value else repr(value)
        return escape_formula(shown.replace(".", ",") if decimal_comma else shown)
    if isinstance(value, datetime):
        return value.astimezone(PROVINCE_TIME).isoformat()
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}" if decimal_comma else value.isoformat()
    return escape_text(str(value), kind)


async def csv_pieces(
    columns: Sequence[Column], rows: AsyncIterator[Mapping[str, Any]], shape: CsvFormat
) -> AsyncIterator[str]:
    """Write the text of a CSV file."""
    excel = shape is CsvFormat.EXCEL_VI
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";" if excel else ",", lineterminator="\r\n")
    if excel:
        buffer.write("\ufeff")
    writer.writerow([column.heading if excel else column.name for column in columns])
    async for row in rows:
        writer.writerow([to_cell(row[column.name], column.kind, decimal_comma=excel) for column in columns])
        if buffer.tell() >= FLUSH_AT_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
