"""Deadlines: an instant strictly before which something is done; data with history, never a constant.

"Trước ngày 10/5/2021" is until 09/5/2021 24:00 in Asia/Ho_Chi_Minh, so the instant is 10/5/2021 00:00 and whoever
is done at that instant is late.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from inventory.domain.days import start_of
from inventory.domain.fields import Fields, Line
from inventory.domain.strictness import check_year

DUE_SOON = timedelta(days=3)
"""Before a deadline, unless the question says otherwise."""


class DueState(StrEnum):
    """How a duty stands at an instant; the last three are final."""

    OPEN = "open"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    DONE = "done"
    DONE_LATE = "done_late"
    WAIVED = "waived"


def _day_as_instant(value: Any) -> Any:
    """Convert a plain day to its first instant; it means: before that day."""
    if isinstance(value, str) and len(value) == len("2021-05-10"):
        value = date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        # Before it moves to another zone: there the first year of all has no such instant.
        return start_of(check_year(value))
    if isinstance(value, int | float):
        msg = "a deadline is a day or an instant with its zone, e.g. 2021-05-10 or 2021-05-10T00:00:00+07:00"
        raise ValueError(msg)  # pydantic reports a ValueError as a mistake of the field
    return value


type DueBefore = Annotated[
    AwareDatetime,
    BeforeValidator(_day_as_instant),
    Field(
        description="On time is strictly before this instant. A plain day D ('trước ngày D') is 00:00 of D.",
        examples=["2021-05-10T00:00:00+07:00"],
    ),
]


type Instant = Annotated[AwareDatetime, BeforeValidator(_day_as_instant)]
"""An instant with its zone; a plain day is 00:00 of it in Asia/Ho_Chi_Minh."""


class NewDeadline(Fields):
    """The next entry of a deadline; `null` for none."""

    due_before: DueBefore | None
    reason: Line
    directive_id: UUID | None = Field(default=None, description="The directive that sets it.")


class Deadline(BaseModel):
    """One entry: what it was set to, when, by whom and why. No entry is ever changed."""

    model_config = ConfigDict(frozen=True)

    due_before: AwareDatetime | None
    set_at: AwareDatetime
    set_by: str
    reason: str | None = None
    directive_id: UUID | None = None


def deadline_at(deadlines: Sequence[Deadline], instant: datetime) -> Deadline | None:
    """Find the entry that held at `instant`; None before the first."""
    held = [one for one in deadlines if one.set_at <= instant]
    return held[-1] if held else None


def is_in_time(completed_at: datetime, due_before: datetime | None) -> bool:
    """Whether it was done before its deadline; without one, nothing is late."""
    return due_before is None or completed_at < due_before


def due_state_at(
    status: str, due_before: datetime | None, now: datetime, *, due_soon: timedelta = DUE_SOON
) -> DueState:
    """How a duty with this status stands at `now`: what is open is due soon or overdue by the clock alone."""
    if status != DueState.OPEN:
        return DueState(status)
    if due_before is None or now < due_before - due_soon:
        return DueState.OPEN
    return DueState.DUE_SOON if now < due_before else DueState.OVERDUE
