"""At most one change of state per delivery and second goes out; what comes between is summed.

The first change is never delayed, and the last state is never lost. A delivery's last word (`released`, `disabled`)
goes out at once.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from vonggac.events.forwarder import DeliveryState

EVERY_S = 1.0
_LAST = frozenset({DeliveryState.RELEASED, DeliveryState.DISABLED})


@dataclass(frozen=True, slots=True)
class Changes:
    """What one report stands for: so many changes, the first of which was at `first_at`."""

    count: int
    first_at: datetime


type Publish = Callable[[CameraRelay, DeliverySupervisor, Changes], None]


@dataclass(slots=True)
class _Pace:
    published_s: float = -math.inf
    count: int = 0
    first_at: datetime | None = None
    due: asyncio.TimerHandle | None = None


class PacedReports:
    """Calls `publish` with a delivery whose state changed, now or when the second is over."""

    def __init__(self, publish: Publish, *, every_s: float = EVERY_S) -> None:
        self._publish, self._every_s = publish, every_s
        self._loop = asyncio.get_running_loop()
        self._paces: dict[UUID, _Pace] = {}

    def report(self, relay: CameraRelay, supervisor: DeliverySupervisor) -> None:
        """Report that a delivery changed. Its state is read when it is published."""
        key, delivery = supervisor.plan.id, supervisor.delivery
        pace = self._paces.setdefault(key, _Pace())
        pace.count += 1
        pace.first_at = pace.first_at or delivery.since
        if pace.due is not None:
            pace.due.cancel()
        wait_s = pace.published_s + self._every_s - self._loop.time()
        if delivery.state in _LAST:
            self._flush(relay, supervisor)
            del self._paces[key]
        elif wait_s <= 0:
            self._flush(relay, supervisor)
        else:
            pace.due = self._loop.call_later(wait_s, self._flush, relay, supervisor)

    def _flush(self, relay: CameraRelay, supervisor: DeliverySupervisor) -> None:
        pace = self._paces[supervisor.plan.id]
        first_at = pace.first_at or supervisor.delivery.since
        changes = Changes(pace.count, first_at)
        pace.published_s, pace.count, pace.first_at, pace.due = self._loop.time(), 0, None, None
        self._publish(relay, supervisor, changes)
