"""Which format a request gets, what a file is called, and times in zones that change their offset."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from services.reporting.tests.tables.sample import SAMPLE, STAMP, row

from reporting.documents.letter.wording import percent
from reporting.domain.instants import millis
from reporting.domain.percentages import percentages, rounded
from reporting.domain.segments import Period
from reporting.tables import Column, Format, Kind, Stamp, Table, accepted
from reporting.tables.arrays import rounded_percents
from reporting.tables.json_file import JsonFile

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.mark.parametrize(("accept", "form"), [
    ("*/*", Format.JSON),
    ("", None),
    ("text/csv", Format.CSV),
    ("text/*", Format.CSV),
    ("text/html,application/xhtml+xml,*/*;q=0.8", Format.JSON),
    ("application/json;q=0.5, text/csv", Format.CSV),
    ("text/csv;q=0.5, application/json;q=0.5", Format.JSON),
    (f"{XLSX}, */*;q=0.1", Format.XLSX),
    ("application/vnd.apache.parquet", Format.PARQUET),
    ("application/json;q=0, */*", Format.CSV),
    ("text/csv;q=x", None),
    ("application/pdf", None),
    ("TEXT/CSV ; Q=1.0", Format.CSV),
])  # fmt: skip
def test_the_accept_header_chooses_the_format(accept: str, form: Format | None) -> None:
    assert accepted(accept) is form


def test_a_file_is_called_by_its_table_and_its_period() -> None:
    assert STAMP.file_name(SAMPLE, "csv") == "sample-20251021T054000-20251120T054000.csv"
    always = Table("always", "Luôn", "Always", "Of no period.", SAMPLE.columns, SAMPLE.key, periodic=False)
    assert STAMP.file_name(always, "xlsx") == "always-20251120T054000.xlsx"


def test_times_have_the_offset_of_their_zone_at_that_moment() -> None:
    """Two in one file, where the zone changes its clocks between them; one where it does not."""
    summer, winter = (millis(datetime(2026, month, 1, 12, tzinfo=UTC)) for month in (7, 12))
    stamp = Stamp(winter, Period(summer, winter), "Europe/Berlin")
    given = [(*row(1)[:5], instant, *row(1)[6:]) for instant in (summer, winter, None)]
    file = JsonFile(SAMPLE, stamp)
    rows = json.loads(file.begin() + file.write(given) + b"".join(file.end()))
    assert [one["seen_at"] for one in rows] == [
        "2026-07-01T14:00:00.000+02:00",
        "2026-12-01T13:00:00.000+01:00",
        None,
    ]
    assert {one["period_from"] for one in rows} == {"2026-07-01T14:00:00.000+02:00"}
    assert {one["time_zone"] for one in rows} == {"Europe/Berlin"}


@pytest.mark.parametrize(("columns", "key", "says"), [
    ((("up", Kind.DURATION, "A"),), (), "not named as"),
    ((("share", Kind.PERCENT, "A"),), (), "not named as"),
    ((("seen", Kind.INSTANT, "A"),), (), "not named as"),
    ((("Up_ms", Kind.DURATION, "A"),), (), "Up_ms"),
    ((("a", Kind.TEXT, "A"), ("a", Kind.TEXT, "B")), (), "a column twice"),
    ((("a", Kind.TEXT, "A"), ("b", Kind.TEXT, "A")), (), "a heading twice"),
    ((("a", Kind.TEXT, "A"),), ("b",), "key"),
])  # fmt: skip
def test_a_table_that_is_declared_wrongly_does_not_exist(
    columns: tuple[tuple[str, Kind, str], ...], key: tuple[str, ...], says: str
) -> None:
    made = tuple(Column(name, kind, heading, "x") for name, kind, heading in columns)
    with pytest.raises(AssertionError, match=says):
        Table("wrong", "Sai", "Wrong", "x", made, key)


def test_letter_answers_and_tables_agree_on_every_share_that_ends_in_half_a_hundredth() -> None:
    """1.005 % of a day is 1.01 %, though no float is exactly 1.005."""
    day, shares = 86_400_000, range(5, 100_000, 10)
    exact = [percent(day * share // 100_000, day) for share in shares]
    floats = [percentages(up := day * share // 100_000, day - up, 0).measured_percent for share in shares]
    assert [f"{rounded(one)}%".replace(".", ",") for one in floats] == exact
    assert [f"{one:.2f}%".replace(".", ",") for one in rounded_percents(pa.array(floats)).to_pylist()] == exact
