"""Evidence for days that stand in the ledger already: which cameras have to be written anew, and from which day on.

Nearly all facts are of now. Those that are not, or that are dated back, are compared with the day that was announced as
closed; the figures change with them, and what changed is kept (`late_evidence`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.ledger import ORIGIN, Day, day_of, midnight
from reporting.domain.mandate.being_connected import MOST
from reporting.ingest.facts import runs
from reporting.ingest.records import Key
from reporting.storage.availability import after_freezing, evidence, ledger
from reporting.storage.availability.after_freezing import REGISTER
from reporting.storage.history import taken_back_from
from reporting.storage.mandate.being_connected import first_planned
from reporting.storage.tables import same_worker
from vonggac.events import Payload
from vonggac.events.forwarder import CameraMediaObservedV1, DeliveryObservedV1
from vonggac.events.inventory import CameraV1, DestinationV1, FacilityV1, MaintenanceWindowV1, RemovedV1
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1

# When the state of a report began, and that of the one before it ended: after both were chained.
_CLAIMED = text(
    f"""
    select new.camera_id, min(least(coalesce(said.begins_at, said.observed_at), said.first_changed_at)) as since
    from unnest(
        cast(:cameras as uuid[]), cast(:deliveries as uuid[]), cast(:workers as text[]), cast(:sequences as bigint[])
    ) as new (camera_id, delivery_id, worker_id, sequence)
    join delivery_change as said on said.delivery_id = new.delivery_id and {same_worker("said", "new")}
        and said.sequence = new.sequence
    where least(coalesce(said.begins_at, said.observed_at), said.first_changed_at) < :until group by new.camera_id
    """  # noqa: S608 - of our own text
)
# A picture that stands still is reported again and again, each time since it first did.
_REPORTED = text(
    f"""
    select said.camera_id, min(least(said.begins_at, case when not exists (
               select from camera_media as earlier
               where earlier.camera_id = said.camera_id and {same_worker("earlier", "said")}
                 and earlier.sequence < said.sequence and earlier.still_since = said.still_since
                 and said.still_until is null
           ) then least(said.still_since, said.still_until) end,
           case when not exists (
               select from camera_media as earlier
               where earlier.camera_id = said.camera_id and {same_worker("earlier", "said")}
                 and earlier.sequence < said.sequence and earlier.picture_since = said.picture_since
                 and earlier.picture_judged = said.picture_judged
                 and earlier.picture_cause is not distinct from said.picture_cause
           ) then said.picture_since end)) as since
    from unnest(cast(:cameras as uuid[]), cast(:workers as text[]), cast(:sequences as bigint[]))
        as new (camera_id, worker_id, sequence)
    join camera_media as said on said.camera_id = new.camera_id and {same_worker("said", "new")}
        and said.sequence = new.sequence
    group by said.camera_id
    """  # noqa: S608 - of our own text
)


# Since when a revision counts, or since when it shows that others before or after it are missing. The first one of a
# facility or destination counts before it, too.
_SINCE = """
    select said.id, least({since}, greatest(before.changed_at, least(before.unknown_from, after.read_until))) as since
    from unnest(cast(:ids as uuid[]), cast(:revisions as bigint[])) as new (id, revision)
    join {noun} as said using (id, revision)
    left join lateral (
        select changed_at, unknown_from from {noun}
        where id = said.id and revision < said.revision order by revision desc limit 1
    ) as before on true
    left join lateral (
        select read_until from {noun}
        where id = said.id and revision > said.revision order by revision limit 1
    ) as after on true
"""
_FIRST = """
    least(said.valid_from, case when not exists (
        select from {noun} as earlier where earlier.id = said.id and earlier.revision < said.revision
    ) then (select min(valid_from) from {of} where {noun}_id = said.id) end)
