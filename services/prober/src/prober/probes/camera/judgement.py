"""What a probe finds of a camera that a forwarder pulls, by its next keyframes or without any, and reports to it."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from nats.errors import Error as NatsError

from prober.domain.kinds import DOWN_BY_PICTURE
from prober.domain.picture import DEFAULT_THRESHOLDS, PictureHistory, PictureJudgement, Thumbnail
from prober.domain.picture.judge import UNCHANGED
from prober.domain.picture.standstill import CodedPicture, Standstill
from prober.domain.result import Judgement, ProbeResult
from prober.domain.verdict import NOBODY_PROBED, REFRESHED, down, unknown
from prober.messaging import publish_judgement
from prober.probes.camera.forwarder_probe import (
    CAMERA_AWAY,
    FORWARDER_STEP,
    LEAST_WAIT_S,
    NO_ANSWER,
    NO_BUS,
    ForwarderKeyframe,
    NoKeyframe,
    judge_keyframe,
    request_keyframe,
)
from prober.probes.decoding.pool import Decoder
from vonggac.bus import Bus
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import Media, PictureJudged, ProbeKind, Step, Verdict
from vonggac.media.keyframe_weight import keyframe_quantizer
from vonggac.telemetry import get_logger

log = get_logger(__name__)

SILENT_S = 5.0
"""A camera that has sent no video for so long sends none."""
LONGEST_GROUP_S = 120.0
"""Without a keyframe for so long nobody can begin to watch; cameras that save bits send one a minute at times."""
OVERDUE_S, OVERDUE_INTERVALS = 20.0, 3.0
"""Keyframes that came in a rhythm and have not come for so long, whichever is longer, do not come any more: cameras
that save bits while nothing moves put them off by less."""
_NOT_ANSWERED = {
    NO_ANSWER: "the forwarder that pulls the camera did not answer",
    NO_BUS: "NATS did not answer, so that nobody can tell whether a forwarder pulls the camera",
}
_NO_PICTURE = {
    "too_large": "the camera's keyframe is too large to be handed out by the forwarder that pulls it",
    "busy": "the forwarder that pulls the camera is asked for it too often",
}
SHOWS_NOTHING = frozenset({*DOWN_BY_PICTURE, Cause.DECODE_FAILED, Cause.NO_KEYFRAME})
NOT_KNOWN = (
    "little comes between keyframes, and too few of these that can be compared came to tell whether the picture "
    "stands still"
)


def judge_unopened(none: NoKeyframe, *, scheme: str, opened: Iterable[str]) -> Judgement:
    """Judge a camera that no probe opens and no forwarder plays now; `opened`: schemes that probes open.

    The forwarder's own attempt is the measurement then: it says why there is no picture.
    """
    if none.reason == CAMERA_AWAY and none.cause is not None:
        detail = f"the forwarder that pulls the camera got no picture: {none.detail or none.cause}"
        return (unknown if none.cause in NOBODY_PROBED else down)(none.cause, detail)
    if none.reason == CAMERA_AWAY:
        return unknown(Cause.NO_KEYFRAME, "the forwarder is opening the stream, and its first picture has not come yet")
    known = ", ".join(f"{name}://" for name in sorted(opened))
    reason = (
        f"only {known} are opened by a probe; a {scheme}:// camera is judged by the keyframes of the forwarder that "
        "pulls it, and none pulls it now"
    )
    return unknown(Cause.TRANSPORT_UNSUPPORTED, reason)


def judge_pulled(none: NoKeyframe, *, light: bool, began: float) -> ProbeResult:
    """Judge, without a keyframe, a camera whose session the forwarder has; `began`: monotonic seconds."""
    judgement, why = _judged_without_keyframe(none)
    media = Media(codec=none.codec, bitrate_kbps=none.bitrate_kbps)
    return ProbeResult(
        judgement,
        time.monotonic() - began,
        (Step(name=FORWARDER_STEP, duration_ms=round((time.monotonic() - began) * 1000, 2)),),
        media if none.silent_s is not None else None,
        kind=ProbeKind.LIGHT if light else ProbeKind.FORWARDER_KEYFRAME,
        no_picture=why,
    )


def _judged_without_keyframe(none: NoKeyframe) -> tuple[Judgement, str]:
    """Judge a camera without its keyframe, and find why there is no picture."""
    if none.reason in (NO_ANSWER, NO_BUS) or none.silent_s is None:
        why = _NOT_ANSWERED.get(none.reason, "the forwarder that pulls the camera gave no keyframe that can be used")
        return unknown(Cause.INTERNAL_ERROR, f"{why}, and a second session is not opened"), why
    if none.silent_s >= SILENT_S:
        why = f"the camera has sent the forwarder that pulls it no video for {none.silent_s:.0f} s"
        return down(Cause.NO_MEDIA, why), why
    if none.reason == "codec_unsupported":
        why = f"the video is {none.codec or 'not named'}, not H.264 or H.265"
        return down(Cause.CODEC_UNSUPPORTED, why), why
    why = _NO_PICTURE.get(none.reason, "the forwarder that pulls the camera had no whole keyframe in time")
    age_s = none.keyframe_age_s if none.keyframe_age_s is not None else none.media_s
    if age_s is not None and age_s > LONGEST_GROUP_S:
        return down(Cause.NO_KEYFRAME, f"video comes, and no whole keyframe for {age_s:.0f} s"), why
    if none.overdue and age_s is not None:
        if age_s >= max(OVERDUE_S, OVERDUE_INTERVALS * (none.keyframe_every_s or 0.0)):
            return down(Cause.NO_KEYFRAME, f"video comes, and no keyframe any more for {age_s:.0f} s"), why
        return unknown(
            Cause.NO_KEYFRAME, f"video comes, and the keyframe that is due has not come for {age_s:.0f} s"
        ), why
    if none.keyframe_age_s is None:
        return unknown(Cause.NO_KEYFRAME, f"video comes, and {why}; a second session is not opened"), why
    return Judgement(Verdict.UP), why


def may_stand_still(result: ProbeResult, keyframe: ForwarderKeyframe) -> bool:
    """Whether the keyframes that follow must show that the picture of `result` moves.

    Its forwarder saw that less comes between keyframes; or that it became another one, and yet it is the last probe's:
    coded anew at other quantizers, as an encoder does that repeats it. Of one that stood still no keyframe alone shows
    that this is over, unless its picture is clearly another one.
    """
    if keyframe.shrunk_to is not None:
        return True
    picture, judged = result.picture, result.judged
    if picture is None or judged is None or not keyframe.judge:
        return False
    # The very keyframe of the last probe says nothing of the next one.
    coded_anew = picture.keyframe_hash != judged.remember.keyframe_hash
    why = judged.not_checked.get(Cause.FROZEN, "")
    return coded_anew and (why.startswith(UNCHANGED) or (keyframe.judge == Cause.FROZEN and why != ""))


def shows_another(result: ProbeResult, keyframe: ForwarderKeyframe) -> bool:
    """Whether the picture is clearly another one than that which stood still."""
    judged = result.judged
    return (
        keyframe.judge == Cause.FROZEN
        and judged is not None
        and not judged.shows_nothing
        and Cause.FROZEN not in judged.not_checked
    )


async def watch_standstill(
    result: ProbeResult, bus: Bus, camera: CameraV1, decoder: Decoder, *, first: ForwarderKeyframe, began: float
) -> ProbeResult:
    """Make the result `frozen` where the keyframes that follow are alike, and unknown where that is not found out.

    `first`: the keyframe of `result`, which may stand still. `began`: monotonic seconds.
    """
    picture, judged = result.picture, result.judged
    if picture is None or judged is None or judged.shows_nothing:
        return result
    still = Standstill((_coded(picture, first),), 1.0 if first.shrunk_to is None else first.shrunk_to)
    while not still.is_certain:
        left_s = camera.probe_timeout_s - (time.monotonic() - began)
        if left_s <= LEAST_WAIT_S:
            break
        keyframe = await request_keyframe(bus, camera.id, timeout_s=left_s, after=still.last.taken_at)
        if isinstance(keyframe, NoKeyframe) or keyframe.captured_at <= still.last.taken_at:
            break
        beside = PictureHistory(picture, None, DEFAULT_THRESHOLDS)
        following = await judge_keyframe(
            keyframe, decoder, began=began, deadline_s=camera.probe_timeout_s, history=beside
        )
        if following.picture is None:
            break
        # A second that seems to have more may hold a part of a keyframe: what is shown decides.
        shrunk_to = 1.0 if keyframe.shrunk_to is None else keyframe.shrunk_to
        still = still.with_next(_coded(following.picture, keyframe), shrunk_to=shrunk_to)
        if still.moves:
            return replace(_after(result, began), moves=True)
    if still.is_certain or still.is_likely:
        return replace(_after(result, began), judged=_frozen(judged))
    if still.seems_to_move:
        return replace(_after(result, began), moves=True)
    return replace(_after(result, began), judgement=unknown(Cause.NO_KEYFRAME, NOT_KNOWN), judged=None)


def _coded(thumbnail: Thumbnail, keyframe: ForwarderKeyframe) -> CodedPicture:
    return CodedPicture(thumbnail, keyframe_quantizer(keyframe.codec, keyframe.nals), sum(map(len, keyframe.nals)))


async def report_judgement(bus: Bus, camera: CameraV1, result: ProbeResult) -> None:
    """Let the forwarder know what the picture shows that it gave, or that it had none to give."""
    judged = judgement_of(result, now=bus.clock.now())
    if judged is None:
        return
    try:
        await publish_judgement(bus, camera.id, judged.model_dump_json().encode())
    except (NatsError, OSError) as error:
        log.info("judgement_not_sent", camera_id=str(camera.id), error=type(error).__name__)


def judgement_of(result: ProbeResult, *, now: datetime) -> PictureJudged | None:
    """Extract what the result says of the forwarder's picture; None where it has not seen it."""
    judgement = result.judgement
    if not any(step.name == FORWARDER_STEP for step in result.steps):
        return None
    if judgement.verdict is Verdict.DOWN and judgement.cause in SHOWS_NOTHING:
        return PictureJudged(captured_at=result.captured_at or now, cause=judgement.cause)
    # A picture that is refreshed bit by bit is never whole: that it comes is all that can be known.
    seen = result.judged is not None or result.no_picture == REFRESHED
    if judgement.verdict is Verdict.UP and seen and result.captured_at is not None:
        return PictureJudged(captured_at=result.captured_at, moves=result.moves)
    return None


