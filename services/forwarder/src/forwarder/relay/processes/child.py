"""`python -m forwarder.relay.processes.child <descriptor>`: one worker process of a pool. Not for people.

It gets its settings over the socket pair (they hold passwords, which neither arguments nor a file may), forwards until
SIGTERM or until the parent is gone, and hands its cameras over in order either way.
"""

import asyncio
import signal
import socket
import sys

import uvloop
from pydantic import ValidationError

from forwarder.metrics import Metrics
from forwarder.relay.processes.link import Link, LinkError, serve
from forwarder.relay.processes.merging import families_of
from forwarder.relay.service import Process
from forwarder.settings import Settings
from vonggac.http.server import pass_over_what_stays
from vonggac.telemetry import configure_logging, get_logger

log = get_logger(__name__)


async def forward(end: socket.socket) -> bool:
    """Run one forwarder for the parent at the other end; whether it ended in order."""
    link = await Link.of(end)
    try:
        settings = Settings.model_validate(await link.receive())
    except (LinkError, ValidationError):
        return False
    configure_logging(service="forwarder", level=settings.log_level, log_format=settings.log_format)
    metrics = Metrics()
    process = Process(settings, metrics)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, process.stop)

    async def live() -> object:
        return [observed.model_dump(mode="json") for observed in await process.live()]

    async def told() -> object:
        return families_of(metrics.registry)

    running = asyncio.create_task(process.run(), name="forwarder")
    answering = asyncio.create_task(serve(link, {"check": process.check, "live": live, "metrics": told}))
    await asyncio.wait({running, answering}, return_when=asyncio.FIRST_COMPLETED)
    process.stop()
    await asyncio.wait({running})
    answering.cancel()
    await asyncio.wait({answering})
    link.close()
    mistakes = [task.exception() for task in (running, answering) if not task.cancelled()]
    for mistake in filter(None, mistakes):
        log.critical("forwarder_died", exc_info=mistake)
    return not any(mistakes)


def main() -> None:
    # The parent decides when its children stop, also when a terminal interrupts them all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = socket.socket(fileno=int(sys.argv[1]))
    pass_over_what_stays()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        in_order = runner.run(forward(end))
    raise SystemExit(0 if in_order else 1)


if __name__ == "__main__":
    main()
