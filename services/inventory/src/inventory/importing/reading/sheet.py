"""What a file holds before anybody knows what it means: sheets of rows of raw cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

type RawCell = str | int | float | bool | date | datetime | time | timedelta


class Format(StrEnum):
    """Format of a file."""

    CSV = "csv"
    XLSX = "xlsx"


class RawRow(NamedTuple):
    """`line`: 1-based line of the file, or row of the sheet."""

    line: int
    cells: Sequence[RawCell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook, or a CSV file as a whole. Blank rows are left out."""

    name: str
    rows: list[RawRow]
    hidden: bool = False
    blank_lines: Sequence[int] = ()
    """Of a CSV file, those that were left out."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file as it came."""

    format: Format
    sheets: list[Sheet]
    separator: str = ","
    encoding: str = "utf-8"
    names_separator: bool = False
    """Whether its first line is `sep=;`."""
