"""A bucket: the latest value of each key, read and followed without a consumer.

Current values come by direct gets, page by page; what is stored afterwards comes on the subject that the server
republishes it on, with its revision. No service needs a right to make consumers (`vonggac.bus.declared.permissions`).
"""

import json
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.api import StreamState
from nats.js.errors import APIError, KeyNotFoundError, KeyWrongLastSequenceError, NoKeysError
from nats.js.kv import KeyValue

from vonggac.bus.connection import Bus
from vonggac.bus.declared import topology
from vonggac.bus.messages.inbox import Inbox, MissedMessagesError
from vonggac.events import subjects

WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
"""NATS' error codes for a write that names another revision than the last; the second one while somebody else's write
is on its way through a cluster."""
_END_OF_PAGE, _NO_MESSAGE, _NO_RESPONDERS = "204", "404", "503"
PAGE = 256
"""Values on their way at a time while a bucket is read."""
PAGE_BYTES = 4 << 20
ANSWER_WITHIN_S = 5.0
CHECK_EVERY_S = 10.0
"""How long nothing has to come before the bucket itself is asked whether that is true."""
ALL = ">"


class WatchBrokenError(NatsError):
    """Something stored in the bucket never came, or the bucket is another one: whoever follows it begins anew."""


class _Snapshot:
    """The current values in the order of their revisions, read page by page."""

    def __init__(self, bus: Bus, bucket: str, keys: str) -> None:
        self._bus, self._bucket, self._pattern = bus, bucket, subjects.key_value(bucket, keys)
        self._page: deque[KeyValue.Entry] = deque()
        self._complete = False
        self.revision = 0
        """Of the last value read."""

    async def next(self) -> KeyValue.Entry | None:
        """Read the next value or removal; None at the end. Raises NatsError or TimeoutError when NATS is away."""
        while not self._page and not self._complete:
            self._complete = await self._read_page()
        return self._page.popleft() if self._page else None

    def again(self) -> None:
        """Read on: there is more than a replica knew."""
        self._complete = False

    async def _read_page(self) -> bool:
        """Whether it was the last."""
        inbox, answers = self._bus.client.new_inbox(), Inbox()
        subscription = await self._bus.client.subscribe(inbox, cb=answers.put)
        try:
            request = {"seq": self.revision + 1, "next_by_subj": self._pattern, "batch": PAGE, "max_bytes": PAGE_BYTES}
            await self._bus.client.publish(
                subjects.direct_get(f"KV_{self._bucket}"), json.dumps(request).encode(), reply=inbox
            )
            while True:
                message = await answers.next(ANSWER_WITHIN_S)
                headers = message.headers or {}
                if (status := headers.get("Status")) is None:
                    entry = _entry(self._bucket, headers["Nats-Subject"], message)
                    self._page.append(entry)
                    self.revision = entry.revision or 0
                elif status == _END_OF_PAGE:
                    return headers.get("Nats-Num-Pending", "0") == "0"
                elif status == _NO_MESSAGE:
                    return True
                elif status == _NO_RESPONDERS:
                    raise NoRespondersError
                else:
                    raise APIError.from_msg(message)
        finally:
            await _unsubscribe(subscription)


