"""What forwarder publishes: the state of a delivery, on every change, and that a worker is alive.

A delivery's state holds from its change until the next change by the same worker or until the worker's last heartbeat.
"""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from vonggac.events.causes import Cause
from vonggac.events.envelope import MESSAGE, Payload
from vonggac.events.inventory.serving import SealedSecret, SelfCheckOutcome, ServingPlan
from vonggac.events.prober import AgreeingReadBacks


class DeliveryState(StrEnum):
    """The state of one camera at one destination. No state claims more than what was observed.

    `sending` begins only after the destination's own OK to RECORD and the first media byte; `acknowledged` only after
    the destination's kernel acknowledged media bytes (TCP_INFO), and only while it goes on to do so; `verified` only
    while a picture of this very session was lately read back from the destination, bit for bit. `mismatch`: the
    destination plays another or an old picture. `stopped`: a person stopped it. `waiting_for_centre`: the centre opens
    the session itself and has none; the cause says whether it never asked, left, or asks and is refused.
    """

    DISABLED = "disabled"
    WAITING_FOR_CAMERA = "waiting_for_camera"
    WAITING_FOR_CENTRE = "waiting_for_centre"
    CONNECTING = "connecting"
    SENDING = "sending"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    MISMATCH = "mismatch"
    STALLED = "stalled"
    BACKING_OFF = "backing_off"
    REFUSED = "refused"
    STOPPED = "stopped"
    RELEASED = "released"


class Responsibility(StrEnum):
    """Who can end it that a centre which pulls receives nothing. `centre` only on proof that it could have received."""

    US = "us"
    CENTRE = "centre"
    CAMERA = "camera"
    LINE = "line"
    UNKNOWN = "unknown"


_OURS = frozenset({DeliveryState.STOPPED.value, DeliveryState.DISABLED.value, DeliveryState.RELEASED.value})
_OUR_CAUSES = frozenset(
    cause.value
    for cause in (Cause.SECRET_UNREADABLE, Cause.SECRET_MOVED, Cause.INTERNAL_ERROR, Cause.TRANSPORT_UNSUPPORTED)
)
_OF_THE_LINE = frozenset({Cause.ROUTE.value})
_OF_EITHER = frozenset({Cause.DNS.value, Cause.TIMEOUT.value})
"""Of a camera that cannot be had: whether it or its line is down, nobody can know from one camera."""
_OF_THE_CENTRE = frozenset({Cause.NOT_ASKED.value, Cause.LEFT.value, Cause.REFUSED.value})
"""What a centre without a session does; a check that was good shows that it could have one."""
_OUR_FAILURES = frozenset({SelfCheckOutcome.UNREACHABLE, SelfCheckOutcome.TLS, SelfCheckOutcome.LOGIN})


def find_responsible(
    state: str, cause: str | None, *, check: SelfCheckOutcome | None = None, refused_for: str | None = None
) -> Responsibility:
    """Who can end it that a delivery is not connected: one rule for what is shown, and for the accounts.

    A centre is named only on proof that it could have received. `check`: of that very address, from outside the worker
    that serves it, where one was made lately.

    A check does not come from the centre's network: of a centre that is refused for its address it proves nothing.
    """
    if state == DeliveryState.WAITING_FOR_CAMERA.value:
        if cause is None or cause in _OF_EITHER:
            return Responsibility.UNKNOWN
        return Responsibility.LINE if cause in _OF_THE_LINE else Responsibility.CAMERA
    if state in _OURS or cause in _OUR_CAUSES:
        return Responsibility.US
    if state == DeliveryState.WAITING_FOR_CENTRE.value and cause == Cause.ENDED.value:
        # Its session ended with a worker of ours, or when the camera went to another one.
        return Responsibility.US
    if state != DeliveryState.WAITING_FOR_CENTRE.value or cause not in _OF_THE_CENTRE:
        return Responsibility.UNKNOWN
    if check in _OUR_FAILURES:
        return Responsibility.US
    if check is SelfCheckOutcome.SERVED and refused_for != Cause.ADDRESS_NOT_ALLOWED.value:
        return Responsibility.CENTRE
    return Responsibility.UNKNOWN


