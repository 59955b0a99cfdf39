"""The report as CSV: one row a camera, and one of each facility without any, to be summed without thought.

RFC 4180 in UTF-8 with BOM. The columns in front name the report and the period in every row; those that begin with
`cut_off_` have what the register said of the camera's facility at the cut-off. The last ones prove the file: digests of
the rows, and in the first row the report's header and notes as JSON, with the digests of all tables. Reports that were
frozen without the register have the cameras alone.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reporting.documents.letter.figures import number, word
from reporting.domain.instants import shown
from reporting.domain.percentages import percentages
from reporting.reports.snapshot.canonical import Row, Value, row_digest
from reporting.reports.snapshot.figures import COLUMNS as TABLES
from reporting.reports.snapshot.figures import PLACE
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
"""Of a report without the register."""
_OF_FACILITY = "facility_id"
_PREFIX = "cut_off_"
_NOTES = "notes"
"""They stand in the header's cell, where there are any: they are of no camera."""
_REGISTER_PROOF = ("progress_row", "progress_sha256")
_INTEGERS = frozenset({"cameras", "cameras_needed", "plan_cameras", "overdue"})
_TRUTHS = frozenset(
    {
        "focal_point", "sufficient", "surveyed", "plan_agreed", "plan_excepted", "connected_national",
        "connected_provincial", "connected_both",
    }
)  # fmt: skip
_WORDS: Mapping[bool, str] = {True: "true", False: "false"}


def as_csv(report: Report) -> bytes:
    """The table of cameras. A report without cameras or facilities has one row that is empty but for the proof."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=LINE_END)
    writer.writerow(columns_of(report))
    proof = json.dumps(_proof(report), ensure_ascii=False, separators=(",", ":"))
    for cells in _lines(report):
        writer.writerow([*_known(report), *cells, proof])
        proof = ""
    return (BOM + out.getvalue()).encode()


def columns_of(report: Report) -> tuple[str, ...]:
    """The headings of its file."""
    if not report.has_register:
        return COLUMNS
    of_register = (f"{_PREFIX}{name}" for name in _register(report))
    return (*_KNOWN, *TABLES["cameras"], *_PERCENTAGES, *of_register, *_REGISTER_PROOF, *_PROOF)


def _register(report: Report) -> tuple[str, ...]:
    return tuple(name for name in report.columns_of("progress") if name != _OF_FACILITY)


class ReadCsv(NamedTuple):
    """What a file holds: the proof, the rows of its tables, and the digests that it states of them."""

    proof: dict[str, Any]
    tables: Mapping[str, Sequence[Row]]
    digests: Mapping[str, Sequence[str]]


def read_csv(content: bytes) -> ReadCsv:
    """Raises NotThatReportError when it is no file of a report."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        index = {name: at for at, name in enumerate(lines[0])}
        proof: dict[str, Any] = json.loads(lines[1][index["report_header"]])
        cells = [line for line in lines[1:] if line[index["row_sha256"]]]
        tables: dict[str, list[Row]] = {
            "cameras": [{name: _value(name, line[index[name]]) for name in TABLES["cameras"]} for line in cells]
        }
        digests = {"cameras": [line[index["row_sha256"]] for line in cells]}
        if _REGISTER_PROOF[0] in index:
            # A facility's row stands in the line of each of its cameras; the same one is read once.
            found = {line[index["progress_row"]]: line for line in lines[1:] if line[index["progress_row"]]}
            ordered = [found[place] for place in sorted(found, key=int)]
            tables["progress"] = [_progress(line, index) for line in ordered]
            digests["progress"] = [line[index["progress_sha256"]] for line in ordered]
        if (notes := proof.pop(_NOTES, None)) is not None:
            digests[_NOTES] = [str(note.pop("sha256")) for note in notes]
            tables[_NOTES] = [dict(note) for note in notes]
        return ReadCsv(proof, tables, digests)
    except (csv.Error, *UNREADABLE) as error:
        msg = f"it is no CSV file of a frozen report: {error!r}"
        raise NotThatReportError(msg) from None


def _progress(line: Sequence[str], index: Mapping[str, int]) -> Row:
    return {
        name: _value(name, line[index[name if name == _OF_FACILITY else f"{_PREFIX}{name}"]])
        for name in TABLES["progress"]
        if name == _OF_FACILITY or f"{_PREFIX}{name}" in index
    }


def _proof(report: Report) -> Mapping[str, Any]:
    whole = report.document()
    proof = {name: whole[name] for name in ("header", "sha256", "approval")}
    if report.tables.get(_NOTES):
        proof[_NOTES] = report.document_rows(_NOTES)
    return proof


def _known(report: Report) -> Iterator[str]:
    header = report.header
    yield from (header.id, str(header.version), report.sha256)
    yield from (str(shown(header.period.from_ms)), str(shown(header.period.to_ms)))
    yield from (header.period.time_zone, header.rule_version)


def _lines(report: Report) -> Iterator[list[str]]:
    """All cells between what names the report and its header."""
    cameras = report.tables["cameras"]
    if not report.has_register:
        for row in cameras or [{}]:
            yield [*_cells(row), row_digest(row).hex() if row else ""]
        return
    progress = report.tables["progress"]
    at = {word(row, _OF_FACILITY): place for place, row in enumerate(progress)}
    register = _register(report)
    said = [
        [*_register_cells(row, register), str(place), row_digest(row).hex()]
        for place, row in enumerate(progress, start=1)
    ]
    nothing = [""] * (len(register) + len(_REGISTER_PROOF))
    for row in cameras:
        place = at.get(word(row, _OF_FACILITY))
        yield [*_cells(row), *(nothing if place is None else said[place]), row_digest(row).hex()]
    with_cameras = {word(row, _OF_FACILITY) for row in cameras}
    for row, cells in zip(progress, said, strict=True):
        if word(row, _OF_FACILITY) not in with_cameras:
            yield [*_cells({name: row[name] for name in PLACE}), *cells, ""]
    if not cameras and not progress:
        yield [*_cells({}), *nothing, ""]


def _cells(row: Row) -> Iterator[str]:
    for name in TABLES["cameras"]:
        yield (str(number(row, name)) if name.endswith("_ms") else escape_formula(word(row, name) or "")) if row else ""
    for good, bad, unknown in (("up", "down", "unknown"), ("compliant", "non_compliant", "compliance_unknown")):
        for one in percentages(*(number(row, f"{name}_ms") for name in (good, bad, unknown))):
            yield "" if one is None else repr(one)


def _register_cells(row: Row, register: Sequence[str]) -> Iterator[str]:
    for name in register:
        value = row[name]
        yield _WORDS[value] if isinstance(value, bool) else escape_formula(word(row, name))


def _value(name: str, cell: str) -> Value:
    if name in _TRUTHS:
        return {"": None, **{words: value for value, words in _WORDS.items()}}[cell]
    if name in _INTEGERS or name.endswith("_ms"):
        return int(cell) if cell or name in TABLES["cameras"] else None
    return unescape_formula(cell) or None
