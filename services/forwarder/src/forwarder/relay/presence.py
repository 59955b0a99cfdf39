"""Who else forwards, and how much each carries, by their signs of life."""

from collections import Counter
from collections.abc import Callable

from forwarder.domain.balance import Load, Membership, least_loaded
from forwarder.relay.mirror import Mirror
from vonggac.bus import Bus, topology
from vonggac.events.forwarder import ForwarderAliveV1

HEARTBEAT_S = 5.0
GONE_AFTER_S = 2.5 * HEARTBEAT_S


class Presence:
    """The workers that gave a sign of life lately, this one left out."""

    def __init__(self, bus: Bus, worker_id: str, monotonic_s: Callable[[], float]) -> None:
        self.membership = Membership()
        self._worker_id, self._monotonic_s = worker_id, monotonic_s
        self._heard_s: dict[str, float] = {}
        self._promised: Counter[str] = Counter()
        self._mirror = Mirror(
            bus,
            topology.WORKERS,
            key=str,
            value=ForwarderAliveV1.model_validate_json,
            changed=self._heard,
            wanted=lambda key: key.startswith("forwarder-") and key != worker_id,
        )

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._mirror.run()

    def others(self) -> list[Load]:
        """As they were last heard of, with what was promised to them since. Notes who came and went."""
        now_s = self._monotonic_s()
        loads = [
            Load(
                worker_id,
                alive.cameras_held + self._promised[worker_id],
                alive.capacity,
                alive.stopping,
                self._heard_s[worker_id],
            )
            for worker_id, alive in self._mirror.values.items()
            if now_s - self._heard_s[worker_id] < GONE_AFTER_S
        ]
        self.membership = self.membership.seen([self._worker_id, *(load.worker_id for load in loads)], now_s)
        return loads

    def choose(self, *, passed_over: set[str]) -> str | None:
        """The worker to give a camera to, which counts as given until its next sign of life; None without one."""
        chosen = least_loaded(load for load in self.others() if load.worker_id not in passed_over)
        if chosen is None:
            return None
        self._promised[chosen.worker_id] += 1
        return chosen.worker_id

    def _heard(self, worker_id: str, alive: ForwarderAliveV1 | None) -> None:
        self._promised.pop(worker_id, None)
        if alive is None:
            self._heard_s.pop(worker_id, None)
        else:
            self._heard_s[worker_id] = self._monotonic_s()
