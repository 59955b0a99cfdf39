"""Which duties a facility has, and until when: by what held at the directive's day and at the deadline."""

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.instants import millis
from reporting.domain.mandate.obligations import Deadline, Due, DueState, Finding, Obligation, decide
from reporting.domain.scope import FOREVER
from reporting.domain.segments import Segment, value_at
from vonggac.events.inventory import ObligationKind, ObligationStatus
from vonggac.mandate.duty_time import Duty, find_duty
from vonggac.mandate.facility_history import DAY, CameraStay, Place, SiteRecord, history_of

HANOI = timezone(timedelta(hours=7))
FACILITY, HERE, THERE = uuid4(), uuid4(), uuid4()


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return millis(datetime(year, month, day, hour, tzinfo=HANOI))


ORDERED, DUE = at(2021, 5, 7), at(2021, 5, 10)
BEFORE, NOW = at(2020, 3, 29), at(2026, 11, 30)


def obligation(**given: Any) -> Obligation:
    known: dict[str, Any] = {
        "id": uuid4(),
        "code": "NV",
        "name": "NV",
        "kind": ObligationKind.SURVEY_AND_PLAN,
        "directive_id": uuid4(),
        "responsible_agency_id": uuid4(),
        "status": ObligationStatus.OPEN,
        "deadlines": (Deadline(DUE, ORDERED, "lead", None, None),),
    }
    return Obligation(**(known | given))


WITH, WITHOUT = obligation(with_cameras=True), obligation(with_cameras=False, kind=ObligationKind.PROPOSAL)


def place(status: str = "active", unit: UUID = HERE, *, cameras: bool = True, kind: str = "school") -> Place:
    return Place(FACILITY, kind, status, UUID(int=1), frozenset({unit}), cameras)


def line(*changes: tuple[int, Place]) -> list[Segment[Place]]:
    ends = [*(start for start, _ in changes[1:]), FOREVER]
    return [Segment(start, end, what) for (start, what), end in zip(changes, ends, strict=True)]


def installed(when: int, since: int = BEFORE) -> list[Segment[Place]]:
    return line((since, place(cameras=False)), (when, place()))


def duty(one: Obligation, history: list[Segment[Place]], met_at: int | None = None, now: int = NOW) -> Duty | None:
    return find_duty(one, one.deadline_at(now), history, directive_day=ORDERED, met_at=met_at, now=now)


def test_duty_time_of_a_facility_that_had_cameras_all_along_is_the_letters() -> None:
    assert duty(WITH, line((BEFORE, place()))) == (DUE, BEFORE, False)
    assert duty(WITHOUT, line((BEFORE, place()))) is None


@pytest.mark.parametrize("days", [None, 15])
def test_duty_time_of_a_facility_founded_in_november_2026_is_its_own(days: int | None) -> None:
    founded = at(2026, 11, 20)
    found = duty(obligation(with_cameras=True, due_after_days=days), line((founded, place())))
    assert found is not None
    assert found == (None if days is None else at(2026, 12, 6), founded, True)
    assert decide(WITH, Finding(None, ()), NOW, own=Due(found.due_before)).state is not DueState.OVERDUE


@pytest.mark.parametrize(
    ("cameras_on", "owes_with", "owes_without"),
    [
        (ORDERED - DAY, DUE, None),
        (ORDERED, DUE, None),
        # After the directive's day: a duty of its own, and never one before the deadline of all.
        (ORDERED + DAY, ORDERED + 17 * DAY, None),
        (DUE - DAY, DUE + 15 * DAY, None),
        # At the deadline it had none: that duty stands, and the other one comes with the cameras.
        (DUE, DUE + 16 * DAY, DUE),
        (DUE + DAY, DUE + 17 * DAY, DUE),
    ],
)
def test_duty_time_of_cameras_that_came_a_day_before_or_after(
    cameras_on: int, owes_with: int, owes_without: int | None
) -> None:
    rule = obligation(with_cameras=True, due_after_days=15)
    history = installed(cameras_on)
    found, other = duty(rule, history), duty(WITHOUT, history)
    assert found is not None
    assert found.due_before == owes_with
    assert found.own is (cameras_on > ORDERED)
    assert (other and other.due_before) == owes_without


def test_duty_time_keeps_the_proposal_that_was_submitted_before_the_cameras_came() -> None:
    for cameras_on in (ORDERED + DAY, at(2021, 6, 1), at(2026, 11, 1)):
        kept = duty(WITHOUT, installed(cameras_on), met_at=at(2021, 5, 8, 9))
        assert kept is not None, cameras_on
        assert decide(WITHOUT, Finding(at(2021, 5, 8, 9), ()), NOW, own=Due(kept.due_before)).state is DueState.DONE
    assert duty(WITHOUT, installed(DUE - DAY), met_at=at(2021, 5, 20)) is None, "by then it had cameras"


def test_duty_time_without_a_deadline_ends_with_what_it_was_about() -> None:
    nullable = obligation(with_cameras=False, deadlines=(Deadline(None, ORDERED, "lead", None, None),))
    assert duty(nullable, installed(at(2021, 6, 1)), now=at(2021, 5, 20)) == (None, BEFORE, False)
    assert duty(nullable, installed(at(2021, 6, 1))) is None
    assert duty(nullable, installed(at(2021, 6, 1)), met_at=at(2021, 5, 20)) is not None


def test_duty_time_outlasts_cameras_that_were_taken_away_after_the_deadline() -> None:
    history = line((BEFORE, place()), (at(2021, 6, 1), place(cameras=False)))
    assert duty(WITH, history) == (DUE, BEFORE, False)
    assert duty(obligation(with_cameras=False, due_after_days=10), history) == (at(2021, 6, 12), at(2021, 6, 1), True)


