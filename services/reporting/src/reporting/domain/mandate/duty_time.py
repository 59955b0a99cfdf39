"""Which duties a facility has, and until when, by what held at the directive's day and at the deadline (R05, R06).

A facility is bound by an obligation where it fits it: at the directive's day, or at the deadline. What comes under it
later (its cameras were installed, it was approved, founded, opened again or moved) has a deadline of its own, so many
days after that day as the directive gives, and none where the directive gives none; never one before the others'. What
it no longer fits keeps what was fulfilled while it did. Closed facilities owe nothing (R23).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from reporting.domain.instants import Millis
from reporting.domain.mandate.obligations import BOUND, DAY, Obligation, Place, covers, start_of_day
from reporting.domain.segments import Segment, value_at

type History = Sequence[Segment[Place]]
"""What a facility was, moment by moment, as far as it is on record; without overlaps, oldest first."""


class Duty(NamedTuple):
    """That a facility owes an obligation."""

    due_before: Millis | None
    since: Millis
    """Since when the facility fits it."""
    own: bool
    """Whether the deadline is the facility's own: it came under the obligation after the directive's day."""


def find_duty(
    obligation: Obligation, history: History, directive_day: Millis | None, met_at: Millis | None, now: Millis
) -> Duty | None:
    """The duty of a facility at `now`; None: it has none. `met_at`: when what the obligation needs was there.

    `directive_day`: any instant of that day. Repeated obligations follow what the facility is: they have no day.
    """
    held = value_at(history, now)
    if held is None or held.value.status not in BOUND:
        return None
    due_before = obligation.deadline_at(now)
    if obligation.every_days is not None:
        return Duty(due_before, held.start, False) if covers(obligation, held.value) else None
    ordered_by = None if directive_day is None else start_of_day(directive_day) + DAY
    stretches = list(_stretches(obligation, history, now))
    from_the_start = ordered_by is not None and any(start < ordered_by <= end for start, end in stretches)
    for start, end in stretches:
        duty = _of_stretch(obligation, start, due_before, ordered_by, from_the_start=from_the_start)
        limit = now if duty.due_before is None else min(now, duty.due_before - 1)
        if end > limit or (met_at is not None and start_of_day(met_at) <= end and met_at <= now):
            return duty
    return None


def _of_stretch(
    obligation: Obligation,
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
    days = obligation.due_after_days
    own = None if days is None else start_of_day(start) + (days + 1) * DAY
    if due_before is None or start >= due_before:
        return Duty(own, start, True)
    return Duty(due_before if own is None else max(own, due_before), start, own is not None and own > due_before)


def _stretches(obligation: Obligation, history: History, now: Millis) -> Iterator[tuple[Millis, Millis]]:
    """When the facility fitted the obligation, each as long as it goes without a break; the last may go on."""
    began: Millis | None = None
    until: Millis = 0
    for start, end, place in history:
        if start > now:
            break
        fits = covers(obligation, place)
        if began is not None and (not fits or start > until):
            yield began, until
            began = None
        if fits:
            began, until = start if began is None else began, end
    if began is not None:
        yield began, until


class CameraStay(NamedTuple):
    """A camera at a facility, as the register has it: [start, end), and the day of its installation if it has one."""

    start: Millis
    end: Millis
    installed_at: Millis | None
    moved: bool = False
    """Whether it stood at another facility before."""


class SiteRecord(NamedTuple):
    """What the register knows of a facility beside its revisions."""

    founded_at: Millis | None
    """The day of the decision that founds it."""
    entered_at: Millis
    """When it was first on record."""
    installed_at: tuple[Millis, ...] = ()
    """Days on which proposals were carried out."""
    found_at: tuple[Millis, ...] = ()
    """Days of approved surveys that found cameras."""
    found_none_at: tuple[Millis, ...] = ()
    """Days of approved surveys that found none."""


def history_of(
    versions: Sequence[Segment[Place]], stays: Sequence[CameraStay], site: SiteRecord
) -> list[Segment[Place]]:
    """What a facility was, dated by its papers where it has them: founded and equipped before it was entered.

    `versions`: as recorded, whatever their `has_cameras`.
    """
    dated = _from_founding(versions, site)
    if not dated:
        return []
    spans = _union(sorted((begin_of(one, site), one.end) for one in stays))
    result: list[Segment[Place]] = []
    for start, end, place in dated:
        cuts = sorted({start, end, *(at for span in spans for at in span if start < at < end)})
        for since, until in pairwise(cuts):
            there = any(begin <= since < finish for begin, finish in spans)
            result.append(Segment(since, until, place._replace(has_cameras=there)))
    return result


def begin_of(stay: CameraStay, site: SiteRecord) -> Millis:
    """Since when the camera was there: its own day, that of the proposal that brought it, or of who found it."""
    if stay.moved:
        return stay.start
    if stay.installed_at is not None:
        return stay.installed_at
    brought = [one for one in site.installed_at if one <= stay.start]
    if brought:
        return max(brought)
    none = [one for one in site.found_none_at if one <= stay.start]
    found = [one for one in site.found_at if one <= stay.start]
    if none and (not found or max(none) >= min(found)):
        return stay.start
    if found:
        # They stood there when the team came: since the founding, for all that anybody knows.
        return min(stay.start, min(found) if site.founded_at is None else site.founded_at)
    entered_later = site.founded_at is not None and site.founded_at < site.entered_at
    # A facility that is entered after the fact is entered with what it has.
    return min(stay.start, site.founded_at) if entered_later and site.founded_at is not None else stay.start


def _from_founding(versions: Sequence[Segment[Place]], site: SiteRecord) -> list[Segment[Place]]:
    """The first revision in which it is bound holds from the day of its decision."""
    first = next((number for number, one in enumerate(versions) if one.value.status in BOUND), None)
    if first is None or site.founded_at is None or site.founded_at >= versions[first].start:
        return list(versions)
    before = [one for one in versions[:first] if one.start < site.founded_at]
    if before:
        before[-1] = before[-1]._replace(end=min(before[-1].end, site.founded_at))
    return [*before, versions[first]._replace(start=site.founded_at), *versions[first + 1 :]]


def _union(spans: Sequence[tuple[Millis, Millis]]) -> list[tuple[Millis, Millis]]:
    result: list[tuple[Millis, Millis]] = []
    for start, end in spans:
        if result and start <= result[-1][1]:
            result[-1] = result[-1][0], max(result[-1][1], end)
        elif end > start:
            result.append((start, end))
    return result
