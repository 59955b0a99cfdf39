"""What is handed out to who asks for a camera's keyframe: a copy of it, or why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from forwarder.domain.picture.keyframes import Figures, Keyframe, Rhythm, Still
from forwarder.domain.picture.repetition import Repetition
from forwarder.relay.sources.base import CameraSource, foreign_payload
from forwarder.relay.supervision.pictures.session_figures import SessionFigures
from forwarder.relay.supervision.pictures.stillness import Stillness
from vonggac.media.h26x import VideoCodec


class SessionSigns(NamedTuple):
    """Of an RTSP camera. `transport`: how its media came, tcp or udp; `login_scheme`: digest, basic or none."""

    transport: str | None = None
    login_scheme: str | None = None


UNSEEN = SessionSigns()


def session_of(source: CameraSource | None) -> SessionSigns:
    """Describe what the session of a camera shows; nothing without one."""
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


def copy_of(
    keyframe: Keyframe,
    source: CameraSource,
    parameter_sets: Sequence[bytes],
    figures: Figures | None,
    bitrate_kbps: float | None,
    stillness: Stillness,
    wall_correction_s: float,
) -> KeyframeCopy:
    """Copy the newest keyframe of `source`, with what is known of the camera by now."""
    drift_s = source.clock_drift_s()
    return KeyframeCopy(
        keyframe.codec,
        keyframe.captured_at,
        keyframe.annex_b(parameter_sets),
        figures,
        bitrate_kbps,
        # The source compares with this machine's clock.
        clock_drift_s=drift_s - wall_correction_s if drift_s is not None else None,
        session=session_of(source),
        still=stillness.still,
        foreign_payload=foreign_payload(source),
        repetition=stillness.remembered.shown,
        new_since=stillness.remembered.new_since,
        habits=source.habits,
    )


def why_none(
    reason: str,
    source: CameraSource,
    figures: SessionFigures,
    too_large_age_s: float | None,
    rhythm: Rhythm,
    now_s: float,
) -> NoKeyframe:
    """Describe the session of a camera of which there is no keyframe to hand out."""
    video = next(track for track in source.tracks if track.kind == "video")
    age_s = now_s - figures.keyframe_s if figures.keyframe_s is not None else None
    if too_large_age_s is not None and reason == "no_keyframe":
        # They come whole, and only we cannot keep them.
        reason, age_s = "too_large", too_large_age_s
    return NoKeyframe(
        reason,
        silent_s=now_s - figures.picture_s,
        media_s=now_s - figures.began_s,
        keyframe_age_s=age_s,
        keyframe_every_s=rhythm.interval_s,
        bitrate_kbps=figures.bitrate_kbps(now_s, source.bytes_received),
        codec=video.codec.lower() or None,
    )
