"""What a report's CSV file holds, read back: `reporting.documents.as_csv` says what stands where."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reporting.reports.snapshot.canonical import Row, Value
from reporting.reports.snapshot.report import COLUMNS, UNREADABLE, NotThatReportError
from vonggac.http.formulas import unescape_formula

OF_FACILITY = "facility_id"
PREFIX = "cut_off_"
NOTES = "notes"
"""They stand in the header's cell, where there are any: they are of no camera."""
REGISTER_PROOF = ("progress_row", "progress_sha256")
SECURITY_ITEMS = tuple(name for name in COLUMNS["security"] if name.startswith("items_"))
SECURITY_PROOF = "security_sha256"
_INTEGERS = frozenset({"cameras", "cameras_needed", "plan_cameras", "overdue"})
_TRUTHS = frozenset(
    {
        "focal_point", "sufficient", "surveyed", "plan_agreed", "plan_excepted", "connected_national",
        "connected_provincial", "connected_both",
    }
)  # fmt: skip
WORDS: Mapping[bool, str] = {True: "true", False: "false"}


class ReadCsv(NamedTuple):
    """What a file holds: the proof, the rows of its tables, and the digests that it states of them."""

    proof: dict[str, Any]
    tables: Mapping[str, Sequence[Row]]
    digests: Mapping[str, Sequence[str]]


def read_csv(content: bytes) -> ReadCsv:
    """Read the CSV file of a report. Raises NotThatReportError when it is no file of a report."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        index = {name: at for at, name in enumerate(lines[0])}
        proof: dict[str, Any] = json.loads(lines[1][index["report_header"]])
        cells = [line for line in lines[1:] if line[index["row_sha256"]]]
        tables: dict[str, list[Row]] = {
            "cameras": [{name: _value(name, line[index[name]]) for name in COLUMNS["cameras"]} for line in cells]
        }
        digests = {"cameras": [line[index["row_sha256"]] for line in cells]}
        if REGISTER_PROOF[0] in index:
            # A facility's row stands in the line of each of its cameras; the same one is read once.
            found = {line[index["progress_row"]]: line for line in lines[1:] if line[index["progress_row"]]}
            ordered = [found[place] for place in sorted(found, key=int)]
            tables["progress"] = [_progress(line, index) for line in ordered]
            digests["progress"] = [line[index["progress_sha256"]] for line in ordered]
        if SECURITY_PROOF in index:
            secured = [line for line in lines[1:] if line[index[SECURITY_PROOF]]]
            tables["security"] = [_security(line, index) for line in secured]
            digests["security"] = [line[index[SECURITY_PROOF]] for line in secured]
        if (notes := proof.pop(NOTES, None)) is not None:
            digests[NOTES] = [str(note.pop("sha256")) for note in notes]
            tables[NOTES] = [dict(note) for note in notes]
        return ReadCsv(proof, tables, digests)
    except (csv.Error, *UNREADABLE) as error:
        msg = f"it is no CSV file of a frozen report: {error!r}"
        raise NotThatReportError(msg) from None


def _progress(line: Sequence[str], index: Mapping[str, int]) -> Row:
    return {
        name: _value(name, line[index[name if name == OF_FACILITY else f"{PREFIX}{name}"]])
        for name in COLUMNS["progress"]
        if name == OF_FACILITY or f"{PREFIX}{name}" in index
    }


def _security(line: Sequence[str], index: Mapping[str, int]) -> Row:
    return {
        name: _value(name, line[index[f"{PREFIX}{name}" if name in SECURITY_ITEMS else name]])
        for name in COLUMNS["security"]
    }


def _value(name: str, cell: str) -> Value:
    if name in _TRUTHS:
        return {"": None, **{words: value for value, words in WORDS.items()}}[cell]
    if name in _INTEGERS or name.endswith("_ms"):
        return int(cell) if cell or name in COLUMNS["cameras"] else None
    return unescape_formula(cell) or None
