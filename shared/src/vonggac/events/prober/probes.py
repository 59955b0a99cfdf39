"""One probe of one camera, what its picture shows, and faults of whole sites."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from vonggac.events.causes import Cause
from vonggac.events.envelope import MESSAGE, Payload


class Verdict(StrEnum):
    """`up`: a true, moving picture arrived. `down`: it did not, for a cause. `unknown`: nobody could probe.

    A light probe decodes nothing: its `up` means that a keyframe came and that the last deep probe was good.
    """

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class ProbeKind(StrEnum):
    """How closely a camera was probed. `forwarder_keyframe`: deep, by the forwarder's keyframe, without own session."""

    DEEP = "deep"
    LIGHT = "light"
    FORWARDER_KEYFRAME = "forwarder_keyframe"


BY_FORWARDER = "forwarder_keyframe"
"""The step by which a light probe used the forwarder's keyframe, without a session of its own."""


class Step(BaseModel):
    """One phase of a probe and what it took."""

    model_config = MESSAGE

    name: str
    duration_ms: float = Field(ge=0)


class Media(BaseModel):
    """What was measured of the stream. None where it could not be measured."""

    model_config = MESSAGE

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
    jitter_ms: float | None = None
    clock_drift_s: float | None = None
    transport: str | None = Field(default=None, description="tcp or udp: how the media of an RTSP camera came.")


class DeviceSigns(BaseModel):
    """By what the device at a camera's address is known. None where nothing was seen."""

    model_config = MESSAGE

    serial: str | None = Field(default=None, max_length=64, description="By ONVIF, without case and spaces.")
    mac: str | None = Field(default=None, max_length=64, description="By ONVIF, its digits.")
    link_mac: str | None = Field(default=None, max_length=64, description="Of the prober's neighbour, on a local link.")
    stream: str | None = Field(default=None, max_length=64, description="Codec, profile and size in its pictures.")
    described: str | None = Field(default=None, max_length=64, description="The same in its session description.")
    maker: str | None = Field(default=None, max_length=200, description="Words by which it describes itself.")
    habits: dict[str, str] = Field(
        default_factory=dict, description="Digests of what a model and its settings leave open, by what it is."
    )
    changed_at: AwareDatetime | None = Field(default=None, description="When another device than this was found.")
    change: str | None = Field(default=None, max_length=200, description="By what it differs, for people.")


type LoginScheme = Literal["none", "basic", "digest"]
"""How a camera asked for a login before it played."""


class SecuritySigns(BaseModel):
    """What probes observe of a camera's security, where they do so anyway; each half was last found anew at its time.

    No password is ever tried for it. None where nothing was seen.
    """

    model_config = MESSAGE

    stream_at: AwareDatetime | None = None
    login_scheme: LoginScheme | None = Field(default=None, description="none: it plays to whoever asks.")
    device_at: AwareDatetime | None = None
    device_asks_login: bool | None = Field(default=None, description="False: ONVIF tells anybody who it is.")
    firmware: str | None = Field(default=None, max_length=200, description="By ONVIF.")


