"""The clock of the bus steps amid the work of a real nats-server: nothing untrue is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.stage.stepped import PROBE_EVERY_S, Stage, Truth, within

from reporting import metrics
from reporting.ingest.bus_clock import unanswered
from reporting.messaging import new_consumers
from vonggac.bus import Bus, Received
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.events.forwarder import ForwarderAliveV1
from vonggac.events.prober import (
    AgreeingReadBacks,
    DeliveryVerifiedV1,
    EarlierReadBack,
    ProberAliveV1,
    VerificationVerdict,
)
from vonggac.testing.bus_clock import BusClock
from vonggac.testing.fixtures import NatsAt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from services.reporting.tests.conftest import Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload

pytestmark = pytest.mark.server
T = 240.0
"""When the clock is set, or was last set, in seconds since the beginning."""
AFTER_S = 360.0


class Accounted:
    """What reporting says of each second: of the camera, and of its first delivery."""

    def __init__(self, stage: Stage, camera: list[Any], delivery: list[Any]) -> None:
        self.stage, self.camera, self.delivery = stage, camera, delivery

    def states(self, line: list[Any]) -> list[str]:
        """By half seconds since the beginning."""
        found = []
        for half in range(int(self.stage.at_s * 2)):
            at = self.stage.moment(half / 2)
            found.append(next(state for start, end, state in line if start <= at < end))
        return found

    @property
    def untrue_connected_s(self) -> float:
        truth = self.stage.truth
        return sum(
            0.5
            for half, state in enumerate(self.states(self.delivery))
            if state == "acknowledged" and (within(truth.off, half / 2) or within(truth.dead, half / 2))
        )

    @property
    def untrue_up_s(self) -> float:
        return sum(
            0.5
            for half, state in enumerate(self.states(self.camera))
            if state == "up" and within(self.stage.truth.off, half / 2)
        )

    @property
    def untrue_down_s(self) -> float:
        return sum(
            0.5
            for half, state in enumerate(self.states(self.camera))
            if state == "down" and not within(self.stage.truth.off, half / 2)
        )

    def seconds(self, line: list[Any], state: str, start_s: float = 0, end_s: float = 1e9) -> float:
        states = self.states(line)
        return sum(0.5 for half, one in enumerate(states) if one == state and start_s <= half / 2 < end_s)


@dataclass
class Ledger:
    """Reporting's side of a stage."""

    ingest: Ingest
    database: Database
    start: Start

    async def unanswered(self, stage: Stage) -> dict[str, datetime]:
        """As housekeeping asks once a minute."""
        if stage.at_s % 60:
            return {}
        now = datetime.fromtimestamp(stage.server_s, UTC)
        async with self.database.transaction() as session:
            return await unanswered(session, alive_since=now - timedelta(seconds=15), now=now)

    async def account(self, stage: Stage) -> Accounted:
        period = {"from": stage.began.isoformat(), "to": stage.moment(stage.at_s).isoformat()}
        lines = []
        async with self.start() as client:
            for path in (f"cameras/{stage.camera.id}", f"deliveries/{stage.camera.deliveries[0].id}"):
                found = (await client.get(f"/v1/{path}/intervals", params=period)).json()["intervals"]
                read = datetime.fromisoformat
                lines.append([(read(one["start"]), read(one["end"]), one["state"]) for one in found])
        return Accounted(stage, *lines)


@pytest.fixture
def ledger(ingest: Ingest, database: Database, start: Start) -> Ledger:
    return Ledger(ingest, database, start)


async def play(ledger: Ledger, province: Province, truth: Truth) -> Accounted:
    """Facts with the sequence and the storing time that a server gives them."""
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    stage, stored = Stage(province, truth, began=began), list[Received]()
    await province.feed(ledger.ingest, *province.base(), province.stated("camera", stage.camera))
    sequences = count(1)

    async def publish(server_s: float, events: Sequence[CloudEvent[Payload]]) -> None:
        at = datetime.fromtimestamp(server_s, UTC)
        stored.extend(Received(event, province.subject(event), next(sequences), at) for event in events)

    async def handle() -> dict[str, datetime]:
        batch = list(stored)
        stored.clear()
        if batch:
            await ledger.ingest.observations(batch)
        return await ledger.unanswered(stage)

    await stage.play(T + AFTER_S, publish, handle)
    return await ledger.account(stage)


