"""A file that the register handed out stays that report, also when a later release writes its form otherwise."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING
from zipfile import ZIP_STORED, ZipFile

import pytest
from services.reporting.tests.documents.test_signature import Signer

from reporting.documents.pdf.fields import SIGNER_FIELD
from reporting.documents.verifying.verify import verify
from reporting.reports.snapshot.handed_out import FileDigest

if TYPE_CHECKING:
    from reporting.reports.snapshot.report import Report

pytestmark = [pytest.mark.heavy, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def earlier(content: bytes, form: str) -> bytes:
    """The same report in the same form, as another release writes it."""
    match form:
        case "json":
            return json.dumps(json.loads(content), indent=1).encode()
        case "csv":
            return content.replace(b"\r\n", b"\n")
        case "pdf":
            return content.replace(b"Typst 0.15", b"Typst 0.13")
    made = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as parts, ZipFile(made, "w", ZIP_STORED) as stored:
        for name in parts.namelist():
            stored.writestr(name, parts.read(name))
    return made.getvalue()


def test_a_file_of_another_release_is_that_report_if_it_was_handed_out(
    earlier: bytes, content: bytes, form: str, report: Report
) -> None:
    assert earlier != content
    given = [FileDigest.of(content, form), FileDigest.of(earlier, form)]
    assert not verify(earlier, report).unaltered
    assert not verify(earlier, report, given[:1]).unaltered
    for one in (earlier, content):
        found = verify(one, report, given)
        assert (found.unaltered, found.differences, found.notes) == (True, (), ()), found.differences


def test_what_somebody_put_behind_a_file_that_was_handed_out_is_no_part_of_it(
    earlier: bytes, form: str, report: Report
) -> None:
    found = verify(earlier + b"\nx", report, [FileDigest.of(earlier, form)])
    assert (found.unaltered, bool(found.differences)) == (False, True)


def test_a_file_that_was_handed_out_as_another_report_is_not_this_one(
    earlier: bytes, form: str, report: Report, correction: Report
) -> None:
    found = verify(earlier, correction, [FileDigest.of(earlier, form)])
    assert not found.unaltered
    assert report.sha256 in found.differences[0]


async def test_a_signature_on_a_file_of_another_release_leaves_it_that_report(pdf: bytes, report: Report) -> None:
    earlier = pdf.replace(b"Typst 0.15", b"Typst 0.13")
    given = [FileDigest.of(earlier, "pdf")]
    signed = await Signer("Người ký").sign(earlier, SIGNER_FIELD)
    found = verify(signed, report, given)
    assert found.unaltered, found.differences
    assert "1 later addition" in found.notes[0]
    forged = signed.replace(b"Typst 0.13", b"Typst 0.12")
    assert not verify(forged, report, given).unaltered
