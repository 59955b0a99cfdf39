"""What a facility was, moment by moment, dated by its papers where it has them: what its duties follow from. Pure.

Instants are milliseconds since 1970.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from vonggac.events.inventory import FacilityStatus

type Millis = int
DAY: Millis = 86_400_000
ZONE: Millis = 7 * 3_600_000
"""A day in the province begins so much earlier than in UTC."""


def start_of_day(at: Millis) -> Millis:
    """Compute the first instant of the day in the province."""
    return (at + ZONE) // DAY * DAY - ZONE


BOUND = frozenset({FacilityStatus.APPROVED.value, FacilityStatus.ACTIVE.value})
"""Facilities that obligations are about: a closed one has none any more (R23), a planned one none yet."""


class Place(NamedTuple):
    """What decides whether an obligation is about a facility. `unit_ids`: its unit, every unit above it, and those that
    they follow: what was owed in a unit that ended is owed in the one that follows it."""

    id: UUID
    type: str
    status: str
    managing_agency_id: UUID
    unit_ids: AbstractSet[UUID]
    has_cameras: bool


class Stretch(NamedTuple):
    """What a facility was in [start, end)."""

    start: Millis
    end: Millis
    value: Place


type History = Sequence[tuple[Millis, Millis, Place]]
"""What a facility was, moment by moment, as far as it is on record; without overlaps, oldest first."""


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


def history_of(versions: History, stays: Sequence[CameraStay], site: SiteRecord) -> list[Stretch]:
    """Date what a facility was by its papers where it has them: founded and equipped before it was entered.

    `versions`: as recorded, whatever their `has_cameras`.
    """
    dated = _from_founding([Stretch(*one) for one in versions], site)
    if not dated:
        return []
    spans = _union(sorted((begin_of(one, site), one.end) for one in stays))
    result: list[Stretch] = []
    for start, end, place in dated:
        cuts = sorted({start, end, *(at for span in spans for at in span if start < at < end)})
        for since, until in pairwise(cuts):
            there = any(begin <= since < finish for begin, finish in spans)
            result.append(Stretch(since, until, place._replace(has_cameras=there)))
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


def _from_founding(versions: Sequence[Stretch], site: SiteRecord) -> list[Stretch]:
    """Extend the first revision in which it is bound: it holds from the day of its decision."""
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
