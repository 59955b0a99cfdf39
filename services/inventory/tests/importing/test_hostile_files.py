"""Files that are made to cost memory or time are refused in a moment, and the service that reads them goes on."""

import io
import resource
import time
import zipfile
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

import pytest
import xlsxwriter

from inventory.importing.mistakes import Mistakes
from inventory.importing.reading.file import read_file

pytestmark = pytest.mark.server
"""A workbook is parsed by a process of its own."""

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
ONE_SHEET = '<sheet name="A" sheetId="1" r:id="rId1"/>'
DAY, MORNING = datetime.fromisoformat("2026-11-27"), datetime.fromisoformat("2026-11-27T07:30")


def cell(place: str) -> str:
    return f'<c {place} t="inlineStr"><is><t>x</t></is></c>'


FIRST = f'<row r="1">{cell("""r="A1" """)}</row>'


def workbook(
    rows: str, *, part: str = "worksheets/sheet1.xml", sheets: str = ONE_SHEET, more: dict[str, str] | None = None
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{PACKAGE}/content-types"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>'
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/worksheet" '
            f'Target="{part}"/></Relationships>',
        )
        archive.writestr(f"xl/{part}", f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>')
        for name, text in (more or {}).items():
            archive.writestr(name, text)
    return buffer.getvalue()


def corner(place: str) -> str:
    return f"{FIRST}<row>{cell(place)}</row>"


HOSTILE = {
    "the last cell there is": workbook(corner('r="XFD1048576"')),
    "in small letters": workbook(corner('r="xfd1048576"')),
    "with spaces": workbook(corner('r = "XFD1048576"')),
    "with newlines": workbook(corner('r\n=\n"XFD1048576"')),
    "a sheet in another folder": workbook(corner('r="XFD1048576"'), part="sheets/s.xml"),
    "a sheet that is called no XML": workbook(corner('r="XFD1048576"'), part="worksheets/sheet1.dat"),
    "cells that do not say where they are": workbook(
        f'<row r="1">{"<c/>" * 20_000}{cell("")}</row><row r="49999">{cell("")}</row>'
    ),
    "a comment between name and place": workbook(f'{FIRST}<!-- " --><row r="{"0" * 99}1048576">{cell("")}</row>'),
    "a count of texts": workbook(
        FIRST, more={"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}" uniqueCount="4000000000"><si><t>x</t></si></sst>'}
    ),
    "one part that is a hundred sheets": workbook(
        f"{FIRST}<row>{cell('''r="CZ49999"''')}</row>",
        sheets="".join(f'<sheet name="S{number}" sheetId="{number}" r:id="rId1"/>' for number in range(1, 101)),
    ),
    "a thousand sheets": workbook(
        FIRST, sheets="".join(f'<sheet name="S{number}" sheetId="{number}" r:id="rId1"/>' for number in range(1, 1001))
    ),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_workbook_costs_the_service_nothing(body: bytes) -> None:
    before_kb, began_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    mistakes = Mistakes()
    assert read_file(body, mistakes) is None
    assert [mistake.column for mistake in mistakes.found] == ["file"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 100_000
    assert time.process_time() - began_s < 2


def test_what_a_cell_holds_is_what_is_read() -> None:
    """Also through the process that parses it."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        day, clock = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"num_format": "hh:mm"})
        sheet = book.add_worksheet("Cơ sở")
        sheet.write_row(0, 0, ["Đông Hà\n\u2028", 7, 1.5, True])
        sheet.write_datetime(0, 4, DAY, day)
        sheet.write_datetime(0, 5, MORNING, day)
        sheet.write_datetime(0, 6, time_of_day(7, 30), clock)
        sheet.write_datetime(0, 7, timedelta(hours=30), book.add_format({"num_format": "[hh]:mm"}))
        book.add_worksheet("ẩn").hide()
    raw = read_file(buffer.getvalue(), Mistakes())
    assert raw is not None
    assert [(sheet.name, sheet.hidden) for sheet in raw.sheets] == [("Cơ sở", False), ("ẩn", True)]
    assert list(raw.sheets[0].rows[0].cells) == [
        "Đông Hà\n\u2028",
        7,
        1.5,
        True,
        date(2026, 11, 27),
        MORNING,
        time_of_day(7, 30),
        timedelta(hours=30),
    ]


@pytest.mark.parametrize("first", [b'sep="\r\n', b"sep=\r\r\n", b"sep=\n", b"SEP="])
def test_a_hostile_separator_is_no_error_of_ours(first: bytes) -> None:
    raw = read_file(first + b"code,name\r\nA,x\r\n", Mistakes())
    assert raw is not None
    assert sum(len(sheet.rows) for sheet in raw.sheets) >= 2
