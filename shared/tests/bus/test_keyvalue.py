"""Buckets: a write that names the revision it has seen loses to whoever was faster."""

from vonggac.bus import Bucket, Bus, topology


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


async def test_a_removed_key_can_be_taken_again_once(bus: Bus) -> None:
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    await bucket.put("a", b"1")
    await bucket.delete("a")
    value, revision = await bucket.entry("a")
    assert value is None
    assert await bucket.replace("a", b"2", revision)
    assert not await bucket.replace("a", b"3", revision)
