"""One test for each cause, provoked for real: `pytest -k cause`."""

import ast
from pathlib import Path
from typing import Any

import pytest

from prober.domain.result import ProbeResult
from simulator.cameras.camera import Camera
from vonggac.events import Cause
from vonggac.events.inventory import ExpectedDevice
from vonggac.events.prober import Verdict
from vonggac.testing import eventually

SEEN: dict[str, Any] = {"width": 640, "height": 360, "fps": 15, "bitrate_kbps": 600, "gop_s": 1.0, "loop_s": 4.0}
"""A camera whose picture is probed."""
TESTED_ELSEWHERE = {
    Cause.ADDRESS_NOT_ALLOWED,
    Cause.TRANSPORT_UNSUPPORTED,
    Cause.PROTOCOL_ERROR,
    Cause.SECRET_UNREADABLE,
    Cause.SECRET_MOVED,
    Cause.WORKER_LAGGED,
    Cause.INTERNAL_ERROR,
    Cause.HUNG_UP,
    Cause.REQUEST_REFUSED,
    Cause.SERVER_ERROR,
    Cause.KEYFRAME_TOO_LARGE,
    Cause.FLOOD,
    Cause.PICTURE_TOO_LARGE,
    Cause.DECODER_CRASHED,
    Cause.ANOTHER_DEVICE,
}
"""In tests/probes and tests/domain, where each is named."""
OF_DELIVERIES = {
    Cause.ALREADY_PUBLISHING,
    Cause.LEFT,
    Cause.MISMATCH,
    Cause.NOT_ASKED,
    Cause.STALLED,
    Cause.STOPPED,
    Cause.TLS_REQUIRED,
}
"""No probe of a camera ends with them."""


def is_down(result: ProbeResult, cause: Cause) -> bool:
    """Down with that cause; shown whole when it is not."""
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, cause), result
    assert result.judgement.detail
    return True


def is_up_with(result: ProbeResult, finding: Cause) -> bool:
    """Up with that finding; shown whole when it is not."""
    judgement = result.judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.UP, None), result
    assert judgement.findings == (finding,), result
    assert judgement.detail
    return True


