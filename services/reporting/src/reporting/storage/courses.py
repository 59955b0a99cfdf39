"""What was: the stored lines of cameras and deliveries that touch a period, ready for the domain.

Rows come grouped per camera and delivery as arrays of integers: a province-month is some hundred thousand rows, and
one Python object a row is what it costs.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.compliance import Seen
from reporting.domain.deliveries import ClaimRow
from reporting.domain.instants import Millis, millis, moment
from reporting.domain.maintenance import Window, agreed
from reporting.domain.segments import Segment
from reporting.domain.timeline import CameraState

_RUNS = text(
    """
    select camera_id, array_agg((extract(epoch from started_at) * 1000)::bigint) as starts,
           array_agg((extract(epoch from ends_at) * 1000)::bigint) as ends,
           array_agg(state) as states, array_agg(cause) as causes
    from (
        select camera_id, started_at, ends_at, state, cause from camera_run
        where camera_id = any(:ids) and ends_at > :from and started_at < :to
        union all
        select camera_id, started_at, ends_at, state, cause from camera_state
        where camera_id = any(:ids) and ends_at > :from and started_at < :to
        order by camera_id, started_at
    ) as runs
    group by camera_id
    """
)

_DOWN = text(
    """
    select camera_id from camera_run where state = 'down' and ends_at > :from and started_at < :to
    union
    select camera_id from camera_state where state = 'down' and ends_at > :from and started_at < :to
    """
)

_CHANGES = text(
    """
    select delivery_id, array_agg(worker_id), array_agg(held_since), array_agg(sequence), array_agg(observed_at),
           array_agg(ends_at), array_agg(state), array_agg(cause)
    from (
        select delivery_id, worker_id, sequence, state, cause,
               (extract(epoch from held_since) * 1000)::bigint as held_since,
               (extract(epoch from observed_at) * 1000)::bigint as observed_at,
               (extract(epoch from ends_at) * 1000)::bigint as ends_at
        from delivery_change
        where delivery_id = any(:ids) and delivery_change.observed_at < :to
          and (delivery_change.ends_at > :from or (delivery_change.ends_at is null and worker_id = any(:alive)))
        order by delivery_id, observed_at, sequence
    ) as said
    group by delivery_id
    """
)

_WINDOWS = text(
    """
    select camera_id, facility_id, starts_at, ends_at, created_at from maintenance_window
    where starts_at < :to and ends_at > :from
    """
)

_STATES: Mapping[str, CameraState] = {state.value: state for state in CameraState}


async def camera_lines(
    session: AsyncSession, ids: Sequence[UUID], start: Millis, end: Millis
) -> dict[UUID, list[Segment[Seen]]]:
    """What each camera was seen to be in [start, end); the segments keep their true ends."""
    rows = await session.execute(_RUNS, {"ids": list(ids), "from": moment(start), "to": moment(end)})
    return {
        row.camera_id: [
            Segment(begin, until, Seen(_STATES[state], cause, begin))
            for begin, until, state, cause in zip(row.starts, row.ends, row.states, row.causes, strict=True)
        ]
        for row in rows
    }


async def cameras_down(session: AsyncSession, start: Millis, end: Millis) -> set[UUID]:
    """Cameras that were down at some moment of [start, end)."""
    return set((await session.execute(_DOWN, {"from": moment(start), "to": moment(end)})).scalars())


async def claims(
    session: AsyncSession, ids: Sequence[UUID], start: Millis, end: Millis, alive_until: Mapping[str, Millis]
) -> dict[UUID, list[ClaimRow]]:
    """What workers claimed of each delivery that may hold in [start, end)."""
    alive = [name for name, until in alive_until.items() if until > start]
    given = {"ids": list(ids), "from": moment(start), "to": moment(end), "alive": alive}
    return {
        delivery_id: list(zip(*columns, strict=True))
        for delivery_id, *columns in await session.execute(_CHANGES, given)
    }


async def maintenance(session: AsyncSession, start: Millis, end: Millis) -> dict[UUID, list[Window]]:
    """Windows that touch [start, end), by the id of their camera or facility."""
    found: dict[UUID, list[Window]] = {}
    rows: Any = await session.execute(_WINDOWS, {"from": moment(start), "to": moment(end)})
    for row in rows:
        window = Window(millis(row.starts_at), millis(row.ends_at), millis(row.created_at))
        found.setdefault(row.camera_id or row.facility_id, []).append(window)
    return found


def maintenance_line(windows: Mapping[UUID, list[Window]], camera_id: UUID, facility_id: UUID) -> list[Segment[bool]]:
    """The agreed time of one camera: its own windows and its facility's."""
    if not windows:
        return []
    return agreed([*windows.get(camera_id, ()), *windows.get(facility_id, ())])
