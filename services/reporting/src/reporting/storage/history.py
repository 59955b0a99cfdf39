"""What was: the stored lines of cameras and deliveries that touch a period, ready for the domain.

Rows come as arrays of integers, a column each: a province-month is some hundred thousand rows, and one Python object a
row is what it costs.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.claims import ClaimRow
from reporting.domain.evidence.disputes import dated_as_ruled
from reporting.domain.evidence.media import MEMORY, MediaClaim
from reporting.domain.evidence.proven import NO_CAUSE, Proven, found_in
from reporting.domain.evidence.read_backs import Kind, Stretch
from reporting.domain.instants import Millis, millis, moment
from reporting.domain.maintenance import Window, agreed
from reporting.domain.partition import Seen
from reporting.domain.scope import Camera
from reporting.domain.segments import Segment
from reporting.domain.timeline import BY_FORWARDER, CameraState, end_before_loss, within_lives
from reporting.storage.columns import columns
from reporting.storage.lives import NOTHING_LOST, Lost, Watch, load_lost_between_matches, losses_of

# One row of arrays, a column each, for all that is asked for: what carries a row over costs more than what is in it,
# and so does a second statement while a thread computes. There is no join with the ids: once the statement is prepared
# PostgreSQL no longer knows how many they are, and a nested loop over thousands takes minutes. date_part gives a
# double, exact to the millisecond and cheaper than extract's numeric.
_STORED = """
select * from (
    select array_agg(camera_id::text), array_agg((date_part('epoch', started_at) * 1000)::bigint),
           array_agg((date_part('epoch', ends_at) * 1000)::bigint), array_agg(state), array_agg(cause),
           array_agg((date_part('epoch', last_observed_at) * 1000)::bigint)
    from (
        select camera_id, started_at, ends_at, state, cause, last_observed_at from camera_run
        where camera_id = any(cast(%(cameras)s as uuid[])) and ends_at > %(from)s and started_at < %(to)s
        union all
        select camera_id, started_at, ends_at, state, cause, last_observed_at from camera_state
        where camera_id = any(cast(%(cameras)s as uuid[])) and ends_at > %(from)s and started_at < %(to)s
        order by camera_id, started_at
    ) as seen
) as runs, (
    select array_agg(delivery_id::text), array_agg(worker_id),
           array_agg((date_part('epoch', held_since) * 1000)::bigint), array_agg(sequence),
           array_agg((date_part('epoch', observed_at) * 1000)::bigint),
           array_agg((date_part('epoch', begins_at) * 1000)::bigint),
           array_agg((date_part('epoch', ends_at) * 1000)::bigint), array_agg(state), array_agg(cause)
    from (
        select delivery_id, worker_id, held_since, sequence, observed_at, coalesce(begins_at, observed_at) as begins_at,
               ends_at, state, cause
        from delivery_change
        where delivery_id = any(cast(%(deliveries)s as uuid[])) and coalesce(begins_at, observed_at) < %(to)s
          and (ends_at > %(from)s or (ends_at is null and worker_id = any(%(alive)s)))
        order by delivery_id, observed_at, sequence
    ) as said
) as changes, (
    select array_agg(camera_id::text), array_agg(worker_id),
           array_agg((date_part('epoch', held_since) * 1000)::bigint), array_agg(sequence),
           array_agg((date_part('epoch', observed_at) * 1000)::bigint),
           array_agg((date_part('epoch', begins_at) * 1000)::bigint),
           array_agg((date_part('epoch', ends_at) * 1000)::bigint), array_agg(state), array_agg(cause),
           array_agg((date_part('epoch', stopped_at) * 1000)::bigint),
           array_agg((date_part('epoch', still_since) * 1000)::bigint),
           array_agg((date_part('epoch', still_ends_at) * 1000)::bigint), array_agg(still_cause),
           array_agg((date_part('epoch', picture_since) * 1000)::bigint),
           array_agg((date_part('epoch', picture_ends_at) * 1000)::bigint), array_agg(picture_judged),
           array_agg(picture_cause)
    from (
        select * from camera_media
        where camera_id = any(cast(%(cameras)s as uuid[])) and least(begins_at, still_since, picture_since) < %(to)s
          and (greatest(ends_at, still_ends_at, picture_ends_at) > %(reported_from)s
               or (ends_at is null and worker_id = any(%(alive)s)))
        order by camera_id, begins_at, sequence
    ) as reported
) as media
"""
RUN_COLUMNS, CHANGE_COLUMNS = 6, 9

_FROM = """
select delivery_id, begins_at, ends_at, kind, cause, losses_from, firm_at, widest_ms, worker from {table}
where {of} and ends_at > %(from)s and begins_at < %(to)s
"""
_DEMANDED = "delivery_id = any(cast(%(demanded)s as uuid[]))"
_DIFFERS = "kind = 5 and delivery_id = any(cast(%(others)s as uuid[]))"
_STRETCHES = f"""
select array_agg(delivery_id::text), array_agg((date_part('epoch', begins_at) * 1000)::bigint),
       array_agg((date_part('epoch', ends_at) * 1000)::bigint), array_agg(kind), array_agg(cause),
       array_agg((date_part('epoch', losses_from) * 1000)::bigint),
       array_agg((date_part('epoch', firm_at) * 1000)::bigint), array_agg(widest_ms), array_agg(worker)
