"""The count of failed logins, over real NATS: none is forgotten, whoever counts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import CLAIM_LASTS, NOTE_LASTS, LoginGuard
from vonggac.logins.lock import PATIENCE_S
from vonggac.testing import eventually

LOGIN = "0123456789abcdef"


@pytest_asyncio.fixture
async def outgoing(bus: Bus) -> AsyncIterator[Outgoing]:
    queue = Outgoing(bus)
    sending = asyncio.create_task(queue.run())
    yield queue
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


@pytest.fixture
def guards(bus: Bus, outgoing: Outgoing) -> list[LoginGuard]:
    """Of processes that have not heard of each other's writes yet."""
    return [LoginGuard(outgoing, Bucket(bus, topology.LOGIN_FAILURES), rests=LoginRests(1800.0)) for _ in range(4)]


async def failed(bus: Bus) -> int:
    value = await Bucket(bus, topology.LOGIN_FAILURES).get(LOGIN)
    return int(value.split(b'"failed":')[1].split(b",")[0]) if value else 0


async def test_failures_at_the_same_moment_in_several_processes_are_all_counted(
    bus: Bus, guards: list[LoginGuard]
) -> None:
    all_tried = asyncio.Barrier(len(guards))

    async def fail(guard: LoginGuard) -> None:
        async with guard.lock(LOGIN):
            await all_tried.wait()
            guard.refused(LOGIN)

    await asyncio.gather(*map(fail, guards))
    assert await failed(bus) == 4


async def test_a_failure_beside_a_claim_is_not_forgotten_and_does_not_end_it(
    bus: Bus, guards: list[LoginGuard]
) -> None:
    one, other, third, _ = guards
    async with one.try_lock(LOGIN) as taken:
        assert taken
        async with other.lock(LOGIN):
            other.refused(LOGIN)
        async with third.try_lock(LOGIN) as taken_too:
            assert not taken_too
        one.refused(LOGIN)
    assert await failed(bus) == 2
    async with third.try_lock(LOGIN) as after:
        assert not after
    assert (third.rest_left_s(LOGIN) or 0) > 1700


async def test_one_tries_an_unproven_login_at_a_time_and_nobody_waits_for_a_proven_one(
    guards: list[LoginGuard],
) -> None:
    guard, inside, most = guards[0], 0, 0

    async def log_in(number: int) -> None:
        nonlocal inside, most
        async with guard.lock(LOGIN):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            if number == 4:
                guard.accepted(LOGIN)
            inside -= 1

    await asyncio.gather(*(log_in(number) for number in range(5)))
    assert most == 1
    await asyncio.gather(*(log_in(number) for number in range(5, 10)))
    assert most == 5


async def test_a_login_that_works_clears_the_count_and_one_that_always_did_asks_nats_for_nothing(
    bus: Bus, guards: list[LoginGuard]
) -> None:
    one, other, *_ = guards
    async with one.lock(LOGIN):
        one.refused(LOGIN)
    other.on_value(LOGIN, await Bucket(bus, topology.LOGIN_FAILURES).get(LOGIN))
    async with other.lock(LOGIN):
        other.accepted(LOGIN)

    async def cleared() -> bool:
        return await failed(bus) == 0

    await eventually(cleared)
    sent = bus.client.stats["out_msgs"]
    async with other.lock(LOGIN):
        other.accepted(LOGIN)
    assert bus.client.stats["out_msgs"] == sent


async def test_a_process_that_was_stopped_while_it_tried_gives_its_claim_back(
    bus: Bus, guards: list[LoginGuard]
) -> None:
    one, other, *_ = guards
    inside = asyncio.Event()

    async def hang() -> None:
        async with one.try_lock(LOGIN):
            inside.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hang())
    await inside.wait()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)

    async def free() -> bool:
        async with other.try_lock(LOGIN) as taken:
            return taken

    await eventually(free)


