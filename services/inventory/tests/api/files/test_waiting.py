"""The queue of imports: one at a time, in order, within a bound of bytes."""

import asyncio

import pytest

from inventory.api.files import waiting
from inventory.api.files.waiting import ImportQueue
from vonggac.http import ProblemError


async def nothing() -> None:
    return


async def test_bombs_of_many_imports_run_one_at_a_time_in_their_order() -> None:
    queue, running, seen = ImportQueue(100), 0, []

    async def run(number: int) -> None:
        nonlocal running
        async with queue.run_alone(nothing):
            running += 1
            assert running == 1
            seen.append(number)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(run(number) for number in range(12)))
    assert seen == list(range(12))


async def test_bombs_beyond_the_bound_of_bytes_get_429_with_the_time_to_wait() -> None:
    queue = ImportQueue(100)
    first, second = queue.count_file(), queue.count_file()
    first.grow(90)
    with pytest.raises(ProblemError) as refused:
        second.expect(20)
    assert refused.value.problem.status == 429
    assert (refused.value.headers or {})["Retry-After"] == "15"
    second.grow(10)
    with pytest.raises(ProblemError, match="hold 100 bytes of at most 100"):
        second.grow(1)
    first.release()
    second.grow(60)
    assert queue.held_bytes == 70


async def test_bombs_a_file_alone_always_has_room() -> None:
    queue = ImportQueue(100)
    held = queue.count_file()
    held.expect(1000)
    held.grow(1000)
    held.release()
    assert queue.held_bytes == 0


async def test_an_import_that_gives_up_waiting_lets_the_next_one_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "HEARD_EVERY_S", 0.01)
    queue = ImportQueue(100)

    async def stop() -> None:
        raise ValueError

    async def wait(on_wait: waiting.OnWait) -> None:
        async with queue.run_alone(on_wait):
            return

    async with queue.run_alone(nothing):
        stopped = asyncio.create_task(wait(stop))
        cancelled = asyncio.create_task(wait(nothing))
        last = asyncio.create_task(wait(nothing))
        with pytest.raises(ValueError):
            await stopped
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert not last.done()
    await asyncio.wait_for(last, 5)
    async with queue.run_alone(nothing):
        pass
