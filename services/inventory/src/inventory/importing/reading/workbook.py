"""XLSX to sheets of rows. `zip_guard` checks it first; then a process with limits parses it (`workbook_child`)."""

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO

from inventory.importing.mistakes import RefusalError, refuse
from inventory.importing.mistakes.collected import FILE, Mistakes
from inventory.importing.reading import workbook_child
from inventory.importing.reading.sheet import Format, RawFile, RawRow, Sheet
from inventory.importing.reading.zip_guard import check_workbook
from vonggac.children.limits import Limits
from vonggac.children.process import START, child_environment

LIMITS = Limits(memory_bytes=640 * 1024 * 1024, cpu_s=30)
"""Of the parser: far more than 50,000 rows take, and less than the service's container has."""
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
    """Raises RefusalError."""
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
        return _sheets(child.stdout)


def _sheets(lines: IO[bytes]) -> list[Sheet]:
    sheets: list[Sheet] = []
    for line in lines:
        match json.loads(line, object_hook=workbook_child.decoded):
            case ["sheet", name, hidden]:
                sheets.append(Sheet(name, [], hidden))
            case ["rows", rows]:
                sheets[-1].rows.extend(RawRow(number, cells) for number, cells in rows)
            case ["damaged"]:
                refuse("damaged_workbook")
            case ["end"]:
                break
    else:
        # It has no more memory or time, or there is too much of it.
        refuse("unreadable_workbook")
    return sheets
