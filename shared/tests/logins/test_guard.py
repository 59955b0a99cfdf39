"""The count of failed logins, over real NATS: none is forgotten, whoever counts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from vonggac.bus import Bucket, Bus, Outgoing, topology
from vonggac.logins.guard import LoginGuard
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
    return [LoginGuard(outgoing, Bucket(bus, topology.LOGIN_FAILURES), cooldown_s=1800.0) for _ in range(4)]


async def failed(bus: Bus) -> int:
    value = await Bucket(bus, topology.LOGIN_FAILURES).get(LOGIN)
    return int(value.split(b'"failed":')[1].split(b",")[0]) if value else 0


async def test_failures_at_the_same_moment_in_several_processes_are_all_counted(
    bus: Bus, guards: list[LoginGuard]
) -> None:
    all_tried = asyncio.Barrier(len(guards))

    async def fail(guard: LoginGuard) -> None:
        async with guard.line(LOGIN):
            await all_tried.wait()
            guard.refused(LOGIN)

    await asyncio.gather(*map(fail, guards))
    assert await failed(bus) == 4


async def test_a_failure_beside_a_claimed_turn_is_not_forgotten_and_does_not_end_the_claim(
    bus: Bus, guards: list[LoginGuard]
) -> None:
    one, other, third, _ = guards
    async with one.turn(LOGIN) as taken:
        assert taken
        async with other.line(LOGIN):
            other.refused(LOGIN)
        async with third.turn(LOGIN) as taken_too:
            assert not taken_too
        one.refused(LOGIN)
    assert await failed(bus) == 2
    async with third.turn(LOGIN) as after:
        assert not after
    assert (third.rest_left_s(LOGIN) or 0) > 1700


async def test_in_a_line_one_tries_an_unproven_login_at_a_time_and_nobody_waits_for_a_proven_one(
    guards: list[LoginGuard],
) -> None:
    guard, inside, most = guards[0], 0, 0

    async def log_in(number: int) -> None:
        nonlocal inside, most
        async with guard.line(LOGIN):
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
    async with one.line(LOGIN):
        one.refused(LOGIN)
    other.on_value(LOGIN, await Bucket(bus, topology.LOGIN_FAILURES).get(LOGIN))
    async with other.line(LOGIN):
        other.accepted(LOGIN)

    async def cleared() -> bool:
        return await failed(bus) == 0

    await eventually(cleared)
    sent = bus.client.stats["out_msgs"]
    async with other.line(LOGIN):
        other.accepted(LOGIN)
    assert bus.client.stats["out_msgs"] == sent


async def test_a_process_that_was_stopped_in_its_turn_lets_go(bus: Bus, guards: list[LoginGuard]) -> None:
    one, other, *_ = guards
    inside = asyncio.Event()

    async def hang() -> None:
        async with one.turn(LOGIN):
            inside.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hang())
    await inside.wait()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)

    async def free() -> bool:
        async with other.turn(LOGIN) as taken:
            return taken

    await eventually(free)


async def test_who_was_let_in_does_not_wait_until_that_is_stored(bus: Bus, guards: list[LoginGuard]) -> None:
    guard = guards[0]
    told: list[str] = []
    async with guard.line(LOGIN):
        guard.refused(LOGIN)
    async with guard.line(LOGIN):
        guard.accepted(LOGIN)
        asyncio.get_running_loop().call_soon(told.append, "the loop went on")
    assert told == []
    async with guard.line(LOGIN):
        assert guard.rest_left_s(LOGIN) is None
