"""A bucket kept in memory, and the watch that feeds it.

The watch begins anew after every reconnection, since its consumer may be gone by then (nats.py #504).
"""

import asyncio
from collections.abc import Callable

from nats.errors import Error as NatsError
from pydantic import ValidationError

from vonggac.bus.connection import Bus
from vonggac.bus.keyvalue import Bucket
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

POLL_S = 1.0
"""How soon a watch notices that the connection was made anew."""
WATCH_AGAIN_AFTER_S = 0.5

type OnValue = Callable[[str, bytes | None], None]
"""Key and value; None when the key was removed."""


async def watch_bucket(
    bus: Bus,
    bucket: str,
    on_value: OnValue,
    *,
    on_begin: Callable[[], None] | None = None,
    on_replayed: Callable[[], None] | None = None,
    keys_only: bool = False,
) -> None:
    """Call `on_value` for every current value of the bucket and every later change, until cancelled.

    `on_begin` is called when a watch begins, which repeats the current values; `on_replayed` when all of them came.
    `keys_only`: values come empty, for callers that only need to know what is there and that it changed.
    """
    handle = Bucket(bus, bucket)
    while True:
        connections = bus.connections
        try:
            async with handle.watch(keys_only=keys_only) as watcher:
                if on_begin is not None:
                    on_begin()
                while bus.connections == connections:
                    try:
                        entry = await watcher.updates(POLL_S)
                    except TimeoutError:
                        continue
                    if entry is not None:
                        on_value(entry.key, entry.value if entry.operation is None else None)
                    elif on_replayed is not None:
                        on_replayed()
        except (NatsError, TimeoutError, OSError) as error:
            log.info("bucket_watch_failed", bucket=bucket, error=type(error).__name__)
            await asyncio.sleep(WATCH_AGAIN_AFTER_S)


class BucketCache[K, V]:
    """`values` is the bucket as it was read, and all that `on_change` was called with; `loaded`: it was read whole."""

    def __init__(
        self,
        bus: Bus,
        bucket: str,
        *,
        parse_key: Callable[[str], K],
        parse_value: Callable[[bytes], V],
        on_change: Callable[[K, V | None], None],
        is_wanted: Callable[[str], bool] = lambda _key: True,
        on_loaded: Callable[[], None] | None = None,
    ) -> None:
        """`parse_key` and `parse_value` raise ValueError for an entry to leave out, which is logged.

        `on_change` is called for every entry as it comes, with None when it was removed. Keys that are not wanted are
        ignored. `on_loaded` is called once, when all of the bucket was read.
        """
        self.values: dict[K, V] = {}
        self.loaded = asyncio.Event()
        self._bus, self._bucket = bus, bucket
        self._parse_key, self._parse_value = parse_key, parse_value
        self._on_change, self._is_wanted, self._on_loaded = on_change, is_wanted, on_loaded
        self._replayed: set[K] | None = None
        """Keys that came since the watch began anew; None once all of them did."""

    async def run(self) -> None:
        """Watch until cancelled."""
        await watch_bucket(
            self._bus, self._bucket, self._enter, on_begin=self._begin_replay, on_replayed=self._end_replay
        )

    def _begin_replay(self) -> None:
        self._replayed = set()

    def _end_replay(self) -> None:
        """All of the bucket was read: what is no longer in it was removed while nobody watched."""
        if self._replayed is None:
            return
        removed, self._replayed = self.values.keys() - self._replayed, None
        for key in removed:
            del self.values[key]
            self._on_change(key, None)
        if self._on_loaded is not None and not self.loaded.is_set():
            self._on_loaded()
        self.loaded.set()

    def _enter(self, name: str, body: bytes | None) -> None:
        if not self._is_wanted(name):
            return
        try:
            key = self._parse_key(name)
            value = self._parse_value(body) if body else None
        except (ValidationError, ValueError):
            log.warning("bucket_value_malformed", bucket=self._bucket, key=name)
            return
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value
            if self._replayed is not None:
                self._replayed.add(key)
        # Whoever is called reads `values`, too: both say the same at any moment.
        self._on_change(key, value)
