"""Seeded chaos: what workers and the register may say of some cameras within an hour, and in which order it comes.

Workers die, sleep (also all together) and have clocks that are off; facts come late, doubled, in any order or never;
cameras are added, moved, switched off and removed, facilities closed, destinations changed, maintenance agreed and
cancelled.
"""

import random
from datetime import datetime
from typing import Any
from uuid import UUID

from services.reporting.tests.witness.centres import add_read_backs
from services.reporting.tests.witness.disputing import add_dispute
from services.reporting.tests.witness.forwarders import add_claims, add_media
from services.reporting.tests.witness.storing import lose_facts, set_clock_back, store_facts
from services.reporting.tests.witness.strangers import add_strangers
from services.reporting.tests.witness.world import (
    AFTER,
    BEFORE,
    CAUSES,
    MINUTE,
    OF_THE_PICTURE,
    PERIOD,
    SECOND,
    Worker,
    World,
)

from reporting.domain.instants import moment
from vonggac.events.causes import Cause
from vonggac.events.forwarder import (
    ForwarderAliveV1,
)
from vonggac.events.inventory import (
    CameraV1,
    DestinationRole,
    DestinationV1,
    FacilityStatus,
    FacilityType,
    FacilityV1,
    MaintenanceWindowV1,
    PlannedDelivery,
    RemovedV1,
    RequiredProof,
    UnitV1,
)
from vonggac.events.prober import (
    CameraObservedV1,
    ProbeKind,
    ProberAliveV1,
    SiteObservedV1,
    SiteState,
    Step,
    Verdict,
)

INTERVALS_S = (45, 60, 120)
LONGEST_INTERVAL = max(INTERVALS_S) * SECOND


def world(number: int, start: int, cameras: int) -> World:
    """The same for the same number, whatever else was made before."""
    chance = random.Random(f"world-{number}")
    made = World(number, start, chance, UUID(int=chance.getrandbits(128), version=4))
    made.grid = chance.choice([1, 1, 1, 20 * SECOND])
    pause = _span(made, 20 * SECOND, chance.choice([90 * SECOND, 6 * MINUTE])) if chance.random() < 0.4 else None
    probers = [_worker(made, f"prober-{number}-{name}", pause) for name in "ab"]
    forwarders = [_worker(made, f"forwarder-{number}-{name}", pause) for name in "cd"]
    forwarders[1].says_since = chance.random() < 0.6
    corrected = chance.random() < 0.5
    if corrected and pause is None:
        chance.choice([*probers, *forwarders]).skew = 170 * SECOND
    _heartbeats(made, probers, forwarders)
    facilities, destinations = _places(made), _destinations(made)
    for _ in range(cameras):
        _camera(made, facilities, destinations, probers, forwarders)
    add_strangers(made)
    if corrected:
        store_facts(made, [*probers, *forwarders])
    elif random.Random(f"clock-{number}").random() < 0.6:
        set_clock_back(made)
    lose_facts(made, [*probers, *forwarders])
    made.facts.append(
        SiteObservedV1(
            facility_id=facilities[0],
            state=SiteState.FAILING,
            cause=Cause.ROUTE,
            camera_ids=tuple(made.cameras),
            began_at=moment(made.some_time()),
        )
    )
    chance.shuffle(made.facts)
    return made


def _span(made: World, least: int, most: int) -> tuple[int, int]:
    begins = made.some_time()
    return begins, begins + made.chance.randrange(least, most)


def _worker(made: World, name: str, pause: tuple[int, int] | None) -> Worker:
    chance = made.chance
    holes = [_span(made, 6 * SECOND, 5 * MINUTE) for _ in range(chance.choice([0, 0, 1, 2]))]
    if pause is not None:
        holes.append(pause)
    begins, ends = made.start - BEFORE - MINUTE, made.start + PERIOD + AFTER
    if chance.random() < 0.2:
        ends = made.some_time()
    if chance.random() < 0.2:
        begins = made.some_time()
    lives: list[tuple[int, int]] = []
    at = begins
    for hole, over in sorted(holes):
        if at < hole < ends:
            lives.append((at, hole))
        at = max(at, over)
    if at < ends:
        lives.append((at, ends))
    # A paused machine has one clock: its workers sleep at the same time by what they say, too.
    skew = 0 if pause is not None else chance.choice([0, 0, 0, -180 * SECOND, 170 * SECOND, 1234])
    return Worker(name, skew, lives)