class Clock:
    """Of all processes; it goes on when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 26, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def timed_guards(bus: Bus, outgoing: Outgoing) -> tuple[Clock, LoginGuard, LoginGuard]:
    clock = Clock()
    buckets = [Bucket(bus, topology.LOGIN_FAILURES) for _ in range(2)]
    one, other = (LoginGuard(outgoing, bucket, rests=LoginRests(1800.0), clock=clock) for bucket in buckets)
    return clock, one, other


async def test_a_claim_stands_for_as_long_as_the_try_takes(
    bus: Bus, timed_guards: tuple[Clock, LoginGuard, LoginGuard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.logins.guard.RENEW_EVERY_S", 0.01)
    clock, one, other = timed_guards
    bucket = Bucket(bus, topology.LOGIN_FAILURES)
    async with one.try_lock(LOGIN) as taken:
        assert taken
        for _ in range(20):
            clock.now += CLAIM_LASTS / 2
            until = (clock.now + CLAIM_LASTS).isoformat().replace("+00:00", "Z").encode()

            async def renewed(until: bytes = until) -> bool:
                return until in (await bucket.get(LOGIN) or b"")

            await eventually(renewed)
            async with other.try_lock(LOGIN) as taken_too:
                assert not taken_too
    async with other.try_lock(LOGIN) as after:
        assert after


async def test_the_claim_of_a_process_that_died_holds_up_nobody_for_longer_than_it_lasts(
    timed_guards: tuple[Clock, LoginGuard, LoginGuard], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The dead do not renew.
    monkeypatch.setattr("vonggac.logins.guard.RENEW_EVERY_S", 3600.0)
    clock, dead, other = timed_guards
    async with dead.try_lock(LOGIN):
        clock.now += timedelta(seconds=14)
        async with other.try_lock(LOGIN) as early:
            assert not early
        clock.now += timedelta(seconds=1)
        async with other.try_lock(LOGIN) as taken:
            assert taken


async def test_who_was_let_in_does_not_wait_until_that_is_stored(bus: Bus, guards: list[LoginGuard]) -> None:
    guard = guards[0]
    went_on: list[str] = []
    async with guard.lock(LOGIN):
        guard.refused(LOGIN)
    async with guard.lock(LOGIN):
        guard.accepted(LOGIN)
        asyncio.get_running_loop().call_soon(went_on.append, "the loop went on")
    assert went_on == []
    async with guard.lock(LOGIN):
        assert guard.rest_left_s(LOGIN) is None


async def test_processes_wait_for_each_other_and_the_third_finds_the_login_at_rest(
    bus: Bus, guards: list[LoginGuard]
) -> None:
    """Each of them for itself would log in once more."""
    inside, most, tries = 0, 0, 0

    async def log_in(guard: LoginGuard) -> None:
        nonlocal inside, most, tries
        async with guard.lock(LOGIN):
            if guard.rest_left_s(LOGIN) is not None:
                return
            inside, tries = inside + 1, tries + 1
            most = max(most, inside)
            await asyncio.sleep(0.05)
            guard.refused(LOGIN)
            inside -= 1

    await asyncio.gather(*(log_in(guard) for guard in guards for _ in range(3)))
    assert (tries, most) == (2, 1)
    assert await failed(bus) == 2


async def test_after_a_session_ended_one_tries_the_login_first(guards: list[LoginGuard]) -> None:
    """The password may have been changed when all sessions ended."""
    guard, tries = guards[0], 0
    async with guard.lock(LOGIN):
        guard.accepted(LOGIN)
    for _ in range(12):
        guard.doubt(LOGIN)

    async def log_in() -> None:
        nonlocal tries
        async with guard.lock(LOGIN):
            if guard.rest_left_s(LOGIN) is None:
                tries += 1
                await asyncio.sleep(0.01)
                guard.refused(LOGIN)

    await asyncio.gather(*(log_in() for _ in range(12)))
    assert tries == 2


async def test_tries_with_a_proven_login_come_one_after_another_until_each_is_let_in(guards: list[LoginGuard]) -> None:
    guard, tries = guards[0], 0
    async with guard.try_lock(LOGIN) as taken:
        assert taken
        guard.accepted(LOGIN)
    inside = asyncio.Barrier(2)

    async def probe() -> None:
        async with guard.try_lock(LOGIN) as taken:
            assert taken
            guard.accepted(LOGIN)
            # The rest of a probe goes on beside others.
            await inside.wait()

    async with asyncio.timeout(0.9):
        await asyncio.gather(probe(), probe())

    async def refused() -> bool:
        nonlocal tries
        async with guard.try_lock(LOGIN) as taken:
            if taken and guard.rest_left_s(LOGIN) is None:
                tries += 1
                await asyncio.sleep(0.01)
                guard.refused(LOGIN)
            return taken

    may = await asyncio.gather(*(refused() for _ in range(6)))
    assert (tries, may) == (1, [True, False, False, False, False, False])


async def test_who_hangs_with_a_lock_holds_up_nobody_for_longer_than_patience(guards: list[LoginGuard]) -> None:
    one, other, *_ = guards
    hanging, went_on = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        async with one.lock(LOGIN):
            hanging.set()
            await went_on.wait()

    async def follow() -> None:
        async with one.lock(LOGIN):
            one.accepted(LOGIN)

    async def elsewhere() -> None:
        async with other.lock(LOGIN):
            went_on.set()

    first = asyncio.create_task(hang())
    await hanging.wait()
    async with asyncio.timeout(2 * PATIENCE_S + 2):
        await asyncio.gather(follow(), elsewhere())
    await first


async def test_a_claim_is_given_back_as_soon_as_the_login_is_taken(guards: list[LoginGuard]) -> None:
    one, other, *_ = guards
    async with one.try_lock(LOGIN) as taken:
        assert taken
        one.accepted(LOGIN)

        async def free() -> bool:
            async with other.try_lock(LOGIN) as taken_too:
                return taken_too

        await eventually(free)


async def test_without_nats_a_lock_waits_for_nobody_elsewhere(
    bus: Bus, guards: list[LoginGuard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(bus), "connected", False)
    sent = bus.client.stats["out_msgs"]
    async with guards[0].lock(LOGIN):
        assert guards[0].rest_left_s(LOGIN) is None
    assert bus.client.stats["out_msgs"] == sent


async def test_a_failure_that_was_counted_beside_is_not_removed_with_a_claim(
    bus: Bus, guards: list[LoginGuard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process gives its claim back, having found nothing out, in the moment in which another counts."""
    one, other, *_ = guards
    entry, beside = Bucket.entry, list[str]()

    async def counted_beside(bucket: Bucket, key: str) -> tuple[bytes | None, int]:
        found = await entry(bucket, key)
        if not beside:
            beside.append(key)
            other.refused(key)
            await other._count(key)
        return found

    async with one.try_lock(LOGIN) as taken:
        assert taken
        monkeypatch.setattr(Bucket, "entry", counted_beside)
    assert beside
    assert await failed(bus) == 1


