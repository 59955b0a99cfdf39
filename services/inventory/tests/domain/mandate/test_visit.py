"""Visits: nobody enters before briefing and acknowledgement; planned against actual."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from inventory.domain.days import VIETNAM
from inventory.domain.mandate.visit import MACHINE, Load, VisitFields, guards_met, workload
from vonggac.events.inventory import VisitStatus as Status

MORNING = datetime(2021, 5, 8, 8, tzinfo=VIETNAM)
TEAM = uuid4()
SAFE = {
    "briefed_by": "Trưởng khu cách ly",
    "briefed_at": MORNING.isoformat(),
    "rules_acknowledged": ["BCĐ Quốc gia 2021-05-05"],
    "health_declared": True,
}
INSIDE = SAFE | {"entered_at": (MORNING + timedelta(minutes=10)).isoformat()}


def visit(**given: Any) -> VisitFields:
    body = {
        "facility_id": str(uuid4()),
        "team_id": str(TEAM),
        "purpose": "survey",
        "planned_from": MORNING.isoformat(),
        "planned_to": (MORNING + timedelta(hours=2)).isoformat(),
    }
    return VisitFields.model_validate(body | given)


def test_a_visit_begins_once_its_team_is_briefed_has_acknowledged_and_declared() -> None:
    assert MACHINE.check(Status.PLANNED, Status.IN_PROGRESS, guards_met(visit(**SAFE), None)) is None


@pytest.mark.parametrize(
    ("left_out", "says"),
    [
        (("briefed_by", "briefed_at"), "briefed the team"),
        (("rules_acknowledged",), "acknowledged at least one rule set"),
        (("health_declared",), "declared its health"),
    ],
)
def test_each_step_of_safety_that_is_missing_blocks_and_is_named(left_out: tuple[str, ...], says: str) -> None:
    unsafe = visit(**{name: value for name, value in SAFE.items() if name not in left_out})
    refusal = MACHINE.check(Status.PLANNED, Status.IN_PROGRESS, guards_met(unsafe, "vội"))
    assert refusal is not None
    assert len(refusal.missing) == 1
    assert says in refusal.detail


def test_a_remote_survey_needs_the_acknowledgement_alone() -> None:
    acknowledged = guards_met(visit(remote=True, rules_acknowledged=["BCĐ tỉnh 1"]), None)
    assert MACHINE.check(Status.PLANNED, Status.IN_PROGRESS, acknowledged) is None
    refusal = MACHINE.check(Status.PLANNED, Status.IN_PROGRESS, guards_met(visit(remote=True), None))
    assert refusal is not None
    assert "acknowledged at least one rule set" in refusal.detail


def test_a_visit_is_done_once_the_team_has_left_and_its_tools_are_disinfected() -> None:
    left = INSIDE | {"left_at": (MORNING + timedelta(hours=1)).isoformat()}
    assert MACHINE.check(Status.IN_PROGRESS, Status.DONE, guards_met(visit(**INSIDE), None)) is not None
    assert MACHINE.check(Status.IN_PROGRESS, Status.DONE, guards_met(visit(**left), None)) is not None
    done = guards_met(visit(**left, tools_disinfected=True), None)
    assert MACHINE.check(Status.IN_PROGRESS, Status.DONE, done) is None


def test_an_obstruction_is_written_down() -> None:
    assert MACHINE.check(Status.PLANNED, Status.OBSTRUCTED, guards_met(visit(), None)) is not None
    met = guards_met(visit(obstruction="Cổng khóa, không ai đón"), None)
    assert MACHINE.check(Status.PLANNED, Status.OBSTRUCTED, met) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"planned_to": (MORNING - timedelta(hours=1)).isoformat()}, "planned_to must not be before"),
        (INSIDE | {"left_at": MORNING.isoformat()}, "left_at must not be before"),
        (
            SAFE | {"entered_at": (MORNING - timedelta(minutes=1)).isoformat()},
            "must not be before briefed_at",
        ),
        ({"left_at": MORNING.isoformat()}, "left_at needs entered_at"),
        ({"briefed_by": "Trưởng khu"}, "go together"),
        ({"protection": ["umbrella"]}, "protection"),
        ({"temperature": 36.6}, "temperature"),
        ({"planned_from": "2021-05-08T08:00:00"}, "planned_from"),
    ],
)
def test_a_visit_that_cannot_be_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        visit(**given)


def test_the_workload_is_planned_and_actual_per_team_and_day_of_the_province() -> None:
    class Kept:
        def __init__(self, hours: int, status: Status) -> None:
            self.team_id, self.planned_from, self.status = TEAM, MORNING + timedelta(hours=hours), status

    visits = [Kept(0, Status.DONE), Kept(3, Status.OBSTRUCTED), Kept(15, Status.CANCELLED), Kept(16, Status.PLANNED)]
    assert workload(visits) == {
        (TEAM, date(2021, 5, 8)): Load(planned=3, done=1, obstructed=1, cancelled=1),
        (TEAM, date(2021, 5, 9)): Load(planned=1, done=0, obstructed=0, cancelled=0),
    }
