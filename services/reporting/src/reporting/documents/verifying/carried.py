"""What report a file carries, before anybody knows whether it is that one: nothing is made anew.

Loads little: it runs first in a process of its own, for whatever a caller sends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reporting.documents.office import archive
from reporting.documents.pdf.carried import carried_report
from reporting.documents.read_csv import read_csv
from reporting.reports.snapshot.report import (
    UNREADABLE,
    Approval,
    Header,
    NotThatReportError,
    Report,
    check,
    check_proof,
    parsed,
)

NO_FORM = "it is neither JSON, CSV, XLSX, DOCX nor PDF of a frozen report"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `report` is what the file carries, None when it carries none that adds up."""

    form: str | None
    unaltered: bool
    differences: Sequence[str] = ()
    report: Report | None = None
    notes: Sequence[str] = field(default=())


def form_of(content: bytes) -> str | None:
    """Find the form of a file by its first bytes, whatever it is called; None where it is none."""
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith(b"PK"):
        return "docx" if b"word/document.xml" in content else "xlsx"
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"{":
        return "json"
    return "csv" if b"report_sha256" in content[:2000] else None


def opened(content: bytes) -> Verdict:
    """Read what a file carries, before anybody knows if it is that report: it is not made anew, whatever it holds."""
    form = form_of(content)
    if form is None:
        return Verdict(None, False, [NO_FORM])
    try:
        return Verdict(form, False, report=carried(content, form))
    except NotThatReportError as error:
        return Verdict(form, False, [str(error)])


def carried(content: bytes, form: str) -> Report:
    """Read the report inside a file and check its digests. Raises NotThatReportError."""
    match form:
        case "json":
            return parsed(content)
        case "csv":
            return _of_csv(content)
        case "pdf":
            return parsed(carried_report(content))
        case _:
            return parsed(archive.carried_report(archive.unpacked(content)))


def _of_csv(content: bytes) -> Report:
    """CSV has cameras, progress, security and notes at most: the others are proven by the header's digests."""
    proof, tables, digests = read_csv(content)
    try:
        header = Header.model_validate(proof["header"])
        approval = proof["approval"]
        stated = approval.pop("sha256") if approval is not None else None
        report = Report(header, tables, None if approval is None else Approval.model_validate(approval))
        only = [part for part in header.tables if part.name in tables]
        narrowed = replace(report, header=header.model_copy(update={"tables": only}))
        check(narrowed, digests)
        check_proof(report, proof.get("sha256"), stated)
    except NotThatReportError:
        raise
    except UNREADABLE as error:
        msg = f"its header is not that of a frozen report: {error}"
        raise NotThatReportError(msg) from None
    return report
