"""Judging the forwarder's keyframe instead of opening a session; the test plays the forwarder over real NATS."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from nats.aio.msg import Msg

from prober.domain.result import ProbeResult
from prober.probes.camera.forwarder_probe import CAMERA_AWAY, NoKeyframe, request_keyframe, split_annex_b
from prober.probes.camera.prober import CameraProber, ProbeContext, ProbePlan
from simulator.cameras.camera import Camera
from vonggac.bus import Bus
from vonggac.events import Cause, subjects
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.prober import ProbeKind, Verdict
from vonggac.media.depacketizer import Depacketizer
from vonggac.testing.recordings import codec_of, recorded
from vonggac.testing.waiting import flush_all

type Frames = list[list[bytes]]


def planned(url: str, **delivery: Any) -> CameraV1:
    values = {"id": uuid4(), "destination_id": uuid4(), "destination_code": "D1", "url": "rtsp://10.0.0.9/a"}
    return CameraV1(
        id=uuid4(),
        revision=1,
        changed_at=datetime.now(UTC),
        code="QT-001",
        name="Cổng",
        facility_id=uuid4(),
        enabled=True,
        url=url,
        probe_interval_s=60,
        probe_timeout_s=4,
        deliveries=(PlannedDelivery.model_validate(values | delivery),),
    )


async def forward(bus: Bus, camera: CameraV1, body: bytes, **headers: str) -> list[Msg]:
    """Answer requests for the camera's keyframe; the requests come into the list."""
    asked: list[Msg] = []
    given = {
        "codec": "h264",
        "captured_at": datetime.now(UTC).isoformat(),
        "fps": "25.0",
        "bitrate_kbps": "2048",
        "packets_lost": "0",
        "packets_received": "400",
        "worker_id": "forwarder-0",
        **headers,
    }

    async def answer(request: Msg) -> None:
        asked.append(request)
        await bus.client.publish(request.reply, body, headers=given)

    await bus.client.subscribe(subjects.camera_keyframe(camera.id), cb=answer)
    await flush_all(bus.client)
    return asked


def annex_b(nals: list[bytes]) -> bytes:
    return b"".join(b"\0\0\0\1" + nal for nal in nals)


@pytest.fixture
async def gate(simulate: Any) -> Camera:
    camera: Camera = (await simulate({"id": "gate"})).cameras["gate"]
    return camera


@pytest.fixture
def probe(context: ProbeContext) -> Callable[..., Any]:
    prober = CameraProber(context)

    async def once(camera: CameraV1, kind: ProbeKind = ProbeKind.DEEP) -> ProbeResult:
        result = await prober.probe(camera, ProbePlan(kind))
        assert isinstance(result, ProbeResult)
        return result

    return once


async def test_a_camera_that_is_pulled_is_judged_by_the_forwarders_keyframe(
    bus: Bus, gate: Camera, probe: Any, frames: Frames
) -> None:
    camera = planned(gate.url())
    asked = await forward(bus, camera, annex_b(frames[0]))
    result = await probe(camera)
    assert (result.judgement.verdict, result.kind) == (Verdict.UP, ProbeKind.FORWARDER_KEYFRAME)
    assert (result.media.codec, result.media.width, result.media.fps) == ("h264", 320, 25.0)
    assert "clock_drift" in {cause.value for cause in result.judgement.not_checked}
    assert [step.name for step in result.steps] == ["forwarder_keyframe", "decode"]
    assert len(asked) == 1
    assert gate.sessions_total == 0


async def test_a_camera_that_is_no_rtsp_is_judged_by_the_forwarders_keyframe(
    bus: Bus, probe: Any, frames: Frames
) -> None:
    camera = planned("http://10.0.0.1/live.m3u8")
    await forward(bus, camera, annex_b(frames[0]))
    result = await probe(camera)
    assert (result.judgement.verdict, result.kind) == (Verdict.UP, ProbeKind.FORWARDER_KEYFRAME)


