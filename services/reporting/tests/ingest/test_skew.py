"""A fact from the future is taken at the time at which NATS stored it, is marked, and slows nobody down (skew)."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from reporting import app, metrics
from reporting.ingest import future_facts
from reporting.ingest.handlers import Ingest
from reporting.messaging import new_consumers
from reporting.storage.tables import camera_state, corrected_fact, publisher_gap
from vonggac.bus import Received
from vonggac.bus.clock import ServerClock
from vonggac.bus.declared import topology
from vonggac.events import CloudEvent, Payload, new_event, subjects
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState
from vonggac.events.prober import CameraObservedV1, Verdict
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.database import Database

FACTS = 400


async def publish(bus: Bus, at: datetime) -> UUID:
    """One probe, dated `at`; returns its camera."""
    camera = uuid4()
    fact = CameraObservedV1(
        camera_id=camera,
        camera_revision=1,
        worker_id="prober-1",
        observed_at=at,
        verdict=Verdict.UP,
        interval_s=60,
        duration_ms=40,
    )
    event = new_event(fact, source="/prober/prober-1", subject=str(camera), time=at)
    await bus.js.publish(subjects.camera_observation(camera), event.encode(), headers={"Nats-Msg-Id": event.id})
    return camera


def corrected() -> float:
    return metrics.registry.get_sample_value("vonggac_reporting_corrected_facts_total", {"kind": "prober"}) or 0.0


@pytest.mark.parametrize("ahead_s", [180, 600])
async def test_facts_ahead_by_skew_are_taken_at_the_servers_time_and_marked(
    bus: Bus, database: Database, ingest: Ingest, ahead_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    handle = ingest.observations

    async def counted(batch: list[object]) -> None:
        sizes.append(len(batch))
        await handle(batch)  # type: ignore[arg-type] # passed through

    monkeypatch.setattr(ingest, "observations", counted)
    before, now = corrected(), datetime.now(UTC)
    future = {await publish(bus, now + timedelta(seconds=ahead_s)) for _ in range(FACTS // 100)}
    good = {await publish(bus, now - timedelta(seconds=5)) for _ in range(FACTS - len(future))}
    consumer = new_consumers(bus, ingest, batch=500)[1]
    running = asyncio.create_task(consumer.run())

    async def states() -> dict[UUID, datetime]:
        async with database.transaction() as session:
            rows = await session.execute(select(camera_state.c.camera_id, camera_state.c.last_observed_at))
            found = {row[0]: row[1] for row in rows}
        assert len(found) == FACTS
        return found

    seen = await eventually(states)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    done = datetime.now(UTC)
    # Stored to the millisecond.
    assert all(now - timedelta(milliseconds=2) <= seen[camera] <= done for camera in future)
    assert all(abs(seen[camera] - now + timedelta(seconds=5)) < timedelta(milliseconds=2) for camera in good)
    async with database.transaction() as session:
        marks = (await session.execute(select(corrected_fact))).all()
    assert {UUID(mark.subject) for mark in marks} == future
    assert {mark.dated_at for mark in marks} == {now + timedelta(seconds=ahead_s)}
    assert corrected() - before == len(future)
    # No batch was handled in parts, and nothing was buried.
    assert sum(sizes) == FACTS
    assert (await bus.js.stream_info(topology.DEAD_LETTERS)).state.messages == 0


async def test_a_fact_ahead_by_skew_is_taken_at_the_same_time_when_it_is_replayed_an_hour_later(
    bus: Bus, database: Database, settings: Settings
) -> None:
    """As after a restore of the tables: that hour has made it a fact of the past."""
    stored_at = datetime.now(UTC)
    await publish(bus, stored_at + timedelta(minutes=10))
    later = Ingest(database, settings, clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    last = (await bus.js.stream_info(topology.OBSERVATIONS)).state.last_seq
    assert await new_consumers(bus, later, batch=500)[1].replay(1, last) == 1
    async with database.transaction() as session:
        seen = (await session.execute(select(camera_state.c.last_observed_at))).scalar_one()
    assert stored_at - timedelta(milliseconds=2) <= seen <= datetime.now(UTC)


def test_what_lies_between_the_times_of_a_fact_survives_its_correction_for_skew() -> None:
    stored_at = datetime(2026, 11, 24, tzinfo=UTC)
    said_at = stored_at + timedelta(minutes=10)
    fact = DeliveryObservedV1(
        delivery_id=uuid4(),
        camera_id=uuid4(),
        destination_id=uuid4(),
        camera_revision=1,
        worker_id="forwarder-1",
        held_since=said_at - timedelta(seconds=30),
        sequence=1,
        observed_at=said_at,
        state=DeliveryState.ACKNOWLEDGED,
        last_success_at=said_at - timedelta(seconds=1),
    )
    event: CloudEvent[Payload] = new_event(fact, source="/forwarder/1", subject=str(fact.delivery_id), time=said_at)
    correction = future_facts.correct(
        Received(event, "observation.delivery.x", 1), said_at, stored_at, tolerance=timedelta(seconds=2)
    )
    assert correction is not None
    data = correction.received.event.data
    assert isinstance(data, DeliveryObservedV1)
    assert data.observed_at == stored_at
    assert data.held_since == stored_at - timedelta(seconds=30)
    assert data.last_success_at == stored_at - timedelta(seconds=1)
    assert data.verified_at is None


async def test_a_gap_in_facts_ahead_by_skew_lies_where_they_are_taken(database: Database, ingest: Ingest) -> None:
    stored_at, camera = datetime(2026, 11, 24, tzinfo=UTC), uuid4()

    def fact(sequence: int) -> Received:
        at = stored_at + timedelta(seconds=180 + sequence)
        seen = CameraObservedV1(
            camera_id=camera,
            camera_revision=1,
            worker_id="prober-1",
            observed_at=at,
            verdict=Verdict.UP,
            interval_s=60,
            duration_ms=40,
        )
        event: CloudEvent[Payload] = new_event(seen, source="/prober/prober-1", subject=str(camera), time=at)
        numbered = event.model_copy(update={"publisher": "prober-1", "publishersequence": sequence})
        return Received(numbered, "observation.camera.x", sequence, stored_at + timedelta(seconds=sequence))

    await ingest.observations([fact(1), fact(3)])
    async with database.transaction() as session:
        (gap,) = (await session.execute(select(publisher_gap.c.began_at, publisher_gap.c.ended_at))).all()
    # The next probe speaks from its beginning on: 40 ms before its verdict.
    assert gap == (stored_at + timedelta(seconds=1), stored_at + timedelta(seconds=2.96))


@pytest.mark.parametrize("off_s", [600.0, -600.0])
async def test_skew_of_reporting_is_in_no_report(
    bus: Bus, start: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, off_s: float
) -> None:
    assert bus.connected
    monkeypatch.setattr(app, "ServerClock", lambda: ServerClock(wall=lambda: time.time() + off_s))
    async with start() as client:

        async def is_said() -> bool:
            return "this machine's clock is 600.0 s" in (await client.get("/readyz")).text

        await eventually(is_said)
        period = (await client.get("/v1/compliance")).json()["period"]
        skew_s = metrics.registry.get_sample_value("vonggac_reporting_clock_skew_seconds")
    assert abs(datetime.fromisoformat(period["to"]) - datetime.now(UTC)) < timedelta(seconds=30)
    assert skew_s == pytest.approx(off_s, abs=5)
