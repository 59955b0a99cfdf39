"""What a file says of itself is believed only when every byte fits."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pikepdf
import pytest

from reporting.documents.as_csv import as_csv
from reporting.documents.as_json import as_json
from reporting.documents.command import main
from reporting.documents.office.archive import unpacked
from reporting.documents.render import rendered
from reporting.documents.verifying.verify import verify
from reporting.reports.snapshot.report import Approval, Report
from vonggac.decree.archive import packed

pytestmark = pytest.mark.heavy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(autouse=True)
def _made_anew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One report in one form is made anew for the first test that compares with it: the same bytes each time, as
    `test_same_bytes` sees to, and a quarter of a second."""
    monkeypatch.setattr("reporting.documents.verifying.verify.rendered", _rendered_once)


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
    whole, brief = verify(content, correction), verify(content, correction, by_row=False)
    assert any("row" in one for one in whole.differences)
    assert brief.differences == whole.differences[:1]


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


def updated(pdf: bytes, objects: Mapping[int, bytes], root: int | None = None) -> bytes:
    """The file with an update behind it that puts these objects in the place of those before. `root`: the catalogue."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        root, size = root or document.Root.objgen[0], max(int(document.trailer.Size), *(one + 1 for one in objects))
    before, table = int(pdf.rpartition(b"startxref\n")[2].split()[0]), b"xref\n"
    for number, body in objects.items():
        table += b"%d 1\n%010d 00000 n \n" % (number, len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    trailer = b"trailer\n<< /Size %d /Root %d 0 R /Prev %d >>\n" % (size, root, before)
    return pdf + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(pdf)


def written(thing: Any, **changed: bytes) -> bytes:
    """A dictionary of a PDF, with other values for these names."""
    entries = {name: thing[name].unparse() for name in thing.keys() if isinstance(thing[name], pikepdf.Object)}  # noqa: SIM118 - no mapping
    entries |= {f"/{name}": value for name, value in changed.items()}
    return b"<< " + b" ".join(name.encode() + b" " + value for name, value in entries.items()) + b" >>"


def test_an_update_behind_a_pdf_may_not_change_what_it_shows(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0].Contents.objgen[0]
    found = verify(updated(pdf, {page: b"<< /Length 5 >>\nstream\nBT ET\nendstream"}))
    assert not found.unaltered
    assert "page 1 shows something else" in found.differences


@pytest.mark.parametrize("contents", ["[ %d 0 R %d 0 R ]", "null"])
def test_a_page_with_more_or_nothing_on_it_is_named_and_not_said_to_be_unreadable(pdf: bytes, contents: str) -> None:
    """Editors write a stamp as another stream beside the page's own."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        page, new = document.pages[1], int(document.trailer.Size)
        listed = (contents % (page.Contents.objgen[0], new) if "%d" in contents else contents).encode()
        objects: dict[int, bytes] = {
            int(page.objgen[0]): written(page.obj, Contents=listed),
            new: b"<< /Length 5 >>\nstream\nBT ET\nendstream",
        }
    assert verify(updated(pdf, objects)).differences == ["page 2 shows something else"]


def test_an_update_behind_a_pdf_may_not_lead_to_other_pages_or_to_another_form(pdf: bytes) -> None:
    """Every object from before stays as it is, and what a reader shows are others."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        root, form, new = document.Root, document.Root.AcroForm, int(document.trailer.Size)
        cover = b"<< /Type /Annot /Subtype /Square /Rect [0 0 595 842] /IC [1 1 1] /F 4 >>"
        kids = b" ".join(b"%d 0 R" % (new + 3 + number) for number in range(len(document.pages)))
        pages = {
            new + 3 + number: written(page.obj, Parent=b"%d 0 R" % (new + 1), Annots=b"[ %d 0 R ]" % (new + 2))
            for number, page in enumerate(document.pages)
        }
        others = {
            new: written(root, Pages=b"%d 0 R" % (new + 1)),
            new + 1: b"<< /Type /Pages /Count %d /Kids [ %s ] >>" % (len(pages), kids),
            new + 2: cover,
            **pages,
        }
        packed_form = {
            root.objgen[0]: written(root, AcroForm=b"%d 0 R" % new),
            new: written(form, XFA=b"%d 0 R" % (new + 1), SigFlags=b"3"),
            new + 1: b"<< /Length 11 >>\nstream\n<xdp></xdp>\nendstream",
        }
    assert verify(updated(pdf, others, root=new)).differences == ["its catalogue is another"]
    assert verify(updated(pdf, packed_form)).differences == [f"object {root_of(pdf)} is another"]


def root_of(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return int(document.Root.objgen[0])


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