async def test_a_light_probe_of_a_forwarders_keyframe_decodes_nothing(
    bus: Bus, gate: Camera, probe: Any, frames: Frames
) -> None:
    camera = planned(gate.url())
    await forward(bus, camera, annex_b(frames[0]))
    result = await probe(camera, ProbeKind.LIGHT)
    assert (result.judgement.verdict, result.kind, result.picture) == (Verdict.UP, ProbeKind.LIGHT, None)
    assert gate.sessions_total == 0


async def test_a_keyframe_that_does_not_decode_is_down(bus: Bus, gate: Camera, probe: Any, frames: Frames) -> None:
    camera = planned(gate.url())
    broken = [nal if nal[0] & 31 != 5 else nal[:3] + bytes(byte ^ 0x5A for byte in nal[3:]) for nal in frames[0]]
    await forward(bus, camera, annex_b(broken))
    result = await probe(camera)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.DECODE_FAILED)


async def test_what_the_forwarder_lost_is_a_finding(bus: Bus, gate: Camera, probe: Any, frames: Frames) -> None:
    camera = planned(gate.url())
    await forward(bus, camera, annex_b(frames[0]), packets_lost="40")
    assert Cause.PACKET_LOSS in (await probe(camera)).judgement.findings


@pytest.mark.parametrize(("given", "known"), [("udp none", ("udp", "none")), ("a b", (None, None))])
async def test_how_the_media_comes_and_the_login_are_known_from_the_forwarder(
    bus: Bus, gate: Camera, probe: Any, frames: Frames, given: str, known: tuple[str | None, str | None]
) -> None:
    camera, (transport, login) = planned(gate.url()), given.split()
    await forward(bus, camera, annex_b(frames[0]), transport=transport, login_scheme=login)
    seen = (await probe(camera)).seen
    assert (seen.media.transport, seen.login_scheme) == known


@pytest.mark.parametrize(("drift", "found"), [("0.4", False), ("-90.000", True), ("3600.5", True)])
async def test_the_camera_gave_the_forwarder_its_time(
    bus: Bus, gate: Camera, probe: Any, frames: Frames, drift: str, found: bool
) -> None:
    camera = planned(gate.url())
    await forward(bus, camera, annex_b(frames[0]), clock_drift_s=drift)
    judgement = (await probe(camera)).judgement
    assert (Cause.CLOCK_DRIFT in judgement.findings) is found
    assert Cause.CLOCK_DRIFT not in judgement.not_checked


async def test_a_forwarded_camera_that_is_slower_than_its_stream_says_is_low_fps(
    bus: Bus, gate: Camera, probe: Any, frames: Frames
) -> None:
    camera = planned(gate.url())
    await forward(bus, camera, annex_b(frames[0]), fps="8.0")
    assert Cause.LOW_FPS in (await probe(camera)).judgement.findings


async def refuse(bus: Bus, camera: CameraV1, **headers: str) -> list[Msg]:
    """Pull the camera and have no keyframe."""
    return await forward(bus, camera, b"", codec="h264", captured_at="", **headers)


@pytest.mark.parametrize("error", ["no_keyframe", "too_large", "busy"])
async def test_a_pulled_camera_without_a_keyframe_in_time_is_judged_by_what_the_forwarder_answers(
    bus: Bus, gate: Camera, probe: Any, error: str
) -> None:
    camera = planned(gate.url())
    await refuse(bus, camera, error=error, silent_s="0.1", media_s="300.0", keyframe_age_s="25.0")
    result = await probe(camera)
    assert (result.judgement.verdict, result.kind) == (Verdict.UP, ProbeKind.FORWARDER_KEYFRAME)
    assert "forwarder" in result.judgement.not_checked[Cause.FROZEN]
    assert Cause.LOW_FPS in result.judgement.not_checked
    assert gate.sessions_total == 0


