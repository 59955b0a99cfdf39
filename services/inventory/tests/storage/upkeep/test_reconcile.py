"""No job is lost: what is missing from the work queues, or not seen any more, is republished."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
import structlog
from sqlalchemy import text

from inventory.domain.reconciling import Queue, Seen, expected_queues, is_unseen, may_republish, missing_queues
from inventory.messaging import JobBoard
from inventory.metrics import Metrics
from inventory.settings import Settings
from inventory.storage.upkeep.reconciling import LEASE_NAME, Reconciler
from vonggac.bus import Bucket, Bus, JobQueue
from vonggac.bus.declared import topology
from vonggac.bus.jobs import Job
from vonggac.bus.keyvalue import Lease
from vonggac.database import Database
from vonggac.events import subjects
from vonggac.events.envelope import worker_key
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.testing import eventually

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
ALL = frozenset(Queue)
QUEUES = {
    Queue.PROBE: (topology.PROBE_JOBS, topology.PROBER, subjects.probe_job),
    Queue.DELIVERY: (topology.DELIVERY_JOBS, topology.FORWARDER, subjects.delivery_job),
    Queue.VERIFY: (topology.VERIFY_JOBS, topology.VERIFIER, subjects.verify_job),
}


def camera(*, enabled: bool = True, deliveries: tuple[PlannedDelivery, ...] = ()) -> CameraV1:
    return CameraV1(
        id=uuid4(),
        revision=1,
        changed_at=NOW,
        code="C",
        name="Cổng",
        facility_id=uuid4(),
        enabled=enabled,
        url="rtsp://10.0.0.1/1",
        probe_interval_s=30,
        probe_timeout_s=10,
        deliveries=deliveries,
    )


def delivery(*, enabled: bool = True, read_back: bool = False) -> PlannedDelivery:
    url = "rtsp://10.9.0.1/c" if read_back else None
    return PlannedDelivery(
        id=uuid4(),
        destination_id=uuid4(),
        destination_code="D",
        url="rtsp://10.9.0.1/c",
        enabled=enabled,
        read_back_url=url,
    )


@pytest.mark.parametrize(
    ("planned", "queues"),
    [
        (camera(), {Queue.PROBE}),
        (camera(deliveries=(delivery(enabled=False, read_back=True),)), {Queue.PROBE}),
        (camera(deliveries=(delivery(),)), {Queue.PROBE, Queue.DELIVERY}),
        (camera(deliveries=(delivery(read_back=True),)), ALL),
        (camera(enabled=False, deliveries=(delivery(read_back=True),)), set()),
    ],
)
def test_reconcile_expects_the_jobs_that_workers_keep(planned: CameraV1, queues: set[Queue]) -> None:
    assert expected_queues(planned) == queues


def test_reconcile_needs_two_rounds_to_call_a_job_missing() -> None:
    assert missing_queues(ALL, {Queue.PROBE}, frozenset()) == frozenset()
    assert missing_queues(ALL, {Queue.PROBE}, {Queue.VERIFY}) == {Queue.VERIFY}
    assert missing_queues(ALL, ALL, ALL) == frozenset()


def test_reconcile_waits_three_intervals_and_the_probe_itself() -> None:
    planned, begun = camera(), NOW - timedelta(hours=1)
    for seen, last_moment in ((None, 100), (Seen(NOW + timedelta(seconds=50), 30), 150), (Seen(NOW, 300), 910)):
        for late_s, unseen in ((0, False), (1, True)):
            now = NOW + timedelta(seconds=last_moment + late_s)
            assert is_unseen(planned, Queue.PROBE, seen, watched_since=begun, now=now) is unseen
    now = NOW + timedelta(seconds=200)
    assert not is_unseen(planned, Queue.PROBE, None, watched_since=now, now=now + timedelta(seconds=100))


def test_reconcile_does_not_repeat_itself_at_once() -> None:
    assert may_republish(None, now=NOW)
    assert not may_republish(NOW, now=NOW + timedelta(seconds=179))
    assert may_republish(NOW, now=NOW + timedelta(seconds=180))


@pytest_asyncio.fixture
async def database(inventory_url: str) -> AsyncIterator[Database]:
    opened = Database(inventory_url)
    yield opened
    await opened.close()


async def fetched(bus: Bus, queue: Queue) -> Job:
    stream, durable, _ = QUEUES[queue]
    jobs = JobQueue(bus, stream=stream, durable=durable)
    [job] = await eventually(lambda: _one(jobs))
    await jobs.close()
    return job


async def _one(jobs: JobQueue) -> list[Job]:
    found = await jobs.fetch(1, wait_s=0.3)
    assert found
    return found


async def stands(bus: Bus, queue: Queue, camera_id: str) -> bool:
    stream, _, job = QUEUES[queue]
    info = await bus.js.stream_info(stream, subjects_filter=job("*"))
    return job(camera_id) in (info.state.subjects or {})


@pytest.mark.server
@pytest.mark.parametrize("queue", list(Queue))
async def test_reconcile_brings_a_job_back_that_a_worker_took_away(
    settings: Settings,
    bus: Bus,
    start_province: Callable[[Settings], AbstractAsyncContextManager[Any]],
    queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inventory.app.RECONCILE_EVERY_S", 0.1)
    async with start_province(settings) as province:
        await province.destination(
            required_proof="verified", read_back_url_template="rtsp://10.9.0.1:8554/{camera_code}"
        )
        made = await province.forwarded_camera()
        job = await fetched(bus, queue)
        await job.message.term()
        again = await fetched(bus, queue)
    assert isinstance(again.event.data, CameraV1)
    assert (str(again.event.data.id), again.event.data.revision) == (made["id"], 1)
    assert str(job.event.subject) == made["id"]
    assert again.event.id != job.event.id


_REFUSE = "begin raise exception using errcode = 'disk_full'; end"
_DISK_FULL = (
    f"create function refuse() returns trigger language plpgsql as $${_REFUSE}$$",
    "create trigger refuse before insert on outbox for each row execute function refuse()",
)


@pytest.mark.server
async def test_reconcile_outlives_a_full_disk_of_postgresql(
    settings: Settings,
    bus: Bus,
    database: Database,
    start_province: Callable[[Settings], AbstractAsyncContextManager[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inventory.app.RECONCILE_EVERY_S", 0.1)
    async with start_province(settings) as province:
        await province.forwarded_camera()
        job = await fetched(bus, Queue.PROBE)
        async with database.transaction() as session:
            for statement in _DISK_FULL:
                await session.execute(text(statement))
        with structlog.testing.capture_logs() as logged:
            await job.message.term()
            await eventually(lambda: any(one["event"] == "jobs_not_reconciled" for one in logged))
        async with database.transaction() as session:
            await session.execute(text("drop function refuse cascade"))
        again = await fetched(bus, Queue.PROBE)
    assert again.event.subject == job.event.subject


@pytest.mark.server
async def test_reconcile_leaves_alone_what_has_no_jobs_for_good(province: Any, bus: Bus, database: Database) -> None:
    made = await province.camera(enabled=False)
    await eventually(lambda: stands(bus, Queue.PROBE, made["id"]))
    for queue in Queue:
        await (await fetched(bus, queue)).complete()
    reconciler, board = Reconciler(database, Metrics(), every_s=60), JobBoard(bus)
    for _ in range(3):
        assert await reconciler.run_round(board, datetime.now(UTC)) == 0


@pytest.mark.server
async def test_reconcile_republishes_a_camera_that_nobody_holds_or_probes(
    province: Any, bus: Bus, database: Database
) -> None:
    await province.destination()
    made = await province.forwarded_camera()
    for queue in Queue:
        # A delayed nak that the server lost: the job stands, and nobody gets it again.
        await (await fetched(bus, queue)).postpone(3600)
    reconciler, board, now = Reconciler(database, Metrics(), every_s=60), JobBoard(bus), datetime.now(UTC)

    async def round_after(seconds: float) -> int:
        return await reconciler.run_round(board, now + timedelta(seconds=seconds))

    assert [await round_after(seconds) for seconds in (0, 200)] == [0, 0], "without workers, nothing is expected"
    for worker in ("prober-1", "forwarder-1"):
        await Bucket(bus, topology.WORKERS).put(worker_key(worker), b"{}")
    assert await round_after(40) == 0
    assert await round_after(71) == 1
    assert await round_after(72) == 0, "once is enough for a while"
    for queue in (Queue.PROBE, Queue.DELIVERY):
        assert (await fetched(bus, queue)).deliveries == 1
    assert await held_and_probed(bus, UUID(made["id"]), UUID(made["deliveries"][0]["id"]), "forwarder-1")
    assert await round_after(400) == 1, "the probe of 0 s is old by then, and that alone is enough"


async def held_and_probed(bus: Bus, camera_id: UUID, delivery_id: UUID, worker: str) -> bool:
    await Bucket(bus, topology.CAMERA_STATUS).put(str(camera_id), b'{"worker_id": "prober-1", "interval_s": 30}')
    held = b'{"worker_id": "%s", "state": "verified"}' % worker.encode()
    await Bucket(bus, topology.DELIVERY_STATUS).put(str(delivery_id), held)
    return True


@pytest.mark.server
async def test_reconcile_trusts_a_holder_that_lives_and_no_other(province: Any, bus: Bus, database: Database) -> None:
    await province.destination()
    made = await province.forwarded_camera(probe_interval_s=3600)
    for queue in Queue:
        await (await fetched(bus, queue)).postpone(3600)
    board, now = JobBoard(bus), datetime.now(UTC)
    await Bucket(bus, topology.WORKERS).put(worker_key("forwarder-1"), b"{}")
    for holder, republished in (("forwarder-1", 0), ("forwarder-0", 1)):
        await held_and_probed(bus, UUID(made["id"]), UUID(made["deliveries"][0]["id"]), holder)
        reconciler = Reconciler(database, Metrics(), every_s=60)
        assert await reconciler.run_round(board, now) == 0
        assert await reconciler.run_round(board, now + timedelta(seconds=100)) == republished


@pytest.mark.server
async def test_reconcile_has_one_owner_and_a_successor(bus: Bus, database: Database) -> None:
    first, second = Lease(bus, LEASE_NAME, "first"), Lease(bus, LEASE_NAME, "second")
    assert (await first.renew(), await second.renew(), await first.renew()) == (True, False, True)
    assert await first.server_time() is not None
    await second.release()
    assert not await second.renew()
    await first.release()
    assert (await second.renew(), await first.renew()) == (True, False)
