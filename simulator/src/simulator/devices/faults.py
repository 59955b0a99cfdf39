"""The faults a virtual camera or centre can be given: closed lists, one at a time each."""

from enum import StrEnum
from typing import Self, TypedDict

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_DELAY_S = 600.0


class FaultError(ValueError):
    """A fault that does not fit the device; the message names the parameter and a right value."""


class CameraFaultName(StrEnum):
    """What can be wrong with a virtual camera."""

    OFF = "off"
    """Connects are neither accepted nor refused: a dead address. Sessions fall silent and are reset at the end."""
    REFUSE = "refuse"
    """The port is closed and sessions are reset."""
    BLACK_HOLE = "black_hole"
    """Accepts TCP and never answers. Sessions fall silent."""
    AUTH = "auth"
    """401 for every login; sessions are closed."""
    STALL = "stall"
    """Media stops, the session stays; a new session gets `after_s` seconds of media first."""
    CLOSE = "close"
    """A reboot: sessions are closed, new ones begin anew. The fault ends at once."""
    FREEZE = "freeze"
    """The same picture all the time: `coded`, bit for bit, or `encoder`, one picture encoded repeatedly."""
    LOOP = "loop"
    """A recording in place of the scene: the clip over and over, bit for bit."""
    BLACK = "black"
    """A black picture: `pure`, or with `noise` and the camera's text."""
    COVERED = "covered"
    """Something lies over the lens: near-uniform `brown` or `grey`."""
    BLURRED = "blurred"
    """The scene out of focus; the camera's text stays sharp."""
    NO_SIGNAL_CARD = "no_signal_card"
    """The card of a recorder that has lost its camera, `blue` or `grey`."""
    SCENE_CHANGED = "scene_changed"
    """The camera was turned: its scene is `shifted` or `rotated`."""
    LOW_FPS = "low_fps"
    """`fps` pictures a second, whatever the stream declares."""
    LOW_BITRATE = "low_bitrate"
    """Encoded at `bitrate_kbps`."""
    SESSION_LIMIT = "session_limit"
    """`453` or `503` on SETUP of new sessions, or `401` to their logins (some makers); playing ones continue."""
    SLOW_START = "slow_start"
    """DESCRIBE and PLAY are answered after `delay_s` seconds."""
    NOT_FOUND = "not_found"
    """404 on every path; sessions are closed."""
    NO_KEYFRAME = "no_keyframe"
    """Only inter frames, no parameter sets."""
    GARBAGE = "garbage"
    """Bytes that are neither RTSP nor RTP, as answers and as media."""
    NO_MEDIA = "no_media"
    """PLAY is answered, nothing comes."""
    TLS = "tls"
    """New TLS connections fail: an `untrusted` or `expired` certificate, one of a `wrong_host`, or `plain` TCP."""
    NO_TRACK = "no_track"
    """The description has audio only. As a reboot."""
    CODEC_UNSUPPORTED = "codec_unsupported"
    """Video as `mjpeg` or `mpeg4`. As a reboot."""
    IDENTITY_CHANGED = "identity_changed"
    """Another device at the address: another `codec` or another picture `size`. As a reboot."""
    PACKET_LOSS = "packet_loss"
    """`percent` of the RTP packets are not sent; sequence numbers continue."""
    JITTER = "jitter"
    """The packets of each frame are delayed by a random time up to `jitter_ms`, in order."""
    GAPS = "gaps"
    """Of every `every_s` seconds the last `for_s` bring no media: nothing is sent (`silence`), or all RTP packets are
    lost on the way (`loss`)."""
    CLOCK_DRIFT = "clock_drift"
    """RTCP sender reports and the Date of answers are off by `offset_s`."""
    ENDED = "ended"
    """`after_s` after PLAY (or now) the camera ends the session: `close`, a `teardown` or `announce` request, or RTCP
    `bye`."""
    AUTH_LOCKOUT = "auth_lockout"
    """After `logins` wrong logins every login is answered `401` or `403` for `for_s`."""
    REDIRECT = "redirect"
    """DESCRIBE is answered 302 with `location`."""
    MID_GARBAGE = "mid_garbage"
    """After a good start, garbage amid the media: `between` frames, or `inside` them."""
    DAMAGED_KEYFRAMES = "damaged_keyframes"
    """Keyframes arrive whole, and their slices are nonsense: a broken encoder."""
    HUGE_FRAME = "huge_frame"
    """An `access_unit` of `size_mb`; or DESCRIBE is answered by a `message` of 4 GiB or an endless `header`."""

    FLOOD = "flood"
    """Beside the media `rate_mbps` of tiny `frames` (4 bytes), `packets`, `rtcp`, `options`, `answers` or `lines`."""
    GIANT_PICTURE = "giant_picture"
    """Valid H.264 keyframes of `side` x `side` pixels, in a byte per macroblock."""


