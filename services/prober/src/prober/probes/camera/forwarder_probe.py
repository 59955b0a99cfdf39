"""The forwarder's keyframe of a camera that it pulls, so that the prober opens no second session.

Core NATS request-reply on `forwarder.camera.<camera_id>.keyframe`; the body is one access unit in Annex B form, the
headers say what the forwarder measured. No responder: nobody pulls the camera. A forwarder that pulls it and has no
keyframe says what it knows all the same, and that is what the probe judges: it never opens a session beside that one.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from prober import messaging
from prober.domain.findings import LEAST_PICTURES, LEAST_SPAN_S, StreamSeen
from prober.domain.picture import PictureHistory
from prober.domain.result import ProbeResult, Repeats, Still
from prober.domain.security import parse_login_scheme
from prober.domain.verdict import REFRESHED, Evidence, Failure, judge
from prober.probes.decoding.picture import Picture, Undecodable
from prober.probes.decoding.pool import Decoder
from prober.probes.decoding.size import first_sps, sps_bytes, stream_sign
from vonggac.bus import Bus
from vonggac.events import Cause
from vonggac.events.forwarder import PictureSign
from vonggac.events.prober import BY_FORWARDER, Media, ProbeKind, Step
from vonggac.media.h26x import VideoCodec, is_keyframe_slice, nal_type
from vonggac.media.sei import pictures_to_recover
from vonggac.rtsp.wire.habits import DIGITS, HABITS, digest_habits

MAX_BYTES = 1 << 20
FORWARDER_STEP = BY_FORWARDER
CAMERA_AWAY = "camera_away"
"""The header `error` of a forwarder that has the camera's job and no session."""
NO_ANSWER, NO_BUS, UNUSABLE = "no_answer", "no_bus", "unusable"
"""Reasons of ours beside the forwarder's errors."""
ANSWER_MARGIN_S, LEAST_WAIT_S = 1.0, 0.5
"""The forwarder's last word comes so long before the end of our wait."""
OLDEST_S = 60.0
"""A keyframe captured before that says nothing about now."""
DECODE_WITHIN_S = 1.0
"""At least, for a keyframe that came late."""
_START_CODE = b"\x00\x00\x01"
_CODECS = {"h264": VideoCodec.H264, "h265": VideoCodec.H265}


@dataclass(frozen=True, slots=True)
class ForwarderKeyframe:
    """One keyframe with its parameter sets (NAL units without start code). Figures are None where nobody measured."""

    codec: VideoCodec
    nals: list[bytes]
    captured_at: datetime
    fps: float | None = None
    bitrate_kbps: float | None = None
    packets_lost: int | None = None
    packets_received: int | None = None
    clock_drift_s: float | None = None
    transport: str | None = None
    """How the media came, of an RTSP camera: tcp or udp."""
    login_scheme: str | None = None
    """How the camera asked the forwarder for a login: digest, basic or none."""
    still_since: datetime | None = None
    """Since then the camera's keyframes are identical, bit for bit; `still_keyframes` of them were hashed."""
    still_keyframes: int = 0
    foreign_payload: int | None = None
    """The RTP payload type of the video, when the description names others only."""
    repeats_since: datetime | None = None
    """Since then its keyframes are those of a recording in a loop, which lasts `repeats_after_s`."""
    repeats_after_s: float = 0.0
    new_since: datetime | None = None
    """When the first new one came after such a recording."""
    judge: str | None = None
    """The forwarder does not know what this picture shows: another one, nobody's yet, or one that stood still
    ("frozen")."""
    shrunk_to: float | None = None
    """What is left of what usually comes between the camera's keyframes; None where that has not shrunk."""
    habits: Mapping[str, str] = field(default_factory=dict)
    """Digests of what the device wrote when the forwarder's session began (`digest_habits`)."""


@dataclass(frozen=True, slots=True)
class NoKeyframe:
    """No keyframe of use. `pulled`: a forwarder has the camera all the same, and with it a session.

    `reason`: the forwarder's `error`, or why its answer is of no use. `silent_s`: how long no video has come;
    `media_s`: how long the session has lasted; `keyframe_age_s`: of its last whole keyframe. None: not stated.
    """

    pulled: bool
    reason: str = ""
    silent_s: float | None = None
    media_s: float | None = None
    keyframe_age_s: float | None = None
    bitrate_kbps: float | None = None
    codec: str | None = None
    keyframe_every_s: float | None = None
    """The rhythm that keyframes had; `overdue`: and the forwarder has waited for one long enough."""
    overdue: bool = False
    cause: Cause | None = None
    """Why the forwarder has no session: of its last attempt, with `detail`."""
    detail: str | None = None


