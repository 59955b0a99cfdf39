"""Tables whose server comes back with an old disk notice it, and take what they lost from the streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from reporting import messaging
from reporting.migrations import SCRIPTS
from reporting.storage.upkeep.position import Position, Positions
from vonggac.bus.declared import topology
from vonggac.database import Database, migrate
from vonggac.embedded import free_port
from vonggac.events import subjects
from vonggac.testing import eventually
from vonggac.testing.processes import ForgetfulPostgres

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from vonggac.bus import Bus

pytestmark = pytest.mark.server

END = datetime(2026, 11, 24, 12, tzinfo=UTC)
PERIOD = {"from": (END - timedelta(hours=1)).isoformat(), "to": END.isoformat()}
CREATED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def forgetful(servers_folder: Path) -> Iterator[ForgetfulPostgres]:
    """A server of its own, whose whole data folder is put back."""
    server = ForgetfulPostgres(servers_folder / "forgetful-postgres", free_port())
    server.start()
    server.create_role("reporting")
    yield server
    server.stop()


@pytest.fixture
def reporting_url(forgetful: ForgetfulPostgres) -> str:
    """An empty reporting database of its own, there."""
    name = f"reporting_{uuid4().hex}"
    forgetful.create_database(name, "reporting")
    migrate(SCRIPTS, forgetful.url(name, "reporting"))
    return forgetful.url(name, "reporting")


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messaging, "MEASURE_EVERY_S", 0.1)


async def positions_reached(bus: Bus, url: str) -> bool:
    """Whether all that is in the streams is handled, and the tables note it."""
    database = Database(url)
    try:
        for stream, durable in (
            (topology.INVENTORY, topology.REPORTING_INVENTORY),
            (topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS),
        ):
            info = await bus.js.consumer_info(stream, durable)
            kept = await Positions(database).read(stream)
            last = (await bus.js.stream_info(stream)).state.last_seq
            assert not info.num_pending
            assert kept is not None
            assert kept.floor == last
    finally:
        await database.close()
    return True


async def all_handled_but(waiting: int, bus: Bus, url: str) -> bool:
    """Whether all observations but so many are handled, and the tables note how far they are."""
    database = Database(url)
    try:
        info = await bus.js.consumer_info(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)
        assert info.num_pending == 0
        assert info.num_ack_pending == waiting
        kept = await Positions(database).read(topology.OBSERVATIONS)
        assert kept is not None
        assert kept.reached == (await bus.js.stream_info(topology.OBSERVATIONS)).state.last_seq
    finally:
        await database.close()
    return True


async def seconds(client: Client) -> dict[str, Any]:
    answer = await client.get("/v1/compliance", params=PERIOD)
    assert answer.status_code == 200, answer.text
    lines = answer.json()["cameras"]
    assert len(lines) == 1
    found: dict[str, Any] = lines[0]["seconds"]
    return found


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
async def test_amnesia_of_postgresql_loses_no_fact(
    start: Start, bus: Bus, province: Province, forgetful: ForgetfulPostgres, reporting_url: str, running: bool
) -> None:
    camera, half = province.camera(), END - timedelta(minutes=30)
    states = [*province.base(), province.stated("camera", camera)]
    before = [*province.probes(camera, END - timedelta(hours=1), half), *province.watched(half)]
    after = province.probes(camera, half, half + timedelta(minutes=10), "down", cause="timeout")
    after += [*province.probes(camera, half + timedelta(minutes=10), END), *province.watched(END)]
    renamed = province.stated("facility", province.facility_state(name="Khu mới", revision=2, changed_at=half))
    async with start() as client:
        await province.publish(bus, *states, *before)
        await eventually(lambda: positions_reached(bus, reporting_url))
        await asyncio.to_thread(forgetful.remember)
        await province.publish(bus, *after, renamed)
        await eventually(lambda: positions_reached(bus, reporting_url), within_s=30)
        truth = await seconds(client)
        assert truth["down"] == 600.0
        if running:
            await asyncio.to_thread(forgetful.forget)
            await eventually(lambda: is_again(client, truth), within_s=30)
    if not running:
        await asyncio.to_thread(forgetful.forget)
        async with start() as client:
            await eventually(lambda: is_again(client, truth), within_s=30)


async def is_again(client: Client, truth: dict[str, Any]) -> bool:
    found = await seconds(client)
    assert found == truth, found
    return True


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
async def test_amnesia_beside_a_fact_of_a_newer_release_loses_no_fact(
    start: Start, bus: Bus, province: Province, forgetful: ForgetfulPostgres, reporting_url: str, running: bool
) -> None:
    """The fact waits in its stream for that release. What came after it is acknowledged all the same."""
    camera, half = province.camera(), END - timedelta(minutes=30)
    before = [*province.probes(camera, END - timedelta(hours=1), half), *province.watched(half)]
    after = [*province.probes(camera, half, END, "down", cause="timeout"), *province.watched(END)]
    newer = json.loads(province.probe(camera, half, "up").encode()) | {"type": "vn.vonggac.prober.camera_observed.v9"}
    async with start() as client:
        await bus.js.publish(subjects.camera_observation(camera.id), json.dumps(newer).encode())
        await province.publish(bus, *province.base(), province.stated("camera", camera), *before)
        await eventually(lambda: all_handled_but(1, bus, reporting_url), within_s=30)
        await asyncio.to_thread(forgetful.remember)
        await province.publish(bus, *after)
        await eventually(lambda: all_handled_but(1, bus, reporting_url), within_s=30)
        truth = await seconds(client)
        assert truth["down"] == 1800.0
        if running:
            await asyncio.to_thread(forgetful.forget)
            await eventually(lambda: is_again(client, truth), within_s=30)
    if not running:
        await asyncio.to_thread(forgetful.forget)
        async with start() as client:
            await eventually(lambda: is_again(client, truth), within_s=30)


async def test_amnesia_of_a_whole_database_is_made_up_for_from_the_stream(
    start: Start, bus: Bus, province: Province, forgetful: ForgetfulPostgres, reporting_url: str
) -> None:
    camera = province.camera()
    await asyncio.to_thread(forgetful.remember)
    async with start() as client:
        facts = [*province.probes(camera, END - timedelta(hours=1), END), *province.watched(END)]
        await province.publish(bus, *province.base(), province.stated("camera", camera), *facts)
        await eventually(lambda: positions_reached(bus, reporting_url))
        truth = await seconds(client)
    await asyncio.to_thread(forgetful.forget)
    async with start() as client:
        await eventually(lambda: is_again(client, truth), within_s=30)


async def test_a_position_goes_back_only_with_its_stream(database: Database) -> None:
    positions = Positions(database)
    assert await positions.read("S") is None
    for given, created, went_back, kept in (
        ((10, 15), CREATED, False, (10, 15)),
        ((7, 14), CREATED, False, (10, 15)),
        ((12, 15), CREATED, False, (12, 15)),
        ((12, 17), CREATED, False, (12, 17)),
        ((5, 6), CREATED, True, (5, 6)),
        ((2, 2), END, False, (2, 2)),
    ):
        await positions.keep("S", *given, created, went_back=went_back)
        assert await positions.read("S") == Position(*kept, created)
