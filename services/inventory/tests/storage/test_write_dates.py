"""No change is dated before the clock of the bus is known, nor before what is on record."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from nats.js.errors import NotFoundError
from services.inventory.tests.conftest import Province, running

from inventory import app
from inventory.storage.queries.write_dates import WriteDates
from inventory.storage.store import Store
from vonggac.auth import Role
from vonggac.bus import Bus, ServerClock
from vonggac.bus.clock import SteadyInstant, steady_now, waited_ms
from vonggac.bus.declared import topology
from vonggac.events import subjects
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from inventory.settings import Settings

SLOW_S = -600.0
AGENCY = {"code": "AG-01", "name": "Sở Y tế", "role": "managing"}


@pytest.mark.server
async def test_bus_clock_that_is_not_measured_yet_dates_no_write(
    settings: Settings, token_for: Callable[[Role], str]
) -> None:
    """NATS is away: this machine's clock may be ten minutes slow."""
    away = settings.model_copy(update={"nats_url": "nats://127.0.0.1:1"})
    async with running(away, token_for(Role.PROVINCE_LEAD), until_dated=False) as client:
        answer = await client.post("/v1/agencies", json=AGENCY)
        assert (answer.status_code, answer.json()["code"]) == (503, "clock_not_measured")
        assert int(answer.headers["retry-after"]) > 0
        assert "the clock of NATS is not measured" in answer.json()["detail"]
        assert "chưa đo được đồng hồ" in answer.text
        assert (await client.get("/v1/agencies")).json()["items"] == []
        assert (await client.get("/readyz")).status_code == 503


@pytest.mark.server
async def test_bus_clock_dates_writes_of_a_slow_machine_and_says_how_long_each_waited(
    settings: Settings, token_for: Callable[[Role], str], bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "ServerClock", lambda: ServerClock(wall=lambda: time.time() + SLOW_S))
    async with running(settings, token_for(Role.PROVINCE_LEAD)) as client:
        made = await Province(client).agency()

        async def message() -> Any:
            try:
                return await bus.js.get_last_msg(topology.INVENTORY, subjects.inventory("agency", made["id"]))
            except NotFoundError:
                raise AssertionError(made["id"]) from None

        stored = await eventually(message)
    assert abs(datetime.fromisoformat(made["changed_at"]) - datetime.now(UTC)) < timedelta(seconds=60)
    assert 0 <= int(stored.headers["Vonggac-Waited-Ms"]) < 60_000


@pytest.mark.server
async def test_bus_clock_that_was_minutes_fast_has_no_later_write_dated_before(province: Any) -> None:
    store: Store = province.client._transport.app.state.services.store
    store._dates = WriteDates(lambda: datetime.now(UTC) + timedelta(minutes=12))
    first = await province.agency()
    store._dates = WriteDates()
    second = await province.agency()
    assert datetime.fromisoformat(first["changed_at"]) < datetime.fromisoformat(second["changed_at"])


def test_bus_clock_is_nothing_to_what_waited_but_another_boot_is() -> None:
    now = steady_now()
    assert now is not None
    waited = waited_ms(SteadyInstant(now.boot, now.elapsed_ms - 5000))
    assert waited is not None
    assert 5000 <= waited < 60_000
    assert waited_ms(SteadyInstant("another", now.elapsed_ms)) is None
    assert waited_ms(None) is None
