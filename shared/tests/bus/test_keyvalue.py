"""Buckets: a write that names the revision it has seen loses to whoever was faster."""

from nats.js.kv import KeyValue

from vonggac.bus import Bucket, Bus, topology
from vonggac.bus.keyvalue import Watcher
from vonggac.events import subjects
from vonggac.testing import eventually


async def test_of_two_writers_that_saw_the_same_revision_one_wins(bus: Bus) -> None:
    first, second = Bucket(bus, topology.LOGIN_FAILURES), Bucket(bus, topology.LOGIN_FAILURES)
    seen = [await first.entry("a"), await second.entry("a")]
    assert seen == [(None, 0), (None, 0)]
    assert await first.replace("a", b"1", 0)
    assert not await second.replace("a", b"2", 0)
    value, revision = await second.entry("a")
    assert value == b"1"
    assert await second.replace("a", b"2", revision)
    assert await first.get("a") == b"2"


async def test_a_key_that_changed_meanwhile_is_not_removed(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    await bucket.put("a", b"1")
    _, revision = await bucket.entry("a")
    await bucket.put("a", b"2")
    assert not await bucket.remove("a", revision)
    assert await bucket.get("a") == b"2"
    assert await bucket.remove("a", revision + 1)
    assert await bucket.get("a") is None


async def test_a_removed_key_can_be_taken_again_once(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    await bucket.put("a", b"1")
    await bucket.delete("a")
    value, revision = await bucket.entry("a")
    assert value is None
    assert await bucket.replace("a", b"2", revision)
    assert not await bucket.replace("a", b"3", revision)


async def test_an_empty_bucket_is_told_at_once_and_what_comes_later_as_it_comes(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    assert await bucket.all() == {}
    async with bucket.watch() as watcher:
        assert await watcher.updates(5) is None
        await bucket.put("a", b"1")
        entry = await watcher.updates(5)
        assert entry is not None
        assert (entry.key, entry.value) == ("a", b"1")


async def test_whoever_only_reads_a_bucket_leaves_nothing_behind_at_the_server(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    await bucket.put("a", b"1")
    for _ in range(20):
        assert await bucket.all() == {"a": b"1"}

    async def forgotten() -> bool:
        return not await bus.js.consumers_info(f"KV_{topology.LOGIN_FAILURES}")

    await eventually(forgotten)


async def test_the_end_of_the_current_values_is_not_told_before_they_came(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    for key in ("a", "b"):
        await bucket.put(key, b"1")

    class TooEarly(KeyValue.KeyWatcher):
        """Says that all was told while all is on its way: what nats-py does when the answer overtakes the values."""

        def __init__(self) -> None:
            self.coming = [None, entry("a", 1), entry("b", 0), entry("c", 0)]

        async def updates(self, timeout: float = 5.0) -> KeyValue.Entry | None:
            return self.coming.pop(0)

    pattern = subjects.key_value(topology.LOGIN_FAILURES, ">")
    watcher = Watcher(bus, TooEarly(), stream=f"KV_{topology.LOGIN_FAILURES}", pattern=pattern)
    seen = [await watcher.updates(5) for _ in range(4)]
    assert [each.key if each else None for each in seen] == ["a", "b", None, "c"]


def entry(key: str, left: int) -> KeyValue.Entry:
    return KeyValue.Entry("login_failures", key, b"1", revision=1, delta=left, created=None, operation=None)
