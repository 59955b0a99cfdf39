"""Declares the platform's streams: whoever starts the platform owns the topology."""

import asyncio

from nats.errors import Error as NatsError

from vonggac.bus import topology
from vonggac.bus.connection import connect_once

RETRY_S = 0.25


async def declare_streams(url: str, *, replicas: int = 1, within_s: float) -> list[str]:
    """Declare on the server at `url`, which may still be starting; returns what was changed.

    Raises TimeoutError when it does not answer in time, NatsError for what it refuses.
    """
    async with asyncio.timeout(within_s):
        while True:
            try:
                client = await connect_once(url, name="topology")
            except (NatsError, OSError):
                await asyncio.sleep(RETRY_S)
                continue
            try:
                return await topology.declare(client.jetstream(), replicas=replicas)
            finally:
                await client.close()
