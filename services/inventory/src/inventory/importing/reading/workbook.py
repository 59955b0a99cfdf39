"""XLSX to sheets of rows. `zip_guard` checks it first; then a process with limits parses it (`workbook_child`).

What that process writes is counted before it is kept: a few kilobytes may name one sheet, or one string, many times.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from inventory.importing.mistakes import RefusalError, refuse
from inventory.importing.mistakes.collected import FILE, Mistakes
from inventory.importing.reading import workbook_child
from inventory.importing.reading.sheet import Format, RawFile, RawRow, Sheet
from inventory.importing.reading.zip_guard import MOST_ROWS, check_workbook
from vonggac.children.limits import Limits
from vonggac.children.process import START, child_environment

LIMITS = Limits(memory_bytes=640 * 1024 * 1024, cpu_s=30)
"""Of the parser: far more than 50,000 rows take, and less than the service's container has."""
MOST_WRITTEN_BYTES = 64 * 1024 * 1024
"""By the parser, of all sheets: 50,000 rows of 1,300 bytes each."""
MOST_LINE_BYTES = 16 * 1024 * 1024
"""Of some rows: the text and what it is read into are held beside each other."""
MOST_ROWS_OF_ALL = 4 * MOST_ROWS
"""Of all sheets together, however little stands in them; of one sheet they are MOST_ROWS, as in a CSV file."""
_ONE_AT_A_TIME = threading.Lock()
"""The service's container has memory for one."""


def read_workbook(body: bytes, mistakes: Mistakes) -> RawFile | None:
    """All sheets. None when the file is refused. Blocks its thread for as long as the parser takes."""
    try:
        check_workbook(body)
        with _ONE_AT_A_TIME:
            return RawFile(Format.XLSX, _parsed(body))
    except RefusalError as refusal:
        mistakes.add(1, FILE, refusal.text)
        return None


def _parsed(body: bytes) -> list[Sheet]:
    """Parse a workbook in a process of its own. Raises RefusalError."""
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", START, workbook_child.__name__, LIMITS.argument],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(os.environ),
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        # It reads all of it before it writes; one that died reads nothing.
        with suppress(BrokenPipeError):
            child.stdin.write(body)
        with suppress(BrokenPipeError):
            child.stdin.close()
        try:
            return _sheets(child.stdout)
        finally:
            # One that was refused may be busy for as long as its limits let it.
            child.kill()


def _sheets(written: IO[bytes]) -> list[Sheet]:
    """Read the sheets that the process wrote. Raises RefusalError."""
    sheets: list[Sheet] = []
    count = 0
    for line in _bounded_lines(written):
        match json.loads(line, object_hook=workbook_child.decoded):
            case ["sheet", name, hidden]:
                sheets.append(Sheet(name, [], hidden))
            case ["rows", rows]:
                count += len(rows)
                if len(sheets[-1].rows) + len(rows) > MOST_ROWS or count > MOST_ROWS_OF_ALL:
                    refuse("too_many_rows", most=MOST_ROWS)
                sheets[-1].rows.extend(RawRow(number, cells) for number, cells in rows)
            case ["damaged"]:
                refuse("damaged_workbook")
            case ["end"]:
                break
    else:
        # It has no more memory or time, or there is too much of it.
        refuse("unreadable_workbook")
    return sheets


def _bounded_lines(written: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines. Raises RefusalError for more text than a register file holds."""
    left = MOST_WRITTEN_BYTES
    while line := written.readline(MOST_LINE_BYTES):
        left -= len(line)
        if left < 0 or len(line) == MOST_LINE_BYTES:
            refuse("unreadable_workbook")
        yield line
