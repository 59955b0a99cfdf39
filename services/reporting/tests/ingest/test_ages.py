"""How far reporting is behind is measured in seconds: one event that waits for hours is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reporting import metrics
from reporting.messaging import StreamWatch, new_consumers
from reporting.storage.upkeep.position import Positions
from vonggac.bus import Bus, ServerClock
from vonggac.bus.declared import topology
from vonggac.testing import eventually
from vonggac.testing.waiting import running_beside

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings
    from vonggac.database import Database

pytestmark = pytest.mark.server
AGE = "vonggac_reporting_oldest_pending_age_seconds"


class Later(ServerClock):
    """Ten minutes after the events were stored."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=10)


async def test_the_oldest_event_that_waits_has_an_age_by_reportings_own_login(
    bus: Bus, settings: Settings, database: Database, ingest: Ingest, province: Province
) -> None:
    await province.publish(bus, *province.base())
    own = await Bus.connect(settings, name="reporting")
    [register, _] = new_consumers(own, ingest, batch=10)
    watch, consumer = StreamWatch(own, register, Positions(database), Later()), topology.REPORTING_INVENTORY

    def age_s() -> float:
        return metrics.registry.get_sample_value(AGE, {"consumer": consumer}) or 0.0

    await watch.check(ingest.is_transient)
    assert 600 <= age_s() < 700
    assert watch.age.pending == 5
    assert watch.age.handled_at is None

    async def caught_up() -> bool:
        await watch.check(ingest.is_transient)
        assert age_s() == 0
        return watch.age.pending == 0

    async with running_beside(register.run()):
        await eventually(caught_up)
    assert watch.age.handled_at == watch.age.stream_time
    assert watch.age.stream_time is not None
    await own.close()
