"""The report as CSV: one row a camera, and one of each facility without any, to be summed without thought.

RFC 4180 in UTF-8 with BOM. The columns in front name the report and the period in every row; those that begin with
`cut_off_` have what was known of the camera's facility, and of its own security, at the cut-off. The last ones prove
the file: digests of the rows, and in the first row the report's header and notes as JSON, with the digests of all
tables. Reports that were frozen without the register have the cameras alone.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reporting.documents.letter.figures import number, word
from reporting.documents.read_csv import (
    NOTES,
    OF_FACILITY,
    PREFIX,
    REGISTER_PROOF,
    SECURITY_ITEMS,
    SECURITY_PROOF,
    WORDS,
)
from reporting.domain.instants import format_instant
from reporting.domain.percentages import percentages
from reporting.reports.snapshot.canonical import Row, row_digest
from reporting.reports.snapshot.report import COLUMNS as TABLES
from reporting.reports.snapshot.report import PLACE, Report
from vonggac.http.formulas import escape_formula

BOM = "\ufeff"
LINE_END = "\r\n"
_KNOWN = ("report_id", "report_version", "report_sha256", "period_from", "period_to", "time_zone", "rule_version")
_PERCENTAGES = tuple(f"{kind}_{name}" for kind in ("availability", "compliance") for name in (
    "measured_percent", "strict_percent", "lenient_percent", "coverage_percent"
))  # fmt: skip
_PROOF = ("row_sha256", "report_header")
COLUMNS = (*_KNOWN, *TABLES["cameras"], *_PERCENTAGES, *_PROOF)
"""Of a report without the register."""


def as_csv(report: Report) -> bytes:
    """Write the table of cameras. A report without cameras or facilities has one row, empty but for the proof."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=LINE_END)
    writer.writerow(columns_of(report))
    proof = json.dumps(_proof(report), ensure_ascii=False, separators=(",", ":"))
    for cells in _lines(report):
        writer.writerow([*_list_header_cells(report), *cells, proof])
        proof = ""
    return (BOM + out.getvalue()).encode()


def columns_of(report: Report) -> tuple[str, ...]:
    """List the headings of the report's file."""
    if not report.has_register:
        return COLUMNS
    of_register = (f"{PREFIX}{name}" for name in _register(report))
    of_security = (*(f"{PREFIX}{name}" for name in SECURITY_ITEMS), SECURITY_PROOF) if report.has_security else ()
    return (*_KNOWN, *TABLES["cameras"], *_PERCENTAGES, *of_register, *REGISTER_PROOF, *of_security, *_PROOF)


def _register(report: Report) -> tuple[str, ...]:
    return tuple(name for name in report.columns_of("progress") if name != OF_FACILITY)


def _proof(report: Report) -> Mapping[str, Any]:
    whole = report.document()
    proof = {name: whole[name] for name in ("header", "sha256", "approval")}
    if report.tables.get(NOTES):
        proof[NOTES] = report.document_rows(NOTES)
    return proof


def _list_header_cells(report: Report) -> Iterator[str]:
    header = report.header
    yield from (header.id, str(header.version), report.sha256)
    yield from (str(format_instant(header.period.from_ms)), str(format_instant(header.period.to_ms)))
    yield from (header.period.time_zone, header.rule_version)


def _lines(report: Report) -> Iterator[list[str]]:
    """All cells between what names the report and its header."""
    cameras = report.tables["cameras"]
    if not report.has_register:
        for row in cameras or [{}]:
            yield [*_cells(row), row_digest(row).hex() if row else ""]
        return
    progress = report.tables["progress"]
    at = {word(row, OF_FACILITY): place for place, row in enumerate(progress)}
    register = _register(report)
    said = [
        [*_register_cells(row, register), str(place), row_digest(row).hex()]
        for place, row in enumerate(progress, start=1)
    ]
    nothing = [""] * (len(register) + len(REGISTER_PROOF))
    insecure = [""] * (len(SECURITY_ITEMS) + 1) if report.has_security else []
    secured = {word(row, "camera_id"): row for row in report.tables.get("security", ())}
    for row in cameras:
        place, known = at.get(word(row, OF_FACILITY)), secured.get(word(row, "camera_id"))
        items = (
            insecure if known is None else [*(word(known, name) for name in SECURITY_ITEMS), row_digest(known).hex()]
        )
        yield [*_cells(row), *(nothing if place is None else said[place]), *items, row_digest(row).hex()]
    with_cameras = {word(row, OF_FACILITY) for row in cameras}
    for row, cells in zip(progress, said, strict=True):
        if word(row, OF_FACILITY) not in with_cameras:
            yield [*_cells({name: row[name] for name in PLACE}), *cells, *insecure, ""]
    if not cameras and not progress:
        yield [*_cells({}), *nothing, *insecure, ""]


def _cells(row: Row) -> Iterator[str]:
    for name in TABLES["cameras"]:
        yield (str(number(row, name)) if name.endswith("_ms") else escape_formula(word(row, name) or "")) if row else ""
    for good, bad, unknown in (("up", "down", "unknown"), ("compliant", "non_compliant", "compliance_unknown")):
        for one in percentages(*(number(row, f"{name}_ms") for name in (good, bad, unknown))):
            yield "" if one is None else repr(one)


def _register_cells(row: Row, register: Sequence[str]) -> Iterator[str]:
    for name in register:
        value = row[name]
        yield WORDS[value] if isinstance(value, bool) else escape_formula(word(row, name))
