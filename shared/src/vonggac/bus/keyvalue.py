"""Reading a bucket: the latest value of each key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NoKeysError
from nats.js.kv import KeyValue

from vonggac.bus.connection import Bus


class Bucket:
    """A key-value bucket by name."""

    def __init__(self, bus: Bus, name: str) -> None:
        self._bus, self.name = bus, name
        self._handle: KeyValue | None = None

    async def get(self, key: str) -> bytes | None:
        """The latest value, None when there is none. Raises NatsError or TimeoutError when NATS is away."""
        try:
            return (await (await self._bucket()).get(key)).value
        except KeyNotFoundError:
            return None

    async def all(self, keys: str = ">") -> dict[str, bytes]:
        """Every key that fits `keys` (a pattern as of subjects) with its latest value.

        Raises NatsError or TimeoutError when NATS is away.
        """
        values: dict[str, bytes] = {}
        async with self.watch(keys) as watcher:
            while True:
                entry = await watcher.updates(timeout=5)  # type: ignore[no-untyped-call]
                if entry is None:
                    break
                if entry.operation is None and entry.value is not None:
                    values[entry.key] = entry.value
        return values

    async def put(self, key: str, value: bytes) -> None:
        """Raises NatsError or TimeoutError when NATS is away."""
        await (await self._bucket()).put(key, value)

    async def entry(self, key: str) -> tuple[bytes | None, int]:
        """The latest value (None when there is none) and its revision, for `replace`.

        Raises NatsError or TimeoutError when NATS is away.
        """
        try:
            found = await (await self._bucket()).get(key)
        except KeyNotFoundError as error:
            return None, (error.entry.revision or 0) if error.entry is not None else 0
        return found.value, found.revision or 0

    async def replace(self, key: str, value: bytes, revision: int) -> bool:
        """Put unless the key changed since `revision` (0: never was); whether it was put.

        Raises NatsError or TimeoutError when NATS is away.
        """
        try:
            await (await self._bucket()).update(key, value, last=revision)
        except KeyWrongLastSequenceError:
            return False
        return True

    async def delete(self, key: str) -> None:
        """Raises NatsError or TimeoutError when NATS is away."""
        try:
            await (await self._bucket()).delete(key)
        except (KeyNotFoundError, NoKeysError):
            return

    @asynccontextmanager
    async def watch(self, keys: str = ">", *, keys_only: bool = False) -> AsyncIterator[KeyValue.KeyWatcher]:
        """Updates from the current values on; `updates()` gives None once after the current ones.

        `keys_only`: values are left out (empty), what was removed is told all the same.
        """
        watcher = await (await self._bucket()).watch(keys, meta_only=keys_only)
        try:
            yield watcher
        finally:
            await watcher.stop()  # type: ignore[no-untyped-call]

    async def _bucket(self) -> KeyValue:
        # Looking a bucket up costs a request of its own; what comes back is a name and flags, good for ever.
        if self._handle is None:
            self._handle = await self._bus.js.key_value(self.name)
        return self._handle