class DisputeDecision(StrEnum):
    """On a finding `repeats` that somebody disputes: it stands, or it is off until the keyframes are new."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"


class RepetitionDispute(BaseModel):
    """Somebody says that a camera which `repeats` is live: `unknown` from then on, until another one decides."""

    model_config = MESSAGE

    disputed_at: AwareDatetime
    decided_at: AwareDatetime | None = None
    decision: DisputeDecision | None = Field(default=None, description="None: nobody has decided yet.")
    ended_at: AwareDatetime | None = Field(
        default=None, description="When the first new keyframe came: what was disputed is over, decided or not."
    )


class CameraObservedV1(Payload):
    """One probe: exactly one attempt, with one deadline.

    The fact of a good one without findings has no steps, no device, no facility, and not why checks were not made: the
    bucket `camera_status` has those of the last probe.
    """

    event_type: ClassVar[str] = "vn.vonggac.prober.camera_observed.v1"
    is_frequent: ClassVar[bool] = True
    camera_id: UUID
    camera_revision: int
    worker_id: str
    observed_at: AwareDatetime = Field(description="When the verdict was reached.")
    verdict: Verdict
    cause: Cause | None = None
    detail: str | None = Field(default=None, max_length=500, description="For people; never a credential.")
    interval_s: float = Field(gt=0, description="The next probe is due after this long.")
    duration_ms: float = Field(ge=0)
    steps: tuple[Step, ...] = ()
    media: Media | None = None
    kind: ProbeKind = ProbeKind.DEEP
    findings: tuple[Cause, ...] = Field(
        default=(), description="What is wrong beside the cause; a camera that is `up` may have some."
    )
    not_checked: dict[str, str] = Field(
        default_factory=dict, description="Checks (by their cause) that could not be made, and why."
    )
    facility_id: UUID | None = None
    since: AwareDatetime | None = Field(default=None, description="When this verdict began, probe by probe.")
    deep_at: AwareDatetime | None = Field(default=None, description="When the picture was last judged.")
    identity_at: AwareDatetime | None = Field(default=None, description="When the device's identity was last read.")
    login_proven: bool = Field(default=False, description="The camera took this login at this revision before.")
    logins_failed: int = Field(default=0, ge=0, description="Failed logins in a row at this revision.")
    awake_since: AwareDatetime | None = Field(
        default=None, description="Since when this worker has watched without a hole; later than before: it slept."
    )
    device: DeviceSigns | None = Field(
        default=None, description="The device that is known at the address, and since when another one is there."
    )
    still_since: AwareDatetime | None = Field(
        default=None,
        description="Since when the keyframes are identical, bit for bit, or come again: of a picture that is `frozen` "
        "by nothing else, or `repeats`, so that this probe says nothing of the time before.",
    )
    dispute: RepetitionDispute | None = Field(
        default=None,
        description="What people said last of this camera's `repeats`; it holds of its own times, before this probe "
        "too.",
    )

    security: SecuritySigns | None = Field(
        default=None, description="What was observed of its security; a good fact has it when some of it is new."
    )
    captured_at: AwareDatetime | None = Field(
        default=None, description="When the forwarder received the keyframe that a failed probe judged."
    )

    @property
    def began_at(self) -> datetime:
        """Since when a failure is evidence: its attempt began then, or its picture was captured before.

        Half an interval before the attempt at most, so that probes of one old keyframe leave no time between them open.
        """
        began_at = self.observed_at - timedelta(milliseconds=round(self.duration_ms))
        if self.captured_at is None or self.captured_at >= began_at:
            return began_at
        return max(self.captured_at, began_at - timedelta(seconds=self.interval_s / 2))

    def to_stored(self) -> "CameraObservedV1":
        """Reduce it to the fact: of a good probe without findings, what is counted and measured of the stream."""
        if self.verdict is not Verdict.UP or self.findings or self.logins_failed:
            return self
        device = self.device if self.device is not None and self.device.changed_at is not None else None
        steps = tuple(step for step in self.steps if step.name == BY_FORWARDER)
        signs = self.security
        security = signs if signs is not None and self.observed_at in (signs.stream_at, signs.device_at) else None
        left: dict[str, object] = {"steps": steps, "not_checked": {}, "device": device, "facility_id": None}
        left["security"] = security
        return self.model_copy(update=left)


class PictureJudged(BaseModel):
    """Message of a prober on `forwarder.camera.<camera_id>.picture_judged`: what it saw in the picture of a camera that
    this forwarder pulls."""

    model_config = MESSAGE

    captured_at: AwareDatetime = Field(
        description="When the forwarder received the picture; without one, when the prober gave up waiting for it."
    )
    cause: Cause | None = Field(default=None, description="Why it shows nothing of the place; None: it shows it.")
    moves: bool = Field(
        default=False, description="The next keyframes were compared with it, and it does not stand still."
    )


class SiteState(StrEnum):
    """Of a facility's cameras together."""

    FAILING = "failing"
    OVER = "over"


class SiteObservedV1(Payload):
    """All cameras of a facility fail alike, or they no longer do: one fault to report instead of one per camera."""

    event_type: ClassVar[str] = "vn.vonggac.prober.site_observed.v1"
    facility_id: UUID
    state: SiteState
    cause: Cause = Field(description="What most of the cameras fail of.")
    camera_ids: tuple[UUID, ...] = Field(description="The cameras that failed when the fault was found.")
    began_at: AwareDatetime = Field(description="When the last of them failed; together with the facility its name.")
    ended_at: AwareDatetime | None = None
