"""Reading a bucket: the latest value of each key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.js.errors import APIError, KeyNotFoundError, KeyWrongLastSequenceError, NoKeysError
from nats.js.kv import KeyValue

from vonggac.bus.connection import Bus
from vonggac.events import subjects

_WRONG_LAST_SEQUENCE = 10071
"""NATS JetStream's error code for a write that names another revision than the last."""
FORGOTTEN_AFTER_S = 1.0
"""A server carries some thousand watchers of a bucket; those that only read it must not accumulate."""


class Watcher:
    """Updates of a bucket from its current values on.

    nats-py marks the end of the current values when the server has sent the last one, which may still be on its way. So
    when nothing came before the mark, the bucket itself is read to see whether it is empty.
    """

    def __init__(self, bus: Bus, watcher: KeyValue.KeyWatcher, *, stream: str, pattern: str) -> None:
        self._bus, self._watcher, self._stream, self._pattern = bus, watcher, stream, pattern
        self._seen = self._ended = self._marked_early = False

    async def updates(self, timeout_s: float) -> KeyValue.Entry | None:
        """The next update; None once, after the current values.

        Raises TimeoutError when none came, NatsError when NATS is away.
        """
        if self._marked_early and self._seen and not self._ended:
            self._ended = True
            return None
        entry: KeyValue.Entry | None = await self._watcher.updates(timeout=timeout_s)  # type: ignore[no-untyped-call]
        if entry is None and not self._seen and await self._holds_any():
            self._marked_early = True
            entry = await self._watcher.updates(timeout=timeout_s)  # type: ignore[no-untyped-call]
        if entry is None:
            self._ended = True
        elif self._marked_early and not self._ended:
            self._seen = entry.delta == 0
        else:
            self._seen = True
        return entry

    async def _holds_any(self) -> bool:
        info = await self._bus.js.stream_info(self._stream, subjects_filter=self._pattern)
        return bool(info.state.subjects)


class Bucket:
    """A key-value bucket by name."""

    def __init__(self, bus: Bus, name: str) -> None:
        self._bus, self.name = bus, name
        self._handle: KeyValue | None = None

    @property
    def reachable(self) -> bool:
        """Whether NATS is there, as far as is known."""
        return self._bus.connected

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
        async with self.watch(keys, forgotten_after_s=FORGOTTEN_AFTER_S) as watcher:
            while True:
                entry = await watcher.updates(5)
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

    async def remove(self, key: str, revision: int) -> bool:
        """Delete unless the key changed since `revision`; whether it was deleted.

        Raises NatsError or TimeoutError when NATS is away.
        """
        try:
            await (await self._bucket()).delete(key, last=revision)
        except APIError as error:
            if error.err_code != _WRONG_LAST_SEQUENCE:
                raise
            return False
        return True

    async def delete(self, key: str) -> None:
        """Raises NatsError or TimeoutError when NATS is away."""
        try:
            await (await self._bucket()).delete(key)
        except (KeyNotFoundError, NoKeysError):
            return

    @asynccontextmanager
    async def watch(
        self, keys: str = ">", *, keys_only: bool = False, forgotten_after_s: float | None = None
    ) -> AsyncIterator[Watcher]:
        """Updates from the current values on; `updates()` gives None once after the current ones.

        `keys_only`: values are empty; removals come all the same. `forgotten_after_s`: when the
        server forgets the watcher after its end (or after the connection went); None: after five minutes.
        """
        watcher = await (await self._bucket()).watch(keys, meta_only=keys_only, inactive_threshold=forgotten_after_s)
        try:
            pattern = subjects.key_value(self.name, keys)
            yield Watcher(self._bus, watcher, stream=f"KV_{self.name}", pattern=pattern)
        finally:
            await watcher.stop()  # type: ignore[no-untyped-call]

    async def _bucket(self) -> KeyValue:
        # Looking a bucket up costs a request of its own; what comes back is a name and flags, good for ever.
        if self._handle is None:
            self._handle = await self._bus.js.key_value(self.name)
        return self._handle
