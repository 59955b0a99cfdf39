"""Cells of a workbook whose formula failed: an empty cell would change the record in silence, so they are found."""

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
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_VALUE = re.compile(rb"<(?:\w+:)?v>(#[^<]{1,16})</(?:\w+:)?v>")
_BOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def find_errors(body: bytes) -> dict[str, Errors]:
    """Name of a sheet to its failed formulas. `body` has passed `check_workbook`; one that is no workbook has none."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        failed: dict[str, Errors] = {}
        for part in archive.namelist():
            if part.startswith("xl/worksheets/") and _FAILED.search(sheet := archive.read(part)):
                failed[part] = dict(_cells(sheet))
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
        if place := _PLACE.search(attributes):
            column = 0
            for letter in place[1]:
                column = column * 26 + letter - ord("A") + 1
            value = _VALUE.search(inner)
            yield (int(place[2]) - 1, column - 1), value[1].decode() if value is not None else "#N/A"
