"""A user's own facilities, a row each, with the columns of inventory's import; two are enough."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from local.own.cameras import CODE
from local.own.table import Columns, FileError, Mistake, Row, doubled, read_rows

COLUMNS = Columns(
    required=("code", "name"),
    optional=(
        "type",
        "unit_code",
        "managing_agency_code",
        "status",
        "decision_number",
        "decision_date",
        "address",
        "beds",
        "latitude",
        "longitude",
        "restricted",
    ),
    aliases={"unit": "unit_code", "agency": "managing_agency_code"},
)
TYPES = (
    "military", "health", "school", "dormitory", "public_building", "hotel", "field_hospital", "factory",
)  # fmt: skip
STATUSES = ("planned", "approved", "active", "suspended", "closed")


@dataclass(frozen=True, slots=True)
class OwnFacility:
    """One checked row; `line` is the line of the file it begins in."""

    line: int
    code: str
    columns: dict[str, str]
    """As inventory imports them."""


def read_facilities(path: Path, *, taken: Collection[str], defaults: dict[str, str]) -> list[OwnFacility]:
    """Read the facilities of the file; `defaults` fill empty cells. `taken`: codes of the demo's facilities.

    Raises FileError with every mistake; what units and agencies there are, inventory knows.
    """
    rows, mistakes = read_rows(path, COLUMNS)
    for row in rows:
        mistakes += _mistakes(row, taken)
    mistakes += doubled(rows)
    if mistakes:
        raise FileError(path, sorted(mistakes, key=lambda mistake: mistake.line))
    return [
        OwnFacility(row.line, row["code"], defaults | {name: cell for name, cell in row.cells.items() if cell})
        for row in rows
    ]


def _mistakes(row: Row, taken: Collection[str]) -> list[Mistake]:
    wrong = []
    if row["code"] and not CODE.fullmatch(row["code"]):
        wrong.append(row.wrong("code", "use 1 to 64 letters, digits, '.', '_' or '-', e.g. CS-01"))
    elif row["code"] in taken:
        wrong.append(row.wrong("code", "is a facility of the demo: take another code, e.g. CS-01"))
    for name, words in (("type", TYPES), ("status", STATUSES)):
        if row[name] and row[name] not in words:
            wrong.append(row.wrong(name, f"must be one of {', '.join(words)}"))
    if row["status"] == "approved" and not (row["decision_number"] and row["decision_date"]):
        wrong.append(row.wrong("status", "what approves a facility is a decision: give decision_number, decision_date"))
    return wrong
