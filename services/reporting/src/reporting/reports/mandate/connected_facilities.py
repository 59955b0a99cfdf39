"""Which facilities were connected in a stretch of time: all cameras that count for ten unbroken minutes, as an
obligation has it.

Most are decided by what a report has anyway, the accounts of their cameras; the history is read for the others alone.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.lives import presumption
from reporting.domain.mandate.connection import SUSTAINED, needed
from reporting.domain.partition import Durations
from reporting.domain.scope import Reason
from reporting.reports.accounts import CameraAccount, Question
from reporting.reports.mandate.connections import first_connected


class Decided(NamedTuple):
    """Facilities that certainly were connected, and those of which the accounts do not decide it."""

    connected: set[UUID]
    open: set[UUID]


async def connected_facilities(
    session: AsyncSession, question: Question, found: Sequence[CameraAccount], areas: Mapping[str, str | None]
) -> set[UUID]:
    """Those that were connected at both centres within the period. `found`: the accounts of all their cameras.
    `areas`: what each camera watches, by its id."""
    decided = await asyncio.to_thread(decide, found, areas)
    if not decided.open:
        return decided.connected
    period = question.period
    grace = presumption(question.presumed_alive_ms, period.end, question.now)
    asked = sorted(decided.open, key=str)
    return decided.connected | set(await first_connected(session, asked, period.end, grace, areas, since=period.start))


def decide(found: Iterable[CameraAccount], areas: Mapping[str, str | None]) -> Decided:
    """Decide by the accounts: connected is a facility whose cameras were all the time, and not one with a camera that
    counted all the time and was connected for less than SUSTAINED."""
    there: dict[UUID, list[tuple[str | None, Durations | None]]] = {}
    for one in found:
        for facility, time in one.places:
            being_connected = any(absence.reason is Reason.BEING_CONNECTED for _, _, absence in one.camera.absences)
            if time.out_of_scope < time.period or being_connected:
                # Of a camera that stood at several places it is not known when it was at which; what is being connected
                # is out of scope, and one of those that have to be connected.
                known = time if len(one.places) == 1 and not being_connected else None
                there.setdefault(facility.id, []).append((areas.get(one.camera.id), known))
    result = Decided(set(), set())
    for facility_id, cameras in there.items():
        times = needed(cameras)
        if all(time is not None and time.compliant == time.period >= SUSTAINED for time in times):
            result.connected.add(facility_id)
        elif not any(time is not None and time.out_of_scope == 0 and time.compliant < SUSTAINED for time in times):
            result.open.add(facility_id)
    return result