class ServedSession(BaseModel):
    """One session that a centre has opened."""

    model_config = MESSAGE

    peer: str = Field(description="The address that it comes from.")
    agent: str | None = Field(default=None, description="What its software calls itself.")
    transport: str = Field(description="tcp or udp.")
    tls: str | None = Field(default=None, description="Version of TLS; None without.")
    since: AwareDatetime
    bytes_acknowledged: int = Field(default=0, ge=0)


class PictureSign(StrEnum):
    """By what a forwarder sees that a camera shows another picture than before: keyframes became lighter or heavier,
    what comes between them shrank or grew, one that was due did not come; or a prober found another picture."""

    WEIGHT = "weight"
    DELTAS = "deltas"
    OVERDUE = "overdue"
    JUDGED = "judged"


class MediaState(StrEnum):
    """Whether media of a camera that is forwarded comes to the forwarder."""

    FLOWING = "flowing"
    STOPPED = "stopped"
    RELEASED = "released"
    """This worker no longer watches the camera."""


class CameraMediaObservedV1(Payload):
    """The media of a camera began or stopped, its picture stands still or is another one, as seen by the forwarder that
    pulls it."""

    event_type: ClassVar[str] = "vn.vonggac.forwarder.camera_media_observed.v1"
    camera_id: UUID
    facility_id: UUID
    camera_revision: int
    worker_id: str
    held_since: AwareDatetime = Field(description="Since when this worker holds the camera; a later holder wins.")
    sequence: int = Field(ge=1, description="Grows with every report that this worker makes of this camera.")
    observed_at: AwareDatetime = Field(description="When the change was seen, at most 4 s after it; never what began.")
    state: MediaState
    cause: Cause | None = Field(default=None, description="Why it stopped; None also when we ended the session.")
    media_since: AwareDatetime | None = Field(
        default=None, description="When the first media came, of the present flow or of the last one; to 1 s."
    )
    media_stopped_at: AwareDatetime | None = Field(
        default=None, description="When the last media came before the present or the last stop; to 1 s."
    )
    still_since: AwareDatetime | None = Field(
        default=None,
        description="The picture shows nothing new since then, or until `still_until`. Identical keyframes: amid the "
        "first of them and the one before it; a recording in a loop: its first keyframe that came again, and from its "
        "third coming on its very first one.",
    )
    still_until: AwareDatetime | None = Field(
        default=None,
        description="Amid the last identical keyframe and the first that differs, or the first new one; None while "
        "there is none.",
    )
    still_cause: Cause | None = Field(
        default=None,
        description="Why: `repeats`, the same keyframes come again and again with others between; `frozen`, or None: "
        "they are identical, bit for bit.",
    )
    picture_since: AwareDatetime | None = Field(
        default=None,
        description="Since when weight and rhythm of the keyframes are those of the present picture: what was found of "
        "the picture before holds no longer. None: they have not changed while this worker holds the camera.",
    )
    picture_sign: PictureSign | None = Field(default=None, description="What showed that it is another picture.")
    picture_judged: bool = Field(
        default=False, description="A prober has decoded it since then; until it has, nobody knows what it shows."
    )
    picture_cause: Cause | None = Field(default=None, description="Why it shows nothing, where a prober found that.")


