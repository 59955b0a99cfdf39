"""A pull consumer that finds nothing, again and again."""

import asyncio
import gc
from weakref import WeakSet

from vonggac.bus import Bus, PullConsumer, topology
from vonggac.testing import eventually


async def test_fetches_that_end_empty_leave_nothing_behind(bus: Bus) -> None:
    consumer = PullConsumer(bus, stream=topology.OBSERVATIONS, durable=topology.REPORTING_OBSERVATIONS)
    assert await consumer.fetch(10, wait_s=0.1) == []
    gc.collect()
    gc.disable()
    # Other tests of this process may have kept tasks of theirs.
    before = WeakSet(finished_tasks())
    try:
        for _ in range(5):
            assert await consumer.fetch(10, wait_s=0.1) == []
        await eventually(lambda: not [one for one in finished_tasks() if one not in before])
    finally:
        gc.enable()


def finished_tasks() -> list[asyncio.Task[object]]:
    return [one for one in gc.get_objects() if type(one) is asyncio.Task and one.done()]
