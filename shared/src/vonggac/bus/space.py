"""Space for streams runs short: what can wait is left out before a fact would be refused."""

import asyncio
from typing import Protocol

from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from vonggac.bus.connection import Bus
from vonggac.bus.outgoing import Outgoing
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

ASK_EVERY_S = 5.0
SHORT_AT = 0.85
"""Share of what the streams may take from which on only facts are stored."""
ENOUGH_AT = 0.80


class Gauges(Protocol):
    """Where the share and the number of values left out are shown."""

    def show(self, ratio: float | None, left_out: int) -> None: ...


async def watch_space(bus: Bus, outgoing: Outgoing, gauges: Gauges) -> None:
    """Keep `outgoing.short_of_space` true to the server's disk until cancelled."""
    while True:
        try:
            ratio = (await bus.storage()).ratio
        except (NatsError, JetStreamError, TimeoutError, OSError) as error:
            # Nothing is known: what can wait goes on as before.
            log.debug("space_unknown", error=type(error).__name__)
        else:
            _decide(outgoing, ratio)
            gauges.show(ratio, outgoing.left_out)
        await asyncio.sleep(ASK_EVERY_S)


def _decide(outgoing: Outgoing, ratio: float | None) -> None:
    short = outgoing.short_of_space
    if ratio is not None and ratio >= SHORT_AT and not short:
        outgoing.short_of_space = True
        log.warning("bus_short_of_space", ratio=round(ratio, 3))
    elif short and (ratio is None or ratio < ENOUGH_AT):
        outgoing.short_of_space = False
        log.info("bus_has_space_again", ratio=round(ratio, 3) if ratio is not None else None)
