"""The example's reports, made once: they never change."""

from __future__ import annotations

from functools import cache

import pytest

from reporting.documents.example.files import documents
from reporting.documents.example.report import example_correction, example_report
from reporting.documents.render import rendered
from reporting.reports.snapshot.report import Report


@cache
def _first() -> Report:
    return example_report()


@cache
def _file(form: str) -> bytes:
    return rendered(_first(), form)


@cache
def _correction() -> Report:
    return example_correction(_first())


@cache
def _made() -> dict[str, bytes]:
    return dict(documents())


@pytest.fixture
def report() -> Report:
    return _first()


@pytest.fixture
def correction() -> Report:
    return _correction()


@pytest.fixture
def made() -> dict[str, bytes]:
    """Every document of the example by its name."""
    return _made()


@pytest.fixture
def docx() -> bytes:
    return _file("docx")


@pytest.fixture
def pdf() -> bytes:
    return _file("pdf")


@pytest.fixture(params=["json", "csv", "xlsx", "docx", "pdf"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def content(form: str) -> bytes:
    """The example in one form."""
    return _file(form)
