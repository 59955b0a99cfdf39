"""What the prober publishes: one probe of one camera, a fault of a whole site, and that a worker is alive."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from vonggac.events.causes import Cause
from vonggac.events.envelope import MESSAGE, Payload
from vonggac.events.inventory.serving import SelfCheck


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


class VerificationVerdict(StrEnum):
    """Of a read-back: `mismatch` is another or an old picture, `unreachable` that nothing could be read back."""

    VERIFIED = "verified"
    MISMATCH = "mismatch"
    UNREACHABLE = "unreachable"
    NOT_CHECKABLE = "not_checkable"


class EarlierReadBack(BaseModel):
    """One read-back that has no fact of its own."""

    model_config = MESSAGE

    at: AwareDatetime = Field(
        description="What it is evidence of: of a match when its picture came from the camera, else when it began."
    )
    observed_at: AwareDatetime = Field(description="When its verdict was reached.")
    interval_s: float = Field(gt=0, description="The next read-back was due after this long.")


class AgreeingReadBacks(BaseModel):
    """The read-backs of one delivery since the last one that is a fact: all of its verdict and cause."""

    model_config = MESSAGE

    verdict: VerificationVerdict
    cause: Cause | None = None
    count: int = Field(ge=1, description="How many.")
    read_backs: tuple[EarlierReadBack, ...] = Field(
        default=(), description="Each of them, oldest first; none where nothing could be checked, which says nothing."
    )


class DeliveryVerifiedV1(Payload):
    """One read-back of one delivery from its destination: exactly one attempt, with one deadline.

    It is a fact when its verdict or cause is another one than before, and once in four of the same. The others go to
    the camera's forwarder alone, unstored, and to the bucket `verifications`; the next fact carries them.
    """

    event_type: ClassVar[str] = "vn.vonggac.prober.delivery_verified.v1"
    is_frequent: ClassVar[bool] = True
    delivery_id: UUID
    camera_id: UUID
    destination_id: UUID
    camera_revision: int
    worker_id: str
    observed_at: AwareDatetime = Field(description="When the verdict was reached.")
    verdict: VerificationVerdict
    captured_at: AwareDatetime | None = Field(
        default=None, description="When the forwarder received the picture that was recognised."
    )
    delay_s: float | None = Field(
        default=None,
        ge=0,
        description="From the forwarder's receiving a picture to its return, in seconds, without the time that the "
        "destination keeps pictures for new viewers (its GOP cache); where that is not known, `detail` says so.",
    )
    cause: Cause | None = None
    detail: str | None = Field(default=None, max_length=500, description="For people; never a credential.")
    still_since: AwareDatetime | None = Field(
        default=None,
        description="The camera has repeated its picture bit for bit since then, so that it proves nothing.",
    )
    paused_since: AwareDatetime | None = Field(
        default=None,
        description="Of a match: pictures that the camera gave from then on, over ten seconds and longer, never came "
        "back; so this match proves no time between the one before and itself.",
    )
    interval_s: float = Field(gt=0, description="The next read-back is due after this long.")
    duration_ms: float = Field(
        ge=0, description="How long it took; of one that was cut off while media came: since the last of it."
    )
    awake_since: AwareDatetime | None = Field(
        default=None, description="Since when this worker has watched without a hole; later than before: it slept."
    )
    agreed: AgreeingReadBacks | None = Field(
        default=None, description="The read-backs before this one that are no facts, whichever worker made them."
    )
    is_fact: bool = Field(default=True, description="False: not stored; the delivery's next fact carries it.")
    self_check: SelfCheck | None = Field(
        default=None,
        description="Of a centre that pulls and has no session: what we found ourselves at its address. Then "
        "the verdict is not_checkable, since it says nothing of what the centre has.",
    )

    @property
    def evidence_at(self) -> datetime | None:
        """What it is evidence of: of a match when its picture came, else when it began; None where it says nothing."""
        match self.verdict:
            case VerificationVerdict.NOT_CHECKABLE:
                return None
            case VerificationVerdict.VERIFIED:
                return None if self.captured_at is None else min(self.captured_at, self.observed_at)
            case _:
                # Its prober may have slept before.
                began_at = self.observed_at - timedelta(milliseconds=round(self.duration_ms))
                return max(began_at, min(self.awake_since or began_at, self.observed_at))

    @property
    def agreeing(self) -> AgreeingReadBacks | None:
        """What the delivery's next fact has to carry: all since the last one, this one among them; None when it is that
        fact."""
        if self.is_fact:
            return None
        read_backs, count = (self.agreed.read_backs, self.agreed.count) if self.agreed is not None else ((), 0)
        at = self.evidence_at
        if at is not None:
            this = EarlierReadBack(at=at, observed_at=self.observed_at, interval_s=self.interval_s)
            read_backs = (*read_backs, this)
        return AgreeingReadBacks(verdict=self.verdict, cause=self.cause, count=count + 1, read_backs=read_backs)


class DemandKind(StrEnum):
    """What a person had done at an address."""

    PROBE = "probe"
    SCAN = "scan"
    READ_BACK = "read_back"
    VIEW = "view"


class EndpointRange(BaseModel):
    """Neighbouring addresses that are asked at the same ports."""

    model_config = MESSAGE

    first: str = Field(description="An IP address, or a name that leads to none.")
    count: int = Field(default=1, ge=1, description="Addresses from the first on.")
    ports: tuple[int, ...]


class DemandV1(Payload):
    """Somebody had a prober connect to addresses: who, where to, and whether it was let. Kept as a record.

    Stored before the first connection. `targets` hold neither credentials nor paths.
    """

    event_type: ClassVar[str] = "vn.vonggac.prober.demand.v1"
    id: UUID
    kind: DemandKind
    caller: str = Field(description="Subject of the caller's token.")
    roles: tuple[str, ...]
    targets: tuple[str, ...] = Field(
        description="host:port of a probe; addresses of a scan, as they were written; the camera of a read-back; the "
        "camera of a view, and the delivery where a centre's picture was viewed."
    )
    ports: tuple[int, ...] = Field(default=(), description="Ports asked at addresses of a scan that name none.")
    camera_id: UUID | None = Field(default=None, description="Where it was about a camera of the inventory.")
    endpoints: int = Field(description="Addresses times ports.")
    ranges: tuple[EndpointRange, ...] = Field(
        default=(), description="The same one by one, names as what they lead to: what every prober counts."
    )
    refused: str | None = Field(default=None, description="The limit that forbade it; null: it was done.")
    demanded_at: AwareDatetime
    worker_id: str


class ProberAliveV1(Payload):
    """Heartbeat of one prober process."""

    event_type: ClassVar[str] = "vn.vonggac.prober.worker_alive.v1"
    worker_id: str
    started_at: AwareDatetime
    alive_at: AwareDatetime
    probes_running: int
    awake_since: AwareDatetime | None = Field(
        default=None, description="Since when this worker has watched without a hole; later than before: it slept."
    )
    clock_stepped_s: float | None = Field(
        default=None,
        description="By how much the server's clock was set since this process started, forward less back, as measured "
        "against a clock that nobody sets; None: an earlier release.",
    )
