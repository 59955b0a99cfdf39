"""What all tables are, for programs (a Frictionless data package) and for people (the data dictionary)."""

from collections.abc import Mapping
from typing import Any

from reporting.tables.catalogue import SOURCES
from reporting.tables.table import Column, Kind, Table

_TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "string",
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "datetime",
    Kind.DATE: "date",
    Kind.DURATION: "integer",
    Kind.PERCENT: "number",
}
INTRODUCTION = """\
Every table that reporting gives to analysts: `GET /v1/tables/{name}?format=json|csv|xlsx|parquet`, `GET /v1/facts` for
the facts by day, and `format=` on the lists and reports of the same things. Generated from the declarations in
`reporting.tables.catalogue`; `GET /v1/data-dictionary.md` gives this page, `GET /v1/datapackage.json` the same for
Frictionless.

- **Every row says what it is of**: its first columns are the period [`period_from`, `period_to`), the `time_zone` of
  all times and days, the moment `generated_at` whose evidence is in the figures, and the `rule_version` behind them. A
  table of no period has the moment `as_of` instead, which its rows are of: it may be asked for long after it.
- **Durations** are integers in milliseconds (`…_ms`) and add up exactly. **Percentages** are unrounded; `…_rounded`
  beside each has two places, half up.
- **Time counts where the camera stood, and nowhere else.** The groups of any cut add up to the whole, and each is what
  the same filter gives. A row by day (`facts`, `camera_days`) is of a whole day where the camera stood when it ended.
- **Times** are ISO 8601 with milliseconds and offset, in Parquet `timestamp[ms]` with the zone, in a workbook local.
- **Empty** (JSON `null`) is not known, or does not apply. Ids never change; the columns under "key" name a row.
- `dialect=rfc4180` (default): UTF-8 without BOM, commas, CRLF, technical names. `dialect=excel-vi`: BOM, semicolons,
  decimal commas, `có` and `không`, days as dd/mm/yyyy, Vietnamese headings; of a workbook, only the headings.
- In CSV and XLSX, text that a spreadsheet would run as a formula (`=`, `+`, `-`, `@`, full-width too, tab, line end)
  and text that begins with an apostrophe gets an apostrophe in front; JSON and Parquet have it as it is.
- pandas, polars and DuckDB read every file without arguments. CSV and JSON have no types: readers take a code that is
  all digits for a number (pandas in a workbook too), and pandas and polars leave times as text. Parquet keeps every
  type."""


def data_package() -> dict[str, Any]:
    """Build the `datapackage.json` of a folder with one CSV file of each table, by its name."""
    return {
        "profile": "tabular-data-package",
        "name": "vonggac",
        "title": "Vọng Gác: camera, kết nối, tiến độ",
        "description": "Tables of the reporting service of Vọng Gác. Lengths of time are in milliseconds.",
        "resources": [_resource(source.table) for source in SOURCES.values()],
    }


def _resource(table: Table) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "title": f"{table.title_vi} ({table.title_en})",
        "description": table.description,
        "path": f"{table.name}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True},
        "schema": {
            "fields": [_field(column) for column in table.written],
            "missingValues": [""],
            "primaryKey": list(table.key),
        },
    }


def _field(column: Column) -> dict[str, Any]:
    kind = "number" if column.kind is Kind.DURATION and column.unit == "s" else _TYPES[column.kind]
    made: dict[str, Any] = {
        "name": column.name,
        "type": kind,
        "title": column.heading,
        "description": column.description,
    }
    if column.kind is Kind.INSTANT:
        # The standard's own form of a datetime ends in Z; these have the offset of their zone.
        made["format"] = "any"
    if column.kind is Kind.BOOLEAN:
        made |= {"trueValues": ["true"], "falseValues": ["false"]}
    if column.unit is not None:
        made["unit"] = column.unit
    constraints = {"required": True} if column.required else {}
    if column.choices:
        constraints |= {"enum": list(column.choices)}  # type: ignore[dict-item]
    return {**made, "constraints": constraints} if constraints else made


def data_dictionary(note: str = "") -> str:
    """Write the page in Markdown. `note` stands below its title."""
    parts = ["# Data dictionary", *([note] if note else []), INTRODUCTION, "| table | bảng | rows |\n|---|---|---|"]
    for source in SOURCES.values():
        table = source.table
        parts[-1] += f"\n| [`{table.name}`](#{table.name}) | {table.title_vi} | {_cell(table.description)} |"
    for source in SOURCES.values():
        parts += [*_section(source.table)]
    return "\n\n".join(parts) + "\n"


def _section(table: Table) -> list[str]:
    stamps = ", ".join(f"`{column.name}`" for column in table.stamps)
    lines = ["| column | tiêu đề | type | unit | meaning |\n|---|---|---|---|---|"]
    for column in table.written[len(table.stamps) :]:
        values = f" One of {', '.join(f'`{one}`' for one in column.choices)}." if column.choices else ""
        kind = column.kind.value if column.required else f"{column.kind}, may be empty"
        cells = (f"`{column.name}`", column.heading, kind, column.unit or "", column.description + values)
        lines[0] += "\n| " + " | ".join(map(_cell, cells)) + " |"
    key = ", ".join(f"`{name}`" for name in table.key)
    return [
        f"## {table.name}",
        f"{table.title_vi} ({table.title_en}). {table.description} Key: {key}. Before these columns: {stamps}.",
        *lines,
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
