"""Bytes of a CSV file to rows: its encoding, its separator, its quoting."""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator

from inventory.domain.text import legacy_of
from inventory.importing.columns import folded_heading
from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.collected import FILE
from inventory.importing.reading.sheet import Format, RawFile, RawRow, Sheet

SEPARATORS = ";,\t"
_NAMED_SEPARATOR = re.compile(r"sep=([^\"\r\n])\r?\n?", re.IGNORECASE)
_MAX_CELL = 1_000_000
_PROBED_LINES = 20
MOST_BLANK = 10_000
"""Blank lines that are remembered: a file of nothing else would take a hundred times its size."""
csv.field_size_limit(_MAX_CELL)


def read_csv(body: bytes, mistakes: Mistakes, known: Collection[str] = ()) -> RawFile | None:
    """UTF-8 with or without BOM, UTF-16 with BOM. None when the bytes are no such text.

    `known`: folded headings; the separator is the one that splits most of them.
    """
    decoded = _decoded(body, mistakes)
    if decoded is None:
        return None
    text, encoding = decoded
    named = _NAMED_SEPARATOR.match(text)
    skipped = 1 if named is not None else 0
    separator = named[1] if named is not None else _separator(text, known)
    stream = io.StringIO(text[named.end() :] if named is not None else text, newline="")
    blank: list[int] = []
    rows = list(_records(csv.reader(stream, delimiter=separator, strict=True), skipped, mistakes, blank))
    sheet = Sheet("", rows, blank_lines=blank)
    return RawFile(Format.CSV, [sheet], separator, encoding, names_separator=named is not None)


def _decoded(body: bytes, mistakes: Mistakes) -> tuple[str, str] | None:
    """The text and its encoding."""
    if body.startswith(codecs.BOM_UTF32_LE):
        # It begins as UTF-16 does.
        mistakes.add_phrase(1, FILE, "not_utf8")
        return None
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if body.startswith(mark):
            try:
                return body.decode(encoding).removeprefix("\ufeff"), encoding
            except UnicodeDecodeError:
                mistakes.add_phrase(1, FILE, "not_utf8")
                return None
    # A letter of ASCII has one; a file with a damaged letter has few.
    if body.count(b"\0", 0, 400) * 8 > len(body[:400]):
        mistakes.add_phrase(1, FILE, "utf16_without_bom")
        return None
    try:
        return body.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        legacy = legacy_of(body[max(0, error.start - 200) : error.start + 200].decode("cp1252", "ignore"))
        mistakes.add_phrase(line, FILE, f"legacy_{legacy}" if legacy is not None else "not_utf8")
        return None


def _separator(text: str, known: Collection[str]) -> str:
    lines = [line for line in text[:20_000].splitlines()[:_PROBED_LINES] if line.strip()]

    def split_by(separator: str) -> tuple[int, int]:
        cells = [line.split(separator) for line in lines]
        headings = (sum(folded_heading(cell) in known for cell in row) for row in cells)
        return max(headings, default=0), len(cells[0]) if cells else 0

    return max(SEPARATORS, key=split_by)


def _records(reader: Iterator[list[str]], skipped: int, mistakes: Mistakes, blank: list[int]) -> Iterator[RawRow]:
    """The rows; lines without a cell go to `blank`."""
    begins = 1 + skipped
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            mistakes.add_phrase(begins, FILE, "quotes")
            return
        if any(cells) and any(cell.strip() for cell in cells):
            yield RawRow(begins, cells)
        elif len(blank) < MOST_BLANK:
            blank.append(begins)
        begins = reader.line_num + 1 + skipped  # type: ignore[attr-defined] # a csv.reader
