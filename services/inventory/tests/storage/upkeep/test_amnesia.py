"""A NATS that forgot states which it had acknowledged gets them again, and no older ones after them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from nats.js.errors import NotFoundError
from sqlalchemy import func, select, update

from inventory.messaging import Relay
from inventory.metrics import Metrics
from inventory.storage import outbox
from inventory.storage.tables import OutboxRow
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.database import Database
from vonggac.events import subjects
from vonggac.testing import eventually
from vonggac.testing.processes import ForgetfulServer
from vonggac.testing.waiting import running_beside

pytestmark = pytest.mark.server

A, B, C = (subjects.inventory("camera", name) for name in "abc")


@pytest_asyncio.fixture
async def database(inventory_url: str) -> AsyncIterator[Database]:
    opened = Database(inventory_url)
    yield opened
    await opened.close()


def new_relay(database: Database, bus: Any, metrics: Metrics | None = None) -> Relay:
    return Relay(outbox.Outbox(database), bus, metrics or Metrics(), poll_s=0.05)


async def fill(database: Database, *states: tuple[str, bytes]) -> None:
    messages = [outbox.OutboxMessage(f"{subject} {body!r}", subject, body) for subject, body in states]
    async with database.transaction() as session:
        await outbox.append_messages(session, messages, now=datetime.now(UTC))


async def states(bus: Bus) -> dict[str, bytes]:
    found = {}
    for subject in (A, B, C):
        try:
            message = await bus.js.get_last_msg(topology.INVENTORY, subject)
        except NotFoundError:
            continue
        found[subject] = message.data or b""
    return found


async def emptied(database: Database) -> bool:
    async with database.transaction() as session:
        return (await outbox.count_waiting(session, datetime.now(UTC)))[0] == 0


async def stands(bus: Bus, database: Database, wanted: dict[str, bytes]) -> bool:
    found = await states(bus)
    assert found == wanted, found
    return await emptied(database)


@pytest.mark.parametrize("restarted", [False, True], ids=["inventory stays", "inventory restarts"])
async def test_amnesia_of_nats_loses_no_state(
    forgetful_server: ForgetfulServer, forgetful_bus: Bus, database: Database, restarted: bool
) -> None:
    relay, metrics = new_relay(database, forgetful_bus), Metrics()
    async with running_beside(relay.run()):
        await fill(database, (A, b"1"), (B, b"1"))
        await eventually(lambda: emptied(database))
        await asyncio.to_thread(forgetful_server.remember)
        # The copy knows A's second state by nothing, and B's first one.
        await fill(database, (A, b"2"), (C, b"1"), (A, b"3"), (C, b"2"))
        await eventually(lambda: stands(forgetful_bus, database, {A: b"3", B: b"1", C: b"2"}))
        if not restarted:
            await asyncio.to_thread(forgetful_server.forget)
            await eventually(lambda: stands(forgetful_bus, database, {A: b"3", B: b"1", C: b"2"}), within_s=30)
    if restarted:
        await asyncio.to_thread(forgetful_server.forget)
        await eventually(lambda: forgetful_bus.connected)
        async with running_beside(new_relay(database, forgetful_bus, metrics).run()):
            await eventually(lambda: stands(forgetful_bus, database, {A: b"3", B: b"1", C: b"2"}), within_s=30)
        assert (metrics.registry.get_sample_value("vonggac_inventory_outbox_published_again_total") or 0) >= 2


async def test_amnesia_never_ends_with_an_older_state(forgetful_bus: Bus, database: Database) -> None:
    async with running_beside(new_relay(database, forgetful_bus).run()):
        await fill(database, (A, b"1"))
        await eventually(lambda: emptied(database))
        await fill(database, (A, b"2"))
        await eventually(lambda: emptied(database))
    # The server still knows the id of the second state, as after a copy that holds it.
    async with database.transaction() as session:
        assert await outbox.wait_again(session) == 1
    async with running_beside(new_relay(database, forgetful_bus).run()):
        await eventually(lambda: stands(forgetful_bus, database, {A: b"2"}))


async def test_a_mere_restart_publishes_nothing_again(
    forgetful_server: ForgetfulServer, forgetful_bus: Bus, database: Database
) -> None:
    metrics = Metrics()
    async with running_beside(new_relay(database, forgetful_bus, metrics).run()):
        await fill(database, (A, b"1"))
        await eventually(lambda: emptied(database))
        await asyncio.to_thread(forgetful_server.stop)
        await asyncio.to_thread(forgetful_server.start)
        await eventually(lambda: forgetful_bus.connected)
        await fill(database, (B, b"1"))
        await eventually(lambda: stands(forgetful_bus, database, {A: b"1", B: b"1"}))
    assert metrics.registry.get_sample_value("vonggac_inventory_outbox_published_again_total") == 0


async def test_published_rows_are_forgotten_in_the_end(
    forgetful_bus: Bus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FORGET_EVERY", timedelta())

    async def kept() -> int:
        async with database.transaction() as session:
            return await session.scalar(select(func.count()).select_from(OutboxRow)) or 0

    async with running_beside(new_relay(database, forgetful_bus).run()):
        await fill(database, (A, b"1"), (B, b"1"))
        await eventually(lambda: emptied(database))
        assert await kept() == 2
        async with database.transaction() as session:
            old = datetime.now(UTC) - outbox.KEPT - timedelta(seconds=1)
            await session.execute(update(OutboxRow).values(published_at=old))
        await fill(database, (C, b"1"))
        await eventually(lambda: emptied(database))
        assert await kept() == 1