def _heartbeats(made: World, probers: list[Worker], forwarders: list[Worker]) -> None:
    chance = made.chance
    for worker in (*probers, *forwarders):
        for since, until in worker.lives:
            step = 10 * SECOND if not worker.says_since else chance.randrange(MINUTE, 4 * MINUTE)
            beats = {since, *range(since, until, step), chance.randrange(since, until)}
            for beat in sorted(beats):
                at = moment(beat + worker.skew)
                awake_since = moment(since + worker.skew) if worker.says_since else None
                known: dict[str, Any] = {"worker_id": worker.id, "started_at": at, "alive_at": at}
                if worker in probers:
                    made.facts.append(ProberAliveV1(**known, probes_running=0, awake_since=awake_since))
                else:
                    made.facts.append(ForwarderAliveV1(**known, cameras_held=0, awake_since=awake_since))


def _changes(made: World, most: int) -> list[int]:
    """Moments of changes of the register, in order."""
    return sorted({made.some_time(before=2 * MINUTE, after=MINUTE) for _ in range(made.chance.randrange(most + 1))})


def _places(made: World) -> list[UUID]:
    """Three facilities, the last of another unit; one of the others may change its unit."""
    long_ago, chance = moment(made.start - 30 * 24 * 3600 * SECOND), made.chance
    other = made.uuid()
    for unit in (made.unit, other):
        code = f"{made.number}-{str(unit)[:8]}"
        made.register.append(
            UnitV1(id=unit, revision=1, changed_at=long_ago, created_at=long_ago, code=code, name=code)
        )
    facilities = [made.uuid() for _ in range(3)]
    for number, facility in enumerate(facilities):
        state = FacilityV1(
            id=facility,
            revision=1,
            changed_at=long_ago,
            created_at=long_ago,
            code=f"{made.number}-F{number}",
            name="Cơ sở",
            type=FacilityType.SCHOOL,
            status=FacilityStatus.ACTIVE,
            unit_id=other if number == 2 else made.unit,
            managing_agency_id=made.unit,
        )
        made.register.append(state)
        for revision, at in enumerate(_changes(made, 2 if chance.random() < 0.4 else 0), start=2):
            status = chance.choice(list(FacilityStatus))
            unit = other if number == 1 and chance.random() < 0.3 else state.unit_id
            update = {"revision": revision, "changed_at": moment(at), "status": status, "unit_id": unit}
            state = state.model_copy(update=update)
            made.register.append(state)
    return facilities


def _destinations(made: World) -> list[UUID]:
    chance, found = made.chance, []
    for number, role in enumerate((DestinationRole.NATIONAL, DestinationRole.PROVINCIAL, DestinationRole.PROVINCIAL)):
        created = made.start - 30 * 24 * 3600 * SECOND
        state = DestinationV1(
            id=made.uuid(),
            revision=1,
            changed_at=moment(created),
            created_at=moment(created),
            code=f"{made.number}-D{number}",
            name="Trung tâm",
            role=role,
            required_proof=chance.choice(list(RequiredProof)),
            enabled=True,
        )
        made.register.append(state)
        for revision, at in enumerate(_changes(made, 2 if chance.random() < 0.3 else 0), start=2):
            update: dict[str, Any] = {"revision": revision, "changed_at": moment(at)}
            update["required_proof"] = chance.choice(list(RequiredProof))
            update["enabled"] = chance.random() < 0.8
            if chance.random() < 0.2:
                update["role"] = chance.choice(list(DestinationRole))
            state = state.model_copy(update=update)
            made.register.append(state)
        found.append(state.id)
    return found


