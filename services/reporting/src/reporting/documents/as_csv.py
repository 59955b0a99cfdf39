"""The report as CSV: one row a camera, to be summed without thought; facilities without cameras stand in the others.

RFC 4180 in UTF-8 with BOM. The columns in front name the report and the period in every row. The last two prove the
file: the digest of the row, and in the first row the report's header as JSON, with the digests of all tables.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from reporting.documents.letter.figures import number, word
from reporting.domain.instants import shown
from reporting.domain.percentages import percentages
from reporting.reports.snapshot.canonical import Row, row_digest
from reporting.reports.snapshot.figures import COLUMNS as TABLES
from reporting.reports.snapshot.report import UNREADABLE, NotThatReportError, Report
from vonggac.http.formulas import escape_formula, unescape_formula

BOM = "\ufeff"
LINE_END = "\r\n"
_KNOWN = ("report_id", "report_version", "report_sha256", "period_from", "period_to", "time_zone", "rule_version")
_PERCENTAGES = tuple(f"{kind}_{name}" for kind in ("availability", "compliance") for name in (
    "measured_percent", "strict_percent", "lenient_percent", "coverage_percent"
))  # fmt: skip
_PROOF = ("row_sha256", "report_header")
COLUMNS = (*_KNOWN, *TABLES["cameras"], *_PERCENTAGES, *_PROOF)


def as_csv(report: Report) -> bytes:
    """The table of cameras. A report without cameras has one row that is empty but for the proof."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=LINE_END)
    writer.writerow(COLUMNS)
    proof = json.dumps(_proof(report), ensure_ascii=False, separators=(",", ":"))
    for row in report.tables["cameras"] or [{}]:
        writer.writerow([*_known(report), *_cells(row), row_digest(row).hex() if row else "", proof])
        proof = ""
    return (BOM + out.getvalue()).encode()


def read_csv(content: bytes) -> tuple[dict[str, Any], list[Row], list[str]]:
    """The proof, the cameras and the digests of their rows. Raises NotThatReportError when they are not there."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        index = {name: at for at, name in enumerate(lines[0])}
        proof: dict[str, Any] = json.loads(lines[1][index["report_header"]])
        cells = [line for line in lines[1:] if line[index["row_sha256"]]]
        rows: list[Row] = [{name: _value(name, line[index[name]]) for name in TABLES["cameras"]} for line in cells]
        return proof, rows, [line[index["row_sha256"]] for line in cells]
    except (csv.Error, *UNREADABLE) as error:
        msg = f"it is no CSV file of a frozen report: {error!r}"
        raise NotThatReportError(msg) from None


def _proof(report: Report) -> Mapping[str, Any]:
    whole = report.document()
    return {name: whole[name] for name in ("header", "sha256", "approval")}


def _known(report: Report) -> Iterator[str]:
    header = report.header
    yield from (header.id, str(header.version), report.sha256)
    yield from (str(shown(header.period.from_ms)), str(shown(header.period.to_ms)))
    yield from (header.period.time_zone, header.rule_version)


def _cells(row: Row) -> Iterator[str]:
    for name in TABLES["cameras"]:
        yield (str(number(row, name)) if name.endswith("_ms") else escape_formula(word(row, name) or "")) if row else ""
    for good, bad, unknown in (("up", "down", "unknown"), ("compliant", "non_compliant", "compliance_unknown")):
        for one in percentages(*(number(row, f"{name}_ms") for name in (good, bad, unknown))):
            yield "" if one is None else repr(one)


def _value(name: str, cell: str) -> str | int | None:
    if name.endswith("_ms"):
        return int(cell)
    return unescape_formula(cell) or None