from ({
    " union all ".join(
        _FROM.format(table=table, of=of)
        for of in (_DEMANDED, _DIFFERS)
        for table in ("read_back_stretch", "delivery_session")
    )
} order by delivery_id, begins_at) as proven
"""  # noqa: S608 - of our own text

_FAILED = """
select array_agg(delivery_id::text), array_agg((date_part('epoch', started_at) * 1000)::bigint),
       array_agg((date_part('epoch', ends_at) * 1000)::bigint), array_agg(cause),
       array_agg((date_part('epoch', last_observed_at) * 1000)::bigint)
from (
    select delivery_id, started_at, ends_at, cause, last_observed_at from read_back_run
    where state = 'down' and delivery_id = any(cast(%(demanded)s as uuid[]))
      and ends_at > %(from)s and started_at < %(to)s
    union all
    select delivery_id, started_at, ends_at, cause, last_observed_at from read_back_state
    where state = 'down' and delivery_id = any(cast(%(demanded)s as uuid[]))
      and ends_at > %(from)s and started_at < %(to)s
    order by delivery_id, started_at
) as failed
"""

_HOLDS_FROM = text("select holds_from from accounting_rule where version = 4")
# A loss takes back what holds only without one, and of what goes on over it up to `widest_ms` on both sides.
_TAKEN_BACK = text(
    """
    select min(case when firm_at > :at then begins_at else :at - widest_ms * interval '1 ms' end) from (
        select begins_at, ends_at, firm_at, widest_ms from read_back_stretch where kind = 6 union all
        select begins_at, ends_at, firm_at, widest_ms from delivery_session where kind = 6
    ) as proven where begins_at < :at and greatest(firm_at, ends_at) > :at
    """
)

_DOWN = text(
    """
    select camera_id::text from camera_media
    where state = 'stopped' and begins_at < :to and (ends_at is null or ends_at > :from)
    union
    select camera_id::text from camera_media
    where still_since is not null and still_since < :to and (still_ends_at is null or still_ends_at > :from)
    union
    select camera_id::text from camera_media
    where picture_since is not null and (not picture_judged or picture_cause is not null)
      and picture_since < :to and (picture_ends_at is null or picture_ends_at > :from)
    union
    select camera_id::text from camera_run where state = 'down' and ends_at > :from and started_at < :to
    union
    select camera_id::text from camera_state where state = 'down' and ends_at > :from and started_at < :to
    """
)

_SITE_FAULTS = text(
    "select facility_id, began_at, ended_at, cause, camera_ids from site_fault "
    "where began_at < :to and (ended_at is null or ended_at > :from) order by began_at desc, facility_id"
)

_SITE_FAULTS_OVER = text(
    "select facility_id, began_at from site_fault where ended_at > :since and ended_at <= :until and began_at < :until"
)

_WINDOWS = text(
    """
    select camera_id, facility_id, starts_at, ends_at, created_at from maintenance_window
    where agreed and starts_at < :to and ends_at > :from
    """
)

_STATES: Mapping[str, CameraState] = {state.value: state for state in CameraState}


class ReadBackRows(NamedTuple):
    """Columns as they were read, the delivery's id first. Rule 4 counts from `since` on."""

    stretches: Sequence[Sequence[Any]] = ()
    failed: Sequence[Sequence[Any]] = ()
    since: Millis = 0
    lost: Lost = NOTHING_LOST