SKEWS: dict[str, list[tuple[float, float, int]]] = {
    "fast": [(T, T + 60, 150)],
    "slow": [(T, T + 60, -150)],
    "fast for longer than it is fast": [(T, T + 160, 150)],
    "slow for longer than it is slow": [(T, T + 160, -150)],
    "fast by seconds": [(T, T + 60, 12)],
    "slow, then fast": [(T, T + 60, -150), (T + 60, T + 120, 150)],
    "set back for good": [(0, T, 150)],
    "set forward for good": [(0, T, -150)],
}
"""Of the clock of the bus; set right in the end."""
FAULTS: dict[str, dict[str, list[tuple[float, float]]]] = {
    "killed": {"dead": [(T + 20, T + 100)]},
    "off": {"off": [(T + 20, T + 82)]},
    "recorded": {"off": [(T - 140, T - 90)]},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("skew", SKEWS)
async def test_bus_clock_that_was_wrong_for_a_while_makes_nothing_untrue(
    ledger: Ledger, province: Province, bus: Bus, skew: str, fault: str
) -> None:
    assert bus.connected
    found = await play(ledger, province, Truth(SKEWS[skew], **FAULTS[fault]))
    assert (found.untrue_connected_s, found.untrue_up_s) == (0, 0)
    # Between two probes nobody sees it; that is no matter of the clock.
    assert found.untrue_down_s <= PROBE_EVERY_S
    # It is known again, and what was recorded by the right clock stands.
    last_s = found.stage.at_s - 30
    assert found.seconds(found.camera, "up", last_s) >= 20
    assert found.seconds(found.delivery, "acknowledged", last_s) >= 20
    if fault == "recorded" and not skew.endswith("for good"):
        assert found.seconds(found.camera, "down") >= 50


async def test_bus_clock_that_was_slow_costs_no_more_than_the_time_in_which_it_was(
    ledger: Ledger, province: Province, bus: Bus
) -> None:
    assert bus.connected
    found = await play(ledger, province, Truth(SKEWS["slow"]))
    assert found.seconds(found.camera, "unknown", T - 160, T - 10) == 0
    assert found.seconds(found.delivery, "unknown", T - 160, T - 10) == 0


KNOWS_S, KNOWS_NOT_S = -30, 103
"""How the fact is dated that is the first after the step: 150 s slow, or as if the clock had not been set."""


@pytest.mark.parametrize("dated_s", [KNOWS_S, KNOWS_NOT_S])
async def test_bus_clock_that_is_set_back_takes_no_read_back_that_the_next_fact_carries(
    ledger: Ledger, province: Province, bus: Bus, dated_s: int
) -> None:
    """100 s after the beginning it becomes 150 s slow, for 65 s."""
    assert bus.connected
    began, camera = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1), province.camera()
    proven = province.destination("national", proof="verified", revision=2)
    await province.feed(ledger.ingest, *province.base(), proven, province.stated("camera", camera))
    planned, sequences = camera.deliveries[0], count(1)

    def at(seconds: float) -> datetime:
        return began + timedelta(seconds=seconds)

    def stored(event: CloudEvent[Payload], at_s: float) -> Received:
        return Received(event, province.subject(event), next(sequences), at(at_s))

    def beats(at_s: float, since: datetime) -> list[Received]:
        events = [province.alive(at(at_s), awake_since=since), province.prober_alive(at(at_s), awake_since=since)]
        for event in events:
            assert isinstance(event.data, ForwarderAliveV1 | ProberAliveV1)
        known = {"clock_stepped_s": 0.0}
        return [
            stored(event.model_copy(update={"data": event.data.model_copy(update=known)}), at_s) for event in events
        ]

    matched = province.read_back(planned, camera, at(dated_s))
    assert isinstance(matched.data, DeliveryVerifiedV1)
    earlier = tuple(EarlierReadBack(at=at(one), observed_at=at(one + 1), interval_s=60) for one in (40, 70, 95))
    agreed = AgreeingReadBacks(verdict=VerificationVerdict.VERIFIED, count=3, read_backs=earlier)
    carrier = matched.model_copy(update={"data": matched.data.model_copy(update={"agreed": agreed})})
    facts = [
        *beats(0, at(-600)),
        stored(province.change(planned, camera, 1, at(0), "acknowledged"), 0),
        stored(province.read_back(planned, camera, at(10)), 10),
        *beats(98, at(-600)),
        stored(carrier, -30),
        *beats(200, at(165)),
    ]
    for fact in facts:
        await ledger.ingest.observations([fact])
    async with ledger.start() as client:
        period = {"from": at(0).isoformat(), "to": at(98).isoformat()}
        [found] = (await client.get("/v1/compliance", params=period)).json()["cameras"]
    connected = [one["seconds"]["connected"] for one in found["deliveries"] if one["id"] == str(planned.id)]
    assert connected == [85]


async def test_bus_clock_of_a_real_server_that_is_set_back_is_noticed_named_and_counted(
    tmp_path: Path, ledger: Ledger, province: Province, bus: Bus
) -> None:
    """The stage's worker beats; a server stores: 150 s fast, then right."""
    server, camera = NatsServer(tmp_path / "nats", free_port()), province.camera()
    await province.feed(ledger.ingest, *province.base(), province.stated("camera", camera))
    server.start()
    try:
        other = await _stepped_bus(server)
        clock, now = BusClock(_pid(server)), datetime.now(UTC) - timedelta(hours=1)
        for ahead_s in (0, 150, 0):
            clock.shift(ahead_s - 3600)
            await province.publish(other, province.alive(now + timedelta(seconds=ahead_s)))
        consumer = new_consumers(other, ledger.ingest, batch=500)[1]
        steps, refused = _count("clock_steps"), _count("refused_facts", reason="clock")
        assert await consumer.replay(1, 3) == 3
        await other.close()
    finally:
        server.stop()
    assert _count("clock_steps") - steps == 1
    assert _count("refused_facts", reason="clock") - refused == 0
    async with ledger.start() as client:
        [step] = (await client.get("/v1/clock-steps")).json()["items"]
        period = {"from": (now - timedelta(minutes=5)).isoformat(), "to": (now + timedelta(minutes=5)).isoformat()}
        [note] = (await client.get("/v1/compliance", params=period)).json()["notes"]
    assert (step["last_before"], step["first_after"]) == (2, 3)
    length = datetime.fromisoformat(step["ended_at"]) - datetime.fromisoformat(step["started_at"])
    assert timedelta(seconds=150) < length <= timedelta(seconds=152)
    assert note["kind"] == "clock_step"
    assert "hai lần" in note["text_vi"]


def _count(name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"vonggac_reporting_{name}_total", labels) or 0.0


def _pid(server: NatsServer) -> int:
    assert server.process is not None
    return server.process.pid


async def _stepped_bus(server: NatsServer) -> Bus:
    bus = await Bus.connect(NatsAt(server.url), name="test")
    await topology.declare(bus.js)
    return bus