async def test_a_failure_right_after_the_login_was_taken_is_not_cleared_with_those_before_it(
    bus: Bus, guards: list[LoginGuard], monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = guards[0]
    guard.refused(LOGIN)
    await guard._count(LOGIN)
    entry, beside = Bucket.entry, list[str]()

    async def refused_beside(bucket: Bucket, key: str) -> tuple[bytes | None, int]:
        found = await entry(bucket, key)
        if not beside:
            beside.append(key)
            guard.refused(key)
            await guard._count(key)
        return found

    monkeypatch.setattr(Bucket, "entry", refused_beside)
    guard.accepted(LOGIN)
    await asyncio.gather(*guard._storing)
    assert beside
    assert await failed(bus) == 2
    guard.refused(LOGIN)
    assert guard.rest_left_s(LOGIN) is not None


async def test_that_a_login_was_taken_is_written_once_and_anew_before_the_bucket_forgets_it(
    bus: Bus, timed_guards: tuple[Clock, LoginGuard, LoginGuard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.logins.guard.NOTE_CHECK_S", 0.01)
    clock, guard, _ = timed_guards
    bucket = Bucket(bus, topology.LOGIN_FAILURES)

    async def noted() -> bool:
        return clock.now.isoformat().replace("+00:00", "Z").encode() in (await bucket.get(LOGIN) or b"")

    async with guard.lock(LOGIN):
        guard.accepted(LOGIN, needed=True)
    await eventually(noted)
    await asyncio.gather(*guard._storing)
    sent = bus.client.stats["out_msgs"]
    async with guard.lock(LOGIN):
        guard.accepted(LOGIN, needed=True)
    keeping = asyncio.create_task(guard.keep_notes())
    await asyncio.sleep(0)
    assert bus.client.stats["out_msgs"] == sent
    # A session that plays for days logs in no more.
    clock.now += NOTE_LASTS
    await eventually(noted)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