@pytest.mark.parametrize(
    ("given", "verdict", "cause"),
    [
        ({"error": "no_keyframe", "silent_s": "8.0", "media_s": "90.0"}, Verdict.DOWN, Cause.NO_MEDIA),
        ({"error": "no_keyframe", "silent_s": "0.2", "media_s": "9.0"}, Verdict.UNKNOWN, Cause.NO_KEYFRAME),
        ({"error": "no_keyframe", "silent_s": "0.2", "media_s": "150.0"}, Verdict.DOWN, Cause.NO_KEYFRAME),
        (
            {"error": "no_keyframe", "silent_s": "0.2", "media_s": "900.0", "keyframe_age_s": "130.0"},
            Verdict.DOWN,
            Cause.NO_KEYFRAME,
        ),
        ({"error": "codec_unsupported", "silent_s": "0.2", "codec": "jpeg"}, Verdict.DOWN, Cause.CODEC_UNSUPPORTED),
        ({"error": "no_keyframe"}, Verdict.UNKNOWN, Cause.INTERNAL_ERROR),
        ({"captured_at": "yesterday"}, Verdict.UNKNOWN, Cause.INTERNAL_ERROR),
        ({"codec": "mjpeg"}, Verdict.UNKNOWN, Cause.INTERNAL_ERROR),
    ],
)
async def test_a_pulled_camera_never_gets_a_second_session(
    bus: Bus, gate: Camera, probe: Any, given: dict[str, str], verdict: Verdict, cause: Cause
) -> None:
    camera = planned(gate.url())
    await forward(bus, camera, b"", **given)
    for kind in (ProbeKind.DEEP, ProbeKind.LIGHT):
        judgement = (await probe(camera, kind)).judgement
        assert (judgement.verdict, judgement.cause) == (verdict, cause)
    assert gate.sessions_total == 0


async def test_an_old_sample_is_no_reason_for_a_second_session(
    bus: Bus, gate: Camera, probe: Any, frames: Frames
) -> None:
    camera = planned(gate.url())
    for captured_at in ((datetime.now(UTC) - timedelta(minutes=5)).isoformat(), "2026-11-25T08:00:00"):
        await forward(bus, camera, annex_b(frames[0]), captured_at=captured_at)
        assert (await probe(camera)).judgement.verdict is Verdict.UNKNOWN
    assert gate.sessions_total == 0


async def test_a_still_picture_is_found_by_the_forwarders_hashes_even_by_a_light_probe(
    bus: Bus, gate: Camera, probe: Any, frames: Frames
) -> None:
    camera = planned(gate.url())
    since = (datetime.now(UTC) - timedelta(seconds=45)).isoformat()
    await forward(bus, camera, annex_b(frames[0]), still_since=since, still_keyframes="5")
    result = await probe(camera, ProbeKind.LIGHT)
    judgement = result.judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.DOWN, Cause.FROZEN)
    assert "the last 5 keyframes are identical" in (judgement.detail or "")
    assert Cause.FROZEN not in judgement.not_checked
    assert result.still_since == datetime.fromisoformat(since)


@pytest.mark.parametrize("keyframes", [35, 2, 0], ids=["frozen", "begun anew", "a recording"])
async def test_a_recording_that_is_played_again_and_again_is_not_frozen(
    bus: Bus, gate: Camera, context: ProbeContext, probe: Any, frames: Frames, *, keyframes: int
) -> None:
    """Probes a minute apart meet the same keyframe of a clip of 10 s; the forwarder has seen those between.

    One that begins anew, as after a sleep of the forwarder, gives it the first keyframe twice.
    """
    camera = planned(gate.url())
    now, still = datetime.now(UTC), keyframes == 35
    since = (now - timedelta(seconds=70)).isoformat()
    given = {"still_since": since, "still_keyframes": str(keyframes)} if keyframes else {}
    await forward(bus, camera, annex_b(frames[0]), **given)
    first = await probe(camera)
    assert first.judged is not None
    minute_ago = now - timedelta(seconds=60)
    context.pictures.store(camera.id, replace(first.judged.remember, taken_at=minute_ago), deep_at=minute_ago)
    again = await CameraProber(context).probe(camera, ProbePlan(deep_at=minute_ago))
    assert isinstance(again, ProbeResult)
    judgement = again.judgement
    assert judgement.verdict is (Verdict.DOWN if still else Verdict.UP)
    # The prober's own comparison says so, too, and reaches back to the picture before.
    assert again.still_since is None
    assert ("repeats itself" in judgement.not_checked.get(Cause.FROZEN, "")) is not still


