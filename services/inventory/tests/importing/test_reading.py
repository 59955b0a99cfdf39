"""Files as they come: separators, BOMs, broken headers, each mistake with its line."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.importing.cells import escape
from inventory.importing.mistakes import Mistakes
from inventory.importing.reading import Columns, read_table
from vonggac.http import ProblemError

COLUMNS = Columns(required=("code", "name"), optional=("note",))


def mistakes_of(body: bytes) -> list[tuple[int | None, str, str]]:
    mistakes = Mistakes()
    read_table(body, COLUMNS, mistakes)
    with pytest.raises(ProblemError) as refused:
        mistakes.raise_if_any()
    return [(error.row, error.field, error.message) for error in refused.value.problem.errors]


@pytest.mark.parametrize(
    "body",
    [
        b"code,name\r\nA,x\r\n",
        b"\xef\xbb\xbfcode;name\r\nA;x\r\n",
        b"\n Code \tNAME\nA\tx\n\n",
        b'"code";"name"\r\n"A";"x"',
        b"code,name,note\nA,x\n",
    ],
)
def test_every_usual_shape_is_read(body: bytes) -> None:
    mistakes = Mistakes()
    (row,) = read_table(body, COLUMNS, mistakes).rows
    mistakes.raise_if_any()
    assert (row.cells["code"], row.cells["name"]) == ("A", "x")


def test_a_row_knows_the_line_it_begins_on_after_cells_of_several_lines() -> None:
    table = read_table(b'code,name\nA,"x\ny"\n\nB,z\n', COLUMNS, Mistakes())
    assert [row.line for row in table.rows] == [2, 5]


@pytest.mark.parametrize(
    ("body", "line", "field", "advice"),
    [
        (b"code,name\nA,\xc3\x28\n", 2, "file", "CSV UTF-8"),
        (b"code,title\nA,x\n", 1, "title", "there are: code, name, note"),
        (b"code,name,name\nA,x,y\n", 1, "name", "twice"),
        (b"code,name\n", 1, "file", "no rows"),
        (b"", 1, "code", "missing"),
        (b"code,name\nA,x,y,z\n", 2, "row", "quote a cell"),
        (b'code,name\nA,x\nB,"y\n', 3, "file", "quotation marks"),
    ],
)
def test_a_broken_file_is_told_where_and_what(body: bytes, line: int, field: str, advice: str) -> None:
    found = mistakes_of(body)
    assert any(row == line and name == field and advice in message for row, name, message in found), found


def test_a_missing_column_is_named() -> None:
    assert [(row, field) for row, field, _ in mistakes_of(b"code\nA\n")] == [(1, "name")]


def test_mistakes_beyond_a_thousand_are_counted() -> None:
    mistakes = Mistakes()
    for line in range(1500):
        mistakes.add_mistake(line, "code", "wrong")
    with pytest.raises(ProblemError, match="1500 mistakes; the first 1000") as refused:
        mistakes.raise_if_any()
    assert len(refused.value.problem.errors) == 1000


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n")).map(str.strip)


@given(st.lists(st.tuples(CELL.filter(bool), CELL), min_size=1), st.sampled_from(",;\t"))
def test_what_is_written_is_read_back(rows: list[tuple[str, str]], separator: str) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator)
    writer.writerow(["code", "name"])
    writer.writerows([escape(code), escape(name)] for code, name in rows)
    mistakes = Mistakes()
    table = read_table(buffer.getvalue().encode(), COLUMNS, mistakes)
    mistakes.raise_if_any()
    assert [(row.cells["code"], row.cells["name"]) for row in table.rows] == rows
