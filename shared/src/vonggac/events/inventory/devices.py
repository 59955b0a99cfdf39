"""Cameras, destinations and the deliveries between them."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from vonggac.events.envelope import MESSAGE
from vonggac.events.inventory.places import OUT_OF_SERVICE, FacilityStatus
from vonggac.events.inventory.plans import PlanBasis
from vonggac.events.inventory.serving import DestinationMode, SealedSecret, ServingPlan
from vonggac.events.inventory.state import State


class DestinationRole(StrEnum):
    """The two authorities every camera must reach (R09, R10)."""

    NATIONAL = "national"
    PROVINCIAL = "provincial"


class RequiredProof(StrEnum):
    """What a destination demands before a delivery counts as connected."""

    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"


class MediaTransport(StrEnum):
    """How media travels from an RTSP camera: `auto` tries TCP first and UDP when the camera refuses it."""

    TCP = "tcp"
    UDP = "udp"
    AUTO = "auto"


class DestinationV1(State):
    """A monitoring centre; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.destination.v1"
    code: str
    name: str
    role: DestinationRole
    required_proof: RequiredProof
    enabled: bool
    mode: DestinationMode = DestinationMode.PUSH
    responsible: str | None = Field(
        default=None, description="Of one that pulls: whom a report names when it does not ask."
    )


class RecorderV1(State):
    """An NVR or DVR of a facility; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.recorder.v1"
    code: str
    name: str
    facility_id: UUID
    vendor: str | None = None
    model: str | None = None
    channels: int
    shared_device_reason: str | None = Field(default=None, description="Why another recorder has the same device.")


class TlsTrust(BaseModel):
    """Whom to trust over TLS; at most one of the two. Neither: the system's authorities."""

    model_config = MESSAGE

    ca_pem: str | None = Field(default=None, description="Own authorities, PEM; the host's name is checked.")
    fingerprint_sha256: str | None = Field(
        default=None, description="SHA-256 of the one trusted certificate (DER), 64 hexadecimal digits."
    )


class PlannedDelivery(BaseModel):
    """One camera to one destination, as the forwarder needs it."""

    model_config = MESSAGE

    id: UUID
    destination_id: UUID
    destination_code: str
    url: str = Field(
        description="Where to publish, without credentials; served://destination/camera: the centre pulls it there."
    )
    secret: SealedSecret | None = None
    required_proof: RequiredProof = RequiredProof.ACKNOWLEDGED
    enabled: bool = True
    tls: TlsTrust | None = None
    enhanced_rtmp: bool = Field(default=False, description="The centre accepts H.265 over RTMP (enhanced RTMP).")
    read_back_url: str | None = Field(
        default=None, description="Where the centre plays the stream back, without credentials; None: it does not."
    )
    read_back_secret: SealedSecret | None = Field(
        default=None, description="For reading back, where it needs another login than publishing."
    )
    plan: PlanBasis | None = Field(
        default=None, description="What it runs under (R04); under `none` it does not. Left out by earlier releases."
    )
    plan_exception: str | None = Field(default=None, description="Why it runs without an agreed plan.")
    serving: ServingPlan | None = Field(
        default=None, description="How the centre is served, where it pulls; None: it is published to `url`."
    )


class ExpectedDevice(BaseModel):
    """What the survey found a camera to be; None where it was not noted. Another device there is `identity_changed`."""

    model_config = MESSAGE

    codec: str | None = Field(default=None, description="h264 or h265.")
    width: int | None = Field(default=None, description="Pixels.")
    height: int | None = Field(default=None, description="Pixels.")
    fps: float | None = Field(default=None, description="Pictures a second that the camera is set to.")
    serial: str | None = None
    mac: str | None = Field(default=None, description="Lower case, with colons.")
    onvif_address: str | None = Field(default=None, description="host or host:port of the device service.")


class DeclaredSecurity(BaseModel):
    """What the register says of a camera's security (QCVN 135:2024/BTTTT). None: nobody declared it."""

    model_config = MESSAGE

    default_password_changed: bool | None = None
    cloud_access: bool | None = Field(default=None, description="Reached through its maker's cloud (P2P).")
    firmware: str | None = None
    firmware_released_on: date | None = None
    certificate: str | None = Field(default=None, description="Number of its certificate of conformity.")
    certificate_valid_until: date | None = None


class CameraV1(State):
    """Everything a worker needs to probe and to forward one camera."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.camera.v1"
    code: str
    name: str
    facility_id: UUID
    enabled: bool
    url: str = Field(description="Address without credentials: rtsp, rtsps, rtmp, http(s) for HLS, tcp or udp for TS.")
    secret: SealedSecret | None = None
    tls: TlsTrust | None = None
    transport: MediaTransport = MediaTransport.TCP
    forward_audio: bool = False
    probe_interval_s: float = Field(gt=0)
    probe_timeout_s: float = Field(gt=0)
    deliveries: tuple[PlannedDelivery, ...] = ()
    expected: ExpectedDevice | None = None
    area: str | None = Field(default=None, description="The area it watches (4403/CV-BCĐ).")
    shared_device_reason: str | None = Field(
        default=None, description="Why another camera on record has the same device; None: none has."
    )
    vendor: str | None = Field(default=None, description="Make, as a scan read it or as it was entered.")
    model: str | None = Field(default=None, description="Model, likewise.")
    security: DeclaredSecurity | None = Field(
        default=None, description="What is declared of its security; None: nothing. Left out by earlier releases."
    )
    installed_on: date | None = Field(
        default=None, description="First day on which it is in force; None: as long as it is on record."
    )
    facility_status: FacilityStatus | None = Field(
        default=None, description="Of its facility: nothing of a suspended or closed one is probed or forwarded."
    )

    @property
    def in_service(self) -> bool:
        """Whether it is probed and forwarded: it is enabled, and its facility neither suspended nor closed (R23)."""
        return self.enabled and self.facility_status not in OUT_OF_SERVICE

    @property
    def forwarded(self) -> tuple[PlannedDelivery, ...]:
        """The deliveries that shall run: enabled, planned or excepted (R04), of a camera in service."""
        return tuple(
            delivery
            for delivery in self.deliveries
            if self.in_service and delivery.enabled and delivery.plan is not PlanBasis.NONE
        )

    @property
    def read_back(self) -> tuple[PlannedDelivery, ...]:
        """The deliveries that are read back from their destinations."""
        return tuple(delivery for delivery in self.forwarded if delivery.read_back_url is not None)