@pytest.mark.parametrize("moves", [True, False], ids=["a scene", "frozen"])
async def test_a_picture_that_comes_again_coded_anew_is_frozen_only_if_the_next_one_is_the_same(
    bus: Bus, gate: Camera, context: ProbeContext, probe: Any, frames: Frames, *, moves: bool
) -> None:
    """Probes a minute apart meet the same picture of a scene that repeats itself; no two keyframes are coded alike."""
    camera = planned(gate.url())
    came, asked_after = count(), list[str | None]()

    async def answer(request: Msg) -> None:
        after = (request.headers or {}).get("after")
        asked_after.append(after)
        picture = frames[4] if after is not None and moves else frames[0]
        # Padding behind the last slice (H.264 7.3.2.10, cabac_zero_words): the same picture in other bytes.
        body = annex_b([*picture[:-1], picture[-1] + b"\0\0\3" * (1 + next(came))])
        headers = {"codec": "h264", "captured_at": datetime.now(UTC).isoformat()}
        await bus.client.publish(request.reply, body, headers=headers)

    await bus.client.subscribe(subjects.camera_keyframe(camera.id), cb=answer)
    await flush_all(bus.client)
    first = await probe(camera)
    assert first.judged is not None
    minute_ago = datetime.now(UTC) - timedelta(seconds=60)
    context.pictures.store(camera.id, replace(first.judged.remember, taken_at=minute_ago), deep_at=minute_ago)
    again = await CameraProber(context).probe(camera, ProbePlan(deep_at=minute_ago))
    assert isinstance(again, ProbeResult)
    judgement = again.judgement
    assert (judgement.verdict, judgement.cause) == ((Verdict.UP, None) if moves else (Verdict.DOWN, Cause.FROZEN))
    assert ("repeats itself" in judgement.not_checked.get(Cause.FROZEN, "")) is moves
    assert again.picture is not None
    assert asked_after == [None, None, again.picture.taken_at.isoformat()]


async def test_a_still_picture_of_two_keyframes_is_none(bus: Bus, gate: Camera, probe: Any, frames: Frames) -> None:
    camera = planned(gate.url())
    since = (datetime.now(UTC) - timedelta(seconds=45)).isoformat()
    await forward(bus, camera, annex_b(frames[0]), still_since=since, still_keyframes="2")
    assert (await probe(camera, ProbeKind.LIGHT)).judgement.verdict is Verdict.UP


async def test_keyframe_order_of_an_intra_refresh_is_up_and_its_picture_not_checked(
    bus: Bus, gate: Camera, probe: Any
) -> None:
    name = "gstreamer_h264_intra_refresh"
    depacketizer = Depacketizer(codec_of(name))
    keyframes = [unit for packet in recorded(name) for unit in depacketizer.push_packet(packet) if unit.keyframe]
    camera = planned(gate.url())
    await forward(bus, camera, annex_b(keyframes[1].nals))
    judgement = (await probe(camera)).judgement
    assert judgement.verdict is Verdict.UP
    assert "intra refresh" in judgement.not_checked[Cause.FROZEN]


async def test_cause_session_limit_of_a_camera_that_the_forwarder_cannot_pull_either(
    bus: Bus, gate: Camera, probe: Any
) -> None:
    camera = planned(gate.url())
    await forward(bus, camera, b"", error="camera_away")
    await gate.set_fault("session_limit")
    judgement = (await probe(camera)).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.DOWN, Cause.SESSION_LIMIT)


