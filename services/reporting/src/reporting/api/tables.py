"""GET /v1/tables: every table for analysts, in four formats, and what its columns hold."""

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field

from reporting.api.files import Chosen, file_answers, table_answer
from reporting.api.parameters import Asks, Context, Filters, InContext, invalid
from reporting.reports.accounts import Question
from reporting.storage.snapshot import snapshot
from reporting.tables.catalogue import SOURCES
from reporting.tables.package import data_dictionary, data_package
from reporting.tables.table import Column, Kind, Table
from vonggac.auth import Caller, Right, demand, demand_province, guarded_router
from vonggac.http.openapi import problems
from vonggac.http.problems import not_found

router = guarded_router(prefix="/v1", tags=["tables"])
_FILTERS = ("unit", "agency", "type", "facility")
_ROWS = {"schema": {"type": "array", "items": {"type": "object"}}, "example": [{"camera_code": "QT-01-C01"}]}


class ColumnResponse(BaseModel):
    """One column of the files."""

    name: str
    kind: Kind
    unit: str | None = Field(description="`ms`, `s`, `%`, or what is counted.")
    heading: str = Field(description="What people call it, in Vietnamese.")
    description: str
    required: bool = Field(description="Never empty.")
    choices: list[str] = Field(description="All values, where the list is closed.")


class TableResponse(BaseModel):
    """One table."""

    name: str
    title_vi: str
    title_en: str
    description: str
    key: list[str] = Field(description="The columns that name a row.")
    periodic: bool = Field(description="Whether it is of a period: `from` and `to`.")
    narrowed: bool = Field(description="Whether `unit`, `agency`, `type` and `facility` narrow it.")
    columns: list[ColumnResponse]


class Tables(BaseModel):
    """All tables."""

    items: list[TableResponse]


@router.get("/tables", summary="Tables for analysts")
async def list_tables() -> Tables:
    """List what `/v1/tables/{name}` gives, column by column."""
    return Tables(items=[_shape(source.table, narrowed=source.narrowed) for source in SOURCES.values()])


@router.get(
    "/tables/{name}",
    summary="One table as JSON, CSV, XLSX or Parquet",
    description="All rows, streamed, an object or a line each. `GET /v1/tables` lists the names and the columns.",
    response_model=None,
    responses=problems({404: "There is no such table"})
    | file_answers({"description": "The file.", "content": {"application/json": _ROWS}}),
)
async def read_table(
    name: str,
    request: Request,
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    chosen: Chosen,
    caller: Caller,
) -> Response:
    if name not in SOURCES:
        raise not_found("table", f"{name[:40]}; there are {', '.join(SOURCES)}")
    if SOURCES[name].whole:
        why = f"the table {name} concerns the province as a whole"
        demand(request, caller, Right.READ_RESTRICTED, why)
        demand_province(request, caller, why)
    _check_parameters(name, request)
    return await _answer(name, shared, asks, filters, chosen)


@router.get(
    "/facts",
    summary="Facts: the parts of each day's time, for each camera and centre",
    description="`GET /v1/tables/facts`: tidy, milliseconds, a row for each camera, delivery and day of the time zone.",
    response_model=None,
    responses=file_answers({"description": "The file.", "content": {"application/json": _ROWS}}),
)
async def read_facts(shared: InContext, asks: Asks, filters: Annotated[Filters, Depends()], chosen: Chosen) -> Response:
    return await _answer("facts", shared, asks, filters, chosen)


async def _answer(name: str, shared: Context, asks: Question, filters: Filters, chosen: Chosen) -> Response:
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asks.last)).scope
    return table_answer(shared, name, asks, chosen, scope)


@router.get(
    "/datapackage.json",
    summary="The set of tables as a Frictionless data package",
    response_model=None,
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}, "example": {"name": "vonggac"}}}}},
)
async def read_data_package() -> JSONResponse:
    """Put it beside files named as its resources are, and Frictionless checks them."""
    return JSONResponse(data_package())


@router.get(
    "/data-dictionary.md",
    summary="What every column of every table holds",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}, "example": "# Data dictionary"}}}},
)
async def read_data_dictionary() -> PlainTextResponse:
    """Return the page docs/reference/data-dictionary.md."""
    return PlainTextResponse(data_dictionary(), media_type="text/markdown")


def _check_parameters(name: str, request: Request) -> None:
    """Refuse a filter that a table does not have: one that is ignored shows everything. Raises ProblemError 422."""
    source, given = SOURCES[name], request.query_params
    for parameter in ("from", "to"):
        if parameter in given and not source.table.periodic:
            raise invalid(parameter, f"is not of the table {name}, which is of all times; leave it out")
    for parameter in _FILTERS:
        if parameter in given and not source.narrowed:
            raise invalid(parameter, f"does not narrow the table {name}; leave it out")


def _shape(table: Table, *, narrowed: bool) -> TableResponse:
    return TableResponse(
        name=table.name,
        title_vi=table.title_vi,
        title_en=table.title_en,
        description=table.description,
        key=list(table.key),
        periodic=table.periodic,
        narrowed=narrowed,
        columns=[_column(column) for column in table.written],
    )


def _column(column: Column) -> ColumnResponse:
    shown: dict[str, Any] = {name: getattr(column, name) for name in ColumnResponse.model_fields if name != "choices"}
    return ColumnResponse(choices=list(column.choices), **shown)
