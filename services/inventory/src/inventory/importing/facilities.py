"""facilities.csv: checks each row on its own, before any query."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from inventory.domain.people.focal_point import Person
from inventory.domain.places.facility import FacilityFacts
from inventory.importing import cells
from inventory.importing.mistakes import Mistakes
from inventory.importing.reading import Columns, Row, read_table

COLUMNS = Columns(
    required=("code", "name", "type", "unit_code", "managing_agency_code"),
    optional=(
        "status", "address", "beds", "decision_number", "decision_date", "latitude", "longitude", "restricted",
        "focal_point_name", "focal_point_position", "focal_point_phone", "focal_point_email",
    ),
)  # fmt: skip
FACTS = (
    "code", "name", "type", "status", "address", "beds", "decision_number", "decision_date", "latitude", "longitude",
    "restricted",
)  # fmt: skip
PERSON = {
    "full_name": "focal_point_name",
    "position": "focal_point_position",
    "phone": "focal_point_phone",
    "email": "focal_point_email",
}
_CONVERTED: dict[str, Callable[[str], str]] = {
    "type": str.lower,
    "status": str.lower,
    "decision_date": cells.iso_date,
    "latitude": cells.decimal_point,
    "longitude": cells.decimal_point,
    "restricted": cells.true_or_false,
}


@dataclass(frozen=True, slots=True)
class FacilityRow:
    """A row whose cells are valid."""

    line: int
    facts: FacilityFacts
    unit_code: str
    managing_agency_code: str
    person: Person | None


@dataclass(frozen=True, slots=True)
class FacilityFile:
    """The rows, and the columns of the file; a column that it lacks leaves what is on record."""

    present: frozenset[str]
    rows: list[FacilityRow]


def parse_facilities(body: bytes, mistakes: Mistakes) -> FacilityFile:
    """Parse a file; rows with a mistake go to `mistakes`."""
    table = read_table(body, COLUMNS, mistakes)
    rows = [parsed for row in table.rows if (parsed := _parse(row, mistakes)) is not None]
    check_codes_unique(((row.line, row.facts.code) for row in rows), mistakes)
    return FacilityFile(table.present, rows)


def check_codes_unique(codes: Any, mistakes: Mistakes) -> None:
    """Add a mistake for each code that has two rows. `codes`: pairs of line and code."""
    first: dict[str, int] = {}
    for line, code in codes:
        if code in first:
            mistakes.add_mistake(line, "code", f"{code} is in line {first[code]} already: keep one of the two rows")
        first.setdefault(code, line)


def _parse(row: Row, mistakes: Mistakes) -> FacilityRow | None:
    before = mistakes.count
    for column in ("unit_code", "managing_agency_code"):
        if not row.cells[column]:
            mistakes.add_mistake(row.line, column, "is empty: give the code")
    given = {
        name: _CONVERTED.get(name, str)(cell)
        for name in FACTS
        if (cell := row.cells.get(name, "")) or name in COLUMNS.required
    }
    try:
        facts = FacilityFacts.model_validate(given)
    except ValidationError as error:
        mistakes.add_validation_errors(row.line, error)
    person = _person(row, mistakes)
    if mistakes.count > before:
        return None
    return FacilityRow(row.line, facts, row.cells["unit_code"], row.cells["managing_agency_code"], person)


def _person(row: Row, mistakes: Mistakes) -> Person | None:
    given = {field: cell for field, column in PERSON.items() if (cell := row.cells.get(column))}
    if not given:
        return None
    needed = [column for field, column in PERSON.items() if field not in given and field != "email"]
    for column in needed:
        mistakes.add_mistake(row.line, column, "is empty: a focal point needs name, position and phone")
    if needed:
        return None
    try:
        return Person.model_validate(given)
    except ValidationError as error:
        mistakes.add_validation_errors(row.line, error, PERSON)
        return None
