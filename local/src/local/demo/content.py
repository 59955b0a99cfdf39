"""The content of the demo, read from the CSV files of this folder."""

import csv
import io
from dataclasses import dataclass
from importlib.resources import files

from local.commands.truth import Expectation

EXPECTATION = Expectation(
    cameras=8, delivered_both=6, faults=(frozenset({"auth_failed"}), frozenset({"timeout", "refused"}))
)
"""The expected result of the demo: one camera has a wrong password in inventory, one address never answers."""


@dataclass(frozen=True, slots=True)
class DemoDestination:
    """A destination and the virtual centre that plays it.

    `mode`: `push`, or `serve` for a centre that pulls. The login is the centre's own: for publishing there, and for
    reading back.
    """

    code: str
    name: str
    role: str
    mode: str
    simulator_id: str
    username: str
    password: str


def rows(name: str) -> list[dict[str, str]]:
    """Read the rows of one file, empty cells left out."""
    with io.StringIO(files("local.demo").joinpath(f"{name}.csv").read_text("utf-8")) as text:
        return [{column: cell for column, cell in row.items() if cell} for row in csv.DictReader(text)]


def destinations() -> list[DemoDestination]:
    """Read the two centres every camera must reach."""
    return [DemoDestination(**row) for row in rows("destinations")]


def camera_codes() -> list[str]:
    """Codes of the demo's cameras."""
    return [row["code"] for row in rows("cameras")]


def facility_codes() -> list[str]:
    """Codes of the demo's facilities; a camera without one belongs to the first."""
    return [row["code"] for row in rows("facilities")]


def passwords() -> set[str]:
    """Every password of the demo: the platform must write none of them anywhere."""
    return {row["password"] for name in ("cameras", "destinations") for row in rows(name) if "password" in row}


def as_csv(lines: list[dict[str, str]]) -> str:
    """Rows as CSV text; the columns are those of all rows."""
    columns = list(dict.fromkeys(column for line in lines for column in line))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
