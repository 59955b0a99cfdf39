"""A bucket in memory, against a real server: it holds what the bucket holds, also after NATS was away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from vonggac.bus import Bucket, Bus
from vonggac.bus.bucket_cache import BucketCache, watch_bucket
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.testing import eventually
from vonggac.testing.fixtures import NatsAt

BUCKET = topology.LOGIN_FAILURES
type Change = tuple[str, int | None]


class Watched:
    """A running cache of numbers, and the changes that it reported."""

    def __init__(self, bus: Bus, *, is_wanted: Callable[[str], bool] = lambda _key: True) -> None:
        self.changes: list[Change] = []
        self.values_then: list[int | None] = []
        """What the cache held of the key when it reported each change."""
        self.cache = BucketCache(
            bus, BUCKET, parse_key=str, parse_value=int, on_change=self._changed, is_wanted=is_wanted
        )
        self._running = asyncio.create_task(self.cache.run())

    def _changed(self, key: str, value: int | None) -> None:
        self.changes.append((key, value))
        self.values_then.append(self.cache.values.get(key))

    async def stop(self) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running


@pytest_asyncio.fixture
async def watched(bus: Bus) -> AsyncIterator[Watched]:
    await Bucket(bus, BUCKET).put("before", b"1")
    one = Watched(bus)
    yield one
    await one.stop()


async def test_it_is_loaded_with_all_that_the_bucket_holds_and_keeps_up(bus: Bus, watched: Watched) -> None:
    bucket, cache = Bucket(bus, BUCKET), watched.cache
    await cache.loaded.wait()
    assert cache.values == {"before": 1}
    await bucket.put("later", b"2")
    await bucket.delete("before")
    await eventually(lambda: cache.values == {"later": 2})
    assert watched.changes == [("before", 1), ("later", 2), ("before", None)]


async def test_an_empty_bucket_is_loaded_at_once(bus: Bus) -> None:
    empty = Watched(bus)
    async with asyncio.timeout(10):
        await empty.cache.loaded.wait()
    assert empty.cache.values == {}
    await empty.stop()


async def test_a_value_that_cannot_be_read_is_left_out_and_logged(bus: Bus, watched: Watched) -> None:
    await watched.cache.loaded.wait()
    with capture_logs() as logs:
        await Bucket(bus, BUCKET).put("before", b"no number")
        await Bucket(bus, BUCKET).put("after", b"3")
        await eventually(lambda: "after" in watched.cache.values)
    assert watched.cache.values == {"before": 1, "after": 3}
    assert [(entry["event"], entry["key"]) for entry in logs] == [("bucket_value_malformed", "before")]


async def test_keys_that_are_not_wanted_are_ignored(bus: Bus) -> None:
    bucket = Bucket(bus, BUCKET)
    await bucket.put("forwarder-1", b"1")
    await bucket.put("prober-1", b"no number")
    forwarders = Watched(bus, is_wanted=lambda key: key.startswith("forwarder-"))
    await forwarders.cache.loaded.wait()
    assert forwarders.cache.values == {"forwarder-1": 1}
    await forwarders.stop()


@pytest.mark.server
async def test_after_a_restart_of_the_server_it_holds_what_the_bucket_holds(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats", free_port())
    server.start()
    bus = await Bus.connect(NatsAt(server.url), name="cache")
    try:
        await topology.declare(bus.js)
        for key in ("stays", "goes"):
            await Bucket(bus, BUCKET).put(key, b"1")
        watched = Watched(bus)
        await watched.cache.loaded.wait()
        mapping = watched.cache.values
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        other = await Bus.connect(NatsAt(server.url), name="other")
        await Bucket(other, BUCKET).delete("goes")
        await Bucket(other, BUCKET).put("comes", b"2")
        await other.close()
        await eventually(lambda: mapping == {"stays": 1, "comes": 2}, within_s=20)
        assert watched.changes.count(("goes", None)) >= 1
        assert mapping is watched.cache.values
        assert watched.values_then == [value for _, value in watched.changes]
        await watched.stop()
    finally:
        await bus.close()
        server.stop()


async def test_a_watch_of_keys_alone_shows_what_is_there_without_values(bus: Bus) -> None:
    await Bucket(bus, BUCKET).put("a", b"1")
    seen: list[tuple[str, bytes | None] | str] = []
    watching = asyncio.create_task(
        watch_bucket(
            bus,
            BUCKET,
            lambda key, value: seen.append((key, value)),
            on_begin=lambda: seen.append("begin"),
            on_replayed=lambda: seen.append("replayed"),
            keys_only=True,
        )
    )
    await eventually(lambda: seen == ["begin", ("a", b""), "replayed"])
    await Bucket(bus, BUCKET).delete("a")
    await eventually(lambda: seen[3:] == [("a", None)])
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
