"""How much is in the streams that grow with time, and in DEAD_LETTERS."""

import asyncio
from collections.abc import Mapping

from nats.errors import Error as NatsError
from nats.js.api import StreamInfo

from inventory.metrics import Metrics
from vonggac.bus import Bus
from vonggac.bus.dead_letters import DeadLetters
from vonggac.bus.declared import topology
from vonggac.telemetry import get_logger

log = get_logger(__name__)


def replicas_of(info: StreamInfo) -> Mapping[str, int]:
    """Count the copies of a stream by state; of a server alone one that is current."""
    cluster = info.cluster
    others = (cluster.replicas or []) if cluster is not None else []
    counts = {"current": 0 if cluster is not None and not cluster.leader else 1, "behind": 0, "offline": 0}
    for one in others:
        counts["offline" if one.offline else "current" if one.current else "behind"] += 1
    return counts


async def measure_streams(bus: Bus, *, metrics: Metrics, every_s: float) -> None:
    """Keep the gauges of dead letters and of bounded streams current until cancelled."""
    letters = DeadLetters(bus)
    while True:
        try:
            counts = await letters.counts()
            for stream in (topology.INVENTORY, *topology.BOUNDED):
                info = await bus.js.stream_info(stream)
                for state, count in replicas_of(info).items():
                    metrics.stream_replicas.labels(stream, state).set(count)
                if stream == topology.INVENTORY:
                    continue
                metrics.stream_bytes.labels(stream).set(info.state.bytes)
                metrics.stream_max_bytes.labels(stream).set(max(info.config.max_bytes or 0, 0))
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("streams_not_measured", error=type(error).__name__)
        else:
            # Also those that are gone since.
            metrics.dead_letters.clear()
            for (stream, durable), count in counts.items():
                metrics.dead_letters.labels(stream, durable).set(count)
        await asyncio.sleep(every_s)