class DeliveryObservedV1(Payload):
    """A delivery changed its state, as observed by the worker that holds it."""

    event_type: ClassVar[str] = "vn.vonggac.forwarder.delivery_observed.v1"
    delivery_id: UUID
    camera_id: UUID
    destination_id: UUID
    camera_revision: int
    worker_id: str
    held_since: AwareDatetime = Field(description="Since when this worker holds the camera; a later holder wins.")
    sequence: int = Field(ge=1, description="Grows with every change that this worker reports of this delivery.")
    observed_at: AwareDatetime = Field(
        description="When the state began; after a hole of the worker, not before it was awake again."
    )
    state: DeliveryState = Field(description="`released`: this worker no longer watches the delivery.")
    cause: Cause | None = None
    detail: str | None = Field(default=None, max_length=500, description="For people; never a credential.")
    attempt: int = Field(default=0, ge=0)
    next_attempt_at: AwareDatetime | None = Field(
        default=None, description="At the latest; where it waits for its camera, when the camera is tried again."
    )
    last_success_at: AwareDatetime | None = None
    bytes_acknowledged: int = Field(default=0, ge=0)
    packets_sent: int = Field(default=0, ge=0)
    groups_dropped: int = Field(default=0, ge=0)
    bytes_written: int = Field(default=0, ge=0)
    packets_dropped: int = Field(default=0, ge=0)
    frames_sent: int = Field(
        default=0, ge=0, description="Pictures handed to the transport to their last packet (RTP's marker bit)."
    )
    verified_at: AwareDatetime | None = Field(default=None, description="When the last read-back matched.")
    delay_s: float | None = Field(
        default=None, ge=0, description="From the camera's picture to its return from the destination, at that time."
    )
    facility_id: UUID | None = Field(default=None, description="The facility of the camera.")
    media_since: AwareDatetime | None = Field(
        default=None, description="When the camera's media began, of the present flow or of the last one; to 1 s."
    )
    media_stopped_at: AwareDatetime | None = Field(
        default=None, description="When the camera's last media came before it stopped last; to 1 s."
    )
    last_acknowledged_at: AwareDatetime | None = Field(
        default=None,
        description="When the destination's kernel was last seen to acknowledge media bytes to this worker; to 1 s.",
    )
    changes: int = Field(
        default=1, ge=1, description="Changes of state since the last report; at most one report goes out in a second."
    )
    first_changed_at: AwareDatetime | None = Field(
        default=None, description="Of more than one: when the state that was reported before ended."
    )
    agreed: AgreeingReadBacks | None = Field(
        default=None, description="The delivery's last read-backs, where they are no facts of the prober's yet."
    )
    taken_by: tuple[ServedSession, ...] = Field(
        default=(), description="Of a centre that pulls: its sessions of this camera, at most four."
    )
    asked_at: AwareDatetime | None = Field(
        default=None, description="Of a centre that pulls: when this worker was last asked for the camera."
    )
    asked_by: str | None = Field(default=None, max_length=300, description="Address and software of who asked last.")
    refused_for: Cause | None = Field(
        default=None, description="Of a centre that pulls, while the cause is `refused`: why."
    )
    refusals: dict[Cause, int] = Field(
        default_factory=dict, description="What this worker refused since it holds the camera: how often, by reason."
    )
    responsibility: Responsibility | None = Field(
        default=None, description="Of a centre that pulls and receives nothing: who can end it."
    )
    served_path: str | None = Field(
        default=None, description="Of a centre that pulls: the path at which every forwarder has its camera."
    )


class ForwarderAliveV1(Payload):
    """Heartbeat of one forwarder process: everything it last reported still holds at `alive_at`."""

    event_type: ClassVar[str] = "vn.vonggac.forwarder.worker_alive.v1"
    worker_id: str
    started_at: AwareDatetime
    alive_at: AwareDatetime
    cameras_held: int
    capacity: int | None = Field(default=None, ge=1, description="Cameras it holds at most.")
    stopping: bool = Field(default=False, description="It hands its cameras over and accepts no more.")
    awake_since: AwareDatetime | None = Field(
        default=None, description="Since when this worker has watched without a hole; later than before: it slept."
    )
    clock_stepped_s: float | None = Field(
        default=None,
        description="By how much the server's clock was set since this process started, forward less back, as measured "
        "against a clock that nobody sets; None: an earlier release.",
    )
    passage_address: str | None = Field(
        default=None,
        description="host:port at which other forwarders pass centres on that want a camera of this one; None: none.",
    )
    takes_centres: bool | None = Field(
        default=None, description="Whether centres connect to it; None: an earlier release, by `passage_address`."
    )


