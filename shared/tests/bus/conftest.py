"""Events to put on the bus."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from vonggac.bus import Bus
from vonggac.events import CloudEvent, new_event, subjects
from vonggac.events.inventory import CameraV1, RemovedV1

type MakeCamera = Callable[..., CloudEvent[CameraV1]]


@pytest.fixture
def camera_event() -> MakeCamera:
    """Make a CameraV1 event of a camera id and revision."""

    def make(camera_id: UUID | None = None, *, revision: int = 1) -> CloudEvent[CameraV1]:
        now = datetime.now(UTC)
        data = CameraV1(
            id=camera_id or uuid4(),
            revision=revision,
            changed_at=now,
            code="QT-01-C1",
            name="Cổng chính",
            facility_id=uuid4(),
            enabled=True,
            url="rtsp://127.0.0.1/stream",
            probe_interval_s=60,
            probe_timeout_s=10,
        )
        return new_event(data, source="/inventory", subject=str(data.id), time=now)

    return make


@pytest.fixture
def publish_state() -> Callable[[Bus, CloudEvent[CameraV1] | CloudEvent[RemovedV1]], object]:
    """Publish an inventory event, as the outbox relay does."""

    async def publish(bus: Bus, event: CloudEvent[CameraV1] | CloudEvent[RemovedV1]) -> None:
        subject = subjects.inventory("camera", event.subject)
        await bus.js.publish(subject, event.encode(), headers={"Nats-Msg-Id": event.id})

    return publish