class Stored(NamedTuple):
    """Columns as they were read, the id first. What puts them together takes time: let a thread do it."""

    runs: Sequence[Sequence[Any]]
    changes: Sequence[Sequence[Any]]
    media: Sequence[Sequence[Any]]
    read_backs: ReadBackRows = ReadBackRows()

    @property
    def rows(self) -> int:
        """How many were read, of all kinds."""
        read_backs = self.read_backs.stretches, self.read_backs.failed
        return sum(len(each[0]) for each in (self.runs, self.changes, self.media, *read_backs) if each)

    def lines(self, watch: Watch) -> dict[str, Sequence[Segment[Seen]]]:
        """Build what each camera was seen to be, as far as a prober watched, dated by its forwarder; segments keep
        their true ends."""
        reported = self.reports()
        lines: dict[str, Sequence[Segment[Seen]]] = {}
        for camera_id, rows in _grouped(*self.runs):
            probed = within_lives([_probed(*row) for row in _before_losses(rows, watch)], watch.probing)
            rulings = watch.rulings.get(camera_id, ())
            lines[camera_id] = dated_as_ruled(probed, reported.pop(camera_id, ()), watch.forwarders, rulings)
        for camera_id, claims in reported.items():
            lines[camera_id] = dated_as_ruled((), claims, watch.forwarders, watch.rulings.get(camera_id, ()))
        return lines

    def reports(self) -> dict[str, list[MediaClaim]]:
        """Group what workers reported of each camera's media."""
        return {camera_id: [MediaClaim(*row) for row in rows] for camera_id, rows in _grouped(*self.media)}

    def proven(self, watch: Watch) -> dict[str, Proven]:
        """Find what read-backs prove of each delivery, as far as nothing is lost; of one without any: `unproven`."""
        stretches, failures, since, lost = self.read_backs
        failed = {
            delivery_id: within_lives(
                [Segment(start, end, cause or NO_CAUSE) for start, end, cause, _ in _before_losses(rows, watch)],
                watch.probing,
            )
            for delivery_id, rows in (_grouped(*failures) if failures else ())
        }
        losses = losses_of(watch, lost)
        result = {
            delivery_id: Proven(found_in(map(_stretch, rows), losses), failed.pop(delivery_id, ()), since)
            for delivery_id, rows in (_grouped(*stretches) if stretches else ())
        }
        result |= {delivery_id: Proven((), rows, since) for delivery_id, rows in failed.items()}
        return result

    @property
    def unproven(self) -> Proven:
        """Of a delivery that no read-back speaks of."""
        return Proven(since=self.read_backs.since)

    def claims(self) -> dict[str, list[ClaimRow]]:
        """Group what workers claimed of each delivery."""
        return {delivery_id: list(rows) for delivery_id, rows in _grouped(*self.changes)}


def _stretch(row: tuple[Any, ...]) -> Stretch:
    begins, ends, kind, *rest = row
    return Stretch(begins, ends, Kind(kind), *rest)


def _before_losses(runs: Iterable[Any], watch: Watch) -> Iterable[Any]:
    """Rows that begin with a run's start and end, and end with when it was last seen: as far as no fact was lost."""
    if not watch.lost:
        return runs
    ends = ((row, end_before_loss(row[1], row[-1], watch.lost)) for row in runs)
    return [(row[0], end, *row[2:]) for row, end in ends if end > row[0]]


def _probed(start: Millis, end: Millis, state: str, cause: str | None, last_at: Millis) -> Segment[Seen]:
    by_forwarder = cause == BY_FORWARDER
    seen = Seen(_STATES[state], None if by_forwarder else cause, start, last_at > start, last_at, by_forwarder)
    return Segment(start, end, seen)


async def stored(
    session: AsyncSession,
    cameras: Iterable[object],
    deliveries: Iterable[object],
    start: Millis,
    end: Millis,
    watch: Watch,
) -> Stored:
    """Read what was seen of cameras and claimed of deliveries, given by their ids, that may hold in [start, end)."""
    given = {
        "cameras": _ids(map(str, cameras)),
        "deliveries": _ids(map(str, deliveries)),
        "from": moment(start),
        "reported_from": moment(start - MEMORY),
        "to": moment(end),
        "alive": [name for name, lives in watch.forwarders.items() if lives[-1].end > start - MEMORY],
    }
    found = await columns(session, _STORED, given)
    media = RUN_COLUMNS + CHANGE_COLUMNS
    return Stored(found[:RUN_COLUMNS], found[RUN_COLUMNS:media], found[media:])


def _grouped(ids: Sequence[str], *rest: Sequence[Any]) -> Iterator[tuple[str, Iterator[Any]]]:
    """Rows id by id, out of columns. Those of one id stand together."""
    rows = zip(*rest, strict=True)
    return ((one, islice(rows, count)) for one, count in Counter(ids).items())


async def rule_holds_from(session: AsyncSession) -> Millis:
    """Since when rule 4 counts, 0 where it always has."""
    at = await session.scalar(_HOLDS_FROM)
    return 0 if at is None else millis(at)


