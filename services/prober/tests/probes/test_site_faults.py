"""The watch of whole sites over real NATS."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from prober.messaging import Announcer
from prober.probes.site_faults import SiteWatch
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, SiteObservedV1, SiteState, Verdict
from vonggac.testing.waiting import eventually

pytestmark = pytest.mark.server


def failed(facility_id: UUID, at: datetime) -> CameraObservedV1:
    return CameraObservedV1(
        camera_id=uuid4(),
        camera_revision=1,
        facility_id=facility_id,
        verdict=Verdict.DOWN,
        cause=Cause.TIMEOUT,
        observed_at=at,
        interval_s=15,
        duration_ms=1.0,
        worker_id="prober-0",
        since=at,
    )


async def test_an_entry_that_is_no_cameras_does_not_end_the_watch_of_all(bus: Bus) -> None:
    for bucket in (topology.CAMERA_STATUS, topology.SITE_STATUS):
        await Bucket(bus, bucket).put("nobody", b"{}")
    facility_id, now = uuid4(), datetime.now(UTC)
    fact = SiteObservedV1(
        facility_id=facility_id, state=SiteState.FAILING, cause=Cause.TIMEOUT, camera_ids=(), began_at=now
    )
    await Bucket(bus, topology.SITE_STATUS).put("also-nobody", fact.model_dump_json().encode())
    outgoing = Outgoing(bus)
    watch = SiteWatch(bus, Announcer(outgoing, worker_id="prober-0"), least_cameras=2)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(outgoing.run()), tasks.create_task(watch.run())]
        other = uuid4()
        for number in range(3):
            probe = failed(other, now - timedelta(seconds=number))
            await Bucket(bus, topology.CAMERA_STATUS).put(str(probe.camera_id), probe.model_dump_json().encode())

        async def found() -> bool:
            return await Bucket(bus, topology.SITE_STATUS).get(str(other)) is not None

        await eventually(found)
        for task in running:
            task.cancel()
