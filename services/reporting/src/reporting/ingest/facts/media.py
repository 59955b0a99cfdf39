"""What forwarders reported of cameras' media: a row per report, chained per worker.

A report holds from the change that it reports: the first media of a flow, the last one before a stop; for a camera
that never gave any, since it was held. One that tells of no new change holds from when it was made.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import cut
from reporting.storage.tables import same_worker
from vonggac.events import Payload
from vonggac.events.forwarder import CameraMediaObservedV1, MediaState

NOT_YET = timedelta(milliseconds=1)

_INSERT = text(
    """
    insert into camera_media
        (camera_id, worker_id, sequence, held_since, observed_at, state, cause, dated_at, stopped_at, still_since,
         still_until, still_cause, picture_since, picture_judged, picture_cause)
    select * from unnest(
        cast(:camera_ids as uuid[]), cast(:worker_ids as text[]), cast(:sequences as bigint[]),
        cast(:held as timestamptz[]), cast(:observed as timestamptz[]), cast(:states as text[]),
        cast(:causes as text[]), cast(:dated as timestamptz[]), cast(:stopped as timestamptz[]),
        cast(:still_since as timestamptz[]), cast(:still_until as timestamptz[]), cast(:still_causes as text[]),
        cast(:picture_since as timestamptz[]), cast(:picture_judged as boolean[]), cast(:picture_causes as text[])
    ) as new (camera_id, worker_id, sequence, held_since, observed_at, state, cause, dated_at, stopped_at, still_since,
              still_until, still_cause, picture_since, picture_judged, picture_cause)
    order by camera_id, worker_id, sequence
    on conflict do nothing
    returning camera_id, worker_id, sequence
    """
)

# A camera that comes and goes gives one worker a hundred thousand reports. New ones (`least` to `most`) change the
# chain from the report before them to the one behind: these are chained anew, in sight of one more on each side, which
# stays. The limit tells the planner that few rows come from the index, also where a camera has most of the table.
_CHAIN = text(
    f"""
    with around as materialized (
        select camera_id, worker_id,
               coalesce((before.seen)[1], least) as first, coalesce((behind.seen)[1], most) as last,
               coalesce((before.seen)[2], (before.seen)[1], least) as seen_from,
               coalesce((behind.seen)[2], (behind.seen)[1], most) as seen_to
        from unnest(
            cast(:camera_ids as uuid[]), cast(:worker_ids as text[]), cast(:least as bigint[]), cast(:most as bigint[])
        ) as new (camera_id, worker_id, least, most)
        cross join lateral (
            select array(
                select sequence from camera_media as said
                where said.camera_id = new.camera_id and {same_worker("said", "new")} and sequence < least
                order by sequence desc limit 2
            ) as seen
        ) as before
        cross join lateral (
            select array(
                select sequence from camera_media as said
                where said.camera_id = new.camera_id and {same_worker("said", "new")} and sequence > most
                order by sequence limit 2
            ) as seen
        ) as behind
    ), chained as (
        select place, sequence, first, last, begins_at, lead(begins_at) over chain as ends_at,
               coalesce(still_until, case when lead(still_since) over chain = still_since
                   then coalesce(lead(still_until) over chain, lead(observed_at) over chain)
                   else lead(observed_at) over chain end) as still_ends_at,
               case when lead(picture_since) over chain <> picture_since
                    then greatest(picture_since, lead(picture_since) over chain)
                    when picture_since is not null then lead(observed_at) over chain end as picture_ends_at
        from (
            select camera_id, worker_id, first, last, place, sequence, observed_at, still_since, still_until,
                   picture_since,
                   case when dated_at <= lag(dated_at) over (partition by camera_id, worker_id order by sequence)
                        then observed_at else dated_at end as begins_at
            from around cross join lateral (
                select ctid as place, sequence, observed_at, dated_at, still_since, still_until, picture_since
                from camera_media as said
                where said.camera_id = around.camera_id and {same_worker("said", "around")}
                  and sequence between seen_from and seen_to
                order by sequence limit seen_to - seen_from + 1
            ) as seen
        ) as begun
        window chain as (partition by camera_id, worker_id order by sequence)
    )
    update camera_media as said
    set begins_at = chained.begins_at, ends_at = chained.ends_at, still_ends_at = chained.still_ends_at,
        picture_ends_at = chained.picture_ends_at
    from chained
    where said.ctid = chained.place and chained.sequence between chained.first and chained.last
      and (said.begins_at, said.ends_at, said.still_ends_at, said.picture_ends_at)
          is distinct from (chained.begins_at, chained.ends_at, chained.still_ends_at, chained.picture_ends_at)
    """  # noqa: S608 - of our own text
)

_LOCK = text(
    "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(id::text, 1743) as key "
    "from unnest(cast(:camera_ids as uuid[])) as id order by key) as locks"
)


async def record(session: AsyncSession, facts: Iterable[Payload]) -> None:
    """Store the reports among `facts`, in any order."""
    reports = {
        (one.camera_id, one.worker_id, one.sequence): one for one in facts if isinstance(one, CameraMediaObservedV1)
    }
    if not reports:
        return
    ordered = list(reports.values())
    await session.execute(_LOCK, {"camera_ids": sorted({one.camera_id for one in ordered})})
    added: dict[tuple[UUID, str], list[int]] = {}
    for camera_id, worker_id, sequence in await session.execute(_INSERT, _columns(ordered)):
        added.setdefault((camera_id, worker_id), []).append(sequence)
    if added:
        await session.execute(_CHAIN, _stretches(added))


def dated_at(report: CameraMediaObservedV1) -> datetime:
    """When the reported change was; never after it was made."""
    match report.state:
        case MediaState.FLOWING:
            found = report.media_since
        case MediaState.STOPPED if report.media_stopped_at is None and report.cause is None:
            # Not tried yet: what the first attempt finds is dated to the beginning of the holding, which is later.
            found = report.held_since - NOT_YET
        case MediaState.STOPPED:
            found = report.media_stopped_at or report.held_since
        case MediaState.RELEASED:
            found = None
    return min(found or report.observed_at, report.observed_at)


def _columns(reports: Sequence[CameraMediaObservedV1]) -> dict[str, list[object]]:
    return {
        "camera_ids": [one.camera_id for one in reports],
        "worker_ids": [one.worker_id for one in reports],
        "sequences": [one.sequence for one in reports],
        "held": [cut(min(one.held_since, one.observed_at)) for one in reports],
        "observed": [cut(one.observed_at) for one in reports],
        "states": [one.state.value for one in reports],
        "causes": [one.cause.value if one.cause else None for one in reports],
        "dated": [cut(dated_at(one)) for one in reports],
        "stopped": [_cut(one.media_stopped_at) for one in reports],
        "still_since": [_cut(one.still_since) for one in reports],
        "still_until": [_cut(one.still_until) for one in reports],
        "still_causes": [one.still_cause.value if one.still_cause else None for one in reports],
        "picture_since": [
            None if one.picture_since is None else cut(min(one.picture_since, one.observed_at)) for one in reports
        ],
        "picture_judged": [one.picture_judged for one in reports],
        "picture_causes": [one.picture_cause.value if one.picture_cause else None for one in reports],
    }


def _cut(at: datetime | None) -> datetime | None:
    return None if at is None else cut(at)


def _stretches(added: Mapping[tuple[UUID, str], Sequence[int]]) -> dict[str, list[object]]:
    ordered = sorted(added)
    return {
        "camera_ids": [key[0] for key in ordered],
        "worker_ids": [key[1] for key in ordered],
        "least": [min(added[key]) for key in ordered],
        "most": [max(added[key]) for key in ordered],
    }
