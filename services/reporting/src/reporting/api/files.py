"""Tables as files: which format a request asks for, and the answer that streams it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from reporting.api.parameters import Context, invalid
from reporting.reports.accounts import Question
from reporting.storage import plan
from reporting.storage.snapshot import snapshot
from reporting.tables import Dialect, Format, Portions, accepted, file_of
from reporting.tables.catalogue import SOURCES, Selection, Source
from reporting.tables.formats import MEDIA_TYPES
from vonggac.auth import Caller, Right, demand
from vonggac.http import ProblemError
from vonggac.http.lists.cursor import PAGING

PIECE = 128 * 1024
"""Bytes handed on at a time: compressing one holds up the event loop for some milliseconds."""
_DIALECTS = frozenset({Format.CSV, Format.XLSX})


@dataclass(frozen=True, slots=True)
class Choice:
    """The form of an answer."""

    form: Format
    dialect: Dialect

    @property
    def is_file(self) -> bool:
        """Whether it is a table instead of the route's own JSON."""
        return self.form is not Format.JSON


def choice(
    request: Request,
    caller: Caller,
    form: Annotated[Format | None, Query(alias="format", description="Wins over the Accept header.")] = None,
    dialect: Annotated[
        Dialect | None,
        Query(description="Of CSV and XLSX; `excel-vi` has Vietnamese headings, and in CSV `;` and decimal commas."),
    ] = None,
) -> Choice:
    """Choose the format of an answer. Raises ProblemError 406 for an Accept header that fits no format, 422 for a
    parameter that the format has not, 403 for a file without the right to export."""
    accept = request.headers.get("accept", "*/*")
    chosen = form or accepted(accept)
    if chosen is None:
        known = ", ".join(MEDIA_TYPES.values())
        detail = (
            f"Accept: '{accept[:100]}' is none of what there is: {known}; or give format=json, csv, xlsx or parquet"
        )
        raise ProblemError(HTTPStatus.NOT_ACCEPTABLE, "not_acceptable", detail)
    if chosen is not Format.JSON and (paged := [name for name in request.query_params if name in PAGING]):
        raise invalid(paged[0], f"is of the pages in JSON; a {chosen} file has all rows: leave it out")
    if dialect is not None and chosen not in _DIALECTS:
        raise invalid("dialect", f"is of csv and xlsx, and the answer is {chosen}; leave it out or give format=csv")
    if chosen is not Format.JSON:
        demand(request, caller, Right.EXPORT, f"a {chosen} file (format=json needs none)")
    return Choice(chosen, dialect or Dialect.RFC4180)


Chosen = Annotated[Choice, Depends(choice)]


def refuse_filters_of_pages(request: Request, chosen: Choice, names: Iterable[str]) -> None:
    """Refuse a filter that the pages of a route have and its files have not. Raises ProblemError 422."""
    for name in names:
        if name in request.query_params:
            raise invalid(name, f"is of the pages in JSON; a {chosen.form} file has all rows: leave it out")


def file_answers(json: dict[str, Any] | None = None) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that gives files beside its own JSON, whose entry of 200 is `json`."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content: dict[str, Any] = {
        MEDIA_TYPES[Format.CSV]: {"schema": {"type": "string"}, "example": "camera_code\r\nQT-01-C01\r\n"},
        MEDIA_TYPES[Format.XLSX]: binary,
        MEDIA_TYPES[Format.PARQUET]: binary,
    }
    refused = {"description": "The Accept header fits no format"}
    given = dict(json or {})
    return {200: {**given, "content": {**given.get("content", {}), **content}}, 406: refused}


class TableAnswer(StreamingResponse):
    """A file on its way: when the client goes away, its rows are read no further, and the transaction ends."""

    def __init__(self, pieces: AsyncGenerator[bytes], media_type: str, name: str, *, attached: bool) -> None:
        self._pieces = pieces
        disposition = "attachment" if attached else "inline"
        headers = {"Content-Disposition": f'{disposition}; filename="{name}"', "Vary": "Accept"}
        super().__init__(_cut(pieces), media_type=media_type, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces):
            await super().__call__(scope, receive, send)


async def _cut(pieces: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        for start in range(0, len(piece), PIECE):
            yield piece[start : start + PIECE]


def table_answer(
    shared: Context,
    name: str,
    question: Question,
    chosen: Choice,
    scope: plan.Scope,
    **more: Any,
) -> TableAnswer:
    """Build a table in the format chosen. `more`: the other fields of a `Selection`."""
    source = SOURCES[name]
    stamp = Selection.stamp_of(question)
    pieces = file_of(source.table, stamp, chosen.form, chosen.dialect, _rows(shared, source, question, scope, more))
    file_name = stamp.file_name(source.table, chosen.form.value)
    return TableAnswer(pieces, chosen.form.media_type, file_name, attached=chosen.is_file)


async def _rows(
    shared: Context, source: Source, question: Question, scope: plan.Scope, more: Mapping[str, Any]
) -> Portions:
    """Portions within a bounded time: the next one is read when the last was taken."""
    async with (
        asyncio.timeout(shared.settings.export_within_s),
        snapshot(shared.database) as session,
        aclosing(source.rows(Selection(session, question, scope, **more))) as portions,
    ):
        async for rows in portions:
            yield rows
