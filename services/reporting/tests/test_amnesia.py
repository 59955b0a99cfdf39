"""Tables restored from an older copy notice it, and take what they lost from the streams."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from reporting import messaging
from reporting.storage.position import Position, Positions
from vonggac.bus.declared import topology
from vonggac.database import Database
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Province, Start

    from vonggac.bus import Bus
    from vonggac.embedded import PostgresServer

pytestmark = pytest.mark.server

END = datetime(2026, 11, 24, 12, tzinfo=UTC)
PERIOD = {"from": (END - timedelta(hours=1)).isoformat(), "to": END.isoformat()}
CREATED = datetime(2026, 11, 1, tzinfo=UTC)


class Copies:
    """Copies of a database, and putting one back under those who use it."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self._name = str(make_url(url).database)
        self._engine = create_engine(server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def copy(self) -> None:
        # Whoever is connected would make PostgreSQL refuse: the pool of the service connects again.
        self._run(f"alter database {self._name} with allow_connections false", self._kick())
        self._run(f"create database {self._name}_copy template {self._name} owner reporting")
        self._run(f"alter database {self._name} with allow_connections true")

    def put_back(self) -> None:
        self._run(f"drop database {self._name} with (force)")
        self._run(f"alter database {self._name}_copy rename to {self._name}")
        self._run(f"alter database {self._name} with allow_connections true")

    def _kick(self) -> str:
        return f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self._name}'"  # noqa: S608

    def _run(self, *statements: str) -> None:
        with self._engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


@pytest.fixture
def copies(postgres_server: PostgresServer, reporting_url: str) -> Copies:
    return Copies(postgres_server, reporting_url)


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


async def seconds(client: Client) -> dict[str, Any]:
    answer = await client.get("/v1/compliance", params=PERIOD)
    assert answer.status_code == 200, answer.text
    lines = answer.json()["cameras"]
    assert len(lines) == 1
    found: dict[str, Any] = lines[0]["seconds"]
    return found


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
async def test_amnesia_of_postgresql_loses_no_fact(
    start: Start, bus: Bus, province: Province, copies: Copies, reporting_url: str, running: bool
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
        copies.copy()
        await province.publish(bus, *after, renamed)
        await eventually(lambda: positions_reached(bus, reporting_url), within_s=30)
        truth = await seconds(client)
        assert truth["down"] == 600.0
        if running:
            copies.put_back()
            await eventually(lambda: is_again(client, truth), within_s=30)
    if not running:
        copies.put_back()
        async with start() as client:
            await eventually(lambda: is_again(client, truth), within_s=30)


async def is_again(client: Client, truth: dict[str, Any]) -> bool:
    found = await seconds(client)
    assert found == truth, found
    return True


async def test_amnesia_of_a_whole_database_is_made_up_for_from_the_stream(
    start: Start, bus: Bus, province: Province, copies: Copies, reporting_url: str
) -> None:
    camera = province.camera()
    copies.copy()
    async with start() as client:
        facts = [*province.probes(camera, END - timedelta(hours=1), END), *province.watched(END)]
        await province.publish(bus, *province.base(), province.stated("camera", camera), *facts)
        await eventually(lambda: positions_reached(bus, reporting_url))
        truth = await seconds(client)
    copies.put_back()
    async with start() as client:
        await eventually(lambda: is_again(client, truth), within_s=30)


async def test_a_position_goes_back_only_with_its_stream(database: Database) -> None:
    positions = Positions(database)
    assert await positions.read("S") is None
    for floor, created, went_back, kept in (
        (10, CREATED, False, 10),
        (7, CREATED, False, 10),
        (12, CREATED, False, 12),
        (5, CREATED, True, 5),
        (2, END, False, 2),
    ):
        await positions.keep("S", floor, created, went_back=went_back)
        assert await positions.read("S") == Position(kept, created)
