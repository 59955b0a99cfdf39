"""Which jobs of a camera are lost: what should stand in the work queues, and what was seen of it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vonggac.events.inventory import CameraV1

INTERVALS = 3
"""A job that was not seen for so many of its intervals is lost."""
HELD_EVERY_S = 20.0
"""Of a delivery: within so long a job that nobody holds is given to a worker with room."""
READ_BACK_EVERY_S = 60.0
"""Until a read-back has published its own interval."""
AGAIN_AFTER_S = 180.0
"""A camera is not republished more often than this."""


class Queue(StrEnum):
    """The work queues that a camera may have a job in."""

    PROBE = "probe"
    DELIVERY = "delivery"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest sign of a job: when, and after how long the next one is due."""

    at: datetime
    every_s: float


def expected_queues(camera: CameraV1) -> frozenset[Queue]:
    """Where a job of the camera stands as long as the camera does."""
    queues = {Queue.PROBE} if camera.in_service else set()
    if camera.forwarded:
        queues.add(Queue.DELIVERY)
    if camera.read_back:
        queues.add(Queue.VERIFY)
    return frozenset(queues)


def missing_queues(
    expected: AbstractSet[Queue], present: AbstractSet[Queue], missing_before: AbstractSet[Queue]
) -> frozenset[Queue]:
    """Where the job is missing for certain: a new camera's is on its way for a moment, so one round proves nothing."""
    return frozenset((expected - present) & missing_before)


def is_unseen(camera: CameraV1, queue: Queue, seen: Seen | None, *, watched_since: datetime, now: datetime) -> bool:
    """Whether nothing was seen of a job for INTERVALS. `watched_since`: nothing is expected before that."""
    every_s = seen.every_s if seen is not None else _interval_s(camera, queue)
    allowed = timedelta(seconds=INTERVALS * every_s + (camera.probe_timeout_s if queue is Queue.PROBE else 0.0))
    since = max(watched_since, camera.changed_at)
    return now - (max(since, seen.at) if seen is not None else since) > allowed


def may_republish(last: datetime | None, *, now: datetime) -> bool:
    """Whether a camera may be republished again."""
    return last is None or now - last >= timedelta(seconds=AGAIN_AFTER_S)


def _interval_s(camera: CameraV1, queue: Queue) -> float:
    match queue:
        case Queue.PROBE:
            return camera.probe_interval_s
        case Queue.DELIVERY:
            return HELD_EVERY_S
        case Queue.VERIFY:
            return READ_BACK_EVERY_S
