"""Instants and zones that callers write: what overflows, or what tables do not know, is refused by name."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pydantic import TypeAdapter, ValidationError

from reporting import api
from reporting.api.availability.schemas import NewTarget
from reporting.api.parameters import GivenInstant, parse_moment, zone_names
from reporting.api.reports.shapes import FreezeResponse, Zone
from vonggac.http import ProblemError
from vonggac.http.openapi.inlined_parts import inline_repeated_parts


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1899-12-31"])
def test_a_year_that_overflows_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ProblemError, match="has a year that is not between 1900 and 2999") as refused:
        parse_moment("from", text)
    assert refused.value.problem.errors[0].field == "from"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_year_that_overflows_a_zone_is_refused_in_a_body(text: str) -> None:
    day = {"from": "2026-11-20T00:00:00+07:00", "to": "2026-11-21T00:00:00+07:00"}
    for name in ("from", "to", "cut_off", "deadline"):
        with pytest.raises(ValidationError, match="has a year that is not between 1900 and 2999"):
            FreezeResponse.model_validate({**day, name: text})
    with pytest.raises(ValidationError, match="has a year that is not between 1900 and 2999"):
        NewTarget.model_validate({"percent": "95", "reason": "1742/UBND-VX", "valid_from": text})


@pytest.mark.parametrize("text", ["0", "0.5", "1620345600", "today"])
def test_a_number_is_no_time(text: str) -> None:
    with pytest.raises(ProblemError, match=r"not a time|not between"):
        parse_moment("until", text)


def test_a_day_begins_in_the_province() -> None:
    assert parse_moment("from", "2026-11-24").isoformat() == "2026-11-24T00:00:00+07:00"


@pytest.mark.parametrize("name", ["posixrules", "localtime", "Factory", "right/Asia/Ho_Chi_Minh", "asia/ho_chi_minh"])
def test_a_file_beside_the_zones_is_no_zone(name: str) -> None:
    """`right/…` counts leap seconds and is 27 s off, `localtime` is of the machine, and tables know none of them."""
    assert name not in zone_names()
    with pytest.raises(ValidationError, match="no IANA time zone"):
        TypeAdapter(Zone).validate_python(name)


def test_whoever_writes_tables_knows_every_zone() -> None:
    assert {"UTC", "Asia/Ho_Chi_Minh"} <= zone_names()
    for name in zone_names():
        pc.local_timestamp(pa.array([0], pa.timestamp("ms", tz=name)))


def test_a_thing_is_asked_for_by_the_same_name_on_every_route() -> None:
    """`camera`, `facility`, `agency`, `unit`; an id has its name in a path alone."""
    document = json.loads((Path(api.__path__[0]) / "openapi.json").read_text(encoding="utf-8"))
    paths = inline_repeated_parts(document)["paths"]
    asked = {
        (path, given["name"])
        for path, methods in paths.items()
        for method in methods.values()
        for given in method.get("parameters", [])
        if given["in"] == "query"
    }
    assert {"camera", "facility", "agency"} <= {name for _, name in asked}
    assert [one for one in asked if one[1].endswith("_id")] == []


def test_a_plain_day_in_a_body_is_the_first_instant_of_it_in_vietnam() -> None:
    given = TypeAdapter(GivenInstant)
    assert given.validate_python("2021-05-08") == datetime(2021, 5, 7, 17, tzinfo=UTC)
    for wrong in ("2021-02-30", "1850-01-01", "2021-05-08T10:00:00", "08/05/2021"):
        with pytest.raises(ValidationError):
            given.validate_python(wrong)
