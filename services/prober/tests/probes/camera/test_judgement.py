"""A picture that became another one: it is judged at once and by light probes too, and its forwarder hears of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest
from services.prober.tests.probes.camera.test_forwarder_probe import annex_b, forward, planned

from prober.domain.result import ProbeResult
from prober.probes.camera.prober import CameraProber, ProbePlan
from vonggac.bus import Bus
from vonggac.events import Cause, new_event, subjects
from vonggac.events.forwarder import CameraMediaObservedV1, MediaState, PictureSign
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import PictureJudged, ProbeKind, Verdict
from vonggac.testing import eventually
from vonggac.testing.fixtures import NatsAt, login_of
from vonggac.testing.waiting import flush_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.msg import Msg

    from prober.probes.camera.prober import ProbeContext
    from vonggac.embedded import NatsServer
    from vonggac.events.inventory import CameraV1

URL = "rtsp://10.0.0.1/live"


async def hear(bus: Bus, camera_id: UUID) -> list[PictureJudged]:
    """What the forwarder hears of its picture; the list grows."""
    heard: list[PictureJudged] = []

    async def on_message(message: Msg) -> None:
        heard.append(PictureJudged.model_validate_json(message.data))

    await bus.client.subscribe(subjects.camera_picture_judged(camera_id), cb=on_message)
    await flush_all(bus.client)
    return heard


async def probe(context: ProbeContext, camera: CameraV1, kind: ProbeKind = ProbeKind.LIGHT) -> ProbeResult:
    result = await CameraProber(context).probe(camera, ProbePlan(kind))
    assert isinstance(result, ProbeResult)
    return result


async def answer(
    bus: Bus, camera: CameraV1, picture_of: Callable[[int], list[bytes]], **headers: str
) -> list[datetime]:
    """Answer as the forwarder: pictures by their number from 1, two seconds apart, no two of the same bytes.

    Returns the times of those that were given; the list grows.
    """
    came, began_at = list[datetime](), datetime.now(UTC) - timedelta(seconds=20)

    async def give(request: Msg) -> None:
        came.append(began_at + timedelta(seconds=2 * len(came)))
        picture = picture_of(len(came))
        body = annex_b([*picture[:-1], picture[-1] + b"\0\0\3" * len(came)])
        said = {"codec": "h264", "captured_at": came[-1].isoformat(), **headers}
        await bus.client.publish(request.reply, body, headers=said)

    await bus.client.subscribe(subjects.camera_keyframe(camera.id), cb=give)
    await flush_all(bus.client)
    return came


async def test_empty_picture_is_found_by_a_light_probe_too_once_the_picture_changed(
    bus: Bus, context: ProbeContext, frames: list[list[bytes]]
) -> None:
    camera = planned(URL)
    heard = await hear(bus, camera.id)
    at = datetime.now(UTC).isoformat()
    await forward(bus, camera, annex_b(frames[0]), captured_at=at, judge="1")
    result = await probe(context, camera)
    assert (result.judgement.verdict, result.kind) == (Verdict.UP, ProbeKind.FORWARDER_KEYFRAME)
    assert result.judged is not None
    await eventually(lambda: heard)
    assert heard == [PictureJudged(captured_at=datetime.fromisoformat(at))]


async def test_empty_picture_that_cannot_be_decoded_is_known_to_its_forwarder(
    bus: Bus, context: ProbeContext, frames: list[list[bytes]]
) -> None:
    camera = planned(URL)
    heard = await hear(bus, camera.id)
    broken = [nal if nal[0] & 31 != 5 else nal[:3] + bytes(byte ^ 0x5A for byte in nal[3:]) for nal in frames[0]]
    await forward(bus, camera, annex_b(broken), judge="1")
    assert (await probe(context, camera)).judgement.cause is Cause.DECODE_FAILED
    await eventually(lambda: heard)
    assert heard[0].cause is Cause.DECODE_FAILED


async def test_a_light_probe_of_a_picture_that_stayed_judges_nothing(
    bus: Bus, context: ProbeContext, frames: list[list[bytes]]
) -> None:
    camera = planned(URL)
    heard = await hear(bus, camera.id)
    await forward(bus, camera, annex_b(frames[0]))
    assert (await probe(context, camera)).kind is ProbeKind.LIGHT
    await flush_all(bus.client)
    assert heard == []


@pytest.mark.parametrize(
    ("age_s", "every_s", "verdict"),
    [("12.0", "2.0", Verdict.UNKNOWN), ("21.0", "2.0", Verdict.DOWN), ("40.0", "15.0", Verdict.UNKNOWN)],
)
async def test_empty_picture_without_a_keyframe_that_was_due_is_down_when_it_cannot_come_any_more(
    bus: Bus, context: ProbeContext, age_s: str, every_s: str, verdict: Verdict
) -> None:
    camera = planned(URL)
    heard = await hear(bus, camera.id)
    await forward(
        bus,
        camera,
        b"",
        codec="h264",
        captured_at="",
        error="no_keyframe",
        silent_s="0.1",
        media_s="300.0",
        keyframe_age_s=age_s,
        keyframe_every_s=every_s,
        changed_by="overdue",
        judge="1",
    )
    judgement = (await probe(context, camera)).judgement
    assert (judgement.verdict, judgement.cause) == (verdict, Cause.NO_KEYFRAME)
    if verdict is Verdict.DOWN:
        await eventually(lambda: heard)
    await flush_all(bus.client)
    assert [one.cause for one in heard] == [Cause.NO_KEYFRAME] * (verdict is Verdict.DOWN)


@pytest.mark.parametrize("moves", [True, False], ids=["a scene", "an encoder that repeats itself"])
async def test_empty_picture_that_an_encoder_repeats_is_frozen_though_no_two_keyframes_have_the_same_bytes(
    bus: Bus, context: ProbeContext, frames: list[list[bytes]], *, moves: bool
) -> None:
    camera = planned(URL).model_copy(update={"probe_timeout_s": 30.0})
    heard = await hear(bus, camera.id)
    came = await answer(bus, camera, lambda n: frames[4 * (moves and n % 2 == 0)], judge="1", shrunk_to="0.010")
    judgement = (await probe(context, camera)).judgement
    assert (judgement.verdict, judgement.cause) == ((Verdict.UP, None) if moves else (Verdict.DOWN, Cause.FROZEN))
    assert len(came) == (3 if moves else 4)
    await eventually(lambda: heard)
    assert heard[0].cause is judgement.cause


@pytest.mark.parametrize("moves", [True, False], ids=["a scene", "an encoder that repeats itself"])
async def test_empty_picture_that_weighs_otherwise_and_is_the_last_one_is_compared_at_once(
    bus: Bus, context: ProbeContext, frames: list[list[bytes]], *, moves: bool
) -> None:
    """As much comes between its keyframes as ever, while the rate control raises their quality."""
    camera = planned(URL).model_copy(update={"probe_timeout_s": 30.0})
    came = await answer(bus, camera, lambda n: frames[4 * (moves and n % 2 == 0)], judge="1")
    first = await probe(context, camera, ProbeKind.DEEP)
    assert first.judged is not None
    context.pictures.store(camera.id, first.judged.remember, deep_at=came[0])
    again = await CameraProber(context).probe(camera, ProbePlan(ProbeKind.DEEP, deep_at=came[0]))
    assert isinstance(again, ProbeResult)
    judgement = again.judgement
    assert (judgement.verdict, judgement.cause) == ((Verdict.UP, None) if moves else (Verdict.DOWN, Cause.FROZEN))


@pytest.mark.parametrize("then", ["stands still", "moves", "another place"])
async def test_empty_picture_that_stood_still_is_over_when_another_one_came_and_not_by_one_more_keyframe_of_it(
    bus: Bus, context: ProbeContext, frames: list[list[bytes]], then: str
) -> None:
    camera = planned(URL).model_copy(update={"probe_timeout_s": 30.0})
    heard = await hear(bus, camera.id)
    others = {"stands still": (), "moves": range(2, 99, 2), "another place": range(2, 99)}[then]
    came = await answer(bus, camera, lambda n: frames[4 * (n in others)], judge="frozen")
    first = await probe(context, camera, ProbeKind.DEEP)
    assert first.judged is not None
    context.pictures.store(camera.id, first.judged.remember, deep_at=came[0])
    await eventually(lambda: heard)
    heard.clear()
    again = await CameraProber(context).probe(camera, ProbePlan(ProbeKind.DEEP, deep_at=came[0]))
    assert isinstance(again, ProbeResult)
    await eventually(lambda: heard)
    over = (None, True) if then != "stands still" else (Cause.FROZEN, False)
    assert (heard[0].cause, heard[0].moves) == over


@pytest.mark.parametrize(
    "reported",
    [
        {"picture_since": "now", "picture_sign": PictureSign.WEIGHT},
        {},  # by a forwarder that has just taken the camera
    ],
    ids=["another picture", "taken"],
)
async def test_empty_picture_is_judged_as_soon_as_a_forwarder_reports_a_change(
    bus: Bus,
    forwarder_bus: Bus,
    planner: Any,
    observed: Any,
    start_prober: Any,
    frames: list[list[bytes]],
    reported: dict[str, Any],
) -> None:
    camera = await forwarded(planner, forwarder_bus, frames)
    await start_prober()
    await observed.observation(camera.id)
    await report_picture(bus, camera, **reported)
    assert (await observed.observation(camera.id, 2)).kind is ProbeKind.FORWARDER_KEYFRAME


async def test_empty_picture_is_decoded_again_until_it_is_over(
    bus: Bus, forwarder_bus: Bus, planner: Any, observed: Any, start_prober: Any, frames: list[list[bytes]]
) -> None:
    """No sign of its forwarder says that: decoding does, and the schedule comes in an hour."""
    camera = await forwarded(planner, forwarder_bus, frames)
    await start_prober()
    await observed.observation(camera.id)
    now = datetime.now(UTC)
    await report_picture(
        bus, camera, picture_since="now", picture_sign="weight", picture_judged=True, picture_cause=Cause.COVERED
    )
    again = await observed.observation(camera.id, 2)
    assert again.verdict is Verdict.UP
    assert 2.0 < (again.observed_at - now).total_seconds() < 20.0


async def forwarded(planner: Any, forwarder_bus: Bus, frames: list[list[bytes]]) -> CameraV1:
    planned_one = PlannedDelivery(id=UUID(int=1), destination_id=UUID(int=2), destination_code="D1", url=URL)
    camera = await planner.camera(URL, probe_interval_s=3600.0, deliveries=(planned_one,))
    await forward(forwarder_bus, camera, annex_b(frames[0]), judge="1")
    return cast("CameraV1", camera)


async def report_picture(bus: Bus, camera: CameraV1, **reported: Any) -> None:
    """As its forwarder does, at its first report."""
    now = datetime.now(UTC)
    values = reported | ({"picture_since": now} if "picture_since" in reported else {})
    change = CameraMediaObservedV1(
        camera_id=camera.id,
        facility_id=camera.facility_id,
        camera_revision=1,
        worker_id="forwarder-0",
        held_since=now,
        sequence=1,
        observed_at=now,
        state=MediaState.FLOWING,
        **values,
    )
    event = new_event(change, source="/forwarder/forwarder-0", subject=str(camera.id), time=now)
    await bus.js.publish(subjects.camera_media_observation(camera.id), event.encode())


async def test_empty_picture_is_on_record_with_when_its_keyframe_was_captured(
    nats_server: NatsServer, frames: list[list[bytes]], planner: Any, observed: Any, start_prober: Any
) -> None:
    camera = await planner.camera("rtsp://127.0.0.1:9/live", probe_interval_s=0.3, deliveries=planned(URL).deliveries)
    broken = [nal if nal[0] & 31 != 5 else nal[:3] + bytes(byte ^ 0x5A for byte in nal[3:]) for nal in frames[0]]
    captured_at = datetime.now(UTC) - timedelta(seconds=2)
    forwarder = await Bus.connect(NatsAt(**login_of(nats_server, "forwarder")), name="forwarder")
    try:
        await forward(forwarder, camera, annex_b(broken), captured_at=captured_at.isoformat(), judge="1")
        await start_prober()
        down = await observed.observation(camera.id, 1)
    finally:
        await forwarder.close()
    assert (down.cause, down.captured_at) == (Cause.DECODE_FAILED, captured_at)
    attempt = timedelta(milliseconds=round(down.duration_ms))
    assert down.began_at == down.observed_at - attempt - timedelta(seconds=0.15)
