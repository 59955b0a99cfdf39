"""A file is what its rows are, whatever its format: read back with the readers that analysts use."""

import asyncio
import csv
import io
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pyarrow import parquet
from services.reporting.tests.tables.readers import READ, READERS, same, values_of, wrongly_seen
from services.reporting.tests.tables.sample import HARD, SAMPLE, STAMP, row, rows

from reporting.tables import Dialect, Format, Portions, Row, file_of, in_portions
from reporting.tables.formats import new_file
from reporting.tables.table import Repeated, Woven
from vonggac.http.formulas import FORMULA_STARTS, unescape_formula

REPORTING = Path(__file__).parents[2]
PLAIN = ["Trường học", "Khu cách ly", "Cổng chính"]


async def written(given: list[Row], form: Format, dialect: Dialect = Dialect.RFC4180) -> bytes:
    """The whole file."""
    return b"".join([piece async for piece in file_of(SAMPLE, STAMP, form, dialect, in_portions(given))])


async def saved(folder: Path, given: list[Row], form: Format) -> Path:
    path = folder / f"sample.{form}"
    path.write_bytes(await written(given, form))
    return path


def expected(given: list[Row]) -> list[tuple[Any, ...]]:
    """What readers find: the stamps, "" as nothing, seconds as numbers, the rounded beside the unrounded."""
    stamps = STAMP.values(SAMPLE)
    return [(*stamps, *[None if value == "" else value for value in one[:-2]], *_ends(one)) for one in given]


def _ends(one: Row) -> list[float | None]:
    length, percent = one[-2], one[-1]
    assert length is None or isinstance(length, int)
    assert percent is None or isinstance(percent, float)
    rounded = None if percent is None else int(percent * 100 + 0.5) / 100
    return [None if length is None else length / 1000, percent, rounded]


# pandas 3 announces another reader of workbooks where that is installed too.
@pytest.mark.filterwarnings("ignore:The default engine for reading")
@pytest.mark.parametrize(("reader", "form"), READ)
async def test_a_reader_without_arguments_sees_values_and_types_agree(
    tmp_path: Path, reader: str, form: Format
) -> None:
    given = rows(60, PLAIN)
    frame = READERS[reader](await saved(tmp_path, given, form))
    assert wrongly_seen(SAMPLE, form, frame) == {}
    for found, right in zip(values_of(SAMPLE, form, frame), expected(given), strict=True):
        assert same(found, right)


async def test_what_is_hard_to_write_is_read_back_and_the_formats_agree(tmp_path: Path) -> None:
    given = rows(60)
    right = expected(given)
    for form in Format:
        text = io.StringIO((await written(given, Format.CSV)).decode(), newline="")
        if form is Format.CSV:
            names = [one["camera_name"] or None for one in csv.DictReader(text)]
        elif form is Format.XLSX:
            sheet = openpyxl.load_workbook(await saved(tmp_path, given, form)).worksheets[0]
            # openpyxl leaves the workbook's way to write a carriage return as it is.
            found = [line[6] for line in sheet.iter_rows(min_row=2, values_only=True)]
            names = [None if name is None else str(name).replace("_x000D_", "\r") for name in found]
        elif form is Format.JSON:
            names = [one["camera_name"] for one in json.loads(await written(given, form))]
        else:
            names = parquet.read_table(await saved(tmp_path, given, form))["camera_name"].to_pylist()
        if form in {Format.CSV, Format.XLSX}:
            assert not [name for name in names if name and name[0] in set(FORMULA_STARTS) - {"'"}]
            names = [None if name is None else unescape_formula(name) for name in names]
        assert names == [one[6] for one in right], form


async def test_csv_is_what_the_csv_module_reads_and_writes() -> None:
    """Also where a reader is strict: lines end in CRLF, quotes are doubled, nothing stands before the first name."""
    made = (await written(rows(40), Format.CSV)).decode()
    read = [*csv.reader(io.StringIO(made, newline=""), strict=True)]
    assert read[0] == [column.name for column in SAMPLE.written]
    assert {len(line) for line in read} == {len(SAMPLE.written)}
    assert made.endswith("\r\n")
    assert [line[6] for line in read[1:]] == [
        "" if one[1] is None else f"'{one[1]}" if str(one[1])[:1] in FORMULA_STARTS and one[1] else str(one[1])
        for one in rows(40)
    ]


async def test_the_excel_form_has_a_bom_semicolons_decimal_commas_and_vietnamese_headings() -> None:
    made = (await written(rows(3), Format.CSV, Dialect.EXCEL_VI)).decode()
    assert made.startswith("\ufeffKỳ từ;Kỳ đến;Múi giờ;")
    first, second, third = csv.DictReader(io.StringIO(made.removeprefix("\ufeff"), newline=""), delimiter=";")
    assert third["Tỷ lệ"] == "2,0618556701030926"
    assert third["Tỷ lệ (làm tròn)"] == "2,06"
    assert third["Mất (giây)"] == "2,007"
    assert third["Ngày"] == "03/11/2026"
    assert [one["Đạt"] for one in (first, second, third)] == ["có", "không", "có"]
    assert second["Tên camera"] == "'=1+1"


@pytest.mark.parametrize("form", Format)
async def test_an_empty_table_is_a_file_all_the_same(tmp_path: Path, form: Format) -> None:
    path = await saved(tmp_path, [], form)
    for reader, read in READERS.items():
        if (reader, form) in READ and form in {Format.CSV, Format.PARQUET}:
            assert [*read(path)] == [column.name for column in SAMPLE.written]
    if form is Format.JSON:
        assert json.loads(path.read_text()) == []