"""
_STATED = {
    "camera": text(_SINCE.format(noun="camera", since="said.valid_from")),
    "facility": text(_SINCE.format(noun="facility", since=_FIRST.format(noun="facility", of="camera"))),
    "destination": text(_SINCE.format(noun="destination", since=_FIRST.format(noun="destination", of="delivery"))),
}

_DOWN = text(
    """
    select camera_id, started_at, ends_at, cause from (
        select camera_id, started_at, ends_at, state, cause from camera_run union all
        select camera_id, started_at, ends_at, state, cause from camera_state
    ) as seen
    where camera_id = any(:cameras) and state = 'down' and ends_at > :since and started_at < :until
    """
)
_RECORDED = text(
    """
    select said.noun, min(said.valid_from) as since
    from unnest(cast(:nouns as text[]), cast(:ids as uuid[]), cast(:revisions as bigint[])) as new (noun, id, revision)
    join register_record as said using (noun, id, revision) group by said.noun
    """
)


@dataclass(slots=True)
class Touched:
    """What facts touch before the closed days end, or the newest frozen report does: by camera (None: any) and kind of
    fact, since when."""

    closed: Millis
    frozen: Millis
    since: dict[tuple[UUID | None, str], Millis] = field(default_factory=dict)
    causes: set[tuple[UUID, Day]] = field(default_factory=set)
    """Closed days on which probes now saw another cause of a camera's being down."""
    records: dict[str, Millis] = field(default_factory=dict)
    """The same of the mandate's register, by noun: it is in frozen reports, and in no day's seconds."""

    @property
    def until(self) -> Millis:
        """Facts of later are late for nothing."""
        return max(self.closed, self.frozen)

    def add(self, camera_id: UUID | None, what: str, at: datetime | Millis) -> None:
        instant = millis(at) if isinstance(at, datetime) else at
        if instant < self.until:
            key = camera_id, what
            self.since[key] = min(instant, self.since.get(key, instant))

    @property
    def days(self) -> list[tuple[UUID | None, str, Day]]:
        """The first closed day that each touches, and every one of which a cause changed."""
        found = [(*key, max(ORIGIN, day_of(instant))) for key, instant in self.since.items() if instant < self.closed]
        return [*found, *((camera_id, evidence.CAUSE, day) for camera_id, day in sorted(self.causes))]

    @property
    def reported(self) -> dict[tuple[UUID | None, str], Millis]:
        """What may change a frozen report, and since when."""
        found = dict(self.since)
        found.update(((None, noun), instant) for noun, instant in self.records.items())
        return {key: instant for key, instant in found.items() if instant < self.frozen}


async def begun(session: AsyncSession) -> Touched | None:
    """Nothing touched yet; None while no day is closed and no report frozen. Until the transaction ends, none is."""
    _, closing, frozen = await ledger.state(session, shared=True)
    if closing is None and frozen is None:
        return None
    return Touched(0 if closing is None else midnight(closing), frozen or 0)


async def keep(session: AsyncSession, touched: Touched | None) -> None:
    """Mark what was touched."""
    if touched is not None:
        await evidence.mark(session, touched.days)
        await after_freezing.mark(session, touched.reported)


type DownByCause = Mapping[tuple[UUID, Day], Mapping[str, Millis]]
"""By camera and closed day, how long probes saw it down, by cause."""


async def down_by_cause(session: AsyncSession, touched: Touched | None, facts: Sequence[Payload]) -> DownByCause:
    """Read what is stored of the cameras that late probes among the facts are of, from the earliest of these on.

    To be asked before they are stored, and after: the ledger has no causes of cameras to compare.
    """
    probes = [one for one in facts if isinstance(one, CameraObservedV1)]
    if touched is None:
        return {}
    began: dict[UUID, Millis] = {}
    for one in probes:
        if (at := millis(one.began_at)) < touched.closed:
            began[one.camera_id] = min(at, began.get(one.camera_id, at))
    if not began:
        return {}
    # Until they are stored nobody else changes what was read.
    await runs.lock(session, runs.CAMERAS, {one.camera_id for one in probes})
    since = midnight(max(ORIGIN, day_of(min(began.values()))))
    given = {"cameras": list(began), "since": moment(since), "until": moment(touched.closed)}
    found: dict[tuple[UUID, Day], dict[str, Millis]] = {}
    for row in await session.execute(_DOWN, given):
        start, end = max(millis(row.started_at), since), min(millis(row.ends_at), touched.closed)
        for day in range(day_of(start), day_of(end - 1) + 1):
            length = min(end, midnight(day + 1)) - max(start, midnight(day))
            causes = found.setdefault((row.camera_id, day), {})
            causes[row.cause or ""] = causes.get(row.cause or "", 0) + length
    return found


