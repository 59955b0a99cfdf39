"""A scope by a unit follows what becomes of the unit, and never widens by it."""

from uuid import UUID, uuid4

import pytest

from vonggac.auth.succession import UnitLinks, units_around, units_within

OLD, OTHER_OLD, NEW = uuid4(), uuid4(), uuid4()
DISTRICT, OTHER_DISTRICT, LIVING = uuid4(), uuid4(), uuid4()
INSIDE, INSIDE_TOO, OUTSIDE = uuid4(), uuid4(), uuid4()
MERGED_INSIDE, MERGED_ACROSS, RENAMED, MOVED, LEFT_OVER = uuid4(), uuid4(), uuid4(), uuid4(), uuid4()
UNITS = {
    OLD: UnitLinks(ended=True),
    OTHER_OLD: UnitLinks(ended=True),
    NEW: UnitLinks(follows=(OLD, OTHER_OLD)),
    DISTRICT: UnitLinks(OLD, ended=True),
    OTHER_DISTRICT: UnitLinks(OTHER_OLD, ended=True),
    LIVING: UnitLinks(OLD),
    INSIDE: UnitLinks(DISTRICT, ended=True),
    INSIDE_TOO: UnitLinks(DISTRICT, ended=True),
    OUTSIDE: UnitLinks(OTHER_DISTRICT, ended=True),
    MERGED_INSIDE: UnitLinks(NEW, (INSIDE, INSIDE_TOO)),
    MERGED_ACROSS: UnitLinks(NEW, (INSIDE, OUTSIDE)),
    RENAMED: UnitLinks(NEW, (MERGED_INSIDE,)),
    MOVED: UnitLinks(DISTRICT, (LEFT_OVER,)),
    LEFT_OVER: UnitLinks(LIVING, ended=True),
}


@pytest.mark.parametrize(
    ("scope", "within"),
    [
        pytest.param(DISTRICT, {INSIDE, INSIDE_TOO, MERGED_INSIDE, RENAMED, MOVED}, id="a district that ended"),
        pytest.param(OTHER_DISTRICT, {OUTSIDE}, id="what was merged across the border is of neither district"),
        pytest.param(INSIDE, set(), id="a commune that was merged with another one"),
        pytest.param(MERGED_INSIDE, {RENAMED}, id="a commune that has another name"),
        pytest.param(NEW, {MERGED_INSIDE, MERGED_ACROSS, RENAMED}, id="the new province"),
        pytest.param(
            OLD, {DISTRICT, LIVING, INSIDE, INSIDE_TOO, MERGED_INSIDE, RENAMED, MOVED, LEFT_OVER}, id="the old province"
        ),
        pytest.param(LIVING, {LEFT_OVER}, id="a district that a commune left for another one"),
        pytest.param(LEFT_OVER, {MOVED}, id="the commune that moved"),
    ],
)
def test_a_scope_covers_what_lay_in_its_unit_and_nothing_that_did_not(scope: UUID, within: set[UUID]) -> None:
    assert units_within([scope], UNITS) - {scope} == within


def test_an_unknown_unit_and_circles_end() -> None:
    unknown, one, other = uuid4(), uuid4(), uuid4()
    assert units_around(unknown, UNITS) == {unknown}
    circle = {one: UnitLinks(other, (other,), ended=True), other: UnitLinks(one, (one,), ended=True)}
    assert units_around(one, circle) == {one, other}
    assert units_within([unknown], {}) == {unknown}