async def request_keyframe(
    bus: Bus, camera_id: UUID, *, timeout_s: float, after: datetime | None = None
) -> ForwarderKeyframe | NoKeyframe:
    """NoKeyframe when no forwarder has the camera, none came in time (`after` that), or what came is of no use."""
    within_s = max(LEAST_WAIT_S, timeout_s - ANSWER_MARGIN_S)
    try:
        reply = await messaging.request_keyframe(bus, camera_id, within_s=within_s, timeout_s=timeout_s, after=after)
    except NoRespondersError:
        return NoKeyframe(pulled=False)
    except TimeoutError:
        # Only who holds a camera listens, and says at once when it is away.
        return NoKeyframe(pulled=True, reason=NO_ANSWER)
    except (NatsError, OSError):
        # Nobody can know whether the camera is pulled.
        return NoKeyframe(pulled=True, reason=NO_BUS)
    return parse_keyframe(reply, now=bus.clock.now()) or parse_refusal(reply)


def parse_refusal(reply: Msg) -> NoKeyframe:
    """Parse what the forwarder says of the camera without a keyframe of use."""
    headers = {name.lower(): value for name, value in (reply.headers or {}).items()}
    error = headers.get("error", "")
    return NoKeyframe(
        pulled=error != CAMERA_AWAY,
        reason=error or UNUSABLE,
        silent_s=_number(headers.get("silent_s")),
        media_s=_number(headers.get("media_s")),
        keyframe_age_s=_number(headers.get("keyframe_age_s")),
        bitrate_kbps=_number(headers.get("bitrate_kbps")),
        codec=headers.get("codec"),
        keyframe_every_s=_number(headers.get("keyframe_every_s")),
        overdue=headers.get("changed_by") == PictureSign.OVERDUE.value,
        cause=_cause(headers.get("cause")),
        detail=headers.get("detail") or None,
    )


def parse_keyframe(reply: Msg, *, now: datetime) -> ForwarderKeyframe | None:
    """None when it is none, too old or malformed."""
    headers = {name.lower(): value for name, value in (reply.headers or {}).items()}
    codec = _CODECS.get(headers.get("codec", ""))
    if codec is None or not 0 < len(reply.data) <= MAX_BYTES:
        return None
    captured_at = _moment(headers.get("captured_at"))
    if captured_at is None or (now - captured_at).total_seconds() > OLDEST_S:
        return None
    lost, received = _number(headers.get("packets_lost")), _number(headers.get("packets_received"))
    return ForwarderKeyframe(
        codec=codec,
        nals=split_annex_b(reply.data),
        captured_at=captured_at,
        fps=_number(headers.get("fps")),
        bitrate_kbps=_number(headers.get("bitrate_kbps")),
        packets_lost=int(lost) if lost is not None else None,
        packets_received=int(received) if received is not None else None,
        clock_drift_s=_number(headers.get("clock_drift_s"), signed=True),
        transport=headers["transport"] if headers.get("transport") in {"tcp", "udp"} else None,
        login_scheme=headers.get("login_scheme"),
        still_since=_moment(headers.get("still_since")),
        still_keyframes=int(_number(headers.get("still_keyframes")) or 0),
        foreign_payload=_payload_type(headers.get("foreign_payload")),
        repeats_since=_moment(headers.get("repeats_since")),
        repeats_after_s=_number(headers.get("repeats_after_s")) or 0.0,
        new_since=_moment(headers.get("new_since")),
        judge=headers.get("judge"),
        shrunk_to=_number(headers.get("shrunk_to")),
        habits=_habits(headers.get("habits")),
    )


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units of a byte stream (H.264 Annex B): between start codes, without the zero bytes around them."""
    return [nal for part in data.split(_START_CODE)[1:] if (nal := part.rstrip(b"\0"))]


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def _habits(text: str | None) -> Mapping[str, str]:
    """None of another release's shape."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    named = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in named if name in HABITS and isinstance(value, str) and len(value) == DIGITS}


def _cause(text: str | None) -> Cause | None:
    try:
        return Cause(text) if text else None
    except ValueError:
        # Of a newer release.
        return None