async def note_observations(
    session: AsyncSession,
    touched: Touched | None,
    facts: Sequence[Payload],
    before: DownByCause,
    proven_since: Mapping[UUID, Millis],
) -> None:
    """Note probes, read-backs, claims and reports that hold before a closed midnight. After they were stored; `before`:
    what `down_by_cause` had found; `proven_since`: since when the facts change what read-backs prove, by delivery."""
    if touched is None:
        return
    after = await down_by_cause(session, touched, facts)
    touched.causes.update(key for key in {**before, **after} if before.get(key) != after.get(key))
    probed: dict[UUID, list[Millis]] = {}
    for fact in facts:
        match fact:
            case CameraObservedV1():
                probed.setdefault(fact.camera_id, []).append(millis(fact.began_at))
            case DeliveryVerifiedV1() | DeliveryObservedV1() if fact.delivery_id in proven_since:
                what = "read_back" if isinstance(fact, DeliveryVerifiedV1) else "claim"
                touched.add(fact.camera_id, what, proven_since[fact.delivery_id])
            case _:
                continue
    await _note_probes(session, touched, probed)
    until = moment(touched.until)
    claims = [one for one in facts if isinstance(one, DeliveryObservedV1) and _earliest(one) < until]
    if claims:
        given = {**_keys(claims), "deliveries": [one.delivery_id for one in claims], "until": until}
        for camera_id, since in await session.execute(_CLAIMED, given):
            touched.add(camera_id, "claim", since)
    reports = [one for one in facts if isinstance(one, CameraMediaObservedV1) and _earliest(one) < until]
    if reports:
        for camera_id, since in await session.execute(_REPORTED, _keys(reports)):
            touched.add(camera_id, "media", since)


async def _note_probes(session: AsyncSession, touched: Touched, probed: Mapping[UUID, Sequence[Millis]]) -> None:
    """Note when probes began, by camera. What shows that a new camera came up changes the time since it was planned."""
    for camera_id, began in probed.items():
        touched.add(camera_id, "probe", min(began))
    near = {camera_id: began for camera_id, began in probed.items() if min(began) - MOST < touched.until}
    if near:
        for camera_id, planned_at in (await first_planned(session, near)).items():
            if any(planned_at < at <= planned_at + MOST for at in near[camera_id]):
                touched.add(camera_id, "probe", planned_at)


def note_disputes(touched: Touched | None, ruled: Mapping[UUID, Millis]) -> None:
    """Note what people said of cameras that repeat, by camera: since when it changes what counts."""
    if touched is not None:
        for camera_id, since in ruled.items():
            touched.add(camera_id, "dispute", since)


def _earliest(fact: Payload) -> datetime:
    return min(value for _, value in fact if isinstance(value, datetime))


def _keys(facts: Sequence[Any]) -> dict[str, Any]:
    return {
        "cameras": [one.camera_id for one in facts],
        "workers": [one.worker_id for one in facts],
        "sequences": [one.sequence for one in facts],
    }


async def note_register(session: AsyncSession, touched: Touched | None, states: Sequence[Payload]) -> None:
    """Note what the register says of times before a closed midnight. After it was stored."""
    if touched is None:
        return
    stated: dict[str, list[Any]] = {}
    for state in states:
        match state:
            case CameraV1():
                stated.setdefault("camera", []).append(state)
            case FacilityV1():
                stated.setdefault("facility", []).append(state)
            case DestinationV1():
                stated.setdefault("destination", []).append(state)
            case RemovedV1() if state.noun in _STATED:
                stated.setdefault(state.noun, []).append(state)
            case MaintenanceWindowV1():
                touched.add(state.camera_id, "maintenance", state.starts_at)
            case _:
                continue
    for noun, versions in stated.items():
        given = {"ids": [one.id for one in versions], "revisions": [one.revision for one in versions]}
        for thing_id, since in await session.execute(_STATED[noun], given):
            touched.add(thing_id if noun == "camera" else None, noun, since)


async def note_records(session: AsyncSession, touched: Touched | None, added: Sequence[Key]) -> None:
    """Note which revisions of the mandate's register are new here and hold before the newest frozen report ends. After
    they were stored."""
    new = [one for one in added if one[0] in REGISTER]
    if touched is None or not touched.frozen or not new:
        return
    nouns, ids, revisions = zip(*new, strict=True)
    given = {"nouns": list(nouns), "ids": list(ids), "revisions": list(revisions)}
    touched.records.update((row.noun, millis(row.since)) for row in await session.execute(_RECORDED, given))


async def note_lives(session: AsyncSession, touched: Touched | None, since: Mapping[str, Millis | None]) -> None:
    """Note that workers watched, or did not, before a closed midnight: by kind of fact, since when. A gap takes back
    what read-backs on both of its sides would prove."""
    if touched is not None:
        for what, instant in since.items():
            if instant is not None:
                touched.add(None, what, await taken_back_from(session, instant) if what == "gap" else instant)