def _camera(
    made: World, facilities: list[UUID], destinations: list[UUID], probers: list[Worker], forwarders: list[Worker]
) -> None:
    chance = made.chance
    camera_id = made.uuid()
    made.cameras.append(camera_id)
    sent_to = destinations if chance.random() < 0.3 else destinations[: chance.choice([1, 2, 2, 2, 2])]
    planned = tuple(
        PlannedDelivery(id=made.uuid(), destination_id=one, destination_code=str(one)[:4], url="rtsp://10.0.0.1/x")
        for one in sent_to
    )
    created = made.some_time() if chance.random() < 0.2 else made.start - 24 * 3600 * SECOND
    connecting = _connecting_since(made, camera_id)
    if connecting is not None:
        created = made.connecting[camera_id] = connecting
    interval = chance.choice(INTERVALS_S)
    state = CameraV1(
        id=camera_id,
        revision=1,
        changed_at=moment(created + chance.choice([0, 0, 3 * MINUTE])),
        created_at=moment(created),
        code=f"C-{str(camera_id)[:8]}",
        name="Cổng",
        facility_id=chance.choice(facilities[:2]),
        enabled=chance.random() < 0.95,
        url="rtsp://10.1.1.1/x",
        probe_interval_s=interval,
        probe_timeout_s=5,
        deliveries=planned,
    )
    made.register.append(state)
    _camera_changes(made, state, facilities, planned)
    if chance.random() < 0.95:
        _probes(made, camera_id, interval, probers, connecting)
    if chance.random() < 0.8:
        add_media(made, state, forwarders)
    if chance.random() < 0.2:
        add_dispute(made, camera_id)
    for one in planned:
        add_claims(made, camera_id, one, forwarders)
        if chance.random() < 0.9:
            add_read_backs(made, camera_id, one, probers, AFTER)
    for _ in range(chance.choice([0, 0, 1, 2])):
        _maintenance(made, camera_id if chance.random() < 0.7 else None, chance.choice(facilities[:2]))


def _camera_changes(made: World, state: CameraV1, facilities: list[UUID], planned: tuple[PlannedDelivery, ...]) -> None:
    chance = made.chance
    moments = [at for at in _changes(made, 3 if chance.random() < 0.5 else 0) if moment(at) > state.changed_at]
    for revision, at in enumerate(moments, start=2):
        if revision == len(moments) + 1 and chance.random() < 0.2:
            gone = RemovedV1(id=state.id, noun="camera", revision=revision, removed_at=moment(at))
            made.register.append(gone)
            if chance.random() < 0.5:
                _added_again(made, state, at + chance.choice([0, 40 * SECOND]))
            return
        update: dict[str, Any] = {"revision": revision, "changed_at": moment(at)}
        what = chance.choice(["enabled", "facility", "deliveries", "name"])
        if what == "enabled":
            update["enabled"] = not state.enabled
        elif what == "facility":
            update["facility_id"] = chance.choice(facilities)
        elif what == "deliveries":
            kept = [one for one in planned if chance.random() < 0.7]
            update["deliveries"] = tuple(one.model_copy(update={"enabled": chance.random() < 0.8}) for one in kept)
        state = state.model_copy(update=update)
        made.register.append(state)


def _added_again(made: World, state: CameraV1, at: int) -> None:
    """Another camera under the code of one that was removed: what was observed of that one is not of this one."""
    deliveries = tuple(one.model_copy(update={"id": made.uuid()}) for one in state.deliveries)
    made.cameras.append(made.uuid())
    update = {"id": made.cameras[-1], "revision": 1, "created_at": moment(at), "changed_at": moment(at)}
    made.register.append(state.model_copy(update={**update, "deliveries": deliveries}))


OWN_OR_THE_FORWARDERS: tuple[dict[str, Any], ...] = (
    {"kind": ProbeKind.DEEP},
    {"kind": ProbeKind.FORWARDER_KEYFRAME},
    {"kind": ProbeKind.FORWARDER_KEYFRAME},
    {"kind": ProbeKind.LIGHT},
    {"kind": ProbeKind.LIGHT, "steps": (Step(name="forwarder_keyframe", duration_ms=1),)},
)
"""A camera is probed by a session of the prober's own, or by what its forwarder gives."""


