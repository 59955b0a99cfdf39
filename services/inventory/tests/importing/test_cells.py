"""Cells as spreadsheets write them: to values and back; no spreadsheet runs what goes out."""

import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.fields import folded_code
from inventory.domain.text import legacy_of
from inventory.exporting.csv_text import to_cell
from inventory.importing.cells import dates, numbers, words
from inventory.importing.cells.text import (
    ErrorCell,
    LiteralCell,
    check_encoding,
    escape_text,
    normal,
    unescape_text,
    unquote_text,
)
from inventory.importing.checking import codes as checked_codes
from inventory.importing.checking.cells import Converter
from inventory.importing.checking.codes import OnRecord, check_codes
from inventory.importing.columns import Column, Kind
from inventory.importing.mistakes import Mistakes, RefusalError
from inventory.importing.planning.plan import check_on_record
from vonggac.http.formulas import FORMULA_STARTS, escape_formula, unescape_formula


@given(st.text())
def test_escaping_is_undone(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text


_TAKEN_OTHERWISE = st.text("'#*@=E+1,.N/A0-9 ") | st.sampled_from(
    ["***", "1E+5", "#N/A", "=***", "a ***@b", "'", "''***"]
)


@given(_TAKEN_OTHERWISE, st.sampled_from(Kind))
def test_a_text_that_means_something_else_in_a_cell_comes_back_as_itself(text: str, kind: Kind) -> None:
    cell = escape_text(text, kind)
    again = unescape_text(cell, kind)
    assert again == text
    assert not isinstance(again, ErrorCell)
    assert (cell != text) == isinstance(again, LiteralCell)


def test_an_apostrophe_says_that_a_text_is_meant_as_it_stands() -> None:
    name = Converter(Column(name="name", heading="Tên"))
    phone = Converter(Column(name="phone", heading="Điện thoại", kind=Kind.PHONE))
    for converter, text in ((name, "***"), (name, "1,23E+11"), (phone, "233 3852 123")):
        assert converter.convert(unescape_text(f"'{text}", converter.column.kind)) == text
        with pytest.raises(RefusalError):
            converter.convert(text)
    hidden = Converter(Column(name="password", heading="Mật khẩu", secret=True))
    with pytest.raises(RefusalError):
        hidden.convert(unescape_text("'***"))


@given(st.text())
def test_an_escaped_cell_never_begins_as_a_formula(text: str) -> None:
    assert escape_formula(text)[:1] not in set(FORMULA_STARTS) - {"'"}


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_what_some_spreadsheet_takes_for_a_formula_is_escaped(start: str) -> None:
    assert escape_formula(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize(
    ("cell", "text"),
    [('="0461"', "0461"), ('="Sở ""Y tế"""', 'Sở "Y tế"'), ('="a"&"b"', '="a"&"b"'), ("=A1", "=A1"), ('=""', "")],
)
def test_what_excel_is_set_to_keep_as_text_is_that_text(cell: str, text: str) -> None:
    assert unquote_text(cell) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_numbers_survive_with_either_decimal_sign(number: float, comma: bool) -> None:
    assert numbers.decimal(unescape_formula(to_cell(number, decimal_comma=comma))) == number


@given(st.dates(date(1955, 1, 1), date(2118, 12, 31)), st.booleans())
def test_dates_survive(day: date, vietnamese: bool) -> None:
    assert dates.day(to_cell(day, decimal_comma=vietnamese)) == day
    assert dates.day(float((day - dates.EPOCH).days)) == day
    assert dates.day(f"{day:%d.%m.%Y}") == day


@pytest.mark.parametrize(
    ("cell", "number"), [("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1 234", 1234), ("16,8163", 16.8163), (30.0, 30)]
)
def test_a_number_is_read_in_the_form_that_it_must_have(cell: object, number: float) -> None:
    assert numbers.decimal(cell) == number


@pytest.mark.parametrize("cell", ["07/05/2021 14:30", "2021-05-07T14:30+07:00", "07.05.2021T14h30"])
def test_an_instant_without_a_zone_is_of_the_province(cell: str) -> None:
    assert dates.instant(cell) == datetime(2021, 5, 7, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize("cell", ["09/05/2021 24:00", "09.05.2021T24h", "2021-05-09T24:00:00", "09/05/2021 24h00"])
def test_the_end_of_a_day_is_the_beginning_of_the_next_one(cell: str) -> None:
    """«Trước ngày 10/5/2021» is until 24:00 of the 9th, and written so."""
    assert dates.instant(cell) == datetime(2021, 5, 9, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell",
    ["09/05/2021 24:01", "09/05/2021 24:00:01", "09/05/2021 25:00", "31/04/2021 24:00", "31/12/9999 24:00"],
)
def test_no_day_has_a_later_hour(cell: str) -> None:
    with pytest.raises(RefusalError):
        dates.instant(cell)


@pytest.mark.parametrize("cell", ["có", unicodedata.normalize("NFD", "Có"), "x", "CO", "Yes", "\u00d0úng", 1.0, True])
def test_yes_is_understood(cell: object) -> None:
    assert words.yes_no(cell)


@pytest.mark.parametrize("cell", ["không", unicodedata.normalize("NFD", "KHÔNG"), "No", "0", False])
def test_no_is_understood(cell: object) -> None:
    assert not words.yes_no(cell)


def test_a_third_word_is_neither() -> None:
    with pytest.raises(RefusalError):
        words.yes_no("có thể")


def test_composed_letters_are_one_and_no_break_spaces_are_spaces() -> None:
    assert normal("Đo\u0302ng\u00a0Ha\u0300 ") == "Đông Hà"


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.CODE, Kind.PHONE, Kind.WHOLE, Kind.DATE, Kind.CODES])
@pytest.mark.parametrize("sign", ["\u200b", "\u200f", "\u2060", "\ufeff", "\u202e", "\U000e0041"])
def test_an_invisible_sign_in_a_cell_is_refused_by_its_number_and_not_taken_away(kind: Kind, sign: str) -> None:
    convert = Converter(Column(name="x", heading="X", kind=kind)).convert
    for cell in (f"12{sign}", sign, f"{sign}A"):
        with pytest.raises(RefusalError, match=rf"invisible character \(U\+{ord(sign):04X}\)"):
            convert(normal(cell))


def test_a_soft_hyphen_in_unicode_text_is_an_invisible_sign_and_no_tcvn3() -> None:
    with pytest.raises(RefusalError, match=r"invisible character \(U\+00AD\)"):
        check_encoding("Trư\xadờng Quân sự")
    with pytest.raises(RefusalError, match="TCVN3"):
        check_encoding("Tr\xadêng Qu©n sù")


@pytest.mark.parametrize("text", ["Traïm y teá", "Khu caùch ly", "Ñoâng Haø", "ñöôøng"])
def test_vni_is_recognised(text: str) -> None:
    assert legacy_of(text) == "vni"


@pytest.mark.parametrize(
    "text",
    ["Hoà bình", "Quế Sơn", "khoẻ khoắn", "Đakrông", "Triệu Ái", "Hướng Hoá", "nghiêng", "thuở xưa", "quý", "oái oăm"],
)
def test_vietnamese_is_not_taken_for_a_legacy_encoding(text: str) -> None:
    assert legacy_of(text) is None


def test_codes_that_differ_in_case_or_padding_are_alike() -> None:
    assert folded_code("KCL-001") == folded_code("kcl-1") != folded_code("KCL-10")


@pytest.mark.parametrize(
    ("codes", "refused"),
    [
        (["KCL-01", "kcl-1"], []),
        (["kcl-1", "KCL-01"], []),
        (["KCL-01", "KCL-001"], [3]),
        (["KCL-001", "KCL-01"], [2]),
        (["KCL-001", "kcl-001"], [2, 3]),
        (["KCL-01", "KCL-01"], [3]),
    ],
)
def test_codes_that_are_on_record_are_two_however_alike(codes: list[str], refused: list[int]) -> None:
    mistakes = Mistakes()
    check_codes(enumerate(codes, 2), {"KCL-01": None, "kcl-1": None}, "code", mistakes)
    assert [mistake.line for mistake in mistakes.found] == refused


def test_what_is_on_record_is_folded_once_however_many_rows_miss_it(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[str] = []

    def fold(code: str) -> str:
        folded.append(code)
        return folded_code(code)

    monkeypatch.setattr(checked_codes, "folded_code", fold)
    known, mistakes = OnRecord({f"KCL-{number:03}": number for number in range(1, 100)}), Mistakes()
    for line in range(2, 102):
        check_on_record(mistakes, line, "facility_code", f"KCL-{line}", known)
    said = [mistake.text.english for mistake in mistakes.found]
    assert "KCL-002" in said[0]
    assert "KCL-001, KCL-002" in said[-1]
    assert len(folded) <= len(known) + mistakes.count


def test_a_cell_that_repeats_has_the_same_value_and_the_same_refusal() -> None:
    area = Converter(Column(name="kind", heading="Loại", kind=Kind.CHOICE, choices={"yard": "sân"}))
    for _ in range(2):
        assert area.convert("Sân") == "yard"
        with pytest.raises(RefusalError):
            area.convert("toilet")
        with pytest.raises(RefusalError):
            area.convert(ErrorCell("#N/A"))


def test_records_of_two_cells_are_not_one_object() -> None:
    record = Converter(Column(name="form", heading="Biểu mẫu", kind=Kind.RECORD))
    assert record.convert('{"a": 1}') is not record.convert('{"a": 1}')


@pytest.mark.parametrize(("kind", "text"), [
    (Kind.RECORD, '{"a": 1, "a": 2}'), (Kind.RECORD, '{"a": [{"b": 1, "c": 2, "b": 1}]}'),
    (Kind.RECORDS, '[{"a": 1}, {"a": 1, "a": 1}]'),
])  # fmt: skip
def test_a_record_that_says_a_field_twice_is_refused_by_its_name(kind: Kind, text: str) -> None:
    with pytest.raises(RefusalError, match=r"has [ab] twice in one record"):
        Converter(Column(name="form", heading="Biểu mẫu", kind=kind)).convert(text)


def test_a_number_that_a_program_wrote_with_its_point_is_advised_without_it() -> None:
    with pytest.raises(RefusalError, match="write 0912345678, in"):
        Converter(Column(name="phone", heading="Điện thoại", kind=Kind.PHONE)).convert("912345678.0")
