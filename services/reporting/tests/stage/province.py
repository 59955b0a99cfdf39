"""A small province to report on: facts as their producers publish them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from reporting.ingest.handlers import Ingest
from vonggac.bus import Bus, Received
from vonggac.events import Cause, CloudEvent, Payload, new_event, subjects
from vonggac.events.forwarder import (
    CameraMediaObservedV1,
    DeliveryObservedV1,
    DeliveryState,
    ForwarderAliveV1,
    MediaState,
)
from vonggac.events.inventory import (
    AgencyRole,
    AgencyV1,
    CameraV1,
    DestinationRole,
    DestinationV1,
    FacilityStatus,
    FacilityType,
    FacilityV1,
    MaintenanceWindowV1,
    PlannedDelivery,
    RequiredProof,
    UnitV1,
)
from vonggac.events.prober import (
    CameraObservedV1,
    DeliveryVerifiedV1,
    ProberAliveV1,
    Verdict,
    VerificationVerdict,
)


def received(event: CloudEvent[Payload], sequence: int = 1) -> Received:
    return Received(event, f"test.{event.subject}", sequence)


AWAKE_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""Before any period of a test."""


@dataclass
class Province:
    """Facts as their producers publish them; everything a test does not care about is filled in."""

    unit: UUID = field(default_factory=uuid4)
    agency: UUID = field(default_factory=uuid4)
    facility: UUID = field(default_factory=uuid4)
    national: UUID = field(default_factory=uuid4)
    provincial: UUID = field(default_factory=uuid4)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def base(self, **facility: Any) -> list[CloudEvent[Payload]]:
        """One unit, agency, facility and the two destinations."""
        state = {"revision": 1, "changed_at": AWAKE_SINCE, "created_at": AWAKE_SINCE}
        things = {
            "unit": UnitV1(id=self.unit, code="465", name="Huyện Hướng Hóa", **state),
            "agency": AgencyV1(id=self.agency, code="SYT", name="Sở Y tế", role=AgencyRole.MANAGING, **state),
            "facility": self.facility_state(**facility),
        }
        events = [self.stated(noun, thing) for noun, thing in things.items()]
        return [*events, self.destination("national"), self.destination("provincial")]

    def facility_state(self, **given: Any) -> FacilityV1:
        known: dict[str, Any] = {
            "id": self.facility,
            "revision": 1,
            "changed_at": AWAKE_SINCE,
            "created_at": AWAKE_SINCE,
            "code": "KCL-01",
            "name": "Khu cách ly Lao Bảo",
            "type": FacilityType.SCHOOL,
            "status": FacilityStatus.ACTIVE,
            "unit_id": self.unit,
            "managing_agency_id": self.agency,
        }
        return FacilityV1(**(known | given))

    def destination(
        self,
        role: str,
        *,
        proof: str = "acknowledged",
        revision: int = 1,
        enabled: bool = True,
        changed_at: datetime | None = None,
    ) -> CloudEvent[Payload]:
        destination = DestinationV1(
            id=self.national if role == "national" else self.provincial,
            revision=revision,
            changed_at=changed_at or AWAKE_SINCE,
            created_at=AWAKE_SINCE,
            code="D1" if role == "national" else "D2",
            name="Bộ TT&TT" if role == "national" else "IOC Quảng Trị",
            role=DestinationRole(role),
            required_proof=RequiredProof(proof),
            enabled=enabled,
        )
        return self.stated("destination", destination)

    def stated(self, noun: str, thing: Any) -> CloudEvent[Payload]:
        return new_event(thing, source="/inventory", subject=f"{noun}/{thing.id}", time=self.now)

    def window(self, starts_at: datetime, ends_at: datetime, **given: Any) -> MaintenanceWindowV1:
        """Maintenance agreed an hour beforehand, unless a test says when."""
        known: dict[str, Any] = {"id": uuid4(), "revision": 1, "purpose": "thay nguồn", "agreed_by": "lead"}
        known["changed_at"] = known["agreed_at"] = starts_at - timedelta(hours=1)
        return MaintenanceWindowV1(starts_at=starts_at, ends_at=ends_at, **{**known, **given})

    def camera(self, code: str = "CAM-01", **given: Any) -> CameraV1:
        deliveries = tuple(
            PlannedDelivery(
                id=uuid4(), destination_id=destination, destination_code=short, url=f"rtsp://10.0.0.1/{code}"
            )
            for destination, short in ((self.national, "D1"), (self.provincial, "D2"))
        )
        known: dict[str, Any] = {
            "id": uuid4(),
            "revision": 1,
            "changed_at": AWAKE_SINCE,
            "created_at": AWAKE_SINCE,
            "code": code,
            "name": "Cổng chính",
            "facility_id": self.facility,
            "enabled": True,
            "url": "rtsp://10.1.1.1/ch1",
            "probe_interval_s": 30,
            "probe_timeout_s": 5,
            "deliveries": deliveries,
        }
        return CameraV1(**(known | given))

    def probe(
        self,
        camera: CameraV1 | UUID,
        at: datetime,
        verdict: str = "up",
        *,
        cause: str | None = None,
        every_s: float = 30,
        worker: str = "prober-000000000001",
        awake_since: datetime | None = AWAKE_SINCE,
        duration_ms: float = 0,
        **given: Any,
    ) -> CloudEvent[Payload]:
        """One probe."""
        observed = CameraObservedV1(
            camera_id=camera if isinstance(camera, UUID) else camera.id,
            camera_revision=1,
            worker_id=worker,
            observed_at=at,
            verdict=Verdict(verdict),
            cause=Cause(cause) if cause else None,
            interval_s=every_s,
            duration_ms=duration_ms,
            awake_since=awake_since,
            **given,
        )
        return new_event(observed, source="/prober/1", subject=str(observed.camera_id), time=at)

    def probes(
        self,
        camera: CameraV1,
        start: datetime,
        end: datetime,
        verdict: str = "up",
        *,
        cause: str | None = None,
        every_s: float = 30,
    ) -> list[CloudEvent[Payload]]:
        """Probes at every interval of [start, end)."""
        step, at, events = timedelta(seconds=every_s), start, []
        while at < end:
            events.append(self.probe(camera, at, verdict, cause=cause, every_s=every_s))
            at += step
        return events

    def change(
        self,
        planned: PlannedDelivery,
        camera: CameraV1,
        sequence: int,
        at: datetime,
        state: str,
        *,
        worker: str = "forwarder-000000000001",
        held_since: datetime | None = None,
        cause: str | None = None,
        verified_at: datetime | None = None,
        delay_s: float | None = None,
        **given: Any,
    ) -> CloudEvent[Payload]:
        """One change of a delivery in the eyes of a worker."""
        change = DeliveryObservedV1(
            delivery_id=planned.id,
            camera_id=camera.id,
            destination_id=planned.destination_id,
            camera_revision=1,
            worker_id=worker,
            held_since=held_since or at,
            sequence=sequence,
            observed_at=at,
            state=DeliveryState(state),
            cause=Cause(cause) if cause else None,
            verified_at=verified_at,
            delay_s=delay_s,
            **given,
        )
        return new_event(change, source=f"/forwarder/{worker}", subject=str(planned.id), time=at)

    def media(
        self,
        camera: CameraV1,
        sequence: int,
        at: datetime,
        state: str = "flowing",
        *,
        cause: str | None = None,
        worker: str = "forwarder-000000000001",
        held_since: datetime | None = None,
        **given: Any,
    ) -> CloudEvent[Payload]:
        """One report of a worker on the media of a camera."""
        report = CameraMediaObservedV1(
            camera_id=camera.id,
            facility_id=camera.facility_id,
            camera_revision=1,
            worker_id=worker,
            held_since=held_since or at,
            sequence=sequence,
            observed_at=at,
            state=MediaState(state),
            cause=Cause(cause) if cause else None,
            **given,
        )
        return new_event(report, source=f"/forwarder/{worker}", subject=str(camera.id), time=at)

    def read_back(
        self,
        planned: PlannedDelivery,
        camera: CameraV1,
        at: datetime,
        verdict: str = "verified",
        *,
        delay_s: float | None = None,
        cause: str | None = None,
        duration_s: float = 0,
    ) -> CloudEvent[Payload]:
        """One read-back of a delivery, found at `at`."""
        seen = DeliveryVerifiedV1(
            delivery_id=planned.id,
            camera_id=camera.id,
            destination_id=planned.destination_id,
            camera_revision=1,
            worker_id="prober-000000000001",
            observed_at=at,
            verdict=VerificationVerdict(verdict),
            captured_at=at - timedelta(seconds=delay_s or 0) if verdict == "verified" else None,
            delay_s=delay_s,
            cause=Cause(cause) if cause else None,
            interval_s=60,
            duration_ms=1000 * duration_s,
            awake_since=AWAKE_SINCE,
        )
        return new_event(seen, source="/prober/1", subject=str(planned.id), time=at)

    def alive(
        self, at: datetime, worker: str = "forwarder-000000000001", awake_since: datetime | None = AWAKE_SINCE
    ) -> CloudEvent[Payload]:
        """A heartbeat of a forwarder."""
        beat = ForwarderAliveV1(
            worker_id=worker, started_at=AWAKE_SINCE, alive_at=at, cameras_held=1, awake_since=awake_since
        )
        return new_event(beat, source=f"/forwarder/{worker}", subject=worker, time=at)

    def prober_alive(
        self, at: datetime, worker: str = "prober-000000000001", awake_since: datetime | None = AWAKE_SINCE
    ) -> CloudEvent[Payload]:
        """A heartbeat of a prober."""
        beat = ProberAliveV1(
            worker_id=worker, started_at=AWAKE_SINCE, alive_at=at, probes_running=1, awake_since=awake_since
        )
        return new_event(beat, source=f"/prober/{worker}", subject=worker, time=at)

    def watched(self, at: datetime) -> list[CloudEvent[Payload]]:
        """Both workers have watched without a hole up to `at`."""
        return [self.alive(at), self.prober_alive(at)]

    @staticmethod
    def subject(event: CloudEvent[Payload]) -> str:
        """The bus subject an event travels on."""
        data = event.data
        match data:
            case CameraObservedV1():
                return subjects.camera_observation(data.camera_id)
            case DeliveryObservedV1():
                return subjects.delivery_observation(data.delivery_id)
            case CameraMediaObservedV1():
                return subjects.camera_media_observation(data.camera_id)
            case ForwarderAliveV1() | ProberAliveV1():
                return subjects.worker_heartbeat(data.worker_id.partition("-")[0], data.worker_id)
            case _:
                noun, _, thing = event.subject.partition("/")
                return subjects.inventory(noun, thing)

    async def publish(self, bus: Bus, *events: CloudEvent[Payload]) -> None:
        """Store events in their streams, as their producers do."""
        for event in events:
            await bus.js.publish(self.subject(event), event.encode(), headers={"Nats-Msg-Id": event.id})

    async def feed(self, ingest: Ingest, *events: CloudEvent[Payload]) -> None:
        """Give events to the handlers without a bus."""
        states = [one for one in events if ".inventory." in one.type]
        facts = [one for one in events if ".inventory." not in one.type]
        if states:
            await ingest.inventory([received(one) for one in states])
        if facts:
            await ingest.observations([received(one) for one in facts])
