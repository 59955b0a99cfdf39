"""The outages of a scope's cameras, in portions, with the faults of whole sites that they are part of."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from itertools import batched

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import HOUR, Millis
from reporting.domain.maintenance import Window
from reporting.domain.outages import Outage, outages
from reporting.domain.scope import Camera
from reporting.domain.segments import Period, value_at
from reporting.reports.accounts import PORTION, Question, watch_of
from reporting.storage import history, plan
from reporting.storage.history import SiteFault, Stored
from reporting.storage.lives import Watch

type Found = list[tuple[Camera, Outage]]

LONGEST_CLAIM: Millis = 2 * HOUR
"""A probe claims two intervals, of an hour at most each."""


async def found_outages(
    session: AsyncSession, question: Question, scope: plan.Scope, camera: str | None = None
) -> AsyncGenerator[tuple[Found, list[SiteFault]]]:
    """Portion by portion, in the order of the cameras: outages, each with its camera as it stood when it began, and all
    site faults of the period. `camera`: its id.

    What borders on the period is read, too: whether a second probe failed is no matter of where the period is cut. So
    is the moment before it: an outage may begin where maintenance ends, or where its facility is counted again.
    """
    start, end = question.period
    around, earlier = Period(start - LONGEST_CLAIM, end + LONGEST_CLAIM), Period(start - 1, end)
    cameras = await plan.cameras(session, await plan.places(session, scope, earlier))
    failed = await history.cameras_down(session, start, end)
    wanted = [one for one in cameras if one.id in failed and camera in {None, one.id}]
    watch = await watch_of(session, replace(question, period=around))
    windows = await history.maintenance(session, *earlier)
    faults = await history.site_faults(session, start, end)
    for portion in batched(wanted, PORTION):
        stored = await history.stored(session, [one.id for one in portion], (), *around, watch)
        yield await asyncio.to_thread(_find_outages, question, portion, stored, watch, windows), faults


def _find_outages(
    question: Question,
    portion: Sequence[Camera],
    stored: Stored,
    watch: Watch,
    windows: Mapping[str, list[Window]],
) -> Found:
    seen = stored.lines(watch)
    return [
        (_there(one, outage.start), outage)
        for one in portion
        for outage in outages(
            question.period,
            seen.get(one.id, ()),
            history.maintenance_of(windows, one),
            question.now,
            one.absences,
        )
    ]


def _there(camera: Camera, at: Millis) -> Camera:
    """At the facility, and so in the unit and with the agency, where the outage happened; it may have moved since."""
    stood = value_at(camera.pieces, at)
    return camera if stood is None else camera._replace(facility=stood.value.facility)


def fault_of(camera: Camera, outage: Outage, faults: Sequence[SiteFault]) -> SiteFault | None:
    """Find the site fault that an outage is part of: it lasts when the last of the site's cameras fails."""
    for fault in faults:
        began_in_it = outage.start <= fault.began_at < outage.end or (
            outage.began_before and fault.began_at < outage.end
        )
        if camera.id in fault.camera_ids and began_in_it and (fault.ended_at is None or outage.start < fault.ended_at):
            return fault
    return None
