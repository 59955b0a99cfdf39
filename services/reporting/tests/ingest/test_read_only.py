"""A PostgreSQL that only reads for a while, as a standby before its promotion, costs no fact and ends no process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, text

from reporting import messaging
from vonggac.bus.declared import topology
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from vonggac.bus import Bus

END = datetime(2026, 11, 24, 12, tzinfo=UTC)


class ReadOnly:
    """Switches the database; whoever is connected has to connect anew, as after a failover."""

    def __init__(self, superuser: Engine) -> None:
        self._superuser = superuser

    def begin(self) -> None:
        self._switch("set default_transaction_read_only = on")

    def end(self) -> None:
        self._switch("reset default_transaction_read_only")

    def _switch(self, how: str) -> None:
        with self._superuser.connect() as connection:
            connection.execute(text(f"alter database reporting {how}"))
            connection.execute(
                text("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'reporting'")
            )


@pytest.fixture
def read_only(superuser: Engine) -> Iterator[ReadOnly]:
    switch = ReadOnly(superuser)
    yield switch
    switch.end()


async def test_facts_wait_for_a_database_that_only_reads(
    start: Start, bus: Bus, province: Province, read_only: ReadOnly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messaging, "MEASURE_EVERY_S", 0.1)
    camera = province.camera()
    async with start() as client:
        await province.publish(bus, *province.base(), province.stated("camera", camera))
        await eventually(lambda: _cameras(client, 1))
        read_only.begin()
        probes = province.probes(camera, END - timedelta(hours=1), END)
        await province.publish(bus, *probes, *province.watched(END))
        await eventually(lambda: _tried_again(bus), within_s=20)
        assert (await bus.js.stream_info(topology.DEAD_LETTERS)).state.messages == 0
        read_only.end()
        await eventually(lambda: _up_seconds(client, 3600.0), within_s=30)


async def _cameras(client: Client, count: int) -> bool:
    answer = await client.get("/v1/compliance")
    return len(answer.json()["cameras"]) == count


async def _tried_again(bus: Bus) -> bool:
    """Whether the facts were handed out, and came back because they could not be stored."""
    info = await bus.js.consumer_info(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)
    return bool(info.num_redelivered)


async def _up_seconds(client: Client, length: float) -> bool:
    period = {"from": (END - timedelta(hours=1)).isoformat(), "to": END.isoformat()}
    answer = await client.get("/v1/compliance", params=period)
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["cameras"][0]["seconds"]["up"] == length)