class CentreFaultName(StrEnum):
    """What can be wrong with a virtual monitoring centre."""

    OFF = "off"
    """Connects are neither accepted nor refused; sessions are not read, and reset at the end."""
    REFUSE = "refuse"
    """The port is closed and sessions are reset."""
    BLACK_HOLE = "black_hole"
    """Accepts TCP and never answers; sessions are not read."""
    SLOW_READER = "slow_reader"
    """Reads `bytes_per_s` bytes a second from each session."""
    AUTH = "auth"
    """401 for every login; sessions are closed."""
    CLOSE = "close"
    """Sessions are closed, new ones work. The fault ends at once."""
    RESTART = "restart"
    """Sessions are reset and the port is closed for `for_s`; then the centre recovers by itself."""
    FROZEN_PLAYBACK = "frozen_playback"
    """Viewers get one old group of pictures repeatedly, with current timestamps."""
    WRONG_PICTURE = "wrong_picture"
    """Viewers get another stream: the one at `path`, or the first other live one; 404 where there is none."""
    DISCARD = "discard"
    """Publishers' media is read and dropped. Viewers get no media."""
    BUFFER = "buffer"
    """Up to `buffer_bytes` of each publisher wait unseen, then it is read no more. Viewers get the last group."""
    LAST_PICTURES = "last_pictures"
    """Each viewer gets the last group of pictures once, and then nothing."""
    REPLAY = "replay"
    """Viewers get the last `window_s` seconds again and again, with `rewritten` or `original` RTP timestamps."""
    LATE_PLAYBACK = "late_playback"
    """Viewers get every picture `late_s` seconds late."""


CAMERA_FAULT_KINDS: dict[CameraFaultName, tuple[str, ...]] = {
    CameraFaultName.FREEZE: ("coded", "encoder"),
    CameraFaultName.BLACK: ("pure", "noise"),
    CameraFaultName.COVERED: ("brown", "grey"),
    CameraFaultName.NO_SIGNAL_CARD: ("blue", "grey"),
    CameraFaultName.SCENE_CHANGED: ("shifted", "rotated"),
    CameraFaultName.TLS: ("untrusted", "expired", "wrong_host", "plain"),
    CameraFaultName.CODEC_UNSUPPORTED: ("mjpeg", "mpeg4"),
    CameraFaultName.IDENTITY_CHANGED: ("codec", "size"),
    CameraFaultName.GAPS: ("silence", "loss"),
    CameraFaultName.SESSION_LIMIT: ("453", "503", "401"),
    CameraFaultName.ENDED: ("close", "teardown", "announce", "bye"),
    CameraFaultName.AUTH_LOCKOUT: ("401", "403"),
    CameraFaultName.MID_GARBAGE: ("between", "inside"),
    CameraFaultName.HUGE_FRAME: ("access_unit", "message", "header"),
    CameraFaultName.FLOOD: ("frames", "packets", "rtcp", "options", "answers", "lines"),
}
"""The kinds of a fault; the first is the default."""
CENTRE_FAULT_KINDS: dict[CentreFaultName, tuple[str, ...]] = {CentreFaultName.REPLAY: ("rewritten", "original")}


