"""Instants that callers write: what overflows in another zone is refused by name."""

import pytest

from reporting.api.parameters import _moment
from vonggac.http import ProblemError


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1899-12-31"])
def test_a_year_that_overflows_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ProblemError, match="has a year that is not between 1900 and 2999") as refused:
        _moment("from", text)
    assert refused.value.problem.errors[0].field == "from"


@pytest.mark.parametrize("text", ["0", "0.5", "1620345600", "today"])
def test_a_number_is_no_time(text: str) -> None:
    with pytest.raises(ProblemError, match=r"not a time|not between"):
        _moment("until", text)


def test_a_day_begins_in_the_province() -> None:
    assert _moment("from", "2026-11-24").isoformat() == "2026-11-24T00:00:00+07:00"
