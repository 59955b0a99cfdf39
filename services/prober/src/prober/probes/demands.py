"""What people have this prober do at addresses: counted against the limits, logged, and recorded before it is done."""

import time
from collections.abc import Callable, Sequence

from nats.errors import Error as NatsError

from prober.domain.limits.demands import Budget, Endpoint, Limits, TooMuchError
from prober.messaging import Demands
from prober.metrics import Metrics
from vonggac.bus import Bus
from vonggac.events.prober import DemandV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

REFUSAL_AGAIN_S = 60.0
"""A caller's refusals are recorded once in this time: nobody drives older records out by being refused."""
CAMERA_AGAIN_S = 3600.0
"""So are his probes of one camera of the inventory, as Prometheus makes them: he did not choose where it is."""


class DemandGate:
    """One process's. A demand whose record NATS does not store is not admitted."""

    def __init__(self, limits: Limits, metrics: Metrics, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget, self._metrics, self._clock = Budget(limits), metrics, clock
        self._recorded_at: dict[tuple[str, ...], tuple[float, float]] = {}
        """What is recorded once in a time: when it was, and that time in seconds."""

    async def admit(self, bus: Bus, demand: DemandV1, endpoints: Sequence[Endpoint]) -> None:
        """Raises TooMuchError, and NatsError, TimeoutError or OSError when NATS is away."""
        try:
            self._budget.count(demand.caller, endpoints, self._clock())
        except TooMuchError as error:
            self._metrics.demands.labels(demand.kind.value, error.limit.value).inc()
            await self._record_refusal(bus, demand.model_copy(update={"refused": error.limit.value}))
            raise
        what = (demand.caller, demand.kind.value, str(demand.camera_id))
        if demand.camera_id is None or not self._was_recorded(what):
            await Demands(bus).record(demand)
            self._recorded_at[what] = self._clock(), CAMERA_AGAIN_S
        self._metrics.demands.labels(demand.kind.value, "admitted").inc()
        log.info("demand_admitted", **_words(demand))

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
