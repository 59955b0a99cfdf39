"""Which unit a facility lies in, moment by moment, when units end: districts into communes and provinces into one."""

from uuid import UUID

import pytest

from reporting.domain.mandate.units import Succession, UnitVersion
from reporting.domain.scope import FOREVER, Named
from reporting.domain.segments import Segment

OLD_PROVINCE, NEW_PROVINCE, DISTRICT, TOWN, VILLAGE, COMMUNE, OTHER, ISLAND, ZONE = (
    UUID(int=number) for number in range(1, 10)
)
ENDED = 1000

type Units = dict[UUID, list[Segment[UnitVersion]]]


def unit(
    parent: UUID | None, ended_at: int | None, *follows: UUID, start: int = 0, end: int = FOREVER
) -> list[Segment[UnitVersion]]:
    return [Segment(start, end, UnitVersion(parent, ended_at, follows))]


def line(units: Units, unit_id: UUID, start: int = 0, end: int = 2000) -> list[tuple[int, int, int]]:
    names = {one: Named(one, str(one.int), f"unit {one.int}") for one in units}
    found = [*Succession(units, names).line(names[unit_id], start, end)]
    return [(one.start, one.end, one.value.id.int) for one in found]


MERGED: Units = {
    OLD_PROVINCE: unit(None, ENDED),
    NEW_PROVINCE: unit(None, None, OLD_PROVINCE),
    DISTRICT: unit(OLD_PROVINCE, ENDED),
    ISLAND: unit(OLD_PROVINCE, ENDED),
    TOWN: unit(DISTRICT, ENDED),
    COMMUNE: unit(NEW_PROVINCE, None, DISTRICT, TOWN),
    OTHER: unit(NEW_PROVINCE, None, DISTRICT),
    ZONE: unit(NEW_PROVINCE, None, ISLAND),
}
"""Quảng Trị on 01/7/2025, in small: two communes followed one district, a special zone the island, a commune a town."""


def test_a_unit_that_stands_is_the_facility_s_all_the_time() -> None:
    assert line(MERGED, COMMUNE) == [(0, 2000, COMMUNE.int)]


@pytest.mark.parametrize(("ended", "after"), [(TOWN, COMMUNE), (ISLAND, ZONE), (OLD_PROVINCE, NEW_PROVINCE)])
def test_a_unit_with_one_follower_is_followed_by_it_from_that_midnight_on(ended: UUID, after: UUID) -> None:
    assert line(MERGED, ended) == [(0, ENDED, ended.int), (ENDED, 2000, after.int)]
    assert line(MERGED, ended, start=1500) == [(1500, 2000, after.int)]
    assert line(MERGED, ended, end=ENDED) == [(0, ENDED, ended.int)]


def test_a_facility_of_a_district_that_nobody_put_in_a_commune_lies_in_the_province_of_today() -> None:
    """No commune is made up for it, and no unit that ended heads a row."""
    assert line(MERGED, DISTRICT) == [(0, ENDED, DISTRICT.int), (ENDED, 2000, NEW_PROVINCE.int)]


def test_an_end_that_was_entered_later_is_one_from_then_on() -> None:
    units = {TOWN: [*unit(None, None, end=1400), *unit(None, ENDED, start=1400)], COMMUNE: unit(None, None, TOWN)}
    assert line(units, TOWN) == [(0, 1400, TOWN.int), (1400, 2000, COMMUNE.int)]


def test_a_follower_that_was_entered_later_is_one_from_then_on() -> None:
    units = {TOWN: unit(None, ENDED), COMMUNE: unit(None, None, TOWN, start=1400)}
    assert line(units, TOWN) == [(0, 1400, TOWN.int), (1400, 2000, COMMUNE.int)]


def test_what_the_register_takes_back_changes_nothing_before() -> None:
    units = {TOWN: unit(None, ENDED), COMMUNE: unit(None, None, TOWN, end=1200)}
    assert line(units, TOWN) == [(0, ENDED, TOWN.int), (ENDED, 1200, COMMUNE.int), (1200, 2000, TOWN.int)]


def test_a_unit_of_which_nothing_follows_keeps_its_facilities() -> None:
    assert line({TOWN: unit(None, ENDED)}, TOWN) == [(0, 2000, TOWN.int)]


@pytest.mark.timeout(10)
def test_units_that_follow_each_other_end_where_they_began() -> None:
    units = {TOWN: unit(None, ENDED, VILLAGE), VILLAGE: unit(None, ENDED + 1, TOWN)}
    assert line(units, TOWN) == [(0, ENDED, TOWN.int), (ENDED, 2000, VILLAGE.int)]
