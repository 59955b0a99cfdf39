"""When each active facility is to be inspected next (R24)."""

from datetime import date
from typing import NamedTuple

from reporting.domain.mandate.inspections import INSPECT_EVERY_DAYS, next_inspection
from reporting.domain.mandate.obligations import Obligation
from reporting.domain.scope import Facility
from reporting.reports.mandate.findings import Facts, day_of
from reporting.reports.mandate.obligations import obligation_of
from reporting.reports.mandate.situation import FacilityThen, Situation
from vonggac.events.inventory import ObligationKind, ObligationStatus
from vonggac.mandate.duty_time import covers

NOUNS = ("agency", "inspection", "obligation", "unit")
"""What is read of the register."""


class InspectionDue(NamedTuple):
    """Of one facility. `last_on` None: it was never inspected; then it counts from its first active day."""

    facility: Facility
    last_on: date | None
    open_findings: int
    every_days: int
    due_on: date
    overdue_days: int


def inspections_due(situation: Situation) -> list[InspectionDue]:
    """Every active facility at the instant, by the day that is due, then by its code."""
    facts = Facts.gather(situation, {})
    known = [obligation_of(one) for one in situation.records.at("obligation", situation.at)]
    ordered = [
        one
        for one in known
        if one.kind is ObligationKind.INSPECTION and one.status is ObligationStatus.OPEN and one.every_days is not None
    ]
    rows = [_row(facts, then, ordered) for then in situation.facilities if then.active_since is not None]
    return sorted(rows, key=lambda row: (row.due_on, row.facility.code, str(row.facility.id)))


def _row(facts: Facts, then: FacilityThen, ordered: list[Obligation]) -> InspectionDue:
    assert then.active_since is not None, "only of active facilities"
    intervals = [one.every_days for one in ordered if one.every_days is not None and covers(one, then.place)]
    every_days = min(intervals, default=INSPECT_EVERY_DAYS)
    last = facts.last_inspection(then.facility.id)
    last_on = None if last is None else date.fromisoformat(last.state["inspected_on"])
    due = next_inspection(last_on, day_of(then.active_since), day_of(facts.situation.at), every_days=every_days)
    found = 0 if last is None else last.state["open_findings"]
    return InspectionDue(then.facility, last_on, found, every_days, due.due_on, due.overdue_days)
