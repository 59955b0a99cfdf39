"""The file that was sent, with its mistakes in it."""

import asyncio
from http import HTTPStatus
from urllib.parse import quote

from fastapi import Response

from inventory.api.files.received import CSV, XLSX
from inventory.importing.job import Upload, read_again
from inventory.importing.marking.csv_file import marked_csv
from inventory.importing.marking.workbook import marked_workbook
from inventory.importing.reading.sheet import Format


async def marked_answer(upload: Upload, name: str | None) -> Response:
    """422 with the file in its own format; a file that could not be read comes back as a list of mistakes in CSV."""
    await asyncio.to_thread(read_again, upload)
    as_workbook = upload.raw is not None and upload.raw.format is Format.XLSX
    make = marked_workbook if as_workbook else marked_csv
    body = await asyncio.to_thread(make, upload)
    stem = (name or "import").rpartition(".")[0] or "import"
    shown = quote(f"{stem}-loi.{'xlsx' if as_workbook else 'csv'}")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{shown}"}
    encoding = upload.raw.encoding if upload.raw is not None else "utf-8"
    kind = XLSX if as_workbook else f"{CSV}; charset={encoding}"
    return Response(body, HTTPStatus.UNPROCESSABLE_ENTITY, headers, kind)
