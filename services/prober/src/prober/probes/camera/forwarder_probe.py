"""The forwarder's keyframe of a camera that it pulls, so that the prober opens no second session.

Core NATS request-reply on `forwarder.keyframe.<camera_id>`; the body is one access unit in Annex B form, the headers
say what the forwarder measured. No responder: nobody pulls the camera.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from prober.domain.findings import LEAST_PICTURES, LEAST_SPAN_S, StreamSeen
from prober.domain.result import ProbeResult
from prober.domain.verdict import Evidence, judge
from prober.probes.camera.decoder import Decoder, Picture, Undecodable, first_sps
from vonggac.bus import Bus
from vonggac.events import subjects
from vonggac.events.prober import Media, ProbeKind, Step
from vonggac.media.h26x import VideoCodec

MAX_BYTES = 1 << 20
CAMERA_AWAY = "camera_away"
"""The header `error` of a forwarder that has the camera's job and no session."""
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


@dataclass(frozen=True, slots=True)
class NoKeyframe:
    """No keyframe of use. `pulled`: a forwarder has the camera all the same, and with it a session."""

    pulled: bool


async def request_keyframe(bus: Bus, camera_id: UUID, *, timeout_s: float) -> ForwarderKeyframe | NoKeyframe:
    """NoSample when no forwarder has the camera, none came in time, or what came is of no use."""
    try:
        reply = await bus.client.request(subjects.forwarder_keyframe(camera_id), b"", timeout=timeout_s)
    except NoRespondersError:
        return NoKeyframe(pulled=False)
    except TimeoutError:
        # Only who holds a camera listens, and says at once when it is away.
        return NoKeyframe(pulled=True)
    except (NatsError, OSError):
        return NoKeyframe(pulled=False)
    keyframe = parse_keyframe(reply, now=bus.clock.now())
    return keyframe or NoKeyframe(pulled=(reply.headers or {}).get("error") != CAMERA_AWAY)


def parse_keyframe(reply: Msg, *, now: datetime) -> ForwarderKeyframe | None:
    """None when it is none, too old or malformed: then an own session finds out more."""
    headers = {name.lower(): value for name, value in (reply.headers or {}).items()}
    codec = _CODECS.get(headers.get("codec", ""))
    if codec is None or not 0 < len(reply.data) <= MAX_BYTES:
        return None
    try:
        captured_at = datetime.fromisoformat(headers.get("captured_at", ""))
    except ValueError:
        return None
    if captured_at.tzinfo is None or (now - captured_at).total_seconds() > OLDEST_S:
        return None
    lost, received = _number(headers.get("packets_lost")), _number(headers.get("packets_received"))
    return ForwarderKeyframe(
        codec=codec,
        nals=split_annex_b(reply.data),
        captured_at=captured_at.astimezone(UTC),
        fps=_number(headers.get("fps")),
        bitrate_kbps=_number(headers.get("bitrate_kbps")),
        packets_lost=int(lost) if lost is not None else None,
        packets_received=int(received) if received is not None else None,
        clock_drift_s=_number(headers.get("clock_drift_s"), signed=True),
    )


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units of a byte stream (H.264 Annex B): between start codes, without the zero bytes around them."""
    return [nal for part in data.split(_START_CODE)[1:] if (nal := part.rstrip(b"\0"))]


def _number(text: str | None, *, signed: bool = False) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if (-1e12 if signed else 0) <= number < 1e12 else None


async def judge_keyframe(
    keyframe: ForwarderKeyframe, decoder: Decoder | None, *, began: float, deadline_s: float
) -> ProbeResult:
    """The verdict of a sampled keyframe; without a `decoder` a light probe. `began`: monotonic seconds."""
    steps = [Step(name="forwarder_keyframe", duration_ms=_ms(began))]
    picture: Picture | Undecodable | None = None
    if decoder is not None:
        left_s = max(DECODE_WITHIN_S, deadline_s - (time.monotonic() - began))
        try:
            async with asyncio.timeout(left_s):
                picture = await decoder.decode(keyframe.codec, keyframe.nals, taken_at=keyframe.captured_at)
            steps.append(Step(name="decode", duration_ms=round(picture.decode_s * 1000, 2)))
        except TimeoutError:
            picture = None
    evidence = Evidence(
        light=decoder is None,
        playing=True,
        packets=1,
        keyframe=True,
        decoded=None if picture is None else isinstance(picture, Picture),
        undecodable=picture.reason if isinstance(picture, Undecodable) else None,
    )
    seen = _seen(keyframe, picture if isinstance(picture, Picture) else None)
    return ProbeResult(
        judge(evidence),
        time.monotonic() - began,
        tuple(steps),
        seen.media,
        kind=ProbeKind.LIGHT if decoder is None else ProbeKind.FORWARDER_KEYFRAME,
        seen=seen,
        picture=picture.thumbnail if isinstance(picture, Picture) else None,
    )


def _seen(keyframe: ForwarderKeyframe, picture: Picture | None) -> StreamSeen:
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
    )
    measured = keyframe.fps is not None
    sps = first_sps(keyframe.codec, keyframe.nals)
    return StreamSeen(
        media,
        pictures=LEAST_PICTURES if measured else 0,
        span_s=LEAST_SPAN_S if measured else 0.0,
        declared_fps=sps.fps if sps is not None else None,
        jitter_unknown="the forwarder that pulls the camera does not measure it",
        clock_unknown="the forwarder that pulls the camera got no time from it lately",
    )


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 2)
