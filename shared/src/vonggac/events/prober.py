"""What prober says: one look at one camera, and that a worker is alive."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from vonggac.events.causes import Cause
from vonggac.events.envelope import Payload


class Verdict(StrEnum):
    """`up`: a whole keyframe arrived and decoded. `down`: it did not, for a cause. `unknown`: nobody could look."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class Step(BaseModel):
    """One phase of a probe and what it took."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    duration_ms: float = Field(ge=0)


class Media(BaseModel):
    """What was measured of the stream. None where it could not be measured."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    codec: str | None = None
    profile: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bitrate_kbps: float | None = None
    gop_s: float | None = None
    packets_received: int | None = None
    packets_lost: int | None = None
    audio_codec: str | None = None


class CameraObservedV1(Payload):
    """One probe: exactly one attempt, with one deadline."""

    event_type: ClassVar[str] = "vn.vonggac.prober.camera_observed.v1"
    camera_id: UUID
    camera_revision: int
    worker_id: str
    observed_at: AwareDatetime = Field(description="When the verdict was reached.")
    verdict: Verdict
    cause: Cause | None = None
    detail: str | None = Field(default=None, max_length=500, description="For people; never a credential.")
    interval_s: float = Field(gt=0, description="The next look is due after this long.")
    duration_ms: float = Field(ge=0)
    steps: tuple[Step, ...] = ()
    media: Media | None = None


class ProberAliveV1(Payload):
    """Heartbeat of one prober process."""

    event_type: ClassVar[str] = "vn.vonggac.prober.worker_alive.v1"
    worker_id: str
    started_at: AwareDatetime
    alive_at: AwareDatetime
    probes_running: int
