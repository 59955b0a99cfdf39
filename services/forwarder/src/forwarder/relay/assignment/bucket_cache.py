"""A bucket kept in memory: a watch that is made anew after every reconnection, since its consumer may be gone."""

import asyncio
from collections.abc import Callable

from nats.errors import Error as NatsError
from pydantic import ValidationError

from vonggac.bus import Bucket, Bus
from vonggac.telemetry import get_logger

log = get_logger(__name__)

WATCH_AGAIN_AFTER_S = 1.0


class Mirror[K, V]:
    """`values` is the bucket as it was last seen; `loaded` is set once it has been read whole."""

    def __init__(
        self,
        bus: Bus,
        bucket: str,
        *,
        key: Callable[[str], K],
        value: Callable[[bytes], V],
        changed: Callable[[K, V | None], None],
        wanted: Callable[[str], bool] = lambda _key: True,
    ) -> None:
        """`key` and `value` read what is in the bucket (ValueError: passed over); `changed` hears of every entry as it
        comes in, and of removed ones with None. Keys that are not `wanted` are as if they were not there.
        """
        self.values: dict[K, V] = {}
        self.loaded = asyncio.Event()
        self._bus, self._bucket = bus, Bucket(bus, bucket)
        self._key, self._value, self._changed, self._wanted = key, value, changed, wanted

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self._watch()
            except (TimeoutError, NatsError, OSError) as error:
                log.info("bucket_watch_failed", bucket=self._bucket.name, error=type(error).__name__)
                await asyncio.sleep(WATCH_AGAIN_AFTER_S)

    async def _watch(self) -> None:
        connection = self._bus.connections
        fresh: dict[K, V] | None = {}
        async with self._bucket.watch() as watcher:
            while self._bus.connections == connection:
                try:
                    entry = await watcher.updates(WATCH_AGAIN_AFTER_S)
                except TimeoutError:
                    continue
                if entry is None:
                    if fresh is not None:
                        self._replace(fresh)
                        fresh = None
                    continue
                if not self._wanted(entry.key):
                    continue
                removed = entry.operation is not None or not entry.value
                self._enter(self.values if fresh is None else fresh, entry.key, None if removed else entry.value)

    def _replace(self, fresh: dict[K, V]) -> None:
        """All of the bucket was read: what is not in it any more was removed while nobody watched."""
        gone = self.values.keys() - fresh.keys()
        # In place: others hold on to the mapping.
        self.values.clear()
        self.values.update(fresh)
        for key in gone:
            self._changed(key, None)
        self.loaded.set()

    def _enter(self, values: dict[K, V], name: str, body: bytes | None) -> None:
        try:
            key = self._key(name)
            value = None if body is None else self._value(body)
        except (ValidationError, ValueError):
            log.warning("bucket_value_malformed", bucket=self._bucket.name, key=name)
            return
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value
        self._changed(key, value)
