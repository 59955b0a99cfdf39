"""Bytes to sheets: the format is read from the bytes, not from what the sender calls them."""

import re
from collections.abc import Collection

from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.collected import FILE
from inventory.importing.reading.csv_text import read_csv
from inventory.importing.reading.sheet import RawFile
from inventory.importing.reading.workbook import read_workbook

_CONTENT = re.compile(rb"[^ \t\r\n\xef\xbb\xbf\xff\xfe\0]")
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OLE = b"\xd0\xcf\x11\xe0"
_OTHERS = (b"%PDF", b"\x89PNG", b"{\\rtf", b"<!DOCTYPE", b"<html", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")


def read_file(body: bytes, mistakes: Mistakes, known: Collection[str] = ()) -> RawFile | None:
    """CSV or XLSX. None when it is neither or is refused as a whole; `mistakes` says why. `known`: folded headings."""
    if _CONTENT.search(body) is None:
        mistakes.add_phrase(1, FILE, "empty_file")
        return None
    if body.startswith((_ZIP, _EMPTY_ZIP)):
        return read_workbook(body, mistakes)
    if body.startswith(_OLE):
        mistakes.add_phrase(1, FILE, "old_excel")
        return None
    if body.startswith(_OTHERS):
        mistakes.add_phrase(1, FILE, "not_table")
        return None
    return read_csv(body, mistakes, known)
