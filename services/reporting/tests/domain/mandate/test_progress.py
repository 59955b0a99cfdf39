"""The board: every number of a line is the sum of its rows, and what differs is a change."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.mandate.connection import Connection, conjunction, of_camera, of_facility
from reporting.domain.mandate.progress import (
    COUNT_NAMES,
    CameraProgress,
    Counts,
    FacilityProgress,
    changes,
    counts_of,
    grouped,
    total_of,
)
from reporting.domain.scope import Facility, Named
from reporting.domain.timeline import CameraState
from vonggac.sufficiency import Sufficiency

TRUTH = st.sampled_from([True, False, None])
KINDS = ("needs_repair", "security_lock")


def named(number: int, code: str) -> Named:
    return Named(UUID(int=number), code, code)


SUFFICIENCY = {
    True: Sufficiency(True, (), (), 0),
    False: Sufficiency(False, ("gate",), (), 1),
    None: Sufficiency(None, ("gate",), ("gate",), 0),
}


@st.composite
def cameras(draw: st.DrawFn) -> CameraProgress:
    area = draw(st.sampled_from([None, "gate", "other_public"]))
    connection = Connection(draw(TRUTH), draw(TRUTH))
    return CameraProgress("c", "C", "C", area, draw(st.booleans()), "up", None, connection)


@st.composite
def rows(draw: st.DrawFn, number: int = 0) -> FacilityProgress:
    unit, agency = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    place = Facility(
        UUID(int=number),
        f"F{number}",
        "Cơ sở",
        draw(st.sampled_from(["school", "hotel"])),
        False,
        named(unit, f"46{unit}"),
        named(100 + agency, f"A{agency}"),
    )
    enough = draw(TRUTH)
    return FacilityProgress(
        place,
        draw(st.sampled_from(["planned", "approved", "active", "suspended", "closed"])),
        tuple(draw(st.lists(cameras(), max_size=4))),
        surveyed=draw(st.booleans()),
        plan_agreed=draw(st.booleans()),
        plan_excepted=draw(st.booleans()),
        sufficiency=SUFFICIENCY[enough],
        focal_point=draw(st.booleans()),
        blocked=tuple(sorted(draw(st.sets(st.sampled_from(KINDS))))),
        overdue=draw(st.sampled_from([(), ("NV-1742-B",)])),
    )


@st.composite
def boards(draw: st.DrawFn) -> list[FacilityProgress]:
    return [draw(rows(number)) for number in range(draw(st.integers(0, 6)))]


@given(boards())
def test_the_lines_of_each_grouping_sum_up_to_the_total(board: list[FacilityProgress]) -> None:
    total = total_of(board)
    keys: list[Any] = [
        lambda one: (one.unit.id, one.unit.code, one.unit.name),
        lambda one: (one.agency.id, one.agency.code, one.agency.name),
        lambda one: (None, one.type, one.type),
        lambda one: (one.id, one.code, one.name),
    ]
    for key in keys:
        added = Counts()
        for line in grouped(board, key):
            added.add(line.counts)
        assert added == total


@given(boards())
def test_what_a_line_says_and_what_its_rows_say_agree(board: list[FacilityProgress]) -> None:
    total, counted = total_of(board), [row for row in board if row.counted]
    assert total.facilities == len(counted) == total.with_cameras + total.without_cameras
    assert total.facilities == total.sufficient + total.insufficient + total.unassessed
    assert total.facilities + total.planned + total.suspended + total.closed == len(board)
    assert total.connected_both == sum(row.connection.both is True for row in counted)
    assert total.connected_both <= min(total.connected_national, total.connected_provincial)
    assert total.connected_both + total.connection_unknown <= total.facilities
    assert total.cameras_both <= min(total.cameras_national, total.cameras_provincial) <= total.cameras_in_scope
    assert total.blocked <= sum(total.blocked_by.values()) <= len(KINDS) * total.blocked
    assert {name: getattr(total, name) for name in COUNT_NAMES} == {
        name: sum(getattr(counts_of(row), name) for row in board) for name in COUNT_NAMES
    }


@given(boards(), boards())
def test_changes_are_what_differs_and_nothing_else(
    before: list[FacilityProgress], after: list[FacilityProgress]
) -> None:
    assert changes(after, after) == []
    there = {row.facility.id: row for row in before}
    for change in changes(before, after):
        assert change.before != change.after
    same = [row for row in after if there.get(row.facility.id) == row]
    assert not {row.facility.id for row in same} & {one.facility.id for one in changes(before, after)}


@given(rows())
def test_a_facility_that_came_or_went_is_a_change_of_everything(row: FacilityProgress) -> None:
    came, went = changes([], [row]), changes([row], [])
    assert {one.before for one in came} == {None} == {one.after for one in went}
    assert [(one.field, one.after) for one in came if one.after] == [(one.field, one.before) for one in went]


@given(rows())
def test_one_thing_that_changed_is_one_change(row: FacilityProgress) -> None:
    other = replace(row, surveyed=not row.surveyed)
    (found,) = changes([row], [other])
    assert (found.field, {found.before, found.after}) == ("surveyed", {"yes", "no"})


@given(st.lists(TRUTH, max_size=5))
def test_one_certain_no_decides_and_nothing_is_made_up(values: list[bool | None]) -> None:
    found = conjunction(values)
    assert (found is True) == (bool(values) and all(value is True for value in values))
    assert (found is False) == (not values or False in values)


@given(st.sampled_from(CameraState), TRUTH, TRUTH)
def test_a_camera_is_connected_only_while_it_is_up(
    state: CameraState, national: bool | None, other: bool | None
) -> None:
    found = of_camera(state, national, other)
    if found.national or found.provincial:
        assert state is CameraState.UP
    if state is CameraState.DOWN:
        assert found == (False, False)


def test_a_camera_of_another_public_area_does_not_hold_its_facility_back() -> None:
    good, bad = Connection(True, True), Connection(False, None)
    assert of_facility([("gate", good), ("other_public", bad)]) == good
    assert of_facility([("gate", good), (None, bad)]).both is False
    assert of_facility([("other_public", good)]) == good
    assert of_facility([]) == (False, False)
