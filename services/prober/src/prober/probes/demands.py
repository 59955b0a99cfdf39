"""What people have this prober do at addresses: counted against the limits, logged, and recorded before it is done.

The record is the count: every prober counts what all have recorded, and records only behind what it has counted
(`Nats-Expected-Last-Sequence`). So two that admit at the same moment do not admit the same room twice.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from nats.errors import Error as NatsError

from prober.domain.limits.demands import WINDOW_S, Budget, Endpoint, Limits, TooMuchError
from prober.domain.limits.ranges import in_full, in_short
from prober.messaging import Demands, OvertakenError
from prober.metrics import Metrics
from vonggac.bus import Bus
from vonggac.events.prober import DemandKind, DemandV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

_REGISTERED = 0
"""The port of a camera of the inventory."""
REFUSAL_AGAIN_S = 60.0
"""A caller's refusals are recorded once in this time: nobody drives older records out by being refused."""
CAMERA_AGAIN_S = 3600.0
"""So are his probes of one camera of the inventory, as Prometheus makes them: he did not choose where it is."""
RECORDED_AT_BEGIN = 5_000
"""Records that a prober reads when it counts for the first time: more than the limits let a dozen callers have."""
ATTEMPTS = 20
AGAIN_S = 0.05
"""A replica may know the newest record a moment later."""


class DemandGate:
    """One process's view of what all were asked. A demand whose record NATS does not store is not admitted."""

    def __init__(
        self,
        limits: Limits,
        metrics: Metrics,
        network_of: Callable[[str], str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`network_of`: the site network of an address. `clock`: monotonic seconds."""
        self._budget, self._metrics, self._network_of, self._clock = Budget(limits), metrics, network_of, clock
        self._counted_to: int | None = None
        """The sequence of the record that was counted last."""
        self._admitting = asyncio.Lock()
        self._recorded_at: dict[tuple[str, ...], tuple[float, float]] = {}
        """What is recorded once in a time: when it was, and that time in seconds."""

    async def admit(self, bus: Bus, demand: DemandV1, endpoints: Sequence[Endpoint]) -> None:
        """Admit a demand. Raises TooMuchError, and NatsError, TimeoutError or OSError when NATS is away."""
        ranges = () if demand.camera_id is not None else in_short(endpoints)
        demand = demand.model_copy(update={"ranges": ranges})
        try:
            async with self._admitting:
                await self._count(Demands(bus), demand, endpoints)
        except TooMuchError as error:
            self._metrics.demands.labels(demand.kind.value, error.limit.value).inc()
            await self._record_refusal(bus, demand.model_copy(update={"refused": error.limit.value}))
            raise
        self._metrics.demands.labels(demand.kind.value, "admitted").inc()
        log.info("demand_admitted", **_words(demand))

    async def _count(self, demands: Demands, demand: DemandV1, endpoints: Sequence[Endpoint]) -> None:
        """Against the limits, and then record it where that is due."""
        at_s = demand.demanded_at.timestamp()
        what = (demand.caller, demand.kind.value, str(demand.camera_id))
        for _ in range(ATTEMPTS):
            if self._counted_to is None:
                await self._count_others(demands, at_s)
            self._budget.check(demand.caller, endpoints, at_s)
            if demand.kind is not DemandKind.VIEW and demand.camera_id is not None and self._was_recorded(what):
                self._budget.count(demand.caller, endpoints, at_s)
                return
            try:
                self._counted_to = await demands.record(demand, after=self._counted_to)
            except OvertakenError:
                await asyncio.sleep(AGAIN_S)
                await self._count_others(demands, at_s)
                continue
            self._budget.count(demand.caller, endpoints, at_s)
            self._recorded_at[what] = self._clock(), CAMERA_AGAIN_S
            return
        raise TimeoutError

    async def _count_others(self, demands: Demands, now_s: float) -> None:
        """Count the demands recorded since the last time, here and elsewhere."""
        recorded, last = await demands.since(self._counted_to, most=RECORDED_AT_BEGIN)
        for one in recorded:
            at_s = one.demanded_at.timestamp()
            if one.refused is None and now_s - at_s < WINDOW_S:
                self._budget.count(one.caller, self._endpoints_of(one), at_s)
        self._counted_to = last

    def _endpoints_of(self, demand: DemandV1) -> Iterator[Endpoint]:
        if demand.camera_id is not None:
            yield registered(demand.camera_id)
        else:
            yield from in_full(demand.ranges, self._network_of)

    async def _record_refusal(self, bus: Bus, demand: DemandV1) -> None:
        log.warning("demand_refused", limit=demand.refused, **_words(demand))
        if self._was_recorded((demand.caller,)):
            return
        self._recorded_at[demand.caller,] = self._clock(), REFUSAL_AGAIN_S
        try:
            await Demands(bus).record(demand)
        except (NatsError, TimeoutError, OSError) as error:
            # Refused all the same; the log has it.
            log.warning("demand_not_recorded", demand_id=str(demand.id), error=type(error).__name__)

    def _was_recorded(self, what: tuple[str, ...]) -> bool:
        now = self._clock()
        self._recorded_at = {name: (at, s) for name, (at, s) in self._recorded_at.items() if now - at < s}
        return what in self._recorded_at


def registered(camera_id: UUID) -> Endpoint:
    """Name an inventory camera as an endpoint, whatever its address: who registered it chose that, not the caller."""
    return Endpoint(str(camera_id), _REGISTERED, str(camera_id))


def _words(demand: DemandV1) -> dict[str, object]:
    return {
        "demand_id": str(demand.id),
        "kind": demand.kind.value,
        "caller": demand.caller,
        "targets": list(demand.targets),
        "ports": list(demand.ports),
        "camera_id": str(demand.camera_id) if demand.camera_id is not None else None,
        "endpoints": demand.endpoints,
    }
