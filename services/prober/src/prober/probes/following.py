"""Keeping up with a bucket: every value as it stands, and every change from then on."""

import asyncio
from collections.abc import Callable

from nats.errors import Error as NatsError

from vonggac.bus import Bucket, Bus

POLL_S = 1.0
RETRY_AFTER_S = 0.5

type OnValue = Callable[[str, bytes | None], None]
"""Key and value; None when it was removed."""


async def follow(
    bus: Bus,
    bucket: str,
    on_value: OnValue,
    on_replayed: Callable[[], None] | None = None,
    *,
    keys_only: bool = False,
) -> None:
    """Until cancelled; begins anew after a reconnection, since a watcher can go silent then (nats.py #504).

    `keys_only`: values come empty, for whoever only needs to know what is there and that it changed.

    `on_replayed` is called each time when everything that stood in the bucket has been told.
    """
    handle = Bucket(bus, bucket)
    while True:
        connections = bus.connections
        try:
            async with handle.watch(keys_only=keys_only) as watcher:
                while bus.connections == connections:
                    try:
                        entry = await watcher.updates(POLL_S)
                    except TimeoutError:
                        continue
                    if entry is None:
                        if on_replayed is not None:
                            on_replayed()
                    else:
                        on_value(entry.key, entry.value if entry.operation is None else None)
        except (NatsError, TimeoutError, OSError):
            await asyncio.sleep(RETRY_AFTER_S)
