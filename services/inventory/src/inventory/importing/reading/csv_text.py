"""Bytes of a CSV file to rows: its encoding, its separator, its quoting."""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator

from inventory.domain.text import legacy_of
from inventory.importing.columns import folded_heading
from inventory.importing.mistakes import Mistakes, RefusalError, refuse
from inventory.importing.mistakes.collected import FILE
from inventory.importing.reading.sheet import Format, RawFile, RawRow, Sheet
from inventory.importing.reading.zip_guard import MOST_COLUMNS, MOST_ROWS

SEPARATORS = ";,\t"
_NAMED_SEPARATOR = re.compile(r"sep=([^\"\r\n])\r?\n?", re.IGNORECASE)
_MAX_CELL = 1_000_000
MOST_SEPARATORS, MOST_CHARACTERS = 50_000, 2_000_000
"""In a line: the reader makes all cells of a row before anybody can count them."""
_PROBED_LINES, _PROBED_CHARACTERS = 20, 20_000
_PIECE_BYTES = 64 * 1024
MOST_CELLS = MOST_ROWS * MOST_COLUMNS
MOST_BLANK = 10_000
"""Blank lines that are remembered: a file of nothing else would take a hundred times its size."""
csv.field_size_limit(_MAX_CELL)


def read_csv(body: bytes, mistakes: Mistakes, known: Collection[str] = ()) -> RawFile | None:
    """UTF-8 with or without BOM, UTF-16 with BOM. None when the bytes are no such text.

    `known`: folded headings; the separator is the one that splits most of them.
    """
    encoding = _encoding(body, mistakes)
    if encoding is None:
        return None
    # A piece at a time: the text as a whole would take up to four times the bytes of the file, twice.
    stream = io.TextIOWrapper(io.BytesIO(body), encoding, newline="")
    begin = stream.read(_PROBED_CHARACTERS)
    named = _NAMED_SEPARATOR.match(begin)
    skipped = 1 if named is not None else 0
    separator = named[1] if named is not None else _separator(begin, known)
    stream.seek(0)
    stream.read(named.end() if named is not None else 0)
    blank: list[int] = []
    lines = _bounded_lines(stream, separator)
    try:
        rows = list(_records(csv.reader(lines, delimiter=separator, strict=True), skipped, mistakes, blank))
    except RefusalError as refusal:
        mistakes.add(1, FILE, refusal.text)
        return None
    sheet = Sheet("", rows, blank_lines=blank)
    return RawFile(Format.CSV, [sheet], separator, encoding.removesuffix("-sig"), names_separator=named is not None)


def _encoding(body: bytes, mistakes: Mistakes) -> str | None:
    """Return the encoding in which the whole file can be read. UTF-8 swallows its byte order mark, UTF-16 too."""
    if body.startswith(codecs.BOM_UTF32_LE):
        # It begins as UTF-16 does.
        mistakes.add_phrase(1, FILE, "not_utf8")
        return None
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if _undecodable_at(body, "utf-16") is not None:
            mistakes.add_phrase(1, FILE, "not_utf8")
            return None
        return "utf-16"
    # A letter of ASCII has one; a file with a damaged letter has few.
    if body.count(b"\0", 0, 400) * 8 > len(body[:400]):
        mistakes.add_phrase(1, FILE, "utf16_without_bom")
        return None
    start = _undecodable_at(body, "utf-8-sig")
    if start is None:
        return "utf-8-sig"
    line = body.count(b"\n", 0, start) + 1
    legacy = legacy_of(body[max(0, start - 200) : start + 200].decode("cp1252", "ignore"))
    mistakes.add_phrase(line, FILE, f"legacy_{legacy}" if legacy is not None else "not_utf8")
    return None


def _undecodable_at(body: bytes, encoding: str) -> int | None:
    """Return where the first byte lies that is no text of this encoding, about, or None; a piece at a time."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(body), _PIECE_BYTES):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(body[start : start + _PIECE_BYTES], start + _PIECE_BYTES >= len(body))
        except UnicodeDecodeError as error:
            return max(0, start - pending) + error.start
    return None


def _bounded_lines(stream: io.TextIOWrapper, separator: str) -> Iterator[str]:
    """Yield the lines. Raises RefusalError for a line of more cells, or a longer one, than can be meant."""
    while line := stream.readline(MOST_CHARACTERS):
        if len(line) == MOST_CHARACTERS or line.count(separator) > MOST_SEPARATORS:
            refuse("far_cell", rows=MOST_ROWS, columns=MOST_COLUMNS)
        yield line


def _separator(text: str, known: Collection[str]) -> str:
    lines = [line for line in text.splitlines()[:_PROBED_LINES] if line.strip()]

    def split_by(separator: str) -> tuple[int, int]:
        cells = [line.split(separator) for line in lines]
        headings = (sum(folded_heading(cell) in known for cell in row) for row in cells)
        return max(headings, default=0), len(cells[0]) if cells else 0

    return max(SEPARATORS, key=split_by)


def _records(reader: Iterator[list[str]], skipped: int, mistakes: Mistakes, blank: list[int]) -> Iterator[RawRow]:
    """Yield the rows; lines without a cell go to `blank`. Raises RefusalError where there are too many."""
    begins, count, cell_count = 1 + skipped, 0, 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            mistakes.add_phrase(begins, FILE, "quotes")
            return
        if any(cells) and any(cell.strip() for cell in cells):
            count, cell_count = count + 1, cell_count + len(cells)
            if count > MOST_ROWS:
                refuse("too_many_rows", most=MOST_ROWS)
            if cell_count > MOST_CELLS:
                refuse("far_cell", rows=MOST_ROWS, columns=MOST_COLUMNS)
            yield RawRow(begins, cells)
        elif len(blank) < MOST_BLANK:
            blank.append(begins)
        begins = reader.line_num + 1 + skipped  # type: ignore[attr-defined] # a csv.reader