class ServedAccount(BaseModel):
    """Value of the bucket `served_accounts`: how a centre that pulls logs in, for forwarders that hold no camera of
    it."""

    model_config = MESSAGE

    url: str = Field(description="served://<destination>/: what the boxes are bound to.")
    serving: ServingPlan
    secret: SealedSecret


class CentreRequest(BaseModel):
    """Message on `forwarder.camera.<camera_id>.centre_request`: a centre asked another forwarder for the camera."""

    model_config = MESSAGE

    delivery_id: UUID
    by: str = Field(max_length=300, description="Address and software.")
    refused_for: Cause | None = Field(default=None, description="Why it did not get it; None: nobody refused.")
    times: int = Field(default=1, ge=1)


class DeliveryCommand(BaseModel):
    """A person's command for one delivery, kept until another one: value of the bucket `delivery_commands`."""

    model_config = MESSAGE

    delivery_id: UUID
    stopped: bool
    by: str = Field(description="Subject of the token that sent the command.")
    reason: str | None = Field(default=None, max_length=500)
    at: AwareDatetime


class FactsLost(BaseModel):
    """Message of reporting on `forwarder.worker.<worker_id>.facts_lost`: what that forwarder published up to then holds
    no longer."""

    model_config = MESSAGE

    lost_until: AwareDatetime


class HintReason(StrEnum):
    """What gave reason to have a delivery read back before its time."""

    ACKNOWLEDGEMENT_RHYTHM = "acknowledgement_rhythm"
    """Nothing was acknowledged for longer than is usual in this session, while bytes were on their way."""
    WINDOW_CLOSES = "window_closes"
    """The destination's kernel offers much less room than is usual."""
    ROUND_TRIP_RISES = "round_trip_rises"
    NEIGHBOUR_FAILED = "neighbour_failed"
    """A session of another camera at the same destination failed, and this one is older than that."""
    NEIGHBOUR_UNPROVEN = "neighbour_unproven"
    """A read-back of another camera at the same destination failed or differed."""


class ReadBackHint(BaseModel):
    """Message on `forwarder.read_back_hint.<camera_id>`: have a prober read this delivery back now."""

    model_config = MESSAGE

    camera_id: UUID
    delivery_id: UUID
    destination_id: UUID
    reason: HintReason
    at: AwareDatetime = Field(description="Only a picture that came from the camera later answers the hint.")


class KeyframeNote(BaseModel):
    """One keyframe that came from the camera."""

    model_config = MESSAGE

    hash: str = Field(description="`vonggac.media.h26x.keyframe_hash` in hexadecimal digits.")
    captured_at: AwareDatetime = Field(description="When its last packet came from the camera.")
    rtp_timestamp: int | None = Field(default=None, description="The camera's own.")
    first_captured_at: AwareDatetime | None = Field(
        default=None,
        description="When the camera gave the same picture first, with others between; None where nobody knows of it. "
        "Such a picture proves no destination.",
    )


class KeyframeHistory(BaseModel):
    """The last hashed keyframes of a camera, oldest first: value of the bucket `keyframes`."""

    model_config = MESSAGE

    camera_id: UUID
    worker_id: str
    keyframes: tuple[KeyframeNote, ...]
    still_since: AwareDatetime | None = Field(
        default=None,
        description="The camera's keyframes are identical, bit for bit, since this one; None: they differ.",
    )
    still_keyframes: int = Field(default=0, ge=0, description="How many of them were hashed since then.")