def test_every_cause_of_the_list_has_its_test() -> None:
    tests = {
        node.name
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {f"test_cause_{cause}" for cause in set(Cause) - TESTED_ELSEWHERE - OF_DELIVERIES} - tests == set()


def test_every_cause_that_is_tested_elsewhere_is_named_there() -> None:
    folders = [Path(__file__).parents[1] / folder for folder in ("probes", "domain")]
    sources = [path.read_text("utf-8") for folder in folders for path in folder.rglob("test_*.py")]
    assert {cause for cause in TESTED_ELSEWHERE if not any(f"Cause.{cause.name}" in one for one in sources)} == set()


async def the_camera(simulate: Any, **config: Any) -> Camera:
    camera: Camera = (await simulate({"id": "gate", **config})).cameras["gate"]
    return camera


async def within_probes(probe_camera: Any, camera: Camera, finding: Cause) -> ProbeResult:
    """The first probe with the finding: what is left to chance shows in one of a few."""
    for _ in range(4):
        result: ProbeResult = await probe_camera(camera, timeout_s=15.0)
        if finding in result.judgement.findings:
            break
    return result


async def test_a_good_camera_has_no_finding(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, **SEEN, scene="day")
    expected = ExpectedDevice(codec="h264", width=640, height=360, fps=15)
    for _ in range(2):
        judgement = (await probe_camera(camera, expected=expected)).judgement
        assert (judgement.verdict, judgement.findings, judgement.detail) == (Verdict.UP, (), None)
    assert set(judgement.not_checked) == {Cause.SCENE_CHANGED}
    assert Cause.FROZEN not in judgement.not_checked


async def test_cause_dns(probe_camera: Any) -> None:
    assert is_down(await probe_camera("rtsp://camera.invalid/live"), Cause.DNS)


async def test_cause_route(probe_camera: Any) -> None:
    assert is_down(await probe_camera("rtsp://255.255.255.255/live"), Cause.ROUTE)


async def test_cause_refused(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate)
    await camera.set_fault("refuse")
    assert is_down(await probe_camera(camera), Cause.REFUSED)


async def test_cause_timeout(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate)
    await camera.set_fault("black_hole")
    assert is_down(await probe_camera(camera, timeout_s=0.5), Cause.TIMEOUT)


@pytest.mark.parametrize("kind", ["untrusted", "expired", "wrong_host", "plain"])
async def test_cause_tls(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate, tls=True)
    await camera.set_fault("tls", kind=kind)
    assert is_down(await probe_camera(camera), Cause.TLS)


async def test_cause_auth_failed(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, auth="digest", username="viewer", password="s3cret-Xem")
    result = await probe_camera(camera, login=("viewer", "wrong-Xem"))
    assert is_down(result, Cause.AUTH_FAILED)
    assert camera.logins_failed == 1
    assert "wrong-Xem" not in repr(result)


@pytest.mark.parametrize("kind", ["453", "503"])
async def test_cause_session_limit(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate)
    await camera.set_fault("session_limit", kind=kind)
    assert is_down(await probe_camera(camera), Cause.SESSION_LIMIT)


async def test_cause_session_limit_of_a_login_that_worked_before(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    camera = await the_camera(simulate, auth="digest", username="viewer", password="s3cret-Xem")
    await start_prober()
    planned = await planner.camera(camera.url(), secret=planner.seal("viewer", "s3cret-Xem"), probe_interval_s=0.3)
    assert (await observed.observation(planned.id)).verdict is Verdict.UP
    await camera.set_fault("session_limit", kind="401")

    def suspected() -> Any:
        return [probe for probe in observed.of(planned.id) if probe.verdict is Verdict.DOWN]

    await eventually(suspected)
    [probe] = suspected()
    assert (probe.cause, probe.interval_s) == (Cause.SESSION_LIMIT, 300.0)
    assert "took this login before" in probe.detail


async def test_cause_not_found(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate)
    assert is_down(await probe_camera(camera.url() + "/channel9"), Cause.NOT_FOUND)


async def test_cause_no_track(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate)
    await camera.set_fault("no_track")
    assert is_down(await probe_camera(camera), Cause.NO_TRACK)


@pytest.mark.parametrize("kind", ["mjpeg", "mpeg4"])
async def test_cause_codec_unsupported(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate)
    await camera.set_fault("codec_unsupported", kind=kind)
    assert is_down(await probe_camera(camera), Cause.CODEC_UNSUPPORTED)


async def test_cause_no_media(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate)
    await camera.set_fault("no_media")
    assert is_down(await probe_camera(camera, timeout_s=0.5), Cause.NO_MEDIA)


async def test_cause_no_keyframe(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate)
    await camera.set_fault("no_keyframe")
    # Video flows, and its next keyframe may be due after the deadline.
    judgement = (await probe_camera(camera, timeout_s=1.0)).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.UNKNOWN, Cause.NO_KEYFRAME)


async def test_cause_decode_failed(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate)
    await camera.set_fault("damaged_keyframes")
    assert is_down(await probe_camera(camera), Cause.DECODE_FAILED)


async def test_cause_low_fps(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, **SEEN)
    await camera.set_fault("low_fps", fps=2)
    assert is_up_with(await probe_camera(camera), Cause.LOW_FPS)


async def test_a_camera_that_is_surveyed_as_slow_is_not_low_fps(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, **SEEN)
    await camera.set_fault("low_fps", fps=3)
    result = await probe_camera(camera, expected=ExpectedDevice(fps=3))
    assert Cause.LOW_FPS not in result.judgement.findings


async def test_cause_low_bitrate(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, **(SEEN | {"width": 1280, "height": 720}), scene="day")
    await camera.set_fault("low_bitrate", bitrate_kbps=16)
    assert is_up_with(await probe_camera(camera), Cause.LOW_BITRATE)


async def test_cause_packet_loss(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, **SEEN)
    await camera.set_fault("packet_loss", percent=4.0)
    result = await within_probes(probe_camera, camera, Cause.PACKET_LOSS)
    assert is_up_with(result, Cause.PACKET_LOSS)


async def test_cause_jitter(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, **SEEN)
    await camera.set_fault("jitter", jitter_ms=500)
    assert is_up_with(await within_probes(probe_camera, camera, Cause.JITTER), Cause.JITTER)


@pytest.mark.parametrize("kind", ["coded", "encoder"])
async def test_cause_frozen(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate, **SEEN, scene="day")
    await camera.set_fault("freeze", kind=kind)
    first = await probe_camera(camera)
    assert first.judgement.verdict is Verdict.UP
    assert Cause.FROZEN in first.judgement.not_checked
    assert is_down(await probe_camera(camera), Cause.FROZEN)


@pytest.mark.parametrize("kind", ["pure", "noise"])
async def test_cause_black(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate, **SEEN, scene="day")
    await camera.set_fault("black", kind=kind)
    assert is_down(await probe_camera(camera), Cause.BLACK)


@pytest.mark.parametrize("kind", ["brown", "grey"])
async def test_cause_covered(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate, **SEEN, scene="day")
    await camera.set_fault("covered", kind=kind)
    assert is_down(await probe_camera(camera), Cause.COVERED)


async def test_cause_blurred(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, **SEEN, scene="day")
    await probe_camera(camera)
    await camera.set_fault("blurred")
    assert is_up_with(await probe_camera(camera), Cause.BLURRED)


@pytest.mark.parametrize("kind", ["blue", "grey"])
async def test_cause_no_signal_card(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate, **SEEN, scene="day")
    await camera.set_fault("no_signal_card", kind=kind)
    assert is_down(await probe_camera(camera), Cause.NO_SIGNAL_CARD)


@pytest.mark.parametrize("kind", ["shifted", "rotated"])
async def test_cause_scene_changed(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate, **SEEN, scene="day")
    await probe_camera(camera)
    await probe_camera.approve(camera)
    await camera.set_fault("scene_changed", kind=kind)
    assert is_up_with(await probe_camera(camera), Cause.SCENE_CHANGED)


@pytest.mark.parametrize("offset_s", [3600.0, -90.0])
async def test_cause_clock_drift(simulate: Any, probe_camera: Any, offset_s: float) -> None:
    camera = await the_camera(simulate, **SEEN)
    await camera.set_fault("clock_drift", offset_s=offset_s)
    result = await probe_camera(camera)
    assert is_up_with(result, Cause.CLOCK_DRIFT)
    assert result.media is not None
    assert result.media.clock_drift_s == pytest.approx(offset_s, abs=2)


@pytest.mark.parametrize("kind", ["codec", "size"])
async def test_cause_identity_changed(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate, **SEEN)
    expected = ExpectedDevice(codec="h264", width=640, height=360)
    assert (await probe_camera(camera, expected=expected)).judgement.findings == ()
    await camera.set_fault("identity_changed", kind=kind)
    result = await probe_camera(camera, expected=expected)
    assert is_up_with(result, Cause.IDENTITY_CHANGED)
    assert "in place of" in (result.judgement.detail or "")


@pytest.mark.parametrize("kind", ["close", "teardown", "announce", "bye"])
async def test_cause_ended(simulate: Any, probe_camera: Any, kind: str) -> None:
    camera = await the_camera(simulate, starts_with_keyframe=False)
    await camera.set_fault("ended", kind=kind, after_s=0.0)
    assert is_down(await probe_camera(camera, timeout_s=2.0), Cause.ENDED)


@pytest.mark.parametrize("kind", ["close", "teardown", "announce", "bye"])
async def test_cause_ended_of_a_stream_that_ends_while_it_is_measured(
    simulate: Any, probe_camera: Any, kind: str
) -> None:
    camera = await the_camera(simulate, **SEEN | {"gop_s": 4.0}, scene="day")
    await camera.set_fault("ended", kind=kind, after_s=1.0)
    assert is_up_with(await probe_camera(camera), Cause.ENDED)


async def test_cause_auth_failed_of_a_camera_that_was_open_and_has_a_password_now(
    simulate: Any, probe_camera: Any
) -> None:
    """No sign of a session limit: the camera never took this login."""
    camera = await the_camera(simulate)
    assert (await probe_camera(camera, login=("viewer", "s3cret-Xem"))).login_needed is False
    await camera.set_fault("auth")
    assert is_down(await probe_camera(camera, login=("viewer", "s3cret-Xem")), Cause.AUTH_FAILED)


async def test_cause_auth_failed_of_a_locked_account_is_not_made_worse(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, auth="digest", username="viewer", password="s3cret-Xem")
    await camera.set_fault("auth_lockout", logins=3, for_s=60.0)
    for _ in range(5):
        assert is_down(await probe_camera(camera, login=("viewer", "wrong-Xem")), Cause.AUTH_FAILED)
    assert camera.logins_failed == 2
    assert (await probe_camera(camera, login=("viewer", "s3cret-Xem"))).judgement.verdict is Verdict.UP


async def test_a_redirected_camera_is_probed_where_it_is(simulate: Any, probe_camera: Any) -> None:
    sim = await simulate({"id": "gate"}, {"id": "yard", "path": "/yard"})
    await sim.cameras["gate"].set_fault("redirect", location=sim.cameras["yard"].url())
    assert (await probe_camera(sim.cameras["gate"])).judgement.verdict is Verdict.UP
    assert sim.cameras["yard"].sessions_total == 1


@pytest.mark.parametrize("kind", ["access_unit", "message", "header"])
async def test_a_camera_that_sends_too_much_at_once_exhausts_nothing(
    simulate: Any, probe_camera: Any, kind: str
) -> None:
    camera = await the_camera(simulate)
    await camera.set_fault("huge_frame", kind=kind, size_mb=64)
    result = await probe_camera(camera, timeout_s=3.0)
    assert result.judgement.verdict is Verdict.DOWN, result


async def test_that_nobody_probed_it_is_never_a_fault_of_the_camera(probe_camera: Any) -> None:
    result = await probe_camera("rtsp://10.255.255.1/live")
    assert result.judgement.verdict is Verdict.UNKNOWN
    assert result.judgement.cause is Cause.ADDRESS_NOT_ALLOWED
    assert set(result.judgement.not_checked) >= {Cause.FROZEN, Cause.LOW_FPS}


async def test_cause_repeats(simulate: Any, probe_camera: Any) -> None:
    camera = await the_camera(simulate, **SEEN | {"gop_s": 0.5, "loop_s": 1.5}, scene="day")
    await camera.set_fault("loop")
    results = [await probe_camera(camera) for _ in range(9)]
    # None of three keyframes comes a third time before the fourth probe.
    assert all(result.judgement.verdict is Verdict.UP for result in results[:3])
    assert is_down(results[-1], Cause.REPEATS)
    await camera.clear_fault()
    for _ in range(2):
        result = await probe_camera(camera)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.UP, None)
