"""The digest can be made again by anybody: the canonical form, its edges, and what a difference is."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.documents.as_json import as_json
from reporting.documents.example.report import example_report
from reporting.reports.snapshot.canonical import Row, canonical, row_digest, table_digest
from reporting.reports.snapshot.difference import changes
from reporting.reports.snapshot.report import COLUMNS, NotThatReportError, parsed

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ROWS = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT)


def test_names_are_in_order_and_text_is_in_nfc() -> None:
    assert canonical({"b": 1, "a": "Hoa\u0300"}) == '{"a":"Hoà","b":1}'.encode()
    assert canonical([None, True, -5, "\n\u0001"]) == b'[null,true,-5,"\\n\\u0001"]'


def test_a_number_with_a_point_is_refused() -> None:
    with pytest.raises(TypeError, match=r"0\.5"):
        canonical({"share": 0.5})  # type: ignore[dict-item]
    with pytest.raises(NotThatReportError, match=r"0\.5"):
        parsed(b'{"header": 0.5}')


@given(ROWS)
def test_the_order_of_names_makes_no_difference(row: dict[str, str | int | bool | None]) -> None:
    assert row_digest(dict(reversed(row.items()))) == row_digest(row)


@given(st.lists(ROWS, min_size=2, max_size=4))
def test_the_order_of_rows_makes_one(rows: list[dict[str, str | int | bool | None]]) -> None:
    turned = [*rows[1:], rows[0]]
    assert (table_digest(turned) == table_digest(rows)) == ([*map(row_digest, turned)] == [*map(row_digest, rows)])


def test_whoever_reads_the_page_of_the_digest_makes_the_same_one() -> None:
    """As docs/reports.md describes it, with nothing of ours."""
    document = json.loads(as_json(example_report()))
    dumped: dict[str, Any] = {"ensure_ascii": False, "sort_keys": True, "separators": (",", ":")}
    for part in document["header"]["tables"]:
        rows = document["tables"][part["name"]]
        digests = [
            sha256(json.dumps({k: v for k, v in row.items() if k != "sha256"}, **dumped).encode()) for row in rows
        ]
        assert [one.hexdigest() for one in digests] == [row["sha256"] for row in rows]
        assert sha256(b"".join(one.digest() for one in digests)).hexdigest() == part["sha256"]
    assert sha256(json.dumps(document["header"], **dumped).encode()).hexdigest() == document["sha256"]


def test_rows_have_the_declared_columns_and_integers_alone() -> None:
    report = example_report()
    for name, rows in report.tables.items():
        for row in rows:
            assert tuple(row) == COLUMNS[name]
            assert all(not isinstance(value, float) for value in row.values())


def test_a_difference_names_figure_before_and_after() -> None:
    before: dict[str, list[Row]] = {
        "cameras": [{"camera_id": "a", "up_ms": 1}, {"camera_id": "b", "up_ms": 2}],
        "days": [{"from_ms": 0, "n": 1}],
    }
    after: dict[str, list[Row]] = {
        "cameras": [{"camera_id": "b", "up_ms": 3}, {"camera_id": "c", "up_ms": 2}],
        "days": [{"from_ms": 0, "n": 1}],
    }
    assert changes(before, after) == [
        {"table": "cameras", "row": "a", "column": "*", "before": "present", "after": None},
        {"table": "cameras", "row": "b", "column": "up_ms", "before": "2", "after": "3"},
        {"table": "cameras", "row": "c", "column": "*", "before": None, "after": "present"},
    ]
    assert changes(before, before) == []