def _payload_type(text: str | None) -> int | None:
    number = _number(text)
    return int(number) if number is not None and number < 128 else None


def _number(text: str | None, *, signed: bool = False) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if (-1e12 if signed else 0) <= number < 1e12 else None


async def judge_keyframe(
    keyframe: ForwarderKeyframe,
    decoder: Decoder | None,
    *,
    began: float,
    deadline_s: float,
    history: PictureHistory | None = None,
) -> ProbeResult:
    """Judge the forwarder's keyframe; without a `decoder` by a light probe. `began`: monotonic seconds.

    `history`: what the picture is judged beside as soon as it is decoded.
    """
    steps = [Step(name=FORWARDER_STEP, duration_ms=_ms(began))]
    picture: Picture | Undecodable | None = None
    refreshed = _is_refreshed(keyframe)
    if decoder is not None and not refreshed:
        left_s = max(DECODE_WITHIN_S, deadline_s - (time.monotonic() - began))
        try:
            async with asyncio.timeout(left_s):
                picture = await decoder.decode(
                    keyframe.codec, keyframe.nals, taken_at=keyframe.captured_at, history=history
                )
            steps.append(Step(name="decode", duration_ms=round(picture.decode_s * 1000, 2)))
        except TimeoutError:
            picture = None
    evidence = Evidence(
        light=decoder is None,
        playing=True,
        packets=1,
        keyframe=True,
        decoded=None if picture is None else isinstance(picture, Picture),
        undecodable=Failure(picture.cause, picture.reason) if isinstance(picture, Undecodable) else None,
        refreshed=refreshed,
    )
    seen = _describe_stream(keyframe, picture if isinstance(picture, Picture) else None)
    return ProbeResult(
        judge(evidence),
        time.monotonic() - began,
        tuple(steps),
        seen.media,
        kind=ProbeKind.LIGHT if decoder is None else ProbeKind.FORWARDER_KEYFRAME,
        seen=seen,
        picture=picture.thumbnail if isinstance(picture, Picture) else None,
        judged=picture.judged if isinstance(picture, Picture) else None,
        no_picture=REFRESHED if refreshed and decoder is not None else None,
        still=_still(keyframe),
        repeats=_repeats(keyframe),
        new_since=keyframe.new_since,
        captured_at=keyframe.captured_at,
    )


def _is_refreshed(keyframe: ForwarderKeyframe) -> bool:
    """Whether it is the beginning of an intra refresh."""
    codec = keyframe.codec
    if any(is_keyframe_slice(codec, nal_type(codec, nal)) for nal in keyframe.nals):
        return False
    return bool(pictures_to_recover(codec, keyframe.nals))


def _still(keyframe: ForwarderKeyframe) -> Still | None:
    if keyframe.still_since is None:
        return None
    return Still(keyframe.still_since, keyframe.captured_at, keyframe.still_keyframes)


def _repeats(keyframe: ForwarderKeyframe) -> Repeats | None:
    if keyframe.repeats_since is None:
        return None
    return Repeats(keyframe.repeats_since, f"after {keyframe.repeats_after_s:.0f} s, with others between")


def _describe_stream(keyframe: ForwarderKeyframe, picture: Picture | None) -> StreamSeen:
    media = Media(
        codec=keyframe.codec.value.lower(),
        profile=picture.profile if picture else None,
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        fps=keyframe.fps,
        bitrate_kbps=keyframe.bitrate_kbps,
        packets_received=keyframe.packets_received,
        packets_lost=keyframe.packets_lost,
        clock_drift_s=keyframe.clock_drift_s,
        transport=keyframe.transport,
    )
    measured = keyframe.fps is not None
    sps = first_sps(keyframe.codec, keyframe.nals)
    return StreamSeen(
        media,
        pictures=LEAST_PICTURES if measured else 0,
        span_s=LEAST_SPAN_S if measured else 0.0,
        declared_fps=sps.fps if sps is not None else None,
        foreign_payload=keyframe.foreign_payload,
        login_scheme=parse_login_scheme(keyframe.login_scheme),
        stream=stream_sign(keyframe.codec, keyframe.nals),
        habits={**keyframe.habits, **digest_habits(parameter_sets=sps_bytes(keyframe.codec, keyframe.nals))},
        jitter_unknown="the forwarder that pulls the camera does not measure it",
        clock_unknown="the forwarder that pulls the camera got no time from it lately",
    )


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 2)
