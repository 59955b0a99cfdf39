"""Cells of a workbook whose formula failed, or was never calculated: an empty cell would change the record in silence.

Programs that write workbooks (pandas, openpyxl) leave the calculating to the spreadsheet that opens them first.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from posixpath import join, normpath
from xml.etree import ElementTree

type Errors = Mapping[tuple[int, int], str]
"""Row and column, from 0, to the error, such as `#N/A`."""

_FAILED = re.compile(rb"""\bt=["']e["']""")
_CELL = re.compile(rb"""<(?:\w+:)?c\b([^>]*\bt=["']e["'][^>]*)>(.{0,20000}?)</(?:\w+:)?c>""", re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f\b")
_UNCALCULATED = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*)>\s*<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_EMPTY_TEXT = re.compile(rb"""\bt=["']str["']""")
"""A formula whose result is no text at all."""
NOT_CALCULATED = "#CALC!"
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_VALUE = re.compile(rb"<(?:\w+:)?v>(#[^<]{1,16})</(?:\w+:)?v>")
_BOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def find_errors(body: bytes) -> dict[str, Errors]:
    """Name of a sheet to its failed formulas. `body` has passed `check_workbook`; one that is no workbook has none."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        failed: dict[str, Errors] = {}
        for part in archive.namelist():
            if not part.startswith("xl/worksheets/"):
                continue
            sheet = archive.read(part)
            found = dict(_cells(sheet)) if _FAILED.search(sheet) else {}
            if _FORMULA.search(sheet):
                found |= dict(_uncalculated(sheet))
            if found:
                failed[part] = found
        if not failed:
            return {}
        try:
            return {name: failed[part] for name, part in _names(archive) if part in failed}
        except (KeyError, ElementTree.ParseError):
            return {}


def _names(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Each sheet's name and part."""
    # No entities: `check_workbook` has refused them.
    links = ElementTree.fromstring(archive.read(_LINKS))  # noqa: S314
    parts = {link.get("Id"): normpath(join("/xl", link.get("Target", ""))).lstrip("/") for link in links}
    book = ElementTree.fromstring(archive.read(_BOOK))  # noqa: S314
    for sheet in book.iter():
        if sheet.tag.endswith("}sheet") and sheet.get(_ID) in parts:
            yield sheet.get("name", ""), parts[sheet.get(_ID)]


def _cells(sheet: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    for attributes, inner in (found.groups() for found in _CELL.finditer(sheet)):
        if (place := _place(attributes)) is not None:
            value = _VALUE.search(inner)
            yield place, value[1].decode() if value is not None else "#N/A"


def _uncalculated(sheet: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    for found in _UNCALCULATED.finditer(sheet):
        if not _EMPTY_TEXT.search(found[1]) and (place := _place(found[1])) is not None:
            yield place, NOT_CALCULATED


def _place(attributes: bytes) -> tuple[int, int] | None:
    place = _PLACE.search(attributes)
    if place is None:
        return None
    column = 0
    for letter in place[1]:
        column = column * 26 + letter - ord("A") + 1
    return int(place[2]) - 1, column - 1
