"""What a file says of itself is believed only when every byte fits."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pikepdf
import pytest

from reporting.documents.as_csv import as_csv
from reporting.documents.as_json import as_json
from reporting.documents.command import main
from reporting.documents.office.archive import unpacked
from reporting.documents.render import rendered
from reporting.documents.verify import verify
from reporting.reports.snapshot.report import Approval, Report
from vonggac.decree import packed

pytestmark = pytest.mark.heavy

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _made_anew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One report in one form is made anew for the first test that compares with it: the same bytes each time, as
    `test_same_bytes` sees to, and a quarter of a second."""
    monkeypatch.setattr("reporting.documents.verify.rendered", _rendered_once)


_known: list[tuple[Report, str, bytes]] = []


def _rendered_once(report: Report, form: str) -> bytes:
    for known, of, made in _known:
        if (known, of) == (report, form):
            return made
    _known.append((report, form, rendered(report, form)))
    return _known[-1][2]


def test_a_file_as_it_was_made_is_unaltered(content: bytes, form: str, report: Report) -> None:
    found = verify(content)
    assert (found.form, found.unaltered, found.differences) == (form, True, ())
    assert found.report is not None
    assert found.report.sha256 == report.sha256


def test_the_register_knows_it(content: bytes, report: Report, correction: Report) -> None:
    assert verify(content, report).unaltered
    other = verify(content, correction)
    assert not other.unaltered
    assert correction.sha256 in other.differences[0]


def test_a_file_of_ones_own_making_finds_out_no_row_of_a_report_that_one_may_not_read(
    content: bytes, correction: Report
) -> None:
    whole, told = verify(content, correction), verify(content, correction, by_row=False)
    assert any("row" in one for one in whole.differences)
    assert told.differences == whole.differences[:1]


def test_a_file_from_before_the_approval_is_still_that_report(form: str, report: Report) -> None:
    draft = Report(report.header, report.tables)
    assert verify(rendered(draft, form), report).unaltered


def test_an_approval_that_the_register_does_not_know_is_none(form: str, report: Report) -> None:
    forged = Report(report.header, report.tables, Approval(by="nobody", at_ms=report.header.frozen_at_ms))
    found = verify(rendered(forged, form), report)
    assert not found.unaltered
    assert "nobody" in found.differences[0]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_any_other_byte_is_found(content: bytes, share: float) -> None:
    at = int(len(content) * share)
    altered = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    found = verify(altered)
    assert not found.unaltered
    assert found.differences


def test_what_is_behind_the_end_is_found(content: bytes) -> None:
    assert not verify(content + b"\n").unaltered


def test_a_figure_in_json_is_named_by_table_and_row(report: Report) -> None:
    document = json.loads(as_json(report))
    document["tables"]["cameras"][3]["up_ms"] += 1
    found = verify(json.dumps(document).encode())
    assert found.differences == [
        "table cameras, row 4 (KCL-01-C04): its figures are not those of its digest"
    ]  # fmt: skip


def test_a_row_that_is_left_out_of_json_is_found(report: Report) -> None:
    document = json.loads(as_json(report))
    del document["tables"]["outages"][0]
    assert "the table outages has not" in verify(json.dumps(document).encode()).differences[0]


def test_a_figure_in_csv_is_named_by_row(report: Report) -> None:
    rows = list(csv.reader(io.StringIO(as_csv(report).decode("utf-8-sig"), newline="")))
    column = rows[0].index("down_ms")
    rows[5][column] = "0"
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    found = verify(("\ufeff" + out.getvalue()).encode())
    assert "table cameras, row 5" in found.differences[0]


def test_a_percentage_in_csv_is_named_too(report: Report) -> None:
    content = as_csv(report).decode()
    first = content.split("\r\n")[1].split(",")
    at = content.split("\r\n")[0].split(",").index("availability_measured_percent")
    altered = content.replace(first[at], "100.0", 1)
    found = verify(altered.encode())
    assert not found.unaltered
    assert found.differences[0].startswith("row 2: ")


def test_a_cell_of_a_workbook_is_named_by_its_sheet(report: Report) -> None:
    parts = unpacked(rendered(report, "xlsx"))
    sheet = "xl/worksheets/sheet1.xml"
    parts["xl/sharedStrings.xml"] = parts["xl/sharedStrings.xml"].replace("Đông Hà".encode(), "Đông Hải".encode(), 1)
    parts[sheet] = parts[sheet].replace(b"<v>1</v>", b"<v>2</v>", 1)
    found = verify(packed(parts))
    assert [one.split(":")[0] for one in found.differences] == ["part xl/sharedStrings.xml", f"part {sheet}"]
    assert "Đông Hải" in found.differences[0]


def test_a_word_of_the_letter_is_shown_before_and_after(docx: bytes) -> None:
    parts = unpacked(docx)
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"96,97%", b"99,97%", 1)
    (difference,) = verify(packed(parts)).differences
    assert difference.startswith("part word/document.xml: ")
    assert "99,97%" in difference.partition(" instead of ")[0]
    assert "96,97%" in difference.partition(" instead of ")[2]


def test_a_repacked_archive_is_altered(docx: bytes) -> None:
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for name, part in unpacked(docx).items():
            archive.writestr(name, part)
    found = verify(out.getvalue())
    assert not found.unaltered
    assert "byte" in found.differences[0]


def test_a_page_that_shows_something_else_is_named(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        stream = document.pages[1].Contents
        stream.write(stream.read_bytes() + b"\n")
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
    assert verify(out.getvalue()).differences == ["page 2 shows something else"]


def test_an_update_behind_a_pdf_may_not_change_what_it_shows(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0].Contents.objgen[0]
    body = b"BT ET"
    start = len(pdf)
    update = b"%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (page, len(body), body)
    table = start + len(update)
    before = int(pdf.rpartition(b"startxref\n")[2].split()[0])
    with pikepdf.open(io.BytesIO(pdf)) as document:
        root, size = document.Root.objgen[0], int(document.trailer.Size)
    update += b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        page, start, size, root, before, table,
    )  # fmt: skip
    found = verify(pdf + update)
    assert not found.unaltered
    assert "page 1 shows something else" in found.differences


@pytest.mark.parametrize(
    "content",
    [b"", b"%PDF-1.7 nothing", b"PK\x03\x04", b"{}", b"[1]", b'{"header": 1.5}', b"report_sha256\r\n", b"\x00"],
)
def test_what_is_no_report_is_said_to_be_none(content: bytes) -> None:
    found = verify(content)
    assert (found.unaltered, found.report) == (False, None)
    assert found.differences


def test_the_command_says_so(
    pdf: bytes, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bao-cao.pdf"

    def run(*more: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["vonggac", "report", "verify", str(file), *more])
        with pytest.raises(SystemExit) as end:
            main()
        code = end.value.code
        assert isinstance(code, int)
        return code, capsys.readouterr().out

    file.write_bytes(pdf)
    assert ((said := run())[0], report.sha256 in said[1]) == (0, True)
    assert run("--digest", report.sha256)[0] == 0
    assert run("--digest", "0" * 64)[0] == 1
    file.write_bytes(pdf.replace(b"/Title", b"/Tytle", 1))
    assert ((said := run())[0], "ALTERED (PDF of report" in said[1]) == (1, True)
    file.write_bytes(b"another letter")
    assert ((said := run())[0], "NO REPORT" in said[1]) == (1, True)
    file.unlink()
    assert run()[0] == 2
