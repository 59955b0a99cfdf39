"""Which duties a facility has, and until when, by what held at the directive's day and at the deadline (R05, R06).

A facility is bound by an obligation where it fits it: at the directive's day, or at the deadline. What comes under it
later (its cameras were installed, it was approved, founded, opened again or moved) has a deadline of its own, so many
days after that day as the directive gives, and none where the directive gives none; never one before the others'. What
it no longer fits keeps what was fulfilled while it did. Closed facilities owe nothing (R23).

Pure: inventory's list of what is due and every report of reporting read it. Instants are milliseconds since 1970.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple, Protocol
from uuid import UUID

from vonggac.mandate.facility_history import BOUND, DAY, History, Millis, Place, start_of_day


class Rule(Protocol):
    """Which facilities an obligation is about, and what deadline those have that come under it later."""

    @property
    def facility_ids(self) -> Collection[UUID]: ...
    @property
    def facility_types(self) -> Collection[str]: ...
    @property
    def managing_agency_id(self) -> UUID | None: ...
    @property
    def unit_id(self) -> UUID | None: ...
    @property
    def with_cameras(self) -> bool | None: ...
    @property
    def every_days(self) -> int | None: ...
    @property
    def due_after_days(self) -> int | None: ...


def covers(rule: Rule, place: Place) -> bool:
    """Whether the obligation is about the facility."""
    if place.status not in BOUND:
        return False
    if rule.facility_ids:
        return place.id in rule.facility_ids
    return (
        (not rule.facility_types or place.type in rule.facility_types)
        and rule.managing_agency_id in {None, place.managing_agency_id}
        and (rule.unit_id is None or rule.unit_id in place.unit_ids)
        and rule.with_cameras in {None, place.has_cameras}
    )


class Duty(NamedTuple):
    """That a facility owes an obligation."""

    due_before: Millis | None
    since: Millis
    """Since when the facility fits it."""
    own: bool
    """Whether the deadline is the facility's own: it came under the obligation after the directive's day."""


def find_duty(
    rule: Rule,
    due_before: Millis | None,
    history: History,
    *,
    directive_day: Millis | None,
    met_at: Millis | None,
    now: Millis,
) -> Duty | None:
    """Find the duty of a facility at `now`; None: it has none.

    `due_before`: the deadline of all that held then. `directive_day`: any instant of that day. `met_at`: when what the
    obligation needs was there. Repeated obligations follow what the facility is: they have no day.
    """
    held = next((one for one in history if one[0] <= now < one[1]), None)
    if held is None or held[2].status not in BOUND:
        return None
    if rule.every_days is not None:
        return Duty(due_before, held[0], False) if covers(rule, held[2]) else None
    ordered_by = None if directive_day is None else start_of_day(directive_day) + DAY
    stretches = list(_stretches(rule, history, now))
    from_the_start = ordered_by is not None and any(start < ordered_by <= end for start, end in stretches)
    for start, end in stretches:
        duty = _of_stretch(rule, start, due_before, ordered_by, from_the_start=from_the_start)
        limit = now if duty.due_before is None else min(now, duty.due_before - 1)
        if end > limit or (met_at is not None and start_of_day(met_at) <= end and met_at <= now):
            return duty
    return None


def _of_stretch(
    rule: Rule,
    start: Millis,
    due_before: Millis | None,
    ordered_by: Millis | None,
    *,
    from_the_start: bool,
) -> Duty:
    """`from_the_start`: it fitted the obligation at the directive's day, and comes back before the deadline."""
    if ordered_by is not None and start < ordered_by:
        return Duty(due_before, start, False)
    back_in_time = from_the_start and due_before is not None and start < due_before
    if back_in_time:
        return Duty(due_before, start, False)
    days = rule.due_after_days
    own = None if days is None else start_of_day(start) + (days + 1) * DAY
    if due_before is None or start >= due_before:
        return Duty(own, start, True)
    return Duty(due_before if own is None else max(own, due_before), start, own is not None and own > due_before)


def _stretches(rule: Rule, history: History, now: Millis) -> Iterator[tuple[Millis, Millis]]:
    """When the facility fitted the obligation, each as long as it goes without a break; the last may go on."""
    began: Millis | None = None
    until: Millis = 0
    for start, end, place in history:
        if start > now:
            break
        fits = covers(rule, place)
        if began is not None and (not fits or start > until):
            yield began, until
            began = None
        if fits:
            began, until = start if began is None else began, end
    if began is not None:
        yield began, until
