"""/v1/exports: what is on record, in the columns of the imports: a file can be exported, edited and imported again."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from inventory.api.context import Context, Exporter, RequestContext
from inventory.api.imports import PROVINCE_TIME
from inventory.importing.cameras import EXPORTED as CAMERA_COLUMNS
from inventory.importing.cells import to_cell
from inventory.importing.facilities import COLUMNS as FACILITY_COLUMNS
from inventory.storage.exporting import exported_cameras, exported_facilities

router = APIRouter(prefix="/v1/exports", tags=["exports"])
FLUSH_AT_CHARACTERS = 64 * 1024


class CsvFormat(StrEnum):
    """`rfc4180`: commas and decimal points. `excel-vi`: BOM, semicolons, decimal commas, for a Vietnamese Excel."""

    RFC4180 = "rfc4180"
    EXCEL_VI = "excel-vi"


@router.get("/facilities.csv", summary="Export facilities", response_class=StreamingResponse)
async def export_facilities(
    context: Context,
    _caller: Exporter,
    format: CsvFormat = CsvFormat.RFC4180,  # noqa: A002 # the name of the query parameter
) -> StreamingResponse:
    """An import of the same file changes nothing."""
    return _download("facilities.csv", _facilities(context, format))


@router.get("/cameras.csv", summary="Export cameras", response_class=StreamingResponse)
async def export_cameras(
    context: Context,
    _caller: Exporter,
    format: CsvFormat = CsvFormat.RFC4180,  # noqa: A002 # the name of the query parameter
) -> StreamingResponse:
    """Without credentials. An import of the same file changes nothing."""
    return _download("cameras.csv", _cameras(context, format))


async def _facilities(context: RequestContext, shape: CsvFormat) -> AsyncIterator[str]:
    today = datetime.now(UTC).astimezone(PROVINCE_TIME).date()
    async with context.read_transaction() as session:
        async for piece in csv_pieces(FACILITY_COLUMNS.all, exported_facilities(session, today), shape):
            yield piece


async def _cameras(context: RequestContext, shape: CsvFormat) -> AsyncIterator[str]:
    async with context.read_transaction() as session:
        async for piece in csv_pieces(CAMERA_COLUMNS, exported_cameras(session), shape):
            yield piece


async def csv_pieces(
    columns: tuple[str, ...], rows: AsyncIterator[dict[str, Any]], shape: CsvFormat
) -> AsyncIterator[str]:
    """The text of a CSV file, in pieces of constant size."""
    excel = shape is CsvFormat.EXCEL_VI
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";" if excel else ",", lineterminator="\r\n")
    if excel:
        buffer.write("\ufeff")
    writer.writerow(columns)
    async for row in rows:
        writer.writerow([to_cell(row[name], decimal_comma=excel) for name in columns])
        if buffer.tell() >= FLUSH_AT_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _download(name: str, pieces: AsyncIterator[str]) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)
