"""Which other forwarders are alive, and how many cameras each carries, by their heartbeats."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from forwarder.domain.assignment.rebalancing import Load, Membership, least_loaded
from vonggac.bus import Bus
from vonggac.bus.bucket_cache import BucketCache
from vonggac.bus.declared import topology
from vonggac.events.envelope import worker_of
from vonggac.events.forwarder import ForwarderAliveV1

HEARTBEAT_S = 5.0
GONE_AFTER_S = 2.5 * HEARTBEAT_S
SILENCE_S = 1.5 * HEARTBEAT_S
"""No heartbeat for so long, not even one's own: NATS is away, or was."""


class WayIn:
    """By which way centres that pull come to this worker: at a port of its own, or passed on by another worker.

    What was found once stays found: that the worker in front is gone says nothing of what this one can do.
    """

    def __init__(self, *, has_port: bool) -> None:
        self._is_there = has_port
        self.find_elsewhere: Callable[[], bool] = lambda: False
        """Whether centres connect to another worker."""

    def is_there(self) -> bool:
        """Whether a centre can come as far as this worker."""
        self._is_there = self._is_there or self.find_elsewhere()
        return self._is_there


class MembershipWatch:
    """The other workers whose heartbeats came lately. This worker's own show that heartbeats come through."""

    def __init__(self, bus: Bus, worker_id: str, monotonic_s: Callable[[], float]) -> None:
        self.membership = Membership()
        self._worker_id, self._monotonic_s = worker_id, monotonic_s
        self._heard_s: dict[str, float] = {}
        self._heard_anybody_s = self._hearing_since_s = float("-inf")
        self._promised: Counter[str] = Counter()
        self._cache = BucketCache(
            bus,
            topology.WORKERS,
            parse_key=worker_of,
            parse_value=ForwarderAliveV1.model_validate_json,
            on_change=self._on_heartbeat,
            is_wanted=lambda key: worker_of(key).startswith("forwarder-"),
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._cache.run()

    async def wait_loaded(self) -> None:
        """Wait until every worker's last heartbeat is known."""
        await self._cache.loaded.wait()

    def alive_at(self, worker_id: str) -> datetime | None:
        """Another worker's last heartbeat, however long ago; None when it is not known any more."""
        alive = self._cache.values.get(worker_id)
        return alive.alive_at if alive is not None else None

    def is_gone(self, worker_id: str) -> bool:
        """Whether another worker's heartbeats have certainly ceased.

        Never while no heartbeat comes from anybody: a worker that is cut off from NATS knows nothing of the others.
        """
        now_s = self._monotonic_s()
        if now_s - self._heard_anybody_s > SILENCE_S or now_s - self._hearing_since_s < GONE_AFTER_S:
            return False
        return now_s - self._heard_s.get(worker_id, float("-inf")) >= GONE_AFTER_S

    def passage_address(self, worker_id: str) -> str | None:
        """Where another worker takes centres in that are passed on; None where none are, or it is not alive."""
        alive = self._cache.values.get(worker_id)
        return alive.passage_address if alive is not None and not self.is_gone(worker_id) else None

    def take_centres(self) -> bool:
        """Whether centres connect to any other worker that is alive."""
        return any(_takes_centres(alive) for key, alive in self._cache.values.items() if not self.is_gone(key))

    def others(self) -> list[Load]:
        """By their last heartbeats, with what was promised to them since. Updates `membership`."""
        now_s = self._monotonic_s()
        loads = [
            Load(
                worker_id,
                alive.cameras_held + self._promised[worker_id],
                alive.capacity,
                alive.stopping,
                self._heard_s[worker_id],
            )
            for worker_id, alive in self._cache.values.items()
            if worker_id != self._worker_id and now_s - self._heard_s[worker_id] < GONE_AFTER_S
        ]
        self.membership = self.membership.with_workers([self._worker_id, *(load.worker_id for load in loads)], now_s)
        return loads

    def choose_receiver(self, *, except_for: set[str]) -> str | None:
        """Choose the worker to hand a camera to, None without one; it counts as its own until its next heartbeat."""
        chosen = least_loaded(load for load in self.others() if load.worker_id not in except_for)
        if chosen is None:
            return None
        self._promised[chosen.worker_id] += 1
        return chosen.worker_id

    def _on_heartbeat(self, worker_id: str, alive: ForwarderAliveV1 | None) -> None:
        self._promised.pop(worker_id, None)
        if alive is None:
            self._heard_s.pop(worker_id, None)
            return
        now_s = self._monotonic_s()
        if now_s - self._heard_anybody_s > SILENCE_S:
            self._hearing_since_s = now_s
        self._heard_s[worker_id] = self._heard_anybody_s = now_s


def _takes_centres(alive: ForwarderAliveV1) -> bool:
    return alive.passage_address is not None if alive.takes_centres is None else alive.takes_centres
