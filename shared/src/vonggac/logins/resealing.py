"""Boxes of releases that sealed no origin: bound once, for all workers, to the address of the plan they came with.

The bucket `resealed_secrets` has `<service>.<digest>` of such a box as its key and the box that replaces it as its
value. The first worker that opens an old box writes there, under its own service; who comes later finds it and follows
it. What the own service has bound stands, whatever another one writes later.
"""

import asyncio

from nats.errors import Error as NatsError

from vonggac.auth.sealing import Unsealer
from vonggac.bus import Bucket, Bus
from vonggac.bus.bucket_cache import BucketCache
from vonggac.bus.declared import topology
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)


READ_AGAIN_AFTER_S = 0.5
SERVICES = ("forwarder", "prober")
"""Those that open boxes."""


class Resealing:
    """`run` is a task of the service; nothing is opened before `load` has returned."""

    def __init__(self, bus: Bus, unsealer: Unsealer, *, service: str) -> None:
        """`service`: whose worker this is, and whose keys it writes."""
        self._bucket, self._unsealer, self._service = Bucket(bus, topology.RESEALED_SECRETS), unsealer, service
        self._own: set[str] = set()
        """Digests of boxes that the own service has bound."""
        self._storing: set[asyncio.Task[None]] = set()
        self._cache = BucketCache(
            bus, topology.RESEALED_SECRETS, parse_key=str, parse_value=bytes.decode, on_change=self._changed
        )
        unsealer.on_resealed = self._store_later

    async def run(self) -> None:
        """Follow the bucket until cancelled."""
        try:
            await self._cache.run()
        finally:
            for task in self._storing:
                task.cancel()

    async def load(self) -> None:
        """Learn which boxes are bound, for as long as that takes."""
        while True:
            try:
                values = await self._bucket.all()
            except (NatsError, TimeoutError, OSError) as error:
                log.info("resealed_not_read", error=type(error).__name__)
                await asyncio.sleep(READ_AGAIN_AFTER_S)
                continue
            for key, box in values.items():
                self._changed(key, box.decode())
            return

    def _changed(self, key: str, box: str | None) -> None:
        service, _, digest = key.rpartition(".")
        own = service == self._service
        # A value that is gone (a bucket made anew) unbinds nothing here.
        if box is None or (not own and digest in self._own):
            return
        if own:
            self._own.add(digest)
        self._unsealer.resealed[digest] = box

    def _store_later(self, digest: str, box: str) -> None:
        task = asyncio.get_running_loop().create_task(self._store(digest, box), name="store-resealed")
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _store(self, digest: str, box: str) -> None:
        key = f"{self._service}.{digest}"
        try:
            stored = await self._bucket.replace(key, box.encode(), 0)
            first = await self._first(key, digest)
            if first is not None and first != box:
                # Another worker was faster: what it bound counts.
                self._changed(key, first)
        except (NatsError, TimeoutError, OSError) as error:
            # This process keeps to it; it is stored by whoever opens the box next, after a restart.
            log.warning("resealed_not_stored", error=type(error).__name__)
        else:
            log.info("secret_resealed", stored=stored)

    async def _first(self, key: str, digest: str) -> str | None:
        """Find the box that stands under the own key: the one that any service stored first. Raises NatsError."""
        value, revision = await self._bucket.entry(key)
        for service in SERVICES:
            other, before = await self._bucket.entry(f"{service}.{digest}")
            if other is not None and before < revision:
                await self._bucket.replace(key, other, revision)
                value = other
        return value.decode() if value is not None else None
