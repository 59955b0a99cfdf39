"""Buckets: a write that names the revision it has seen loses to whoever was faster."""

import pytest
from nats.js.errors import BadRequestError

from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.bus.keyvalue import PAGE, WatchBrokenError
from vonggac.bus.messages.inbox import Inbox
from vonggac.events import subjects


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


async def test_who_writes_while_another_write_is_on_its_way_through_a_cluster_has_lost(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_arguments: object, **_options: object) -> None:
        raise BadRequestError(code=400, description="wrong last sequence", err_code=10164)

    monkeypatch.setattr(bus.js, "publish", refuse)
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    assert not await bucket.replace("a", b"1", 0)
    assert not await bucket.remove("a", 1)


async def test_a_removed_key_can_be_taken_again_once(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    await bucket.put("a", b"1")
    await bucket.delete("a")
    value, revision = await bucket.entry("a")
    assert value is None
    assert await bucket.replace("a", b"2", revision)
    assert not await bucket.replace("a", b"3", revision)


async def test_an_empty_bucket_is_reported_at_once_and_what_comes_later_as_it_comes(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    assert await bucket.all() == {}
    async with bucket.watch() as watcher:
        assert await watcher.updates(5) is None
        await bucket.put("a", b"1")
        entry = await watcher.updates(5)
        assert entry is not None
        assert (entry.key, entry.value) == ("a", b"1")


async def test_reading_and_following_make_no_consumer_at_the_server(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    await bucket.put("a", b"1")
    async with bucket.watch() as watcher:
        assert await watcher.updates(5) is not None
        assert await bucket.all() == {"a": b"1"}
        assert await bus.js.consumers_info(f"KV_{topology.LOGIN_FAILURES}") == []


async def test_a_bucket_of_several_pages_is_read_whole(bus: Bus) -> None:
    for number in range(3 * PAGE):
        await bus.client.publish(subjects.key_value(topology.CAMERA_STATUS, f"c{number}"), str(number).encode())
    bucket = Bucket(bus, topology.CAMERA_STATUS)
    await bucket.delete("c1")
    await bucket.put("c2", b"changed")
    expected = {f"c{number}": str(number).encode() for number in range(3 * PAGE) if number != 1}
    assert await bucket.all() == expected | {"c2": b"changed"}
    assert await bucket.all("c7") == {"c7": b"7"}


async def test_what_changes_while_the_current_values_are_read_is_reported_once(bus: Bus) -> None:
    bucket = Bucket(bus, topology.CAMERA_STATUS)
    for number in range(2 * PAGE):
        await bus.client.publish(subjects.key_value(topology.CAMERA_STATUS, f"c{number}"), b"old")
    async with bucket.watch() as watcher:
        first = await watcher.updates(5)
        assert first is not None
        await bucket.put("c1", b"new")
        await bucket.delete("c3")
        entries = [first]
        while (entry := await watcher.updates(5)) is not None:
            entries.append(entry)
        await bucket.put("end", b"")
        while (last := await watcher.updates(5)) is None or last.key != "end":
            assert last is not None
            entries.append(last)
    final = {entry.key: (entry.value, entry.operation) for entry in entries}
    assert final["c1"] == (b"new", None)
    assert final["c3"] == (b"", "DEL")
    revisions = [entry.revision for entry in entries]
    assert len(revisions) == len(set(revisions))


async def test_a_write_that_lost_is_not_seen_by_who_watches(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    async with bucket.watch() as watcher:
        assert await watcher.updates(5) is None
        await bucket.put("a", b"1")
        assert not await bucket.replace("a", b"lost", 0)
        await bucket.put("b", b"2")
        entries = [await watcher.updates(5) for _ in range(2)]
    assert [(entry.key, entry.value) for entry in entries if entry] == [("a", b"1"), ("b", b"2")]


async def test_a_watch_breaks_when_something_stored_never_came(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    async with bucket.watch() as watcher:
        assert await watcher.updates(5) is None
        await bucket.put("a", b"1")
        await watcher._live.next(5)
        await bucket.put("b", b"2")
        with pytest.raises(WatchBrokenError):
            await watcher.updates(5)


async def test_a_watch_that_hears_nothing_asks_the_bucket_whether_that_is_true(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.bus.keyvalue.CHECK_EVERY_S", 0.0)
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    async with bucket.watch() as watcher:
        assert await watcher.updates(5) is None
        with pytest.raises(TimeoutError):
            await watcher.updates(0.01)
        watcher._live = Inbox()
        await bucket.put("a", b"1")
        with pytest.raises(TimeoutError):
            await watcher.updates(0.01)
        with pytest.raises(WatchBrokenError):
            await watcher.updates(0.01)


async def test_a_watch_of_a_bucket_that_was_made_anew_begins_anew(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    for number in range(3):
        await bucket.put(f"k{number}", b"1")
    async with bucket.watch() as watcher:
        while await watcher.updates(5) is not None:
            pass
        await bucket.put("k3", b"1")
        assert await watcher.updates(5) is not None
        await bus.js.delete_stream(f"KV_{topology.LOGIN_FAILURES}")
        await topology.declare(bus.js)
        await bucket.put("a", b"1")
        with pytest.raises(WatchBrokenError):
            await watcher.updates(5)


async def test_a_bucket_of_an_earlier_release_can_be_followed_after_declaring(bus: Bus) -> None:
    name = f"KV_{topology.WORKERS}"
    plain = (await bus.js.stream_info(name)).config
    plain.republish, plain.allow_direct = None, False
    await bus.js.update_stream(plain)
    assert (await bus.js.stream_info(name)).config.republish is None
    assert await topology.declare(bus.js) == [name]
    bucket = Bucket(bus, topology.WORKERS)
    async with bucket.watch() as watcher:
        assert await watcher.updates(5) is None
        await bucket.put("a", b"1")
        assert await watcher.updates(5) is not None
