"""Inventory and reporting judge deadlines and inspections by the same rules: each has its own.

Which facilities owe a duty is one rule of the library (`vonggac.mandate`).
"""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from inventory.domain.mandate.deadline import DUE_SOON, DueState, due_state_at, is_in_time
from inventory.domain.mandate.inspection import INSPECT_EVERY_DAYS, next_inspection
from reporting.domain.instants import millis
from reporting.domain.mandate import inspections, obligations
from vonggac.events.inventory import ObligationKind, ObligationStatus

INSTANTS = st.integers(1_600_000_000_000, 1_800_000_000_000).map(lambda at: datetime.fromtimestamp(at / 1000, UTC))


def obligation(**given: Any) -> obligations.Obligation:
    known: dict[str, Any] = {
        "id": UUID(int=9),
        "code": "NV",
        "name": "Nghĩa vụ",
        "kind": ObligationKind.OTHER,
        "directive_id": UUID(int=9),
        "responsible_agency_id": UUID(int=9),
        "status": ObligationStatus.OPEN,
        "deadlines": (),
    }
    return obligations.Obligation(**(known | given))


@given(st.none() | INSTANTS, INSTANTS, INSTANTS)
def test_the_clock_says_the_same_of_a_deadline(due: datetime | None, now: datetime, done_at: datetime) -> None:
    entry = obligations.Deadline(None if due is None else millis(due), 0, None, None, None)
    asked = obligation(deadlines=(entry,), kind=ObligationKind.CONNECTION)
    state = obligations.decide(asked, obligations.NOTHING, millis(now)).state
    assert state.value == due_state_at("open", due, now).value
    assert DUE_SOON.days == obligations.DUE_SOON_DAYS
    found = obligations.Finding(millis(done_at), ())
    state = obligations.decide(asked, found, max(millis(done_at), millis(now))).state
    assert (state.value == DueState.DONE.value) == is_in_time(done_at, due)


@given(st.none() | st.dates(date(2021, 1, 1)), st.dates(date(2021, 1, 1)), st.dates(date(2021, 1, 1)))
def test_an_inspection_is_due_on_the_same_day(last: date | None, since: date, on: date) -> None:
    assume(max(since, last or since).year < 9999)
    assert inspections.INSPECT_EVERY_DAYS == INSPECT_EVERY_DAYS
    assert tuple(inspections.next_inspection(last, since, on)) == tuple(next_inspection(last, since, on))