@pytest.mark.parametrize("url", ["http://10.0.0.1/api/stream.m3u8", "rtmp://10.0.0.1/live/1"])
@pytest.mark.parametrize(
    ("headers", "verdict", "cause", "words"),
    [
        ({}, Verdict.UNKNOWN, Cause.NO_KEYFRAME, "is opening the stream"),
        ({"cause": "not_found", "detail": "GET was answered 404"}, Verdict.DOWN, Cause.NOT_FOUND, "answered 404"),
        ({"cause": "secret_unreadable"}, Verdict.UNKNOWN, Cause.SECRET_UNREADABLE, "secret_unreadable"),
        ({"cause": "of_a_newer_release"}, Verdict.UNKNOWN, Cause.NO_KEYFRAME, "is opening the stream"),
    ],
)
async def test_a_foreign_camera_that_only_a_forwarder_opens_is_judged_by_what_that_saw(
    bus: Bus, probe: Any, url: str, headers: dict[str, str], verdict: Verdict, cause: Cause, words: str
) -> None:
    camera = planned(url)
    await forward(bus, camera, b"", error="camera_away", **headers)
    judgement = (await probe(camera)).judgement
    assert (judgement.verdict, judgement.cause) == (verdict, cause)
    assert words in (judgement.detail or "")


async def test_a_camera_that_nobody_pulls_is_probed_in_an_own_session_without_waiting(gate: Camera, probe: Any) -> None:
    result = await probe(planned(gate.url()))
    assert (result.judgement.verdict, result.kind) == (Verdict.UP, ProbeKind.DEEP)
    assert result.duration_s < 2.0


async def test_a_probe_lasts_from_the_question_to_the_forwarder_to_the_picture(
    bus: Bus, gate: Camera, probe: Any
) -> None:
    """A fact is dated by its beginning and how long it took: a camera that came back meanwhile was not there before."""
    camera = planned(gate.url())

    async def late(request: Msg) -> None:
        await asyncio.sleep(1.5)
        await bus.client.publish(request.reply, b"", headers={"error": CAMERA_AWAY})

    await bus.client.subscribe(subjects.camera_keyframe(camera.id), cb=late)
    await flush_all(bus.client)
    began_s = time.monotonic()
    result = await probe(camera)
    assert (result.judgement.verdict, result.kind) == (Verdict.UP, ProbeKind.DEEP)
    assert 1.5 <= result.duration_s <= time.monotonic() - began_s


async def test_a_forwarder_that_does_not_answer_is_left_its_session(bus: Bus, gate: Camera, probe: Any) -> None:
    camera = planned(gate.url())

    async def silent(_request: Msg) -> None:
        return

    await bus.client.subscribe(subjects.camera_keyframe(camera.id), cb=silent)
    await flush_all(bus.client)
    judgement = (await probe(camera)).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.UNKNOWN, Cause.INTERNAL_ERROR)
    assert "did not answer" in (judgement.detail or "")
    assert gate.sessions_total == 0


async def test_a_camera_without_an_enabled_delivery_is_nobodys(
    bus: Bus, gate: Camera, probe: Any, frames: Frames
) -> None:
    camera = planned(gate.url(), enabled=False)
    asked = await forward(bus, camera, annex_b(frames[0]))
    assert (await probe(camera)).kind is ProbeKind.DEEP
    assert asked == []


async def test_without_a_responder_nobody_pulls_the_camera(bus: Bus) -> None:
    assert await request_keyframe(bus, uuid4(), timeout_s=2.0) == NoKeyframe(pulled=False)


def test_annex_b_is_split_at_its_start_codes_of_either_length() -> None:
    assert split_annex_b(b"\0\0\0\1\x67a\0\0\1\x68b\0\0\0\1\x65c\0\0") == [b"\x67a", b"\x68b", b"\x65c"]
    assert split_annex_b(b"no start code") == []
