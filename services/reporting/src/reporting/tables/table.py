"""A table as it is declared: what it is called, and what each column holds.

A row is a tuple of one value a column, in their order; None is "not known" or "does not apply".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

type Value = str | int | float | bool | object | None
type Row = tuple[Value, ...]


class Repeated(NamedTuple):
    """A part of many rows of which few differ: each row has the one of `values` at its place in `which`."""

    values: Sequence[Row]
    which: Sequence[int]


@dataclass(frozen=True, slots=True)
class Woven:
    """A million rows whose parts repeat, put together only in Arrow: each row is its parts, one after the other."""

    parts: Sequence[Repeated | Sequence[Row]]

    def __len__(self) -> int:
        first = self.parts[0]
        return len(first.which if isinstance(first, Repeated) else first)


type Rows = Sequence[Row] | Woven


class Kind(StrEnum):
    """What a column holds, and which Python value a row gives for it."""

    TEXT = "text"
    """str; "" is written as None. Ids are text."""
    INTEGER = "integer"
    """int."""
    NUMBER = "number"
    """float."""
    BOOLEAN = "boolean"
    """bool."""
    INSTANT = "instant"
    """Millis since 1970-01-01 UTC; written in the time zone of the file."""
    DATE = "date"
    """datetime.date, a day in the time zone of the file."""
    DURATION = "duration"
    """Millis; written in the column's unit: `ms` an integer, `s` a number."""
    PERCENT = "percent"
    """float from 0 to 100, unrounded; a second column `…_rounded` is written beside it."""


_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ENDINGS = {
    Kind.INSTANT: ("_at", "_from", "_to", "_since"),
    Kind.DURATION: ("_ms", "_s"),
    Kind.PERCENT: ("_percent",),
    Kind.DATE: ("day", "date"),
}
_UNITS = {Kind.PERCENT: "%"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `name` for programs, `heading` (Vietnamese) for people, `description` in English for both."""

    name: str
    kind: Kind
    heading: str
    description: str
    choices: Sequence[str] = ()
    """All values that a text can have, where the list is closed."""
    required: bool = False
    """Never None."""
    amount: str | None = None
    """The unit of an integer or a number, such as `cameras`."""

    @property
    def unit(self) -> str | None:
        """`ms`, `s`, `%` or what is counted."""
        if self.kind is Kind.DURATION:
            return self.name.rpartition("_")[2]
        return _UNITS.get(self.kind, self.amount)


@dataclass(frozen=True)
class Table:
    """A declared table. `key`: the columns that name a row; they stay the same from file to file.

    `periodic`: it is of a period, which is written into its first columns.
    """

    name: str
    title_vi: str
    title_en: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    periodic: bool = True

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        assert len(set(names)) == len(names), f"{self.name}: a column twice"
        headings = [column.heading for column in self.written]
        assert len(set(headings)) == len(headings), f"{self.name}: a heading twice"
        assert set(self.key) <= set(names), f"{self.name}: key"
        for column in self.columns:
            assert _NAME.fullmatch(column.name), column.name
            assert column.name.endswith(_ENDINGS.get(column.kind, "")), f"{column.name}: not named as a {column.kind}"

    @cached_property
    def stamps(self) -> tuple[Column, ...]:
        """The columns that say of every row which file it is from."""
        return STAMPS if self.periodic else STAMPS_OF_AN_INSTANT

    @cached_property
    def written(self) -> tuple[Column, ...]:
        """The columns of the file: stamps, then the declared ones, each percentage followed by its rounded form."""
        made = list(self.stamps)
        for column in self.columns:
            made.append(column)
            if column.kind is Kind.PERCENT:
                made.append(rounded_of(column))
        return tuple(made)


def rounded_of(column: Column) -> Column:
    """Build the column beside a percentage: two places, half up."""
    return Column(
        f"{column.name}_rounded",
        Kind.NUMBER,
        f"{column.heading} (làm tròn)",
        f"{column.name}, rounded to two places, half up.",
        amount="%",
    )


STAMPS = (
    Column("period_from", Kind.INSTANT, "Kỳ từ", "Start of the period, included.", required=True),
    Column("period_to", Kind.INSTANT, "Kỳ đến", "End of the period, excluded.", required=True),
    Column(
        "time_zone", Kind.TEXT, "Múi giờ", "IANA name of the zone of all times and days in the file.", required=True
    ),
    Column("generated_at", Kind.INSTANT, "Lập lúc", "The moment of which the figures are.", required=True),
    Column(
        "rule_version",
        Kind.INTEGER,
        "Phiên bản quy tắc",
        "Version of the rule in words behind the figures.",
        required=True,
    ),
)
STAMPS_OF_AN_INSTANT = tuple(
    Column("as_of", Kind.INSTANT, "Tính đến", "The moment of which the rows are.", required=True)
    if column.name == "generated_at"
    else column
    for column in STAMPS[2:]
)
"""Of a table of no period: it may be made long after that moment."""
