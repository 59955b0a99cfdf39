"""What is handed out to who asks for a camera's keyframe: a copy of it, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from forwarder.domain.picture.keyframes import Figures, Still
from forwarder.domain.picture.repetition import Repetition
from forwarder.relay.sources.base import CameraSource
from vonggac.media.h26x import VideoCodec


class SessionSigns(NamedTuple):
    """Of an RTSP camera. `transport`: how its media came, tcp or udp; `login_scheme`: digest, basic or none."""

    transport: str | None = None
    login_scheme: str | None = None


UNSEEN = SessionSigns()


def session_of(source: CameraSource | None) -> SessionSigns:
    """What the session of a camera shows; nothing without one."""
    return UNSEEN if source is None else SessionSigns(source.transport, source.login_scheme)


@dataclass(frozen=True, slots=True)
class KeyframeCopy:
    """A keyframe with the parameter sets to decode it; figures are None where nothing was measured yet."""

    codec: VideoCodec
    captured_at: datetime
    annex_b: bytes
    figures: Figures | None
    bitrate_kbps: float | None
    clock_drift_s: float | None = None
    """The camera's clock minus ours."""
    session: SessionSigns = UNSEEN
    still: Still | None = None
    """Set while this keyframe and those before it are identical."""
    foreign_payload: int | None = None
    """The RTP payload type of the video, when the description names others only."""
    repetition: Repetition | None = None
    """Set while the keyframes are those of a recording in a loop."""
    new_since: datetime | None = None
    """When the first new keyframe came after such a recording, as far as this worker saw one."""
    habits: Mapping[str, str] = field(default_factory=dict)
    """As of `CameraSource`."""


@dataclass(frozen=True, slots=True)
class NoKeyframe:
    """`reason`: camera_away, codec_unsupported, no_keyframe, too_large or busy; and what is known all the same.

    `silent_s`: how long no video has come; `media_s`: how long the camera's session has lasted; `keyframe_age_s`: of
    the last whole keyframe in it. None without a session, or without such a keyframe.
    """

    reason: str
    silent_s: float | None = None
    media_s: float | None = None
    keyframe_age_s: float | None = None
    keyframe_every_s: float | None = None
    """The rhythm that keyframes came in; None where they had none."""
    bitrate_kbps: float | None = None
    codec: str | None = None
