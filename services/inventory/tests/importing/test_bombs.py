"""Files that cost far more than they weigh are refused at the bound, and the bound is named."""

from __future__ import annotations

import io
import subprocess
import sys
import tracemalloc
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from fastapi import Request

from inventory.api.files.received import receive_file
from inventory.api.files.waiting import ImportQueue
from inventory.importing.derived import columns_of
from inventory.importing.job import check, read_upload
from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.collected import MOST_KEPT
from inventory.importing.reading import workbook, workbook_child
from inventory.importing.reading.csv_text import MOST_CELLS
from inventory.importing.reading.file import read_file
from inventory.importing.reading.zip_guard import MOST_ROWS
from inventory.nouns.registry import noun_named
from vonggac.children.process import START
from vonggac.http import ProblemError
from vonggac.testing import eventually
from vonggac.testing.processes import is_filtered

if TYPE_CHECKING:
    from starlette.types import Message

    from inventory.api.context import RequestContext

COLUMNS = columns_of(noun_named("camera"))


def refusal(body: bytes) -> tuple[str, int]:
    """The sentence, and the most memory that reading took."""
    mistakes = Mistakes()
    tracemalloc.start()
    assert read_file(body, mistakes, COLUMNS.by_heading) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    [found] = mistakes.found
    return found.text.english, peak


def test_bombs_of_four_million_short_rows_are_read_to_the_bound() -> None:
    text, peak = refusal(b"code,name\r\n" + b"A,b\r\n" * 4_000_000)
    assert f"more than {MOST_ROWS} rows" in text
    assert peak < 32 << 20


async def test_bombs_are_held_once_while_they_are_received_and_read() -> None:
    size, pieces = 16 << 20, 256
    parts = iter([{"type": "http.request", "body": bytes(size // pieces), "more_body": True}] * pieces)

    async def receive() -> Message:
        return next(parts, {"type": "http.request", "body": b"\r\n", "more_body": False})

    request = Request({"type": "http", "method": "POST", "headers": [(b"content-type", b"text/csv")]}, receive)
    services = SimpleNamespace(import_max_bytes=2 * size)
    context = cast("RequestContext", SimpleNamespace(request=request, services=services))
    tracemalloc.start()
    file = await receive_file(context, ImportQueue(2 * size).count_file())
    assert read_file(file.body, Mistakes()) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(file.body) == size + 2
    assert peak < 1.3 * size


def test_bombs_of_empty_cells_are_read_to_the_bound() -> None:
    row = b"A" + b"," * 40_000 + b"\r\n"
    text, peak = refusal(b"code,name\r\n" + row * (2 * MOST_CELLS // 40_000))
    assert "cells beyond row" in text
    assert peak < 64 << 20


@pytest.mark.parametrize("line", [b"," * 3_000_000, b"x" * 3_000_000])
def test_bombs_of_one_line_are_refused(line: bytes) -> None:
    text, peak = refusal(b"code,name\r\n" + line)
    assert "cells beyond row" in text
    assert peak < 16 << 20


def test_bombs_in_a_workbook_packed_by_bzip2_are_refused_unopened() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(64 << 20))
    assert len(buffer.getvalue()) < 1500
    text, peak = refusal(buffer.getvalue())
    assert "cannot be read as a workbook" in text
    assert peak < 4 << 20


def workbook_of(sheet: str, *, times: int, string: str = "") -> bytes:
    """A workbook whose list of sheets names one part so many times."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    names = "".join(f'<sheet name="s{number}" sheetId="{number}" r:id="r1"/>' for number in range(1, times + 1))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{sheet}</sheetData></worksheet>",
        "xl/sharedStrings.xml": f"<sst {main}><si><t>{string}</t></si></sst>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.server
def test_bombs_of_one_sheet_that_is_named_many_times_are_read_to_the_bound() -> None:
    bomb = workbook_of('<row><c t="s"><v>0</v></c></row>' * 400, times=20, string="x" * 30_000)
    assert len(bomb) < 5000
    text, peak = refusal(bomb)
    assert "more memory or time" in text
    assert peak < 128 << 20


@pytest.mark.server
def test_bombs_of_rows_in_a_workbook_are_read_to_the_bound() -> None:
    rows = "".join(f"<row><c><v>{number * 7919 % 999983}</v></c></row>" for number in range(MOST_ROWS + 1000))
    text, peak = refusal(workbook_of(rows, times=1))
    assert f"more than {MOST_ROWS} rows" in text
    assert peak < 32 << 20


@pytest.mark.server
def test_bombs_of_workbooks_within_a_workbook_are_not_opened() -> None:
    within = bytes(64 << 20)
    for number in range(3):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"xl/embeddings/{number}.xlsx", within)
            archive.writestr("[Content_Types].xml", "<Types/>")
        within = buffer.getvalue()
    text, peak = refusal(within)
    assert "cannot be read as a workbook" in text
    assert peak < 4 << 20


@pytest.mark.server
async def test_sandbox_holds_for_the_process_that_parses_a_workbook() -> None:
    arguments = [sys.executable, "-m", START, workbook_child.__name__, workbook.LIMITS.argument]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: ASYNC220
        await eventually(lambda: is_filtered(child.pid), within_s=20)
        child.communicate(b"no workbook")


async def test_bombs_of_mistakes_are_counted_and_not_kept() -> None:
    count, headings = 40_000, columns_of(noun_named("facility")).required
    rows = ",".join(["A"] * (len(headings) + 1)) + "\r\n"
    upload = await read_upload(f"{','.join(headings)}\r\n{rows * count}".encode(), [noun_named("facility")])
    assert len(upload.mistakes) == MOST_KEPT
    with pytest.raises(ProblemError, match=f"{count} mistakes; the first 1000 are listed") as refused:
        check(upload)
    assert len(refused.value.problem.errors or ()) == 1000
