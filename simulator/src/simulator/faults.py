"""The faults a virtual camera or centre can be given: closed lists, one at a time each."""

from enum import StrEnum
from typing import TypedDict

from pydantic import BaseModel, ConfigDict, Field

MAX_DELAY_S = 600.0


class CameraFaultName(StrEnum):
    """What can be wrong with a virtual camera."""

    OFF = "off"
    """Connects are neither accepted nor refused: a dead address. Sessions go silent; they are reset at the end."""
    REFUSE = "refuse"
    """The port is closed and sessions are reset."""
    BLACK_HOLE = "black_hole"
    """Accepts TCP and never answers. Sessions go silent."""
    AUTH = "auth"
    """401 whatever one sends; sessions are closed."""
    STALL = "stall"
    """Media stops, the session stays; a new session gets `after_s` seconds of media first."""
    CLOSE = "close"
    """A reboot: sessions are closed at once, new ones work and begin anew. Over as soon as it is done."""
    FREEZE = "freeze"
    """The same picture for ever, bit for bit."""
    BLACK = "black"
    """A black picture."""
    SESSION_LIMIT = "session_limit"
    """453 on SETUP of new sessions; those that play go on."""
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


class CentreFaultName(StrEnum):
    """What can be wrong with a virtual monitoring centre."""

    OFF = "off"
    """Connects are neither accepted nor refused; sessions are no longer read; they are reset at the end."""
    REFUSE = "refuse"
    """The port is closed and sessions are reset."""
    BLACK_HOLE = "black_hole"
    """Accepts TCP and never answers; sessions are no longer read."""
    SLOW_READER = "slow_reader"
    """Reads `bytes_per_s` bytes a second from each session."""
    AUTH = "auth"
    """401 whatever one sends; sessions are closed."""
    CLOSE = "close"
    """Sessions are closed at once, new ones work. Over as soon as it is done."""


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
        description="stall: seconds of media a new session gets before it stalls.",
    )


class CentreFault(BaseModel):
    """One fault of a centre with its parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: CentreFaultName
    bytes_per_s: int = Field(
        default=16_384, ge=1, le=1_000_000_000, description="slow_reader: bytes read a second and session."
    )


class CameraFaultParameters(TypedDict, total=False):
    """The parameters of CameraFault as keywords."""

    delay_s: float
    after_s: float


class CentreFaultParameters(TypedDict, total=False):
    """The parameters of CentreFault as keywords."""

    bytes_per_s: int
