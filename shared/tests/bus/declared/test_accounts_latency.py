"""What the border of the accounts costs: one server, the same user with and without the border, in turns."""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from vonggac.bus import Bus
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import permissions, topology
from vonggac.bus.outgoing import WINDOW
from vonggac.bus.pull_consumer import PullConsumer
from vonggac.embedded import NatsServer, free_port
from vonggac.events import subjects
from vonggac.testing.fixtures import NatsAt

pytestmark = pytest.mark.server
INSIDE = replace(permissions.PROBER, name="inside", among_streams=True)
"""What the prober may, in the account of the streams: all that differs is the border."""
TURNS = 5
ROUNDS = 6
JOBS = 2048
FETCHED = 256
BODY = bytes(300)


class Cost(NamedTuple):
    """Microseconds of one message."""

    passed: float
    processor: float
    """Of all threads of the server."""


type Measure = Callable[[Bus], Awaitable[int]]
"""How many messages it sent."""


async def one_by_one(bus: Bus) -> int:
    """Publish an observation, hear that it is stored, and then the next one."""
    for _ in range(100):
        await bus.js.publish(subjects.camera_observation("latency"), BODY)
    return 100


async def in_windows(bus: Bus) -> int:
    """As `Outgoing` publishes."""
    for _ in range(ROUNDS):
        answers = [await bus.js.publish_async(subjects.camera_observation("latency"), BODY) for _ in range(WINDOW)]
        await asyncio.wait(answers)
    return ROUNDS * WINDOW


async def fetched_and_put_back(bus: Bus) -> int:
    """Jobs, with a delayed nak each."""
    queue, handled = PullConsumer(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER), 0
    while handled < ROUNDS * FETCHED:
        messages = await queue.fetch(FETCHED, wait_s=2)
        for message in messages:
            await message.nak(delay=0.01)
        handled += len(messages)
    await queue.close()
    return handled


@pytest.fixture(scope="module")
def measured_server(servers_folder: Path) -> Iterator[NatsServer]:
    started = NatsServer(servers_folder / "nats-measured", free_port(), more_users=(INSIDE,))
    started.start()
    yield started
    started.stop()


@pytest_asyncio.fixture
async def sides(measured_server: NatsServer) -> AsyncIterator[tuple[Bus, Bus]]:
    """The same user inside and across the border."""
    client = await connect_once(measured_server.url, name="streams")
    await topology.declare(client.jetstream())
    for number in range(JOBS):
        await client.jetstream().publish(subjects.inventory("camera", str(number)), b"{}")
    await client.close()
    made = [
        await Bus.connect(
            NatsAt(measured_server.url, name, nats_password_file=measured_server.password_file(name)), name=name
        )
        for name in (INSIDE.name, permissions.PROBER.name)
    ]
    yield made[0], made[1]
    for bus in made:
        await bus.close()


async def test_accounts_cost_little_latency(
    measured_server: NatsServer, sides: tuple[Bus, Bus], capsys: pytest.CaptureFixture[str]
) -> None:
    """Printed is what the border costs here; asserted what no busy machine makes of it: the server's own CPU."""
    assert measured_server.process is not None
    process = Path(f"/proc/{measured_server.process.pid}/task")

    async def cost(measure: Measure, bus: Bus) -> Cost:
        began, before = time.perf_counter(), _processor_us(process)
        sent = await measure(bus)
        return Cost((time.perf_counter() - began) * 1e6 / sent, (_processor_us(process) - before) / sent)

    lines = []
    for measure in (one_by_one, in_windows, fetched_and_put_back):
        await asyncio.gather(*(measure(bus) for bus in sides))
        turns = [[await cost(measure, bus) for bus in sides] for _ in range(TURNS)]
        inside, across = (Cost(*map(statistics.median, zip(*side, strict=True))) for side in zip(*turns, strict=True))
        ratio = statistics.median(there.processor / here.processor for here, there in turns)
        lines.append(
            f"{measure.__name__}: {inside.passed:.0f} us inside, {across.passed:.0f} across; CPU of the server "
            f"{inside.processor:.0f} and {across.processor:.0f} us, {ratio:.2f} times"
        )
        assert ratio < 4, lines
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *lines, ""]))


def _processor_us(threads: Path) -> float:
    return sum(int((one / "schedstat").read_text("ascii").split()[0]) for one in threads.iterdir()) / 1000