async def load_read_backs(
    session: AsyncSession, deliveries: Iterable[str], demanded: Iterable[str], start: Millis, end: Millis, since: Millis
) -> ReadBackRows:
    """Load what read-backs prove of [start, end). `demanded`: the deliveries whose destination demands them, of others
    only what differed is read. `since`: as of `rule_holds_from`."""
    required = set(demanded)
    given = {
        "demanded": _ids(required),
        "others": _ids(one for one in deliveries if one not in required),
        "from": moment(start),
        "to": moment(end),
    }
    stretches = await columns(session, _STRETCHES, given) if end > since else ()
    failed = await columns(session, _FAILED, given) if required and start < since else ()
    lost = await load_lost_between_matches(session, stretches, start, end)
    return ReadBackRows(stretches, failed, since, lost)


async def taken_back_from(session: AsyncSession, at: Millis) -> Millis:
    """Since when accounts may change when it becomes known that facts were lost at that instant, or were not."""
    since = await session.scalar(_TAKEN_BACK, {"at": moment(at)})
    return at if since is None else min(at, millis(since))


def _ids(ids: Iterable[str]) -> str:
    return f"{{{','.join(ids)}}}"


async def camera_lines(
    session: AsyncSession, ids: Sequence[UUID], start: Millis, end: Millis, watch: Watch
) -> dict[UUID, Sequence[Segment[Seen]]]:
    """Read what each camera was seen to be in [start, end), as far as somebody watched."""
    lines = (await stored(session, ids, (), start, end, watch)).lines(watch)
    return {one: lines[name] for one in ids if (name := str(one)) in lines}


async def claims(
    session: AsyncSession, ids: Sequence[UUID], start: Millis, end: Millis, watch: Watch
) -> dict[UUID, list[ClaimRow]]:
    """Read what workers claimed of each delivery that may hold in [start, end)."""
    claimed = (await stored(session, (), ids, start, end, watch)).claims()
    return {one: claimed[name] for one in ids if (name := str(one)) in claimed}


async def cameras_down(session: AsyncSession, start: Millis, end: Millis) -> set[str]:
    """Ids of cameras that may have been down at some moment of [start, end)."""
    return set((await session.execute(_DOWN, {"from": moment(start), "to": moment(end)})).scalars())


async def maintenance(session: AsyncSession, start: Millis, end: Millis) -> dict[str, list[Window]]:
    """Windows that touch [start, end), by the id of their camera or facility."""
    found: dict[str, list[Window]] = {}
    rows: Any = await session.execute(_WINDOWS, {"from": moment(start), "to": moment(end)})
    for row in rows:
        window = Window(millis(row.starts_at), millis(row.ends_at), millis(row.created_at))
        found.setdefault(str(row.camera_id or row.facility_id), []).append(window)
    return found


def maintenance_line(
    windows: Mapping[str, list[Window]], camera_id: UUID | str, facility_id: UUID | str
) -> list[Segment[bool]]:
    """Join the agreed time of one camera: its own windows and its facility's."""
    if not windows:
        return []
    return agreed([*windows.get(str(camera_id), ()), *windows.get(str(facility_id), ())])


def maintenance_of(windows: Mapping[str, list[Window]], camera: Camera) -> list[Segment[bool]]:
    """Join the agreed time of a camera that may have moved: of each piece of its plan, cut to that piece."""
    result: list[Segment[bool]] = []
    for start, end, piece in camera.pieces if windows else ():
        for left, right, _ in maintenance_line(windows, camera.id, piece.facility.id):
            if left < end and right > start:
                result.append(Segment(max(left, start), min(right, end), True))
    return result


class SiteFault(NamedTuple):
    """All cameras of a facility failed alike; `began_at` is when the last of them did, `ended_at` None meanwhile."""

    facility_id: UUID
    began_at: Millis
    ended_at: Millis | None
    cause: str
    camera_ids: frozenset[str]


async def site_faults(session: AsyncSession, start: Millis, end: Millis) -> list[SiteFault]:
    """Those that touch [start, end), newest first."""
    rows = await session.execute(_SITE_FAULTS, {"from": moment(start), "to": moment(end)})
    return [
        SiteFault(
            row.facility_id,
            millis(row.began_at),
            None if row.ended_at is None else millis(row.ended_at),
            row.cause,
            frozenset(map(str, row.camera_ids)),
        )
        for row in rows
    ]


async def site_faults_over(session: AsyncSession, since: Millis, until: Millis) -> list[tuple[UUID, Millis]]:
    """Facility and beginning of those that ended in (since, until]."""
    rows = await session.execute(_SITE_FAULTS_OVER, {"since": moment(since), "until": moment(until)})
    return [(row.facility_id, millis(row.began_at)) for row in rows]