def test_duty_time_of_a_closed_facility_is_over_and_comes_back_as_it_was() -> None:
    closed = at(2021, 6, 1)
    history = line((BEFORE, place()), (closed, place("closed")), (at(2026, 11, 1), place()))
    assert duty(WITH, history, now=closed) is None
    assert duty(WITH, history) == (DUE, BEFORE, False), "closing excuses nothing that was owed at the deadline"
    kept = duty(WITH, history, met_at=at(2021, 5, 8))
    assert kept is not None
    assert kept.due_before == DUE


def test_duty_time_of_a_facility_closed_over_the_deadline_begins_anew() -> None:
    history = line((BEFORE, place()), (at(2021, 5, 9), place("closed")), (at(2026, 11, 1), place()))
    assert duty(WITH, history) == (None, at(2026, 11, 1), True)
    rule = obligation(with_cameras=True, due_after_days=30)
    assert duty(rule, history) == (at(2026, 12, 2), at(2026, 11, 1), True)
    back = line((BEFORE, place()), (at(2021, 5, 8), place("suspended")), (at(2021, 5, 9), place()))
    assert duty(rule, back) == (DUE, at(2021, 5, 9), False), "two days of suspension move no deadline"


def test_duty_time_of_a_facility_that_moved_is_that_of_where_it_stood() -> None:
    here, there = obligation(unit_id=HERE), obligation(unit_id=THERE, due_after_days=10)
    moved = line((BEFORE, place()), (at(2021, 6, 1), place(unit=THERE)))
    assert duty(here, moved) == (DUE, BEFORE, False)
    assert duty(there, moved) == (at(2021, 6, 12), at(2021, 6, 1), True)
    in_between = line((BEFORE, place()), (at(2021, 5, 8, 10), place(unit=THERE)))
    assert duty(here, in_between) is None
    assert duty(there, in_between) == (at(2021, 5, 19), at(2021, 5, 8, 10), True)


def test_duty_time_of_what_is_repeated_follows_what_the_facility_is() -> None:
    every = obligation(kind=ObligationKind.INSPECTION, every_days=15, with_cameras=True)
    assert duty(every, installed(at(2026, 11, 1))) == (DUE, at(2026, 11, 1), False)
    assert duty(every, line((BEFORE, place()), (at(2021, 6, 1), place(cameras=False)))) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 2500), st.sampled_from(["active", "closed", "planned"]), st.booleans()),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one[0],
    ),
    st.none() | st.integers(0, 2500),
    st.none() | st.integers(1, 60),
)
def test_duty_time_has_no_deadline_before_the_facility_came_under_it(
    changes: list[tuple[int, str, bool]], met: int | None, days: int | None
) -> None:
    history = line(*((BEFORE + day * DAY, place(status, cameras=it)) for day, status, it in sorted(changes)))
    one = obligation(with_cameras=True, due_after_days=days)
    met_at = None if met is None else BEFORE + met * DAY
    found = duty(one, history, met_at)
    if found is None:
        return
    assert found.due_before is None or found.due_before > found.since
    assert found.due_before is None or found.due_before >= DUE
    if days is None:
        assert found.due_before in {None, DUE}
    held = value_at(history, NOW)
    assert held is not None
    assert held.value.status == "active"


ENTERED = at(2026, 11, 20, 9)
ACTIVE = line((ENTERED, place(cameras=False)))


def states(site: SiteRecord, *stays: CameraStay) -> list[tuple[int, bool]]:
    return [(one.start, one.value.has_cameras) for one in history_of(ACTIVE, stays, site)]


def test_duty_time_dates_a_facility_by_its_decision() -> None:
    assert states(SiteRecord(BEFORE, ENTERED)) == [(BEFORE, False)]
    assert states(SiteRecord(None, ENTERED)) == [(ENTERED, False)]
    assert states(SiteRecord(ENTERED + DAY, ENTERED)) == [(ENTERED, False)], "it was there when it was entered"
    planned = line((at(2021, 5, 1), place("planned")), (at(2021, 5, 20), place("approved")))
    found = history_of(planned, (), SiteRecord(at(2021, 5, 6), at(2021, 5, 1)))
    assert [(one.start, one.end, one.value.status) for one in found] == [
        (at(2021, 5, 1), at(2021, 5, 6), "planned"),
        (at(2021, 5, 6), FOREVER, "approved"),
    ]


@pytest.mark.parametrize(
    ("papers", "installed_at", "since"),
    [
        ({}, None, BEFORE),
        ({}, at(2021, 5, 9), at(2021, 5, 9)),
        ({"installed_at": (at(2021, 6, 1),)}, None, at(2021, 6, 1)),
        ({"found_at": (at(2021, 5, 8),)}, None, BEFORE),
        ({"found_none_at": (at(2021, 5, 8),)}, None, ENTERED + DAY),
        ({"found_none_at": (at(2021, 5, 8),), "installed_at": (at(2021, 6, 1),)}, None, at(2021, 6, 1)),
    ],
)
def test_duty_time_dates_cameras_by_what_is_on_paper(
    papers: dict[str, Any], installed_at: int | None, since: int
) -> None:
    """The facility was founded in 2020 and entered in 2026, its camera a day later."""
    stay = CameraStay(ENTERED + DAY, FOREVER, installed_at)
    found = states(SiteRecord(BEFORE, ENTERED, **papers), stay)
    assert next(start for start, there in found if there) == since


def test_duty_time_of_a_camera_that_was_moved_begins_where_it_came() -> None:
    stay = CameraStay(ENTERED + DAY, FOREVER, BEFORE, moved=True)
    assert states(SiteRecord(BEFORE, ENTERED), stay) == [(BEFORE, False), (ENTERED + DAY, True)]
