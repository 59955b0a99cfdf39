"""The five forms of a report, by their name."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from reporting.documents.as_csv import as_csv
from reporting.documents.as_json import as_json
from reporting.documents.office.as_docx import as_docx
from reporting.documents.office.as_xlsx import as_xlsx
from reporting.documents.pdf.as_pdf import as_pdf
from reporting.reports.snapshot.report import Report


class Form(NamedTuple):
    """One form: its media type, and what makes its bytes. The same report gives the same bytes everywhere."""

    media_type: str
    render: Callable[[Report], bytes]


_OFFICE = "application/vnd.openxmlformats-officedocument"
FORMS: Mapping[str, Form] = {
    "json": Form("application/json", as_json),
    "csv": Form("text/csv", as_csv),
    "xlsx": Form(f"{_OFFICE}.spreadsheetml.sheet", as_xlsx),
    "docx": Form(f"{_OFFICE}.wordprocessingml.document", as_docx),
    "pdf": Form("application/pdf", as_pdf),
}


def rendered(report: Report, form: str) -> bytes:
    """Write the bytes of a report in a form of `FORMS`."""
    return FORMS[form].render(report)
