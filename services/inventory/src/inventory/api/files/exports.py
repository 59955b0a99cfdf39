"""/v1/exports: what is on record, in the columns of the imports: a file can be exported, edited and imported again."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

from fastapi import Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from inventory.api.context import Context, RequestContext
from inventory.api.files.received import CSV, XLSX
from inventory.exporting.csv_text import CsvFormat, csv_pieces
from inventory.exporting.rows import exported_columns, exported_rows
from inventory.exporting.workbook import Page, write_workbook
from inventory.importing.cells.dates import PROVINCE_TIME
from inventory.importing.derived import columns_of
from inventory.nouns.noun import Noun
from inventory.nouns.places import FACILITY
from inventory.nouns.registry import NOUNS, noun_named, referring
from inventory.storage.queries.sight import read_thing, select_visible
from inventory.storage.tables import Facility
from vonggac.auth import guarded_router
from vonggac.http.protection.response_headers import is_head

router = guarded_router(prefix="/v1/exports", tags=["exports"])
_CODES_MOST = 5000
"""References with more records than this have no drop-down list."""


def _add_exports(noun: Noun) -> None:
    async def export_csv(
        context: Context,
        format: CsvFormat = CsvFormat.RFC4180,  # noqa: A002 # the name of the query parameter
    ) -> StreamingResponse:
        pieces = [] if is_head(context.request) else await _packed_csv(context, noun, format)
        return _file(_unpacked(pieces), f"{CSV}; charset=utf-8", f"{noun.path}.csv")

    async def export_xlsx(context: Context) -> Response:
        if is_head(context.request):
            return _file(_unpacked([]), XLSX, f"{noun.path}.xlsx")
        async with context.read_transaction() as session:
            page = await page_of(session, noun, context)
        return await workbook_answer([page], f"{noun.path}.xlsx")

    words = noun.path.replace("-", " ")
    name = noun.path.replace("-", "_")
    for endpoint, suffix in ((export_csv, "csv"), (export_xlsx, "xlsx")):
        endpoint.__name__ = f"export_{name}_{suffix}"
        endpoint.__doc__ = "Without credentials. Rows have revisions: imported again, they change nothing."
        # A generated client reads a text as one, and makes a file of bytes alone.
        schema = {"type": "string"} if suffix == "csv" else {"type": "string", "format": "binary"}
        router.get(
            f"/{noun.path}.{suffix}",
            summary=f"Export {words} as {suffix.upper()}",
            response_class=StreamingResponse if suffix == "csv" else Response,
            responses={200: {"content": {CSV if suffix == "csv" else XLSX: {"schema": schema}}}},
        )(endpoint)


async def _packed_csv(context: RequestContext, noun: Noun, shape: CsvFormat) -> list[bytes]:
    """Pack the whole file: whoever reads it slowly, or not at all, holds no connection of the database."""
    async with (
        context.read_transaction() as session,
        aclosing(exported_rows(session, noun, _today(context))) as rows,
    ):
        pieces = csv_pieces(exported_columns(noun), rows, shape)
        return [zlib.compress(piece.encode(), level=1) async for piece in pieces]


async def _unpacked(pieces: list[bytes]) -> AsyncIterator[bytes]:
    """Unpack the file from its packed pieces, each forgotten as it goes."""
    pieces.reverse()
    while pieces:
        yield zlib.decompress(pieces.pop())


def _file(pieces: AsyncIterator[bytes], kind: str, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type=kind, headers=headers)


@router.get(
    "/facilities/{facility_id}.xlsx",
    summary="Export one facility with all that belongs to it",
    response_class=Response,
    responses={200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def export_facility(facility_id: UUID, context: Context) -> Response:
    """Write a sheet per noun: facility, focal points, cameras. `/v1/imports/workbook` takes it."""
    async with context.read_transaction() as session:
        code = (await read_thing(session, Facility, facility_id)).code
        if is_head(context.request):
            return _file(_unpacked([]), XLSX, f"{code}.xlsx")
        pages = [await page_of(session, FACILITY, context, ("id", facility_id))]
        for noun, column in sorted(referring(FACILITY), key=lambda each: NOUNS.index(each[0])):
            pages.append(await page_of(session, noun, context, (column, facility_id)))
    return await workbook_answer(pages, f"{code}.xlsx")


async def page_of(
    session: Any, noun: Noun, context: RequestContext, only: tuple[str, UUID] | None = None, *, filled: bool = True
) -> Page:
    """Build a sheet of a noun with its rows, and the codes of its drop-down lists."""
    rows = [row async for row in exported_rows(session, noun, _today(context), only)] if filled else []
    columns = columns_of(noun)
    codes: dict[str, list[str]] = {}
    for column in columns.columns:
        if column.reference is None:
            continue
        other = select_visible(noun_named(column.reference).table, None, context.sight).c
        if "code" in other:
            found = (await session.scalars(select(other.code).order_by(other.code).limit(_CODES_MOST + 1))).all()
            codes[column.name] = list(found) if len(found) <= _CODES_MOST else []
    shown = exported_columns(noun) if filled else columns.columns
    return Page(columns, shown, rows, codes)


async def workbook_answer(pages: list[Page], name: str) -> Response:
    body = await asyncio.to_thread(write_workbook, pages)
    return Response(body, media_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _today(context: RequestContext) -> Any:
    return context.services.store.now().astimezone(PROVINCE_TIME).date()


for _noun in NOUNS:
    _add_exports(_noun)
