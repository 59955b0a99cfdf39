"""Files that somebody made to harm whoever opens them are no reports, and take no memory."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from reporting.documents.verifying.carried import opened
from reporting.documents.verifying.verify import verify

if TYPE_CHECKING:
    from reporting.reports.snapshot.report import Report

pytestmark = pytest.mark.heavy


def _made_by_hand(report: Report, header: dict[str, object], rows: list[dict[str, object]]) -> bytes:
    """A JSON file whose digests are right where they can be."""
    document = json.loads(report.compact())
    document["header"] |= header
    document["tables"]["cameras"] = rows or document["tables"]["cameras"]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ({"id": "x"}, []),
        ({"version": 2**31}, []),
        ({"author": "\ud800"}, []),
        ({}, [{"up_ms": float("nan"), "sha256": "0"}]),
        ({}, [{"up_ms": float("inf"), "sha256": "0"}]),
        ({}, [{"camera_code": "\ud800", "sha256": "0"}]),
    ],
    ids=str,
)
def test_a_hostile_document_is_no_report(report: Report, header: dict[str, object], rows: list[Any]) -> None:
    content = _made_by_hand(report, header, rows)
    assert (opened(content).form, opened(content).report) == ("json", None)
    assert not verify(content).unaltered


@pytest.mark.parametrize(
    "content",
    [
        b'{"header":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'report_sha256,report_header,row_sha256\r\n"' + b"x" * 200_000 + b'",,\r\n',
        b"report_sha256,report_header,row_sha256\r\nx," + b"[" * 100_000 + b",\r\n",
    ],
    ids=["brackets", "a long cell", "brackets in a cell"],
)
def test_hostile_bytes_are_no_report(content: bytes) -> None:
    found = opened(content)
    assert found.report is None
    assert found.differences


def test_a_document_is_refused_by_its_header_before_its_rows_take_memory() -> None:
    content = b'{"header":{},"tables":{"cameras":[' + b",".join([b'{"a":1}'] * 500_000) + b"]}}"
    tracemalloc.start()
    try:
        found = opened(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "Header" in found.differences[0]
    assert peak < 2 * len(content)


def test_a_header_that_is_longer_than_any_is_refused_all_the_same() -> None:
    found = opened(b'{"header":{"author":"' + b"a" * (2 << 20) + b'"},"tables":{}}')
    assert found.report is None
    assert found.differences


def _pdf_of(content: bytes, filters: bytes) -> bytes:
    """A PDF that says that this is its report."""
    stream = b"<</Length %d/Filter[%s]>>stream\n" % (len(content), filters) + content + b"\nendstream"
    catalogue = b"<</Type/Catalog/Pages 2 0 R/PieceInfo<</VongGac<</Private 3 0 R>>>>>>"
    file, places = b"%PDF-1.7\n", []
    for number, each in enumerate((catalogue, b"<</Type/Pages/Kids[]/Count 0>>", stream), start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return file + table + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(file)


def test_a_hostile_kilobyte_takes_no_memory() -> None:
    """What is packed twice is a gigabyte to whoever unpacks it."""
    zeros = bytes(64 << 20)
    packed = zlib.compress(zlib.compress(zeros, 9), 9)
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as made:
        made.writestr("word/document.xml", zeros)
    del zeros
    files = {
        "packed as no program packs a report": _pdf_of(packed, b"/FlateDecode/FlateDecode"),
        "packed objects": _pdf_of(b"", b"") + b"\n/Type/Obj#53tm",
        "more than those of a report": archive.getvalue(),
    }
    for said, content in files.items():
        assert len(content) < 100_000
        tracemalloc.start()
        found = opened(content)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
        tracemalloc.stop()
        assert said in found.differences[0]