def _connecting_since(made: World, camera_id: UUID) -> int | None:
    """Since when the camera is being connected; None of most of them. What is made besides stays as it was."""
    chance = random.Random(f"connecting-{camera_id}")
    return made.some_time_of(chance, before=40 * MINUTE) if chance.random() < 0.2 else None


def _probes(made: World, camera_id: UUID, interval: int, probers: list[Worker], connecting: int | None = None) -> None:
    """Fewer than are kept to be put in their places exactly. `connecting`: since when logins and pictures are wrong."""
    chance, verdict, since = made.chance, Verdict.UP, None
    cause: Cause | None = None
    at = made.start - BEFORE + chance.randrange(interval * SECOND)
    if connecting is not None:
        verdict, cause = Verdict.DOWN, chance.choice([Cause.AUTH_FAILED, Cause.FROZEN])
        if chance.random() < 0.7:
            at = max(at, connecting - interval * SECOND + chance.randrange(2 * interval * SECOND))
    while at < made.start + PERIOD + AFTER:
        if chance.random() < 0.2:
            before, verdict = (
                verdict,
                chance.choice([Verdict.UP, Verdict.UP, Verdict.DOWN, Verdict.DOWN, Verdict.UNKNOWN]),
            )
            since = since if verdict is before else None
            cause = chance.choice((*CAUSES, *OF_THE_PICTURE * 4))
            if verdict is Verdict.UP or (verdict is Verdict.UNKNOWN and chance.random() < 0.5):
                cause = None
        for worker in chance.sample(probers, 2 if chance.random() < 0.05 else 1):
            life = worker.life_at(at)
            if life is None or chance.random() < 0.05:
                continue
            observed_at = moment(at + worker.skew)
            since = min(since or observed_at, observed_at)
            made.facts.append(
                CameraObservedV1(
                    camera_id=camera_id,
                    camera_revision=1,
                    worker_id=worker.id,
                    observed_at=observed_at,
                    verdict=verdict,
                    cause=cause,
                    interval_s=interval,
                    duration_ms=chance.choice([0, 12, 1500, 5000]),
                    awake_since=moment(life[0] + worker.skew),
                    still_since=_still_since(chance, cause, at + worker.skew),
                    since=since if chance.random() < 0.9 else None,
                    **chance.choice(OWN_OR_THE_FORWARDERS),
                )
            )
        on_demand = chance.random() < 0.15
        at += chance.randrange(interval * SECOND) if on_demand else interval * SECOND
        at += chance.choice([0, 0, 7, 1000, 40 * SECOND])


def _still_since(chance: random.Random, cause: Cause | None, at: int) -> datetime | None:
    """Some pictures are frozen by their forwarder's hashes alone."""
    if cause is not Cause.FROZEN or chance.random() < 0.3:
        return None
    return moment(at - chance.randrange(4 * SECOND, 4 * MINUTE))


def _maintenance(made: World, camera_id: UUID | None, facility_id: UUID) -> None:
    starts, ends = _span(made, MINUTE, 15 * MINUTE)
    created = starts - made.chance.choice([1, made.chance.randrange(1, 3600 * SECOND)])
    cancelled = made.chance.randrange(created, ends) if made.chance.random() < 0.3 else None
    window = MaintenanceWindowV1(
        id=made.uuid(),
        revision=1,
        changed_at=moment(created),
        camera_id=camera_id,
        facility_id=None if camera_id is not None else facility_id,
        starts_at=moment(starts),
        ends_at=moment(ends),
        purpose="thay nguồn",
        agreed_by="lead",
        agreed_at=moment(created),
    )
    made.register.append(window)
    if cancelled is not None:
        cut = {"revision": 2, "changed_at": moment(cancelled), "ends_at": moment(max(starts, cancelled))}
        window = window.model_copy(update=cut)
        made.register.append(window)
    made.windows.append(window)