def _after(result: ProbeResult, began: float) -> ProbeResult:
    return replace(result, duration_s=time.monotonic() - began)


def _frozen(judged: PictureJudgement) -> PictureJudgement:
    not_checked = {cause: why for cause, why in judged.not_checked.items() if cause != Cause.FROZEN.value}
    return replace(judged, findings=(Cause.FROZEN, *judged.findings), not_checked=not_checked)


async def moves_on(result: ProbeResult, bus: Bus, camera: CameraV1, decoder: Decoder, *, began: float) -> bool:
    """Whether the camera's next keyframe, of its forwarder, shows another picture than that of `result`.

    Two probes may meet the same picture of a scene that repeats itself, coded anew; one that stands still shows it
    again. False where no other keyframe comes in time. `began`: monotonic seconds.
    """
    picture, left_s = result.picture, camera.probe_timeout_s - (time.monotonic() - began)
    if picture is None or left_s <= LEAST_WAIT_S:
        return False
    following = await request_keyframe(bus, camera.id, timeout_s=left_s, after=picture.taken_at)
    if isinstance(following, NoKeyframe) or following.captured_at <= picture.taken_at:
        return False
    beside = PictureHistory(picture, None, DEFAULT_THRESHOLDS)
    following_result = await judge_keyframe(
        following, decoder, began=began, deadline_s=camera.probe_timeout_s, history=beside
    )
    judged = following_result.judged
    return judged is not None and Cause.FROZEN not in judged.findings and Cause.FROZEN.value not in judged.not_checked