class Watcher:
    """Updates of a bucket from its current values on."""

    def __init__(self, bus: Bus, bucket: str, keys: str, live: Inbox, *, keys_only: bool) -> None:
        """`live`: what the server republishes of these keys, subscribed to before the current values are read."""
        self._bus, self._bucket, self._keys, self._live, self._keys_only = bus, bucket, keys, live, keys_only
        self._snapshot: _Snapshot | None = _Snapshot(bus, bucket, keys)
        self._stands: StreamState | None = None
        """The bucket before the snapshot was read."""
        self._revision = self._last_live = 0
        self._heard_at = time.monotonic()
        self._missing_since: int | None = None

    async def updates(self, timeout_s: float) -> KeyValue.Entry | None:
        """Wait for the next update; None once, after the current values.

        Raises TimeoutError when none came, NatsError when NATS is away or the watch has to begin anew.
        """
        if self._snapshot is not None:
            entry = await self._current(self._snapshot)
            if entry is None:
                self._revision = self._snapshot.revision
                if self._stands is not None and not self._stands.messages:
                    self._revision = max(self._revision, self._stands.last_seq)
                self._snapshot = None
            return self._drop_value(entry)
        while True:
            try:
                message = await self._live.next(timeout_s)
            except TimeoutError:
                await self._check()
                raise
            except MissedMessagesError as error:
                raise WatchBrokenError(f"{self._bucket}: {error}") from error
            self._heard_at = time.monotonic()
            entry = _entry(self._bucket, (message.headers or {})["Nats-Subject"], message)
            if self._is_new(entry.revision or 0):
                return self._drop_value(entry)

    async def _current(self, snapshot: _Snapshot) -> KeyValue.Entry | None:
        if self._stands is None:
            self._stands = await self._state()
        entry = await snapshot.next()
        if entry is None and self._keys == ALL and self._stands.messages and snapshot.revision < self._stands.last_seq:
            # A replica that lags behind answered, or the last value expired meanwhile.
            self._stands = await self._state()
            snapshot.again()
            entry = await snapshot.next()
        return entry

    def _is_new(self, revision: int) -> bool:
        """Decide whether a revision is new. Raises WatchBrokenError when something is missing before it."""
        if revision <= self._last_live:
            raise WatchBrokenError(f"{self._bucket}: revision {revision} after {self._last_live}")
        self._last_live = revision
        if revision <= self._revision:
            return False
        if self._keys == ALL and revision != self._revision + 1:
            raise WatchBrokenError(f"{self._bucket}: revision {revision} after {self._revision}")
        self._revision = revision
        return True

    async def _check(self) -> None:
        """Whether the silence is true: a server that changed leaders may have republished to nobody."""
        if self._keys != ALL or time.monotonic() - self._heard_at < CHECK_EVERY_S:
            return
        self._heard_at = time.monotonic()
        stands = (await self._state()).last_seq
        if stands < self._revision or (self._missing_since or self._revision) > self._revision:
            raise WatchBrokenError(f"{self._bucket}: stands at revision {stands}, {self._revision} came")
        # What was stored this moment is on its way: it has until the next check.
        self._missing_since = stands

    async def _state(self) -> StreamState:
        state: StreamState = (await self._bus.js.stream_info(f"KV_{self._bucket}")).state
        return state

    def _drop_value(self, entry: KeyValue.Entry | None) -> KeyValue.Entry | None:
        if entry is not None and self._keys_only:
            entry.value = b""
        return entry


async def _unsubscribe(subscription: Subscription) -> None:
    # A connection that went took its subscriptions along.
    with suppress(NatsError):
        await subscription.unsubscribe()