@pytest.mark.parametrize("form", Format)
async def test_the_same_rows_make_the_same_bytes(form: Format) -> None:
    assert await written(rows(50), form) == await written(rows(50), form)


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_workbook_says_what_its_columns_hold(tmp_path: Path, dialect: Dialect) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(await written(rows(3), Format.XLSX, dialect))
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Bảng mẫu", "Từ điển"]
    top = [cell.value for cell in next(book["Bảng mẫu"].iter_rows())]
    vietnamese = dialect is Dialect.EXCEL_VI
    assert top == [column.heading if vietnamese else column.name for column in SAMPLE.written]
    described = {line[0]: line[1:] for line in book["Từ điển"].iter_rows(values_only=True)}
    assert described["up_percent"] == ("Tỷ lệ", "percent", "%", "How much of it was up.")


async def test_a_parquet_file_says_what_it_is_of(tmp_path: Path) -> None:
    schema = parquet.read_schema(await saved(tmp_path, rows(3), Format.PARQUET))
    about = {key.decode(): value.decode() for key, value in schema.metadata.items()}
    assert about["vonggac.period_from"] == "2025-10-21T05:40:00.000+07:00"
    assert about["vonggac.time_zone"] == "Asia/Ho_Chi_Minh"
    assert schema.field("down_ms").metadata[b"unit"] == b"ms"
    assert not schema.field("camera_id").nullable


async def test_a_value_of_another_kind_names_its_column() -> None:
    broken = (row(1)[0], row(1)[1], "many", *row(1)[3:])
    with pytest.raises(ValueError, match="outages: not all values are of the kind integer"):
        await written([broken], Format.CSV)


@pytest.mark.slow
@pytest.mark.weekly
@pytest.mark.parametrize("form", Format)
async def test_memory_does_not_grow_with_the_rows(form: Format) -> None:
    """200,000 rows take no more than 20,000 do, save what a Parquet footer says of its row groups.

    Of a workbook, 48,000 and 12,000: under the tracer each cell costs some ten microseconds.
    """
    peaks = []
    for count in (12_000, 48_000) if form is Format.XLSX else (20_000, 200_000):
        tracemalloc.start()
        pieces = 0
        async for piece in file_of(SAMPLE, STAMP, form, Dialect.RFC4180, _many(count)):
            pieces += len(piece)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert pieces > count
    assert peaks[1] < peaks[0] * 1.2 + 1_000_000


def left_in(folder: Path) -> list[Path]:
    return [*folder.iterdir()]


async def _many(count: int) -> Portions:
    for start in range(0, count, 2000):
        yield [row(number % 5000, PLAIN) for number in range(start, start + 2000)]


@pytest.mark.parametrize("form", Format)
async def test_a_file_that_is_cut_short_leaves_nothing(
    form: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    closed = asyncio.Event()

    async def endless() -> Portions:
        try:
            while True:
                yield rows(1000)
        finally:
            closed.set()

    made = file_of(SAMPLE, STAMP, form, Dialect.RFC4180, endless())
    await anext(made)
    if form is not Format.XLSX:
        await anext(made)
    await made.aclose()
    assert form is Format.XLSX or closed.is_set()
    assert left_in(tmp_path) == []


def test_a_writer_that_was_not_ended_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for form in Format:
        file = new_file(SAMPLE, STAMP, form, Dialect.RFC4180)
        file.begin()
        file.write(rows(100))
        file.close()
    assert left_in(tmp_path) == []


def test_names_that_are_hard_are_all_of_them() -> None:
    assert {name[:1] for name in HARD} >= {"=", "+", "-", "@", "\t", "\r", "'"}


@pytest.mark.parametrize("form", [Format.CSV, Format.JSON, Format.PARQUET])
def test_rows_of_repeated_parts_are_written_as_the_same_rows_one_by_one(form: Format) -> None:
    heads, tails = [row(number)[:4] for number in range(3)], [row(number)[6:] for number in range(5)]
    of_heads, of_tails = [number % 3 for number in range(40)], [number // 8 for number in range(40)]
    middles = [row(number)[4:6] for number in range(40)]
    woven = Woven((Repeated(heads, of_heads), middles, Repeated(tails, of_tails)))
    plain = [heads[of_heads[number]] + middles[number] + tails[of_tails[number]] for number in range(40)]
    assert len(woven) == len(plain)
    file, other = (new_file(SAMPLE, STAMP, form, Dialect.RFC4180) for _ in range(2))
    assert [file.begin(), file.write(woven), *file.end()] == [other.begin(), other.write(plain), *other.end()]


async def test_rows_of_repeated_parts_keep_their_place_among_others() -> None:
    given = rows(30)

    async def portions() -> Portions:
        yield given[:10]
        yield Woven((Repeated(given[10:20], range(10)),))
        yield given[20:]

    found = b"".join([piece async for piece in file_of(SAMPLE, STAMP, Format.CSV, Dialect.RFC4180, portions())])
    assert found == await written(given, Format.CSV)


def test_the_command_of_the_readme_adds_up_the_example_by_day(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (command,) = re.findall(
        r'python -c "(import polars.*)"$', (REPORTING / "README.md").read_text("utf-8"), re.MULTILINE
    )
    monkeypatch.chdir(REPORTING.parents[1] / "docs" / "examples")
    exec(command)  # noqa: S102 - a reader runs it as it stands
    assert "day_ms" in capsys.readouterr().out
