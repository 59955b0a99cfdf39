"""Who probes beside this prober, and with it how many of each network's places are this prober's.

The bound of a site network holds over all probers together, and no probe costs a message for it: the live ones, known
by their heartbeats, divide its places by `places_of`. Who comes newly waits until the others' probes are over that were
begun when the places were still theirs; what one leaves who ends or dies is the others' at once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from prober.domain.limits.shares import places_of
from vonggac.bus import Bus, ServerClock
from vonggac.bus.bucket_cache import BucketCache
from vonggac.bus.declared import topology
from vonggac.events.envelope import worker_of
from vonggac.events.prober import ProberAliveV1

GONE_AFTER_S = 7.5
"""One and a half of the longest heartbeat interval. A prober that is cut off fetches no jobs."""
LONGEST_PROBE_S = 15.0
"""With its good-bye; so long the share of those who probed before is left to them."""


@dataclass
class SitePlaces:
    """One per process. `run` is a task of the service; before `loaded` nothing may be probed."""

    worker_id: str
    clock: ServerClock
    longest_probe_s: float = LONGEST_PROBE_S
    monotonic_s: Callable[[], float] = time.monotonic
    _heard_s: dict[str, float] = field(default_factory=dict)
    _members: frozenset[str] = frozenset()
    _before: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    """Until when which members may still have probes that began then."""

    def __post_init__(self) -> None:
        self._members = frozenset({self.worker_id})

    def of(self, network: str, places: int) -> int:
        """Compute this prober's places at a network that has `places`."""
        live = self._live()
        mine = places_of(network, self.worker_id, live, places)
        for _, members in self._before:
            still = members & live
            if still:
                mine = min(mine, places_of(network, self.worker_id, still, places))
        return mine

    async def run(self, bus: Bus, loaded: Callable[[], None]) -> None:
        """Listen to heartbeats until cancelled; `loaded` is called when those who probe already are known."""
        cache = BucketCache(
            bus,
            topology.WORKERS,
            parse_key=worker_of,
            parse_value=ProberAliveV1.model_validate_json,
            on_change=self.heard,
            is_wanted=self._is_other_prober,
            on_loaded=loaded,
        )
        await cache.run()

    def _is_other_prober(self, key: str) -> bool:
        worker_id = worker_of(key)
        return worker_id.startswith("prober-") and worker_id != self.worker_id

    def heard(self, worker_id: str, alive: ProberAliveV1 | None) -> None:
        """Note a heartbeat of another prober, as it comes or as it was stored; None: it has left."""
        if alive is None:
            self._heard_s.pop(worker_id, None)
            return
        age_s = max(0.0, (self.clock.now() - alive.alive_at).total_seconds())
        self._heard_s[worker_id] = self.monotonic_s() - age_s

    def others_already_here(self) -> None:
        """Those heard of by now probed before this prober came."""
        now_s = self.monotonic_s()
        others = self._alive(now_s)
        if others:
            self._before.append((now_s + self.longest_probe_s, others))
        self._members = others | {self.worker_id}

    def _alive(self, now_s: float) -> frozenset[str]:
        return frozenset(worker for worker, at in self._heard_s.items() if now_s - at < GONE_AFTER_S)

    def _live(self) -> frozenset[str]:
        now_s = self.monotonic_s()
        live = self._alive(now_s) | {self.worker_id}
        if live != self._members:
            self._before.append((now_s + self.longest_probe_s, self._members))
            self._members = live
        if self._before and self._before[0][0] <= now_s:
            self._before = [one for one in self._before if one[0] > now_s]
        return live