def _entry(bucket: str, subject: str, message: Msg) -> KeyValue.Entry:
    headers = message.headers or {}
    return KeyValue.Entry(
        bucket=bucket,
        key=subject.removeprefix(subjects.key_value(bucket, "")),
        value=message.data,
        revision=int(headers["Nats-Sequence"]),
        delta=None,
        created=None,
        operation=headers.get("KV-Operation"),
    )


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
        """Read the latest value, None when there is none. Raises NatsError or TimeoutError when NATS is away."""
        try:
            return (await self._bucket().get(key)).value
        except KeyNotFoundError:
            return None

    async def all(self, keys: str = ALL) -> dict[str, bytes]:
        """Every key that fits `keys` (a pattern as of subjects) with its latest value.

        Raises NatsError or TimeoutError when NATS is away.
        """
        values: dict[str, bytes] = {}
        snapshot = _Snapshot(self._bus, self.name, keys)
        while (entry := await snapshot.next()) is not None:
            # What changes while the pages are read comes a second time.
            values.pop(entry.key, None)
            if entry.operation is None and entry.value is not None:
                values[entry.key] = entry.value
        return values

    async def history(self) -> list[KeyValue.Entry]:
        """All that is stored of every key, removals too, oldest first. Raises NatsError or TimeoutError."""
        entries: list[KeyValue.Entry] = []
        snapshot = _Snapshot(self._bus, self.name, ALL)
        while (entry := await snapshot.next()) is not None:
            entries.append(entry)
        return entries

    async def put(self, key: str, value: bytes) -> None:
        """Store a value. Raises NatsError or TimeoutError when NATS is away."""
        await self._bucket().put(key, value)

    async def used(self) -> float:
        """Return the share of its bound that the bucket takes, 0 without a bound. Raises NatsError or TimeoutError."""
        stands = await self._bus.js.stream_info(f"KV_{self.name}")
        bound = stands.config.max_bytes or 0
        return float(stands.state.bytes) / bound if bound > 0 else 0.0

    async def entry(self, key: str) -> tuple[bytes | None, int]:
        """Read the latest value (None when there is none) and its revision, for `replace`.

        Raises NatsError or TimeoutError when NATS is away.
        """
        try:
            found = await self._bucket().get(key)
        except KeyNotFoundError as error:
            return None, (error.entry.revision or 0) if error.entry is not None else 0
        return found.value, found.revision or 0

    async def replace(self, key: str, value: bytes, revision: int) -> bool:
        """Put unless the key changed since `revision` (0: never was); whether it was put.

        Raises NatsError or TimeoutError when NATS is away.
        """
        try:
            await self._bucket().update(key, value, last=revision)
        except APIError as error:
            if not _is_overtaken(error):
                raise
            return False
        return True

    async def remove(self, key: str, revision: int) -> bool:
        """Delete unless the key changed since `revision`; whether it was deleted.

        Raises NatsError or TimeoutError when NATS is away.
        """
        try:
            await self._bucket().delete(key, last=revision)
        except APIError as error:
            if not _is_overtaken(error):
                raise
            return False
        return True

    async def delete(self, key: str) -> None:
        """Delete a key, if it is there. Raises NatsError or TimeoutError when NATS is away."""
        try:
            await self._bucket().delete(key)
        except (KeyNotFoundError, NoKeysError):
            return

    async def end(self, key: str, note: bytes) -> None:
        """Delete, with a note that `history` has: who did it. Raises NatsError or TimeoutError when NATS is away."""
        await self._bus.js.publish(subjects.key_value(self.name, key), note, headers={"KV-Operation": "DEL"})

    @asynccontextmanager
    async def watch(self, keys: str = ALL, *, keys_only: bool = False) -> AsyncIterator[Watcher]:
        """Watch updates from the current values on; `updates()` returns None once after the current ones.

        `keys_only`: values are left out (empty), removals come all the same.
        """
        live = Inbox()
        subscription = await self._bus.client.subscribe(subjects.republished(self.name, keys), cb=live.put)
        try:
            yield Watcher(self._bus, self.name, keys, live, keys_only=keys_only)
        finally:
            await _unsubscribe(subscription)

    def _bucket(self) -> KeyValue:
        if self._handle is None:
            direct = self.name in topology.READ_DIRECTLY
            self._handle = KeyValue(
                self.name, f"KV_{self.name}", subjects.key_value(self.name, ""), self._bus.js, direct
            )
        return self._handle


def _is_overtaken(error: APIError) -> bool:
    # The first is nats-py's own, and has no code.
    return isinstance(error, KeyWrongLastSequenceError) or error.err_code in WRONG_LAST_SEQUENCE


_FREE = b""


class Lease:
    """Of several processes one does a work that is done once; `renew` takes or renews it, every third of LEASE_S.

    It ends by itself when it is not renewed. What is done under it must be harmless when two do it: a holder that
    sleeps learns of its successor only when it asks again.
    """

    def __init__(self, bus: Bus, name: str, holder: str) -> None:
        self._bus, self._bucket = bus, Bucket(bus, topology.LEASES)
        self._name, self._holder = name, holder.encode()

    async def renew(self) -> bool:
        """Whether the lease is ours now. Raises NatsError or TimeoutError when NATS is away."""
        value, revision = await self._bucket.entry(self._name)
        if value not in {None, _FREE, self._holder}:
            return False
        return await self._bucket.replace(self._name, self._holder, revision)

    async def release(self) -> None:
        """Leave it to the next one at once. Raises NatsError or TimeoutError when NATS is away."""
        value, revision = await self._bucket.entry(self._name)
        if value == self._holder:
            await self._bucket.replace(self._name, _FREE, revision)

    async def server_time(self) -> datetime | None:
        """Read the server's clock when the lease was last taken or renewed; None when nobody has it."""
        subject = subjects.key_value(topology.LEASES, self._name)
        entry = await self._bus.js.get_last_msg(f"KV_{topology.LEASES}", subject)
        return entry.time