class CameraFault(BaseModel):
    """One fault of a camera with its parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: CameraFaultName
    delay_s: float = Field(
        default=5.0, gt=0, le=MAX_DELAY_S, description="slow_start: seconds before DESCRIBE and PLAY."
    )
    after_s: float = Field(
        default=0.0,
        ge=0,
        le=MAX_DELAY_S,
        description="stall, ended: seconds of media a session gets first.",
    )
    kind: str | None = Field(default=None, description="Of a fault that comes in several; by default its first.")
    fps: int = Field(default=2, ge=1, le=60, description="low_fps: pictures a second.")
    bitrate_kbps: int = Field(default=24, ge=8, le=50_000, description="low_bitrate: kbit a second.")
    percent: float = Field(default=5.0, gt=0, le=100, description="packet_loss: part of the RTP packets.")
    jitter_ms: float = Field(default=100.0, gt=0, le=10_000, description="jitter: the longest delay of a frame.")
    offset_s: float = Field(default=3600.0, ge=-1e9, le=1e9, description="clock_drift: seconds ahead; behind if < 0.")
    logins: int = Field(default=3, ge=1, le=100, description="auth_lockout: wrong logins until the account is locked.")
    for_s: float = Field(
        default=60.0, gt=0, le=86_400, description="auth_lockout: seconds it stays locked; gaps: seconds without media."
    )
    every_s: float = Field(default=120.0, gt=0, le=86_400, description="gaps: seconds from one to the next.")
    location: str | None = Field(
        default=None,
        pattern=r"^rtsps?://[^@\s]+$",
        max_length=1_000,
        description="redirect: where to; without a login.",
    )
    size_mb: int = Field(default=64, ge=1, le=4_096, description="huge_frame: size of the access unit.")
    rate_mbps: float = Field(default=20.0, gt=0, le=1_000, description="flood: Mbit a second and session.")
    side: int = Field(
        default=16_000, ge=16, le=65_536, multiple_of=16, description="giant_picture: pixels of each side."
    )

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        _require_kind(self.fault, self.kind, CAMERA_FAULT_KINDS.get(self.fault, ()))
        if self.fault is CameraFaultName.REDIRECT and self.location is None:
            msg = "location: redirect needs the rtsp:// address to go to"
            raise ValueError(msg)
        if self.fault is CameraFaultName.GAPS and self.for_s >= self.every_s:
            msg = f"for_s: gaps of {self.for_s:g} s every {self.every_s:g} s leave no media; every_s must be longer"
            raise ValueError(msg)
        return self

    @property
    def chosen_kind(self) -> str | None:
        """`kind` or the default; None for a fault of one kind."""
        return self.kind or next(iter(CAMERA_FAULT_KINDS.get(self.fault, ())), None)


class CentreFault(BaseModel):
    """One fault of a centre with its parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: CentreFaultName
    bytes_per_s: int = Field(
        default=16_384, ge=1, le=1_000_000_000, description="slow_reader: bytes read a second and session."
    )
    for_s: float = Field(default=5.0, gt=0, le=MAX_DELAY_S, description="restart: seconds the centre is away.")
    path: str | None = Field(
        default=None, min_length=1, max_length=1_000, description="wrong_picture: the stream to play instead."
    )
    buffer_bytes: int = Field(
        default=2_000_000, ge=0, le=1_000_000_000, description="buffer: bytes that wait unseen, of each publisher."
    )
    kind: str | None = Field(default=None, description="Of a fault that comes in several; by default its first.")
    window_s: float = Field(default=60.0, gt=0, le=MAX_DELAY_S, description="replay: seconds that are played again.")
    late_s: float = Field(default=20.0, gt=0, le=MAX_DELAY_S, description="late_playback: seconds from coming to play.")

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        _require_kind(self.fault, self.kind, CENTRE_FAULT_KINDS.get(self.fault, ()))
        return self

    @property
    def chosen_kind(self) -> str | None:
        """`kind` or the default; None for a fault of one kind."""
        return self.kind or next(iter(CENTRE_FAULT_KINDS.get(self.fault, ())), None)

    @property
    def needs_kept_s(self) -> float:
        """Seconds of media that the centre must keep of each stream for it."""
        if self.fault is CentreFaultName.REPLAY:
            return self.window_s
        return self.late_s if self.fault is CentreFaultName.LATE_PLAYBACK else 0.0


class CameraFaultParameters(TypedDict, total=False):
    """The parameters of CameraFault as keywords."""

    delay_s: float
    after_s: float
    kind: str
    fps: int
    bitrate_kbps: int
    percent: float
    jitter_ms: float
    offset_s: float
    logins: int
    for_s: float
    every_s: float
    location: str
    size_mb: int
    rate_mbps: float
    side: int


class CentreFaultParameters(TypedDict, total=False):
    """The parameters of CentreFault as keywords."""

    bytes_per_s: int
    for_s: float
    path: str
    buffer_bytes: int
    kind: str
    window_s: float
    late_s: float


def _require_kind(fault: str, kind: str | None, kinds: tuple[str, ...]) -> None:
    if kind is not None and kind not in kinds:
        right = f"one of: {', '.join(kinds)}" if kinds else "left out"
        msg = f"kind: {fault} has no kind {kind!r}; it must be {right}"
        raise ValueError(msg)
