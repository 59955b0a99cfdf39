"""The work queue against a real server: jobs come back, are held, replaced and removed."""

from datetime import UTC, datetime
from uuid import uuid4

from nats.js.errors import APIError

from vonggac.bus import Bus, JobQueue, Outgoing, topology
from vonggac.events import new_event, subjects
from vonggac.events.inventory import CameraV1, RemovedV1


def camera_event(camera_id, *, revision=1):  # type: ignore[no-untyped-def]
    now = datetime.now(UTC)
    data = CameraV1(id=camera_id, revision=revision, changed_at=now, code="C", name="C", facility_id=uuid4(), enabled=True,
                    url="rtsp://127.0.0.1/a", probe_interval_s=1, probe_timeout_s=1)
    return new_event(data, source="/inventory", subject=str(camera_id), time=now)


async def publish(bus: Bus, event) -> None:  # type: ignore[no-untyped-def]
    await bus.js.publish(subjects.inventory("camera", event.subject), event.encode(), headers={"Nats-Msg-Id": event.id})


async def test_job(bus: Bus) -> None:
    camera_id = uuid4()
    queue = JobQueue(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER)
    await publish(bus, camera_event(camera_id))
    [job] = await queue.fetch(10)
    assert job.event.data.id == camera_id
    await job.again_in(0.2)
    [again] = await queue.fetch(10)
    assert again.deliveries == 2
    await publish(bus, camera_event(camera_id, revision=2))
    [new] = await queue.fetch(10)
    assert new.event.data.revision == 2
    await queue.close()
