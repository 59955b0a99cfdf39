"""What forwarders say of deliveries and cameras: contending holders; changes dated back, summed or doubled."""

import random
from datetime import datetime
from typing import Any
from uuid import UUID

from services.reporting.tests.witness.world import BEFORE, CAUSES, MINUTE, SECOND, Worker, World

from reporting.domain.instants import moment
from vonggac.events.causes import Cause
from vonggac.events.forwarder import CameraMediaObservedV1, DeliveryObservedV1, DeliveryState, MediaState, PictureSign
from vonggac.events.inventory import CameraV1, PlannedDelivery

GOOD = (DeliveryState.ACKNOWLEDGED, DeliveryState.VERIFIED, DeliveryState.MISMATCH)
BAD = (
    DeliveryState.WAITING_FOR_CAMERA,
    DeliveryState.CONNECTING,
    DeliveryState.SENDING,
    DeliveryState.STALLED,
    DeliveryState.BACKING_OFF,
    DeliveryState.REFUSED,
    DeliveryState.STOPPED,
    DeliveryState.RELEASED,
)


def add_claims(made: World, camera_id: UUID, planned: PlannedDelivery, forwarders: list[Worker]) -> None:
    """One holder or two that contend; most say their state anew after a hole, some do not."""
    chance = made.chance
    for worker in chance.sample(forwarders, chance.choice([1, 1, 2])):
        moments = {made.some_time() for _ in range(chance.randrange(1, 7))}
        moments.add(made.start - BEFORE + chance.randrange(MINUTE))
        if chance.random() < 0.7:
            moments.update(since + 1 for since, _ in worker.lives)
        held_since: datetime | None = None
        # One that seldom fails: its sessions last.
        good = chance.choice([0.6, 0.6, 0.9, 1.0])
        for sequence, at in enumerate(sorted(moments), start=1):
            if held_since is None or chance.random() < 0.15:
                # Now and then nonsense: it holds from later on than it says so.
                held_since = moment(at + worker.skew + chance.choice([*[0] * 9, 40 * MINUTE]))
            state = chance.choice(GOOD) if chance.random() < good else chance.choice(BAD)
            changes = chance.choice([1, 1, 1, 1, 2, 3])
            first_at = at - chance.choice([0, 300, 900])
            acknowledged = None if chance.random() < 0.3 else moment(at + worker.skew - chance.choice([0, 400, 7000]))
            made.facts.append(
                DeliveryObservedV1(
                    delivery_id=planned.id,
                    camera_id=camera_id,
                    destination_id=planned.destination_id,
                    camera_revision=1,
                    worker_id=worker.id,
                    held_since=held_since,
                    sequence=sequence,
                    observed_at=moment(at + worker.skew),
                    state=state,
                    cause=None if state in GOOD else chance.choice([None, *CAUSES]),
                    last_acknowledged_at=acknowledged,
                    changes=changes,
                    first_changed_at=moment(first_at + worker.skew) if changes > 1 else None,
                )
            )


def add_media(made: World, camera: CameraV1, forwarders: list[Worker]) -> None:
    """What one holder or two say of the camera's media: some changes twice, some not at all."""
    chance = made.chance
    for worker in chance.sample(forwarders, chance.choice([1, 1, 2])):
        moments = {made.some_time() for _ in range(chance.randrange(1, 9))}
        moments.add(made.start - BEFORE + chance.randrange(MINUTE))
        if chance.random() < 0.7:
            moments.update(since + 1 for since, _ in worker.lives)
        held_since, known = moment(min(moments) + worker.skew), dict[str, Any]()
        changed_at = moment(0)
        for sequence, at in enumerate(sorted(moments), start=1):
            seen_at = at + worker.skew
            if chance.random() < 0.1:
                held_since, known = moment(seen_at - chance.randrange(3 * SECOND)), {}
            news = _media_change(chance, seen_at)
            known |= news
            if news.get("picture_sign") is PictureSign.JUDGED:
                # Only a judge saw it change, some time since he saw it last: maybe before a change of weight.
                known["picture_since"] = moment(seen_at - chance.randrange(MINUTE))
            elif known.get("picture_since") is not None:
                # A change comes after the one before it.
                changed_at = known["picture_since"] = max(changed_at, known["picture_since"])
            made.facts.append(
                CameraMediaObservedV1(
                    camera_id=camera.id,
                    facility_id=camera.facility_id,
                    camera_revision=1,
                    worker_id=worker.id,
                    held_since=held_since,
                    sequence=sequence,
                    observed_at=moment(seen_at),
                    **{"state": MediaState.FLOWING, **known},
                )
            )


def _media_change(chance: random.Random, at: int) -> dict[str, Any]:
    """What is new at `at`, dated back."""
    then = moment(at - chance.choice([0, 700, 3 * SECOND]))
    what = chance.choice(["flow", "flow", "stop", "stop", "still", "moved", "same", "released", "picture", "judged"])
    if what == "flow":
        return {"state": MediaState.FLOWING, "media_since": then, "cause": None}
    if what == "stop":
        cause = chance.choice([*CAUSES, Cause.INTERNAL_ERROR, None])
        dated = {} if chance.random() < 0.2 else {"media_stopped_at": then}
        return {"state": MediaState.STOPPED, "cause": cause, **dated}
    if what == "picture":
        sign = chance.choice([PictureSign.WEIGHT, PictureSign.JUDGED])
        return {"picture_since": then, "picture_sign": sign, "picture_judged": False, "picture_cause": None}
    if what == "judged":
        cause = chance.choice([None, Cause.BLACK, Cause.FROZEN])
        return {"picture_judged": True, "picture_cause": cause}
    if what == "still":
        return {"still_since": then, "still_until": None}
    if what == "moved":
        return {"still_since": moment(at - chance.randrange(4 * SECOND, MINUTE)), "still_until": then}
    return {"state": MediaState.RELEASED} if what == "released" else {}
