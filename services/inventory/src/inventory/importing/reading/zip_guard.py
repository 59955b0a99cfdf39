"""Refuses a workbook that is a zip bomb or holds XML entities, before any parser sees it."""

import re

from inventory.importing.mistakes import refuse
from vonggac.http.protection.archives import ArchivePart, BrokenArchiveError, OversizedArchiveError, open_archive

MOST_ENTRIES = 1000
MOST_BYTES = 200 * 1024 * 1024
"""Unpacked, all entries together; 20,000 rows of 25 columns are about 25 MB."""
MOST_RATIO = 200
RATIO_FROM_BYTES = 2 * 1024 * 1024
"""Smaller entries may be as dense as they like."""
MOST_ROWS = 50_000
MOST_COLUMNS = 104
_FAR = re.compile(rb"""\br\s*=\s*["'](?:[A-Z]{3,}\d+|[D-Z][A-Z]\d+|[A-Z]*(?:[5-9]\d{4}|\d{6,}))["']""", re.IGNORECASE)
"""A cell beyond column CZ or row 50,000: the parser allots all cells between the first and the last one.

Whoever hides one from this is stopped by the limits of the parser's process.
"""
_SHEET = b"sheetData"
"""In every part that is a sheet, whatever it is called."""
_DECLARATIONS = tuple(
    word.encode(encoding) for word in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_LONGEST = max(64, *map(len, _DECLARATIONS))
_PARSED = (".xml", ".rels", ".vml")


def check_workbook(body: bytes) -> None:
    """Raise RefusalError for a bad workbook. Count what is really unpacked: the sizes it states may be wrong."""
    try:
        with open_archive(body, most_parts=MOST_ENTRIES, most_bytes=MOST_BYTES) as parts:
            if any(part.name.lower().endswith("vbaproject.bin") for part in parts):
                refuse("macros")
            if not any(part.name == "[Content_Types].xml" for part in parts):
                refuse("not_table")
            left = MOST_BYTES
            for part in parts:
                left -= _check_part(part, left)
    except OversizedArchiveError as error:
        refuse("zip_bomb", found=error.found, most=error.most)
    except BrokenArchiveError:
        refuse("damaged_workbook")


def _check_part(part: ArchivePart, left: int) -> int:
    parsed = part.name.lower().endswith(_PARSED)
    unpacked, tail, is_sheet = 0, b"", False
    for piece in part.pieces():
        unpacked += len(piece)
        if unpacked > left:
            _refuse_size()
        if unpacked > RATIO_FROM_BYTES and unpacked > MOST_RATIO * max(part.packed_size, 1):
            refuse("zip_bomb", found=f"{unpacked // max(part.packed_size, 1)} : 1", most=f"{MOST_RATIO} : 1")
        seen = tail + piece
        is_sheet = is_sheet or _SHEET in seen
        if is_sheet and _FAR.search(seen):
            refuse("far_cell", rows=MOST_ROWS, columns=MOST_COLUMNS)
        if parsed:
            capitals = seen.upper()
            if any(word in capitals for word in _DECLARATIONS):
                refuse("xml_entities", part=part.name[:60])
        tail = seen[-_LONGEST:]
    return unpacked


def _refuse_size() -> None:
    refuse("zip_bomb", found=f"more than {MOST_BYTES >> 20} MB", most=f"{MOST_BYTES >> 20} MB")
